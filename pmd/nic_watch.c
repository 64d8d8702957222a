/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults and recovery of a port; see nic_watch.h. */
#include "nic_driver.h"
#include "nic_park.h"

#include <rt/log.h>
#include <rt/trace.h>

#define TX_HANG_US 1000000   /* the transmit head stands still for so long, with work before it */
#define CORE_LOOK_US 200     /* a core was asked: when it is looked at again */
#define CORE_LATE_US 1000000 /* ... and when that is worth a line */
#define RETRY_FIRST_US 100000
#define RETRY_MAX_US 10000000

enum watch_state {
    WATCH_OFF,
    WATCH_RUNNING,
    WATCH_PARKING,
    WATCH_DOWN,
    WATCH_EMPTYING,
    WATCH_UP,
    WATCH_RETRY,
    WATCH_GONE,
};

/* A transmit queue as of the last looks. */
struct tx_look {
    bool empty;        /* it had none ... */
    bool still;        /* ... or its head stood at `head` with work before it */
    uint32_t head;
    uint64_t since_us; /* first seen there */
    uint64_t packets;  /* queued until then */
};

struct nic_watch {
    enum watch_state state;
    const char *fault;
    struct nic_steps steps;
    struct tx_look tx[NIC_QUEUES_MAX];
    uint64_t pauses;   /* received until the last look */
    uint64_t due_us;   /* the state is looked at again */
    uint64_t since_us; /* it began */
    uint32_t tries;    /* that failed, of this recovery */
    bool late;         /* said so */
};

static struct nic_watch watches[NIC_PORTS_MAX];

static void count(struct nic *nic, enum nic_watch_row row)
{
    RT_ASSERT_LE((uint32_t)NIC_WATCH_ROWS, nic->counter_count);
    nic->counters[nic->counter_count - NIC_WATCH_ROWS + row].value++;
}

void nic_watch_name_rows(struct nic *nic)
{
    static const char *const names[NIC_WATCH_ROWS] = {
        "driver_recoveries", "driver_tx_hangs", "driver_device_faults"};

    RT_ASSERT_LE((uint32_t)NIC_WATCH_ROWS, nic->counter_count);
    for (uint32_t i = 0; i < NIC_WATCH_ROWS; i++)
        nic->counters[nic->counter_count - NIC_WATCH_ROWS + i].name = names[i];
}

/* ---- a hang ---- */

/* How many frames its core has queued; that core counts on meanwhile. */
RT_UNSYNCHRONISED static uint64_t packets_of(const struct nic_txq *txq)
{
    return *(const volatile uint64_t *)&txq->stats.packets;
}

/* Two looks at least, TX_HANG_US apart at least, saw the head at the same place with work
 * before it, and fewer frames were queued meanwhile than would take it once around the ring.
 * What holds frames up by right, a partner's pause or no link, starts the time anew. */
static bool tx_hung(const struct nic *nic, struct tx_look *look, uint16_t queue, bool held,
                    uint64_t now_us)
{
    struct nic_txq *txq = nic->txq[queue];
    uint64_t packets = packets_of(txq);
    uint32_t head = 0, tail = 0;

    RT_ASSERT_LE(look->packets, packets); /* it only grows */
    if (look->empty && packets == look->packets)
        return false;
    nic->ops->tx_position(txq, &head, &tail);
    if (head == tail || held || !look->still || head != look->head ||
        packets - look->packets >= nic->config.tx_descs) {
        *look = (struct tx_look){
            .empty = head == tail, .still = head != tail && !held, .head = head,
            .since_us = now_us, .packets = packets};
        return false;
    }
    return now_us - look->since_us >= TX_HANG_US;
}

/* ---- the states ---- */

static void enter(struct nic_watch *w, enum watch_state state, uint64_t due_us)
{
    RT_ASSERT_LE((unsigned)state, (unsigned)WATCH_GONE);
    w->state = state;
    w->since_us = hal_now_us();
    w->due_us = due_us;
    w->late = false;
}

static void park(struct nic *nic, struct nic_watch *w, const char *fault)
{
    RT_ASSERT(w->state == WATCH_RUNNING || w->state == WATCH_GONE);
    w->fault = fault;
    w->tries = 0;
    enter(w, WATCH_PARKING, hal_now_us());
    rt_log("%s fault=%s action=reset", nic->name, fault);
    rt_trace(TRACE_NIC_RESET, nic->port, 0);
    nic_park_ask(nic, NIC_QUEUE_PARKED);
}

static void look_for_faults(struct nic *nic, struct nic_watch *w)
{
    uint64_t now_us = hal_now_us(), pauses = nic->ops->pauses(nic);
    bool held = pauses != w->pauses || !nic->link.up;
    const char *fault = nic->ops->fault(nic);

    RT_ASSERT_EQ((unsigned)w->state, (unsigned)WATCH_RUNNING);
    RT_ASSERT_LE(w->pauses, pauses); /* it only grows */
    w->pauses = pauses;
    if (fault == NULL && !nic->ops->receives(nic))
        fault = "was-reset"; /* a bounce of the PCIe link, firmware: its rings are forgotten */
    if (fault != NULL) {
        count(nic, NIC_DEVICE_FAULTS);
        park(nic, w, fault);
        return;
    }
    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        if (!tx_hung(nic, &w->tx[q], q, held, now_us))
            continue;
        count(nic, NIC_TX_HANGS);
        park(nic, w, "tx-hang");
        return;
    }
}

static void begin_steps(struct nic *nic, struct nic_watch *w, enum watch_state state)
{
    RT_ASSERT(nic_park_none_runs(nic)); /* no core is in a ring that core 0 works on */
    enter(w, state, hal_now_us());
    nic->link.up = false;
    nic->ops->begin(nic, state == WATCH_DOWN ? NIC_DOWN : NIC_UP, &w->steps);
}

/* Later and later; a line for the first, second, fourth ... of them. */
static void try_later(struct nic *nic, struct nic_watch *w)
{
    uint64_t delay_us = RT_MIN((uint64_t)RETRY_FIRST_US << RT_MIN(w->tries, 16u),
                               (uint64_t)RETRY_MAX_US);

    RT_ASSERT_LT(w->tries, UINT32_MAX);
    w->tries++;
    if (RT_IS_POW2(w->tries))
        rt_log("%s fault=%s action=reset status=failed tries=%u next_ms=%u", nic->name,
               w->fault, w->tries, (uint32_t)(delay_us / 1000));
    nic->ops->quiesce(nic); /* it may have been as good as up; nobody hears it until then */
    enter(w, WATCH_RETRY, hal_now_us() + delay_us);
}

static void look_from_here(struct nic *nic, struct nic_watch *w)
{
    w->pauses = nic->ops->pauses(nic);
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        w->tx[q] = (struct tx_look){.empty = true, .packets = packets_of(nic->txq[q])};
    enter(w, WATCH_RUNNING, UINT64_MAX);
}

/* What was let in beside our address: a reset has cleared the card's tables. */
static void let_in_again(struct nic *nic)
{
    const struct nic_filters *let_in = &nic->let_in;
    enum rt_status st = nic->ops->set_promiscuous(nic, nic->config.promiscuous);

    RT_ASSERT_LE(let_in->groups, (uint32_t)NIC_GROUPS_MAX);
    for (uint32_t i = 0; i < let_in->groups && st == RT_OK; i++)
        st = nic->ops->add_multicast(nic, let_in->group[i]);
    for (uint32_t vlan = 0; vlan <= NIC_VLAN_MAX && st == RT_OK; vlan++)
        if ((let_in->vlan[vlan / 64] >> (vlan % 64) & 1) != 0)
            st = nic->ops->set_vlan_filter(nic, (uint16_t)vlan, true);
    if (st != RT_OK)
        rt_log("%s filters error=not-written promiscuous=%u groups=%u", nic->name,
               nic->config.promiscuous, let_in->groups);
}

static void resume(struct nic *nic, struct nic_watch *w)
{
    uint64_t recoveries;

    RT_ASSERT(w->state == WATCH_UP);
    RT_ASSERT_EQ(nic_park_missing(nic, NIC_QUEUE_EMPTY), (unsigned)HAL_CORES_MAX);
    count(nic, NIC_RECOVERIES);
    recoveries = nic->counters[nic->counter_count - NIC_WATCH_ROWS + NIC_RECOVERIES].value;
    look_from_here(nic, w);
    let_in_again(nic);
    nic_park_ask(nic, NIC_QUEUE_RUNS);
    rt_log("%s fault=%s action=reset status=recovered recoveries=%llu", nic->name, w->fault,
           (unsigned long long)recoveries);
}

static void walk(struct nic *nic, struct nic_watch *w)
{
    enum rt_status st = nic_steps_run(nic, &w->steps);

    RT_ASSERT(w->state == WATCH_DOWN || w->state == WATCH_UP);
    w->due_us = w->steps.due_us;
    if (st == RT_BUSY)
        return;
    if (st != RT_OK) {
        try_later(nic, w);
    } else if (w->state == WATCH_DOWN) {
        enter(w, WATCH_EMPTYING, hal_now_us());
        nic_park_ask(nic, NIC_QUEUE_EMPTY);
    } else {
        resume(nic, w);
    }
}

/* The next state once every core has done what it was asked for. */
static void wait_for_cores(struct nic *nic, struct nic_watch *w, enum nic_queue_state state,
                           enum watch_state next)
{
    unsigned core = nic_park_missing(nic, state);
    uint64_t now_us = hal_now_us();

    RT_ASSERT_NE((unsigned)state, (unsigned)NIC_QUEUE_RUNS);
    if (core == HAL_CORES_MAX) {
        begin_steps(nic, w, next);
        return;
    }
    w->due_us = now_us + CORE_LOOK_US;
    if (!w->late && now_us - w->since_us >= CORE_LATE_US) {
        w->late = true;
        rt_log("%s fault=%s action=reset status=waiting core=%u", nic->name, w->fault, core);
    }
}

static void park_on(struct nic *nic, struct nic_watch *w)
{
    (void)nic->ops->fault(nic); /* a cause that stands holds the INTx line up */
    wait_for_cores(nic, w, NIC_QUEUE_PARKED, WATCH_DOWN);
}

/* It sends nothing any more of what it held, and may never come back: each core takes that home
 * (and so releases what lies elsewhere), as in a recovery. Its link is down, no DMA passes. */
static void empty_gone(struct nic *nic, struct nic_watch *w)
{
    RT_ASSERT_EQ((unsigned)w->state, (unsigned)WATCH_GONE);
    w->due_us = UINT64_MAX;
    if (nic_park_missing(nic, NIC_QUEUE_EMPTY) == HAL_CORES_MAX)
        return;
    w->due_us = hal_now_us() + CORE_LOOK_US;
    if (nic_park_missing(nic, NIC_QUEUE_PARKED) == HAL_CORES_MAX)
        nic_park_ask(nic, NIC_QUEUE_EMPTY);
}

/* Off the bus: nothing is asked of it until it is back. */
static bool gone(struct nic *nic, struct nic_watch *w)
{
    bool now;

    if (w->state == WATCH_GONE)
        pci_restore(nic->pci); /* back, perhaps: then it has forgotten where its registers are */
    now = nic->ops->gone(nic);
    if (now && w->state != WATCH_GONE) {
        count(nic, NIC_DEVICE_FAULTS);
        rt_log("%s fault=removed", nic->name);
        enter(w, WATCH_GONE, hal_now_us());
        nic_park_ask(nic, NIC_QUEUE_PARKED);
    } else if (!now && w->state == WATCH_GONE) {
        park(nic, w, "came-back");
    }
    return now;
}

bool nic_watch_runs(const struct nic *nic)
{
    return watches[nic->port].state == WATCH_RUNNING;
}

bool nic_watch_calm(const struct nic *nic)
{
    enum watch_state state = watches[nic->port].state;

    return state != WATCH_DOWN && state != WATCH_EMPTYING && state != WATCH_UP &&
           state != WATCH_RETRY;
}

void nic_watch_poll(struct nic *nic)
{
    struct nic_watch *w = &watches[nic->port];

    if (!nic_watch_calm(nic) && hal_now_us() < w->due_us)
        return;
    if (gone(nic, w)) {
        empty_gone(nic, w);
        return;
    }
    if (w->state == WATCH_RUNNING)
        look_for_faults(nic, w);
    else if (w->state == WATCH_PARKING)
        park_on(nic, w);
    else if (w->state == WATCH_EMPTYING)
        wait_for_cores(nic, w, NIC_QUEUE_EMPTY, WATCH_UP);
    else if (w->state == WATCH_RETRY)
        begin_steps(nic, w, WATCH_DOWN);
    else if (w->state == WATCH_DOWN || w->state == WATCH_UP)
        walk(nic, w);
}

uint64_t nic_watch_next_us(const struct nic *nic)
{
    return watches[nic->port].state == WATCH_OFF ? UINT64_MAX : watches[nic->port].due_us;
}

void nic_watch_start(struct nic *nic)
{
    struct nic_watch *w = &watches[nic->port];

    RT_ASSERT(!nic->started);
    *w = (struct nic_watch){.state = WATCH_OFF};
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        nic->ops->rxq_run(nic->rxq[q]);
        nic->rxq[q]->asked = nic->rxq[q]->state = NIC_QUEUE_RUNS;
        nic->rxq[q]->stats = (struct nic_queue_stats){0};
    }
    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        nic->ops->txq_run(nic->txq[q]);
        nic->txq[q]->asked = nic->txq[q]->state = NIC_QUEUE_RUNS;
        nic->txq[q]->stats = (struct nic_queue_stats){0};
    }
    look_from_here(nic, w);
}

/* A reset that has just begun has its time: no register is touched in it. */
void nic_watch_stop(struct nic *nic)
{
    struct nic_watch *w = &watches[nic->port];
    uint64_t now_us = hal_now_us();

    RT_ASSERT(nic->started);
    if ((w->state == WATCH_DOWN || w->state == WATCH_UP) && w->due_us > now_us)
        hal_delay_us((uint32_t)(w->due_us - now_us));
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        nic_park_rxq(nic->rxq[q]);
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        nic_park_txq(nic->txq[q]);
    enter(w, WATCH_OFF, UINT64_MAX);
}

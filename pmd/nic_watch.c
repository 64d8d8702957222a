/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults and recovery of a port; see nic_watch.h. */
#include "nic_driver.h"

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

uint32_t nic_core_asked[HAL_CORES_MAX];

static void count(struct nic *nic, enum nic_watch_row row)
{
    nic->counters[nic->counter_count - NIC_WATCH_ROWS + row].value++;
}

void nic_watch_name_rows(struct nic *nic)
{
    static const char *const names[NIC_WATCH_ROWS] = {
        "driver_recoveries", "driver_tx_hangs", "driver_device_faults"};

    for (uint32_t i = 0; i < NIC_WATCH_ROWS; i++)
        nic->counters[nic->counter_count - NIC_WATCH_ROWS + i].name = names[i];
}

/* ---- what a parked queue does ---- */

static uint32_t rx_parked(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    return 0;
}

/* The core may sleep: it is kicked when there is something to do. */
static bool arm_parked(struct nic_rxq *rxq)
{
    return false;
}

static void disarm_parked(struct nic_rxq *rxq)
{
}

static void tx_parked(struct nic_txq *txq, struct buf_batch *batch)
{
    txq->stats.ring_full += batch->count; /* all of it stays the caller's */
}

static uint32_t reclaim_parked(struct nic_txq *txq)
{
    return 0;
}

/* ---- on the queue's core, between two turns of its loop ---- */

static void rxq_follow(struct nic_rxq *rxq)
{
    uint32_t asked = __atomic_load_n(&rxq->asked, __ATOMIC_ACQUIRE);

    if (asked == rxq->state)
        return;
    if (asked == NIC_QUEUE_PARKED) {
        rxq->rx = rx_parked;
        rxq->arm = arm_parked;
        rxq->disarm = disarm_parked;
        rxq->nic->ops->rxq_drop(rxq);
    } else if (asked == NIC_QUEUE_RUNS) {
        rxq->nic->ops->rxq_run(rxq);
    }
    __atomic_store_n(&rxq->state, asked, __ATOMIC_RELEASE);
}

static void txq_follow(struct nic_txq *txq)
{
    uint32_t asked = __atomic_load_n(&txq->asked, __ATOMIC_ACQUIRE);

    if (asked == txq->state)
        return;
    if (asked == NIC_QUEUE_PARKED) {
        txq->tx = tx_parked;
        txq->reclaim = reclaim_parked;
    } else if (asked == NIC_QUEUE_EMPTY) {
        txq->nic->ops->txq_empty(txq);
    } else {
        txq->nic->ops->txq_run(txq);
    }
    __atomic_store_n(&txq->state, asked, __ATOMIC_RELEASE);
}

void nic_core_work(unsigned core)
{
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    RT_ASSERT_EQ(core, hal_core_id());
    /* first: who asks again from here on is seen in the next turn */
    if (__atomic_exchange_n(&nic_core_asked[core], 0, __ATOMIC_ACQ_REL) == 0)
        return;
    for (uint32_t port = 0; port < nic_count(); port++) {
        struct nic *nic = nic_get(port);

        for (uint16_t q = 0; q < NIC_QUEUES_MAX; q++) {
            if (nic->rxq[q] != NULL && nic->rxq[q]->core == core)
                rxq_follow(nic->rxq[q]);
            if (nic->txq[q] != NULL && nic->txq[q]->core == core)
                txq_follow(nic->txq[q]);
        }
    }
}

/* ---- core 0: asking, and seeing that it was done ---- */

static void ask(struct nic *nic, enum nic_queue_state state)
{
    uint64_t cores = 0;

    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        __atomic_store_n(&nic->rxq[q]->asked, (uint32_t)state, __ATOMIC_RELEASE);
        cores |= UINT64_C(1) << nic->rxq[q]->core;
    }
    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        __atomic_store_n(&nic->txq[q]->asked, (uint32_t)state, __ATOMIC_RELEASE);
        cores |= UINT64_C(1) << nic->txq[q]->core;
    }
    for (unsigned core = 0; core < HAL_CORES_MAX; core++) {
        if ((cores >> core & 1) == 0)
            continue;
        __atomic_store_n(&nic_core_asked[core], 1, __ATOMIC_RELEASE);
        if (core == hal_core_id())
            nic_core_work(core); /* we are between two turns, too */
        else
            hal_core_kick(core);
    }
}
_Static_assert(HAL_CORES_MAX <= 64, "`cores` has a bit for each");

/* The core that is still to come by; HAL_CORES_MAX: all have. */
static unsigned core_missing(const struct nic *nic, enum nic_queue_state state)
{
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        if (__atomic_load_n(&nic->rxq[q]->state, __ATOMIC_ACQUIRE) != (uint32_t)state)
            return nic->rxq[q]->core;
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        if (__atomic_load_n(&nic->txq[q]->state, __ATOMIC_ACQUIRE) != (uint32_t)state)
            return nic->txq[q]->core;
    return HAL_CORES_MAX;
}

static bool none_runs(const struct nic *nic)
{
    bool none = true;

    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        none &= __atomic_load_n(&nic->rxq[q]->state, __ATOMIC_ACQUIRE) != NIC_QUEUE_RUNS;
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        none &= __atomic_load_n(&nic->txq[q]->state, __ATOMIC_ACQUIRE) != NIC_QUEUE_RUNS;
    return none;
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
    ask(nic, NIC_QUEUE_PARKED);
}

static void look_for_faults(struct nic *nic, struct nic_watch *w)
{
    uint64_t now_us = hal_now_us(), pauses = nic->ops->pauses(nic);
    bool held = pauses != w->pauses || !nic->link.up;
    const char *fault = nic->ops->fault(nic);

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
    RT_ASSERT(none_runs(nic)); /* no core is in a ring that core 0 works on */
    enter(w, state, hal_now_us());
    nic->link.up = false;
    nic->ops->begin(nic, state == WATCH_DOWN ? NIC_DOWN : NIC_UP, &w->steps);
}

/* Later and later; a line for the first, second, fourth ... of them. */
static void try_later(struct nic *nic, struct nic_watch *w)
{
    uint64_t delay_us = RT_MIN((uint64_t)RETRY_FIRST_US << RT_MIN(w->tries, 16u),
                               (uint64_t)RETRY_MAX_US);

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

static void resume(struct nic *nic, struct nic_watch *w)
{
    uint64_t recoveries;

    count(nic, NIC_RECOVERIES);
    recoveries = nic->counters[nic->counter_count - NIC_WATCH_ROWS + NIC_RECOVERIES].value;
    look_from_here(nic, w);
    ask(nic, NIC_QUEUE_RUNS);
    rt_log("%s fault=%s action=reset status=recovered recoveries=%llu", nic->name, w->fault,
           (unsigned long long)recoveries);
}

static void walk(struct nic *nic, struct nic_watch *w)
{
    enum rt_status st = nic_steps_run(nic, &w->steps);

    w->due_us = w->steps.due_us;
    if (st == RT_BUSY)
        return;
    if (st != RT_OK) {
        try_later(nic, w);
    } else if (w->state == WATCH_DOWN) {
        enter(w, WATCH_EMPTYING, hal_now_us());
        ask(nic, NIC_QUEUE_EMPTY);
    } else {
        resume(nic, w);
    }
}

/* The next state once every core has done what it was asked for. */
static void wait_for_cores(struct nic *nic, struct nic_watch *w, enum nic_queue_state state,
                           enum watch_state next)
{
    unsigned core = core_missing(nic, state);
    uint64_t now_us = hal_now_us();

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
        enter(w, WATCH_GONE, UINT64_MAX);
    } else if (!now && w->state == WATCH_GONE) {
        park(nic, w, "came-back");
    }
    return now;
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
    if (gone(nic, w))
        return;
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

    if ((w->state == WATCH_DOWN || w->state == WATCH_UP) && w->due_us > now_us)
        hal_delay_us((uint32_t)(w->due_us - now_us));
    enter(w, WATCH_OFF, UINT64_MAX);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports without a card; see soft.h. */
#include "soft/soft.h"

#include <rt/log.h>

/* The five registers of each ring are plain memory: the device looks at one of them. */
#define RX_FIRST 0x000
#define TX_FIRST 0x100
#define REGS_BYTES 0x200
#define RING_MIN 8
#define RING_MAX 4096

const struct nic_ring_chip soft_rings = {
    .rxq_bytes = sizeof(struct soft_rxq),
    .txq_bytes = sizeof(struct soft_txq),
    .rx_first = RX_FIRST,
    .tx_first = TX_FIRST,
    .stride = 0x40,
    .post_descs = 1,
    .command = NIC_TXD_EOP,
    .per_byte = 1,
};

static enum rt_status no_port(const char *driver, enum rt_status st)
{
    rt_log("nic driver=%s state=skipped reason=\"%s\"", driver,
           st == RT_FULL ? "more ports than this build handles" : "no memory");
    return st;
}

enum rt_status soft_port_add(struct soft_port *port, const char *driver,
                             const struct nic_ops *ops)
{
    void *regs = hal_alloc(REGS_BYTES, RT_CACHE_LINE, "soft port");
    struct nic *nic;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (regs == NULL)
        return no_port(driver, RT_NO_MEMORY);
    if (nic_count() == NIC_PORTS_MAX)
        return no_port(driver, RT_FULL);
    nic = nic_port_add(NULL, driver);
    nic->ops = ops;
    nic->priv = port;
    nic->mmio = (struct hal_mmio){.base = regs, .bytes = REGS_BYTES};
    nic->irq_mode = NIC_IRQ_NONE;
    nic->caps = (struct nic_caps){
        .rxq_max = 1, .txq_max = 1, .ring_min = RING_MIN, .ring_max = RING_MAX,
        .ring_multiple = RING_MIN, .frame_max_bytes = SOFT_FRAME_BYTES_MAX, .msix = true};
    port->nic = nic;
    if (nic_counters_alloc(nic, NULL, 0) == RT_OK)
        return RT_OK;
    nic->failed = "no memory";
    return no_port(driver, RT_NO_MEMORY);
}

enum rt_status soft_configure(struct nic *nic)
{
    return RT_OK;
}

enum rt_status soft_rxq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool)
{
    return nic_rx_ring_setup(nic, queue, core, pool);
}

enum rt_status soft_txq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool)
{
    return nic_tx_ring_setup(nic, queue, core, pool);
}

/* ---- start and stop ---- */

static void device_on(struct nic *nic)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (uint16_t i = 0; i < nic->config.rxqs; i++) {
        struct soft_rxq *q = soft_rxq_of(nic->rxq[i]);

        q->head = 0;
        __atomic_store_n(&q->armed, 0, __ATOMIC_RELAXED);
        nic_rx_post(&q->ring);
    }
    for (uint16_t i = 0; i < nic->config.txqs; i++) {
        struct soft_txq *q = soft_txq_of(nic->txq[i]);

        q->reported = 0;
        q->posted = 0;
        q->fetched = 0;
        __atomic_store_n(&q->running, 1, __ATOMIC_RELEASE);
    }
}

static void device_off(struct nic *nic)
{
    for (uint16_t i = 0; i < nic->config.txqs; i++)
        soft_tx_off(soft_txq_of(nic->txq[i]));
}

/* Addresses and tags are forgotten, as on a card that was reset. */
static void forget_filters(struct nic *nic)
{
    struct soft_port *port = soft_port_of(nic);

    RT_ASSERT_EQ(hal_core_id(), 0u);
    __builtin_memset(port->group, 0, sizeof(port->group));
    __builtin_memset(port->vlan, 0, sizeof(port->vlan));
    port->by_vlan = 0;
}

static void reset_losses(struct nic *nic)
{
    soft_port_of(nic)->tx_lost = 0;
    for (uint16_t i = 0; i < nic->config.rxqs; i++) {
        struct soft_rxq *q = soft_rxq_of(nic->rxq[i]);

        q->missed = 0;
        q->too_long = 0;
        q->filtered = 0;
    }
}

enum rt_status soft_start(struct nic *nic)
{
    enum rt_status st = nic_rings_start(nic);

    RT_ASSERT(!nic->started);
    if (st != RT_OK) {
        nic_rings_empty(nic);
        return st;
    }
    forget_filters(nic);
    reset_losses(nic);
    soft_port_of(nic)->fault = NULL;
    device_on(nic);
    return RT_OK;
}

void soft_stop(struct nic *nic)
{
    device_off(nic);
    nic_rings_empty(nic);
    nic->link.up = false;
    rt_log("%s state=stopped", nic->name);
}

void soft_set_link(struct nic *nic, bool up, uint32_t speed_mbps)
{
    nic->link.changes += up != nic->link.up;
    nic->link.up = up;
    nic->link.full_duplex = true;
    nic->link.speed_mbps = up ? speed_mbps : 0;
}

/* ---- recovery ---- */

static enum rt_status step_down(struct nic *nic, struct nic_steps *steps)
{
    device_off(nic);
    return RT_OK;
}

static enum rt_status step_up(struct nic *nic, struct nic_steps *steps)
{
    enum rt_status st = nic_rings_start(nic);

    forget_filters(nic);
    if (st == RT_OK)
        device_on(nic);
    return st;
}

void soft_begin(struct nic *nic, enum nic_way way, struct nic_steps *steps)
{
    static const struct nic_step down[] = {{step_down, 0}}, up[] = {{step_up, 0}};
    static const struct nic_step_table tables[] = {
        [NIC_DOWN] = NIC_STEPS(down), [NIC_UP] = NIC_STEPS(up)};

    nic_steps_begin(steps, tables[way], 0);
}

bool soft_gone(struct nic *nic)
{
    return false;
}

/* Once: the recovery that follows clears it. */
const char *soft_fault(struct nic *nic)
{
    struct soft_port *port = soft_port_of(nic);
    const char *fault = port->fault;

    port->fault = NULL;
    return fault;
}

bool soft_receives(struct nic *nic)
{
    return true;
}

/* It stands still when the far end does not take frames, which is no fault. */
void soft_tx_position(const struct nic_txq *txq, uint32_t *head, uint32_t *tail)
{
    *head = *tail = 0;
}

uint64_t soft_pauses(struct nic *nic)
{
    return 0;
}

void soft_quiesce(struct nic *nic)
{
    /* who ends takes its memory with it */
}

/* ---- statistics ---- */

/* Other cores count on meanwhile. */
RT_UNSYNCHRONISED static uint64_t counted(const uint64_t *counter)
{
    return *(const volatile uint64_t *)counter;
}

void soft_poll_stats(struct nic *nic, uint32_t rows)
{
    struct nic_stats sum = {.tx_errors = counted(&soft_port_of(nic)->tx_lost)};

    for (uint16_t i = 0; i < nic->config.rxqs; i++) {
        const struct soft_rxq *q = soft_rxq_of(nic->rxq[i]);

        sum.rx_packets += counted(&q->ring.head.stats.packets);
        sum.rx_bytes += counted(&q->ring.head.stats.bytes);
        sum.rx_no_buffer += counted(&q->missed);
        sum.rx_length_errors += counted(&q->too_long);
    }
    for (uint16_t i = 0; i < nic->config.txqs; i++) {
        sum.tx_packets += counted(&nic->txq[i]->stats.packets);
        sum.tx_bytes += counted(&nic->txq[i]->stats.bytes);
    }
    nic->stats = sum;
}

/* ---- addresses ---- */

enum rt_status soft_set_promiscuous(struct nic *nic, bool on)
{
    nic->config.promiscuous = on;
    return RT_OK;
}

static void set_bit(uint64_t table[SOFT_TABLE_WORDS], uint32_t bit, bool on)
{
    const uint64_t mask = UINT64_C(1) << (bit % 64);

    RT_ASSERT_LT(bit, SOFT_TABLE_WORDS * 64u);
    if (on)
        __atomic_fetch_or(&table[bit / 64], mask, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&table[bit / 64], ~mask, __ATOMIC_RELAXED);
}

enum rt_status soft_add_multicast(struct nic *nic, const uint8_t mac[6])
{
    if (!nic->started)
        return RT_BUSY;
    set_bit(soft_port_of(nic)->group, soft_group_bit(mac), true);
    return RT_OK;
}

/* The filter drops everything not let in as soon as one VLAN is. */
enum rt_status soft_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on)
{
    struct soft_port *port = soft_port_of(nic);
    bool any = false;

    if (!nic->started)
        return RT_BUSY;
    set_bit(port->vlan, vlan, on);
    for (uint32_t i = 0; i < SOFT_TABLE_WORDS && !any; i++)
        any = port->vlan[i] != 0;
    __atomic_store_n(&port->by_vlan, any, __ATOMIC_RELAXED);
    return RT_OK;
}

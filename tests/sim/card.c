/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real ixgbe driver on a software 82599, one card a side. The seed chooses what a card
 * suffers for the first half minute: switches of the model, or it is pulled out and plugged in
 * again. Both share one core, and the hal's clock is the simulation's.
 */
#include "sim.h"

#include <mempool/poison.h>
#include <model/x82599_port.h>
#include <pmd/nic.h>
#include <rt/host.h>
#include <rt/pci.h>
#include <stdio.h>
#include <string.h>

enum {
    SLOT_FIRST = 2,
    RING_DESCS = 32,
    FRAME_MAX = 1514,
    LOOK_US = 100000, /* link and faults are looked at, at least */
    PULLED_LATEST_US = 4000000,
    AWAY_US = 3000000,
    CONSOLE_BYTES = 65536,
};

struct device {
    struct side *side;
    struct x82599_port *port;
    struct x82599 *card;
    struct nic *nic;
    uint64_t look_us;
    uint64_t pulled_us, back_us; /* UINT64_MAX: never, or it was */
    bool more;                   /* frames wait already */
};

static struct device devices[2]; /* of each side */
static char console[CONSOLE_BYTES];

/* How often, in 65536 opportunities: write-backs, interrupts, frames, steps. */
static const struct {
    enum x82599_fault kind;
    uint32_t chance_65536;
} faults[] = {
    {X82599_FAULT_LATE_WRITEBACK, 10000}, {X82599_FAULT_WRONG_LENGTH, 1000},
    {X82599_FAULT_DD_WITHOUT_DATA, 1000}, {X82599_FAULT_LOST_IRQ, 10000},
    {X82599_FAULT_SPURIOUS_IRQ, 3000},    {X82599_FAULT_STUCK_TX, 200},
    {X82599_FAULT_LINK_FLAP, 300},        {X82599_FAULT_RESET_NEEDED, 300},
};

/* ---- what the card does ---- */

#ifdef MEMPOOL_ASAN
/* A card reads and writes where nobody else may. */
static void unpoison(const void *p, uint32_t bytes)
{
    __asan_unpoison_memory_region(p, bytes);
}
#else
static void unpoison(const void *p, uint32_t bytes)
{
}
#endif

/* Of buffers a card may reach the room of those that it has: frames that come in begin behind
 * the headroom. All else are rings, whose ends AddressSanitizer knows. */
static bool may_reach(const struct pool *pool, size_t offset, uint32_t bytes, bool writes)
{
    const uint8_t owner = pool->owners[offset / pool->stride_bytes];
    const size_t at = offset % pool->stride_bytes;
    const size_t from = sizeof(struct buf) + (writes ? BUF_HEADROOM_BYTES : 0);

    return (owner == BUF_NIC || (!writes && owner == BUF_KEPT_NIC)) && at >= from &&
           at + bytes <= BUF_STRIDE_BYTES;
}

static void *dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    struct device *d = ctx;
    char *p = (char *)(uintptr_t)phys;

    for (const struct pool *pool = pool_first(); pool != NULL; pool = pool->next) {
        const size_t offset = (size_t)(p - pool->base);

        if (p < pool->base || offset >= (size_t)pool->total * pool->stride_bytes)
            continue;
        if (!may_reach(pool, offset, bytes, device_writes)) {
            sim_fail(d->side->sim, "side %u: the card is told to touch what it does not have",
                     d->side->number);
            return NULL;
        }
        unpoison(p, bytes);
    }
    return p;
}

static void transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    const struct device *d = ctx;

    line_put(d->side->sim, !d->side->number, frame, bytes);
}

/* ---- begin and end ---- */

uint32_t device_buffers(void)
{
    return RING_DESCS;
}

static void plug(struct sim *sim, unsigned number)
{
    struct device *d = &devices[number];
    const struct x82599_config config = {
        .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + number)},
        .seed = sim->seed * 2 + number,
        .ctx = d,
        .dma = dma,
        .transmit = transmit,
    };

    *d = (struct device){.side = &sim->sides[number], .pulled_us = UINT64_MAX,
                         .back_us = UINT64_MAX};
    d->side->sim = sim;
    d->side->number = number;
    d->port = x82599_port_add(SLOT_FIRST + number, &config, X82599_CALLS);
    RT_ASSERT(d->port != NULL);
    d->card = x82599_port_device(d->port);
}

void devices_begin(struct sim *sim)
{
    host_set_core(0);
    host_irq_reset();
    host_console_capture(console, sizeof(console));
    x82599_port_reset_all(); /* what a seed that failed has left */
    for (unsigned i = 0; i < 2; i++)
        plug(sim, i);
    pci_scan();
    if (nic_probe_all() != 2)
        sim_fail(sim, "a card does not work");
    for (unsigned i = 0; i < 2; i++)
        devices[i].nic = nic_get(i);
}

/* Every second card is a good one. */
static void choose_faults(struct device *d)
{
    struct sim *sim = d->side->sim;

    if (sim_random(sim, 2) == 0)
        return;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(faults); i++)
        if (sim_random(sim, 3) == 0)
            x82599_fault_chance(d->card, faults[i].kind, faults[i].chance_65536);
    if (sim_random(sim, 4) == 0) {
        d->pulled_us = sim->now_us + sim_random(sim, PULLED_LATEST_US);
        d->back_us = d->pulled_us + sim_random(sim, AWAY_US);
    }
}

static void forgive(struct device *d)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(faults); i++)
        x82599_fault_chance(d->card, faults[i].kind, 0);
}

static enum rt_status bring_up(struct device *d)
{
    const struct nic_config config = {
        .rxqs = 1,
        .txqs = 1,
        .rx_descs = RING_DESCS,
        .tx_descs = RING_DESCS,
        .frame_max_bytes = FRAME_MAX,
        .irq_mode = NIC_IRQ_MSIX,
        /* A card that says "good" of a buffer that it never wrote can be believed by nobody. */
        .rx_checksum = sim_random(d->side->sim, 2) == 0,
    };
    enum rt_status st = nic_configure(d->nic, &config);

    if (st == RT_OK)
        st = nic_rxq_setup(d->nic, 0, 0, d->side->pool);
    if (st == RT_OK)
        st = nic_txq_setup(d->nic, 0, 0, d->side->pool);
    if (st == RT_OK)
        st = nic_start(d->nic);
    return st;
}

static void send(void *ctx, struct buf_batch *frames)
{
    const struct device *d = ctx;

    nic_tx(d->nic->txq[0], frames);
}

static void join(void *ctx, const uint8_t mac[6])
{
    const struct device *d = ctx;

    if (nic_add_multicast(d->nic, mac) != RT_OK)
        sim_fail(d->side->sim, "side %u: no room for a group", d->side->number);
}

void device_start(struct side *side, struct net_if_config *config)
{
    struct device *d = &devices[side->number];
    struct sim *sim = side->sim;

    if (bring_up(d) != RT_OK)
        sim_fail(sim, "side %u: its card does not start", side->number);
    sim->now_us = hal_now_us();
    d->look_us = sim->now_us;
    choose_faults(d);
    if (d->nic->config.rx_checksum)
        x82599_fault_chance(d->card, X82599_FAULT_DD_WITHOUT_DATA, 0);
    config->tx_ip_checksum = config->tx_l4_checksum = d->nic->caps.tx_checksum;
    config->send = send;
    config->join = join;
    config->ctx = d;
}

void device_stop(struct side *side)
{
    const struct device *d = &devices[side->number];
    const struct x82599_counters *count = x82599_counters(d->card);
    const struct nic_queue_stats *sent = &d->nic->txq[0]->stats;

    nic_stop(d->nic);
    pool_collect(side->pool);
    if (count->early != 0 || count->bad_descs != 0 || count->bad_tails != 0)
        sim_fail(side->sim, "side %u: its card was used wrongly: %llu %llu %llu", side->number,
                 (unsigned long long)count->early, (unsigned long long)count->bad_descs,
                 (unsigned long long)count->bad_tails);
    /* The hostile build's rings of 8 are too small for a segment of as many buffers. */
    if (!POOL_HOSTILE && sent->bad_request != 0)
        sim_fail(side->sim, "side %u: %llu frames could not be sent as asked", side->number,
                 (unsigned long long)sent->bad_request);
}

void devices_end(const struct sim *sim)
{
    host_console_capture(NULL, 0);
    if (sim->failed)
        fputs(console, stdout); /* what the driver said */
    x82599_port_reset_all();
}

/* ---- a turn ---- */

/* The driver may have waited a few microseconds: then both clocks are later. */
static void keep_time(struct sim *sim)
{
    const uint64_t now_us = hal_now_us();

    if (now_us < sim->now_us)
        host_clock_advance_us(sim->now_us - now_us);
    else
        sim->now_us = now_us;
}

static void pull_and_plug(struct device *d)
{
    const uint64_t now_us = d->side->sim->now_us;

    if (now_us >= d->pulled_us) {
        d->pulled_us = UINT64_MAX;
        x82599_fault_now(d->card, X82599_FAULT_REMOVAL, 0);
    } else if (d->pulled_us == UINT64_MAX && now_us >= d->back_us) {
        d->back_us = UINT64_MAX;
        x82599_port_replug(d->port);
    }
}

/* What the core does for its card, in each turn and now and then. */
static void tend(struct device *d)
{
    struct sim *sim = d->side->sim;

    nic_core_poll(0);
    if (sim->now_us >= RT_MIN(d->look_us, nic_next_us(d->nic))) {
        nic_poll_link(d->nic);
        keep_time(sim);
        d->look_us = sim->now_us + LOOK_US;
    }
    net_link(d->side->net, 0, d->nic->link.up);
}

/* Frames that are due reach the card. */
static void from_line(struct device *d)
{
    struct sim *sim = d->side->sim;
    struct flying f;

    for (uint32_t i = 0; i < SIM_FLYING_MAX && line_take(sim, d->side->number, &f); i++)
        if (x82599_receive(d->card, f.data, f.bytes) == X82599_RX_NO_DESCRIPTOR)
            x82599_missed(d->card, f.data, f.bytes);
}

/* What the driver has of them is the stack's. */
static void to_stack(struct side *side, struct nic_rxq *rxq)
{
    struct buf_batch batch = {.count = 0};

    nic_rx(rxq, &batch, BUF_BATCH_MAX);
    if (batch.count == 0)
        return;
    for (uint32_t i = 0; i < batch.count; i++)
        watch_arrived(side->sim, !side->number, buf_data(batch.buf[i]), batch.buf[i]->data_len);
    net_input(side->net, 0, &batch, side->sim->now_us);
}

void device_turn(struct side *side)
{
    struct device *d = &devices[side->number];
    struct nic_rxq *rxq = d->nic->rxq[0];

    keep_time(side->sim);
    pull_and_plug(d);
    if (side->sim->quiet)
        forgive(d);
    x82599_step(d->card, side->sim->now_us * 1000);
    tend(d);
    from_line(d);
    nic_rx_disarm(rxq);
    nic_tx_reclaim(d->nic->txq[0]);
    to_stack(side, rxq);
    d->more = nic_rx_arm(rxq);
    keep_time(side->sim);
}

/* Looks alone keep nobody awake. */
uint64_t device_next_us(const struct side *side)
{
    const struct device *d = &devices[side->number];
    const uint64_t card_ns = x82599_next_ns(d->card);
    uint64_t next_us = RT_MIN(nic_next_us(d->nic), RT_MIN(d->pulled_us, d->back_us));

    if (card_ns != UINT64_MAX)
        next_us = RT_MIN(next_us, (card_ns + 999) / 1000);
    if (d->more)
        next_us = 0;
    if (next_us != UINT64_MAX || net_next_us(side->net) != UINT64_MAX)
        next_us = RT_MIN(next_us, d->look_us);
    return next_us;
}

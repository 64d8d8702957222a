/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums over queues and paths, and the times of the start. */
#include "totals.h"

enum { READ_TRIES = 8 };

const char *const l2fwd_drop_names[L2FWD_DROPS] = {
#define X(id, name) [L2FWD_DROP_##id] = name,
    L2FWD_DROP_REASONS(X)
#undef X
};

static void add_path(const struct l2fwd_path *path, struct l2fwd_port_totals *t)
{
    t->drops[L2FWD_DROP_TX_FULL] += path->stats.tx_full;
    t->drops[L2FWD_DROP_RX_ONLY] += path->stats.rx_only;
    t->drops[L2FWD_DROP_POOL_EMPTY] += path->stats.pool_empty;
}

static void add_rxq(const struct nic_queue_stats *s, struct l2fwd_port_totals *t)
{
    t->rx_packets += s->packets;
    t->rx_bytes += s->bytes;
    t->drops[L2FWD_DROP_NO_REPLACEMENT] += s->no_replacement;
    t->drops[L2FWD_DROP_RX_ERROR] += s->errors;
    t->drops[L2FWD_DROP_RX_HOSTILE] += s->hostile;
    t->drops[L2FWD_DROP_RX_TOO_LONG] += s->too_long;
}

struct l2fwd_port_totals l2fwd_port_totals(const struct l2fwd *app, uint32_t port)
{
    const struct nic *nic = app->ports[port];
    struct l2fwd_port_totals t = {0};

    for (uint32_t q = 0; q < app->plan.rxqs[port]; q++) {
        if (nic->rxq[q] != NULL)
            add_rxq(&nic->rxq[q]->stats, &t);
    }
    for (uint32_t q = 0; q < app->plan.txqs[port]; q++) {
        if (nic->txq[q] == NULL)
            continue;
        t.tx_packets += nic->txq[q]->stats.packets;
        t.tx_bytes += nic->txq[q]->stats.bytes;
        t.drops[L2FWD_DROP_TX_BAD] += nic->txq[q]->stats.bad_request;
    }
    for (uint32_t i = 0, done[HAL_CORES_MAX] = {0}; i < app->plan.count; i++) {
        const struct l2fwd_path_plan *plan = &app->plan.path[i];
        const struct l2fwd_path *path = &app->cores[plan->core]->paths[done[plan->core]++];

        if (plan->rx_port == port)
            add_path(path, &t);
    }
    return t;
}

/* The core may end its halt meanwhile: then once more, or the halt would count twice. */
static void read_times(const struct loop_stats *s, struct l2fwd_core_totals *t)
{
    for (unsigned i = 0; i < READ_TRIES; i++) {
        uint64_t halted_at_cycles = s->halted_at_cycles;
        uint64_t now = hal_cycles();

        t->busy_cycles = __atomic_load_n(&s->busy_cycles, __ATOMIC_ACQUIRE);
        t->spin_cycles = __atomic_load_n(&s->spin_cycles, __ATOMIC_ACQUIRE);
        t->halt_cycles = __atomic_load_n(&s->halt_cycles, __ATOMIC_ACQUIRE);
        if (halted_at_cycles != 0)
            t->halt_cycles += now - halted_at_cycles;
        t->elapsed_cycles = (s->ended_cycles != 0 ? s->ended_cycles : now) - s->began_cycles;
        if (s->halted_at_cycles == halted_at_cycles)
            break;
    }
    if (s->began_cycles == 0)
        t->elapsed_cycles = 0;
}

struct l2fwd_core_totals l2fwd_core_totals(const struct l2fwd *app, unsigned core)
{
    const struct l2fwd_core *c = app->cores[core];
    struct l2fwd_core_totals t = {0};

    read_times(&c->loop.stats, &t);
    for (uint32_t p = 0; p < c->path_count; p++) {
        for (unsigned i = 0; i <= BUF_BATCH_MAX; i++)
            t.batch[i] += c->paths[p].stats.polls[i];
    }
    return t;
}

uint64_t l2fwd_uptime_us(const struct l2fwd *app)
{
    return hal_us_from_cycles(hal_cycles() - app->boot->entry_cycles);
}

uint64_t l2fwd_first_frame_us(const struct l2fwd *app)
{
    uint64_t first = UINT64_MAX;

    for (uint32_t c = 0; c < app->core_count; c++) {
        for (uint32_t i = 0; i < app->cores[c]->path_count; i++) {
            uint64_t cycles = app->cores[c]->paths[i].first_cycles;

            if (cycles != 0)
                first = RT_MIN(first, cycles);
        }
    }
    return first == UINT64_MAX ? 0 : hal_us_from_cycles(first - app->boot->entry_cycles);
}

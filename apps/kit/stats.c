/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics table for people. Counters of other cores are read while those cores
 * count: each number is right, a sum may be a few packets off.
 */
#include "l2fwd.h"

#include "totals.h"

#include <rt/log.h>

enum {
    COUNTER_LINE_BYTES = 320,
    COUNTER_BYTES_MAX = 64, /* a name, its value and what is between */
};

static void print_drop(uint32_t port, const char *reason, uint64_t count)
{
    if (count != 0)
        rt_log("stat port=%u drop=%s packets=%lu", port, reason, count);
}

/* Everything the card and its driver have counted, several to a line. */
static void print_counters(const struct nic *nic, uint32_t port)
{
    char text[COUNTER_LINE_BYTES];
    size_t n = 0;

    for (uint32_t i = 0; i < nic->counter_count; i++) {
        const struct nic_counter *counter = &nic->counters[i];

        if (counter->value == 0)
            continue;
        n += rt_snprintf(text + n, sizeof(text) - n, " %s=%lu", counter->name, counter->value);
        if (n < sizeof(text) - COUNTER_BYTES_MAX)
            continue;
        rt_log("stat port=%u card%s", port, text);
        n = 0;
    }
    if (n != 0)
        rt_log("stat port=%u card%s", port, text);
}

static void print_port(const struct l2fwd *app, uint32_t port)
{
    const struct nic *nic = app->ports[port];
    struct l2fwd_port_totals t = l2fwd_port_totals(app, port);

    rt_log("stat port=%u link=%s speed_mbps=%u rx_packets=%lu rx_bytes=%lu tx_packets=%lu"
           " tx_bytes=%lu",
           port, nic->link.up ? "up" : "down", nic->link.speed_mbps, t.rx_packets, t.rx_bytes,
           t.tx_packets, t.tx_bytes);
    for (unsigned i = 0; i < L2FWD_DROPS; i++)
        print_drop(port, l2fwd_drop_names[i], t.drops[i]);
    print_drop(port, "card_missed", nic->stats.rx_missed);
    print_drop(port, "card_no_buffer", nic->stats.rx_no_buffer);
    print_drop(port, "card_crc", nic->stats.rx_crc_errors);
    print_drop(port, "card_length", nic->stats.rx_length_errors);
    print_drop(port, "card_tx", nic->stats.tx_errors);
    print_counters(nic, port);
}

/* "1:20 2:7 32:4711": polls by frames found, without the empty ones. */
static void print_batches(unsigned id, const struct l2fwd_core_totals *t)
{
    char text[700];
    size_t n = 0;

    text[0] = '\0';
    for (unsigned i = 1; i <= BUF_BATCH_MAX && n < sizeof(text) - 32; i++) {
        if (t->batch[i] != 0)
            n += rt_snprintf(text + n, sizeof(text) - n, " %u:%lu", i, t->batch[i]);
    }
    if (n != 0)
        rt_log("stat core=%u batches%s", id, text);
}

static void print_core(const struct l2fwd *app, unsigned id)
{
    const struct loop_stats *s = &app->cores[id]->loop.stats;
    struct l2fwd_core_totals t = l2fwd_core_totals(app, id);
    uint64_t permille_cycles = t.elapsed_cycles / 1000 + 1;

    rt_log("stat core=%u rx_queues=%u packets=%lu cycles_per_packet=%lu empty_polls=%lu"
           " full_polls=%lu",
           id, app->cores[id]->path_count, s->packets,
           s->packets != 0 ? t.busy_cycles / s->packets : 0, s->empty_polls, s->full_polls);
    rt_log("stat core=%u state=%s busy_permille=%lu spin_permille=%lu halt_permille=%lu"
           " arms=%lu arm_pending=%lu wakes=%lu wakes_idle=%lu irqs=%lu",
           id, s->halted_at_cycles != 0 ? "halted" : "running",
           t.busy_cycles / permille_cycles, t.spin_cycles / permille_cycles,
           t.halt_cycles / permille_cycles, s->arms, s->arm_pending, s->wakes, s->wakes_idle,
           hal_irq_total(id));
    print_batches(id, &t);
}

/* "2:4711 128:3": turns by the power of two of microseconds that they stay below. */
static void print_gap_buckets(unsigned id, const struct gaps *g)
{
    char text[700];
    size_t n = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < gaps_buckets(g) && n < sizeof(text) - 48; i++) {
        if (g->below_us[i] != 0 && i < 64)
            n += rt_snprintf(text + n, sizeof(text) - n, " %lu:%lu", UINT64_C(1) << i,
                             g->below_us[i]);
    }
    rt_log("gap core=%u below_us%s", id, text);
}

static void print_gaps(unsigned id, const struct gaps *g)
{
    rt_log("gap core=%u limit_us=%lu smi_counted=%u longest_halt_us=%lu", id, g->limit_us,
           g->smi_counted, g->longest_halt_us);
    print_gap_buckets(id, g);
    for (unsigned i = 0; i < GAP_CAUSES; i++) {
        const struct gap_kind *kind = &g->kind[i];

        if (kind->count != 0)
            rt_log("gap core=%u cause=%s count=%lu total_us=%lu longest_us=%lu where=%s/%u"
                   " packets=%u at_us=%lu",
                   id, gap_cause_names[i], kind->count, kind->total_us, kind->longest_us,
                   kind->where, kind->index, kind->packets, kind->at_us);
    }
}

void l2fwd_print_gaps(const struct l2fwd *app)
{
    for (unsigned i = 0; i < app->core_count; i++)
        print_gaps(i, &app->cores[i]->loop.gaps);
}

void l2fwd_print_table(const struct l2fwd *app)
{
    rt_log("stat uptime_us=%lu owner_refusals=%lu", l2fwd_uptime_us(app), buf_refusals());
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (app->ports[p] != NULL)
            print_port(app, p);
    }
    for (unsigned i = 0; i < app->core_count; i++)
        print_core(app, i);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics table for people. Counters of other cores are read while those cores
 * count: each number is right, a sum may be a few packets off.
 */
#include "counters.h"
#include "totals.h"

#include <rt/assert.h>
#include <rt/log.h>

enum {
    COUNTER_LINE_BYTES = 320,
    COUNTER_BYTES_MAX = 64, /* a name, its value and what is between */
    TRAFFIC_BYTES = 4 * COUNTER_BYTES_MAX,
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

static void print_drop_counter(void *ctx, const struct kit_counter *counter, uint64_t value)
{
    const uint32_t *port = ctx;

    print_drop(*port, counter->name, value);
}

static void print_count(void *ctx, const struct kit_counter *counter, uint64_t value)
{
    const uint32_t *port = ctx;

    rt_log("stat port=%u count=%s %s=%lu", *port, counter->name, counter->unit, value);
}

struct traffic {
    char text[TRAFFIC_BYTES];
    size_t used;
};

static void add_traffic(void *ctx, const struct kit_counter *counter, uint64_t value)
{
    struct traffic *t = ctx;

    t->used += rt_snprintf(t->text + t->used, sizeof(t->text) - t->used, " %s=%lu",
                           counter->name, value);
    RT_ASSERT_LT(t->used, sizeof(t->text));
}

static void print_port(const struct kit *kit, uint32_t port)
{
    const struct nic *nic = kit->ports[port];
    struct traffic t = {.used = 0};

    RT_ASSERT(nic != NULL);
    kit_counters_of_port(kit, port, KIT_TRAFFIC, add_traffic, &t);
    rt_log("stat port=%u link=%s speed_mbps=%u%s", port, nic->link.up ? "up" : "down",
           nic->link.speed_mbps, t.text);
    kit_counters_of_port(kit, port, KIT_DROP, print_drop_counter, &port);
    print_drop(port, "card_missed", nic->stats.rx_missed);
    print_drop(port, "card_no_buffer", nic->stats.rx_no_buffer);
    print_drop(port, "card_crc", nic->stats.rx_crc_errors);
    print_drop(port, "card_length", nic->stats.rx_length_errors);
    print_drop(port, "card_tx", nic->stats.tx_errors);
    kit_counters_of_port(kit, port, KIT_COUNT, print_count, &port);
    print_counters(nic, port);
}

/* "1:20 2:7 32:4711": polls by frames found, without the empty ones. */
static void print_batches(unsigned id, const struct kit_core_totals *t)
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

static void print_core(const struct kit *kit, unsigned id)
{
    const struct loop_stats *s = &kit->cores[id]->loop.stats;
    struct kit_core_totals t = kit_core_totals(kit, id);
    uint64_t permille_cycles = t.elapsed_cycles / 1000 + 1;

    RT_ASSERT_LT(id, kit->core_count);
    rt_log("stat core=%u rx_queues=%u packets=%lu cycles_per_packet=%lu empty_polls=%lu"
           " full_polls=%lu",
           id, kit->plan.core_rxqs[id], s->packets,
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

void kit_print_gaps(const struct kit *kit)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (unsigned i = 0; i < kit->core_count; i++)
        print_gaps(i, &kit->cores[i]->loop.gaps);
}

void kit_print_table(const struct kit *kit)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    rt_log("stat uptime_us=%lu owner_refusals=%lu", kit_uptime_us(kit), buf_refusals());
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (kit->ports[p] != NULL)
            print_port(kit, p);
    }
    for (unsigned i = 0; i < kit->core_count; i++)
        print_core(kit, i);
}

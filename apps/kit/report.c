/* SPDX-License-Identifier: BSD-2-Clause */
/* The report for programs: one line of JSON. */
#include "counters.h"
#include "totals.h"

#include <rt/assert.h>
#include <rt/log.h>

enum { REPORT_BYTES = 163840 };

struct text {
    char *at;
    size_t room, used;
};

static void put(struct text *t, const char *fmt, ...) RT_PRINTF(2, 3);
static void put(struct text *t, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    t->used += rt_vsnprintf(t->at + RT_MIN(t->used, t->room - 1),
                            t->room - RT_MIN(t->used, t->room - 1), fmt, args);
    va_end(args);
}

static void put_array(struct text *t, const char *name, const uint64_t *values, unsigned count)
{
    RT_ASSERT(values != NULL);
    put(t, ",\"%s\":[", name);
    for (unsigned i = 0; i < count; i++)
        put(t, i == 0 ? "%lu" : ",%lu", values[i]);
    put(t, "]");
}

/* What the card and its driver have counted, without the zeros. */
static void put_counters(struct text *t, const struct nic *nic)
{
    const char *comma = "";

    put(t, ",\"card\":{");
    for (uint32_t i = 0; i < nic->counter_count; i++) {
        if (nic->counters[i].value == 0)
            continue;
        put(t, "%s\"%s\":%lu", comma, nic->counters[i].name, nic->counters[i].value);
        comma = ",";
    }
    put(t, "}");
}

static void put_member(void *ctx, const struct kit_counter *counter, uint64_t value)
{
    put(ctx, ",\"%s\":%lu", counter->name, value);
}

/* The members of an object of their own. */
struct members {
    struct text *text;
    uint32_t count;
};

static void put_in_object(void *ctx, const struct kit_counter *counter, uint64_t value)
{
    struct members *m = ctx;

    put(m->text, "%s\"%s\":%lu", m->count++ == 0 ? "" : ",", counter->name, value);
}

static void put_object(struct text *t, const struct kit *kit, uint32_t port, const char *name,
                       enum kit_counter_kind kind)
{
    struct members members = {.text = t};

    put(t, ",\"%s\":{", name);
    kit_counters_of_port(kit, port, kind, put_in_object, &members);
    put(t, "}");
}

static bool has_counts(const struct kit_app *app)
{
    bool any = false;

    for (uint32_t i = 0; i < app->counter_count; i++)
        any |= app->counters[i].kind == KIT_COUNT;
    return any;
}

static void put_port(struct text *t, const struct kit *kit, uint32_t port)
{
    const struct nic *nic = kit->ports[port];

    RT_ASSERT(nic != NULL);
    put(t, "{\"port\":%u,\"link_up\":%s,\"speed_mbps\":%u,\"link_changes\":%u", port,
        nic->link.up ? "true" : "false", nic->link.speed_mbps, nic->link.changes);
    kit_counters_of_port(kit, port, KIT_TRAFFIC, put_member, t);
    kit_counters_of_port(kit, port, KIT_CARD, put_member, t);
    put_counters(t, nic);
    put_object(t, kit, port, "drops", KIT_DROP);
    if (has_counts(kit->app))
        put_object(t, kit, port, "counts", KIT_COUNT);
    put(t, "}");
}

/* Names of causes are the runtime's, those of sources ours: nothing to escape. */
static void put_gaps(struct text *t, const struct gaps *g)
{
    enum gap_cause longest = gaps_longest(g);

    put(t, ",\"gaps\":{\"limit_us\":%lu,\"smi_counted\":%s,\"longest_halt_us\":%lu",
        g->limit_us, g->smi_counted ? "true" : "false", g->longest_halt_us);
    if (longest == GAP_CAUSES)
        put(t, ",\"longest_us\":0,\"cause\":null,\"where\":null");
    else
        put(t, ",\"longest_us\":%lu,\"cause\":\"%s\",\"where\":\"%s\"",
            g->kind[longest].longest_us, gap_cause_names[longest], g->kind[longest].where);
    for (unsigned i = 0; i < GAP_CAUSES; i++)
        put(t, ",\"%s\":{\"count\":%lu,\"total_us\":%lu,\"longest_us\":%lu}",
            gap_cause_names[i], g->kind[i].count, g->kind[i].total_us,
            g->kind[i].longest_us);
    put_array(t, "below_us", g->below_us, gaps_buckets(g));
    put(t, "}");
}

static void put_sources(struct text *t, const struct rt_loop *loop)
{
    put(t, ",\"sources\":[");
    for (uint32_t i = 0; i < loop->source_count; i++) {
        const struct loop_source *s = &loop->sources[i];

        put(t, "%s{\"name\":\"%s\",\"handled\":%lu,\"found\":%lu,\"full\":%lu}",
            i == 0 ? "" : ",", s->name, s->handled, s->found, s->full);
    }
    put(t, "]");
}

static void put_core(struct text *t, const struct kit *kit, unsigned id)
{
    const struct loop_stats *s = &kit->cores[id]->loop.stats;
    struct kit_core_totals sum = kit_core_totals(kit, id);

    RT_ASSERT_LT(id, kit->core_count);
    put(t, "{\"core\":%u,\"rx_queues\":%u", id, kit->plan.core_rxqs[id]);
    kit_counters_of_core(kit, id, put_member, t);
    put(t, ",\"irqs\":%lu", hal_irq_total(id));
    put(t, ",\"elapsed_us\":%lu,\"busy_us\":%lu,\"spin_us\":%lu,\"halt_us\":%lu",
        hal_us_from_cycles(sum.elapsed_cycles), hal_us_from_cycles(sum.busy_cycles),
        hal_us_from_cycles(sum.spin_cycles), hal_us_from_cycles(sum.halt_cycles));
    put_array(t, "wake_latency_us", s->wake_latency_us, LOOP_WAKE_BUCKETS);
    put_array(t, "batch", sum.batch, BUF_BATCH_MAX + 1);
    put_gaps(t, &kit->cores[id]->loop.gaps);
    put_sources(t, &kit->cores[id]->loop);
    put(t, "}");
}

static void put_report(struct text *t, const struct kit *kit)
{
    bool first = true;

    put(t, "report {\"uptime_us\":%lu,\"boot_us\":%lu,\"first_frame_us\":%lu",
        kit_uptime_us(kit), kit->boot_us, kit_first_frame_us(kit));
    put(t, ",\"firmware_us\":%lu,\"image_base\":%lu,\"owner_refusals\":%lu",
        hal_us_from_cycles(kit->boot->firmware_cycles), kit->boot->image_base, buf_refusals());
    put(t, ",\"memory_free_bytes\":%lu", hal_memory_free_bytes());
    if (kit->stopped) /* while running, rings hold buffers: nothing is missing yet */
        put(t, ",\"buffers_missing\":%u", kit->missing);
    else
        put(t, ",\"buffers_missing\":null");
    put(t, ",\"ports\":[");
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (kit->ports[p] == NULL)
            continue;
        put(t, first ? "" : ",");
        put_port(t, kit, p);
        first = false;
    }
    put(t, "],\"cores\":[");
    for (unsigned i = 0; i < kit->core_count; i++) {
        put(t, i == 0 ? "" : ",");
        put_core(t, kit, i);
    }
    put(t, "]}");
}

void kit_print_report(const struct kit *kit)
{
    static char line[REPORT_BYTES]; /* too large for a core's stack; core 0 alone is here */
    struct text t = {.at = line, .room = sizeof(line)};

    RT_ASSERT_EQ(hal_core_id(), 0u);
    put_report(&t, kit);
    if (t.used >= t.room)
        rt_log("%s error=report what=\"%zu bytes, room for %zu\"", rt_app.name, t.used, t.room);
    else
        rt_log_line(line, t.used);
}

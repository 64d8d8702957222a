/* SPDX-License-Identifier: BSD-2-Clause */
/* The report for programs: one line of JSON. */
#include "totals.h"

#include <rt/log.h>

enum { REPORT_BYTES = 131072 };

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

static void put_port(struct text *t, const struct l2fwd *app, uint32_t port)
{
    const struct nic *nic = app->ports[port];
    struct l2fwd_port_totals sum = l2fwd_port_totals(app, port);

    put(t, "{\"port\":%u,\"link_up\":%s,\"speed_mbps\":%u,\"link_changes\":%u", port,
        nic->link.up ? "true" : "false", nic->link.speed_mbps, nic->link.changes);
    put(t, ",\"rx_packets\":%lu,\"rx_bytes\":%lu,\"tx_packets\":%lu,\"tx_bytes\":%lu",
        sum.rx_packets, sum.rx_bytes, sum.tx_packets, sum.tx_bytes);
    put(t, ",\"rx_missed\":%lu,\"rx_no_buffer\":%lu,\"rx_crc_errors\":%lu", nic->stats.rx_missed,
        nic->stats.rx_no_buffer, nic->stats.rx_crc_errors);
    put(t, ",\"rx_length_errors\":%lu,\"tx_errors\":%lu", nic->stats.rx_length_errors,
        nic->stats.tx_errors);
    put_counters(t, nic);
    put(t, ",\"drops\":{");
    for (unsigned i = 0; i < L2FWD_DROPS; i++)
        put(t, "%s\"%s\":%lu", i == 0 ? "" : ",", l2fwd_drop_names[i], sum.drops[i]);
    put(t, "}}");
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

static void put_core(struct text *t, const struct l2fwd *app, unsigned id)
{
    const struct loop_stats *s = &app->cores[id]->loop.stats;
    struct l2fwd_core_totals sum = l2fwd_core_totals(app, id);

    put(t, "{\"core\":%u,\"rx_queues\":%u,\"turns\":%lu,\"empty_polls\":%lu", id,
        app->cores[id]->path_count, s->turns, s->empty_polls);
    put(t, ",\"full_polls\":%lu,\"packets\":%lu,\"arms\":%lu,\"arm_pending\":%lu",
        s->full_polls, s->packets, s->arms, s->arm_pending);
    put(t, ",\"wakes\":%lu,\"wakes_idle\":%lu,\"irqs\":%lu", s->wakes, s->wakes_idle,
        hal_irq_total(id));
    put(t, ",\"elapsed_us\":%lu,\"busy_us\":%lu,\"spin_us\":%lu,\"halt_us\":%lu",
        hal_us_from_cycles(sum.elapsed_cycles), hal_us_from_cycles(sum.busy_cycles),
        hal_us_from_cycles(sum.spin_cycles), hal_us_from_cycles(sum.halt_cycles));
    put_array(t, "wake_latency_us", s->wake_latency_us, LOOP_WAKE_BUCKETS);
    put_array(t, "batch", sum.batch, BUF_BATCH_MAX + 1);
    put_gaps(t, &app->cores[id]->loop.gaps);
    put(t, "}");
}

static void put_report(struct text *t, const struct l2fwd *app)
{
    bool first = true;

    put(t, "report {\"uptime_us\":%lu,\"boot_us\":%lu,\"first_frame_us\":%lu",
        l2fwd_uptime_us(app), app->boot_us, l2fwd_first_frame_us(app));
    put(t, ",\"firmware_us\":%lu,\"image_base\":%lu,\"owner_refusals\":%lu",
        hal_us_from_cycles(app->boot->firmware_cycles), app->boot->image_base, buf_refusals());
    put(t, ",\"memory_free_bytes\":%lu", hal_memory_free_bytes());
    if (app->stopped) /* while running, rings hold buffers: nothing is missing yet */
        put(t, ",\"buffers_missing\":%u", app->missing);
    else
        put(t, ",\"buffers_missing\":null");
    put(t, ",\"ports\":[");
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (app->ports[p] == NULL)
            continue;
        put(t, first ? "" : ",");
        put_port(t, app, p);
        first = false;
    }
    put(t, "],\"cores\":[");
    for (unsigned i = 0; i < app->core_count; i++) {
        put(t, i == 0 ? "" : ",");
        put_core(t, app, i);
    }
    put(t, "]}");
}

void l2fwd_print_report(const struct l2fwd *app)
{
    static char line[REPORT_BYTES]; /* too large for a core's stack; core 0 alone is here */
    struct text t = {.at = line, .room = sizeof(line)};

    put_report(&t, app);
    if (t.used >= t.room)
        rt_log("l2fwd error=report what=\"%zu bytes, room for %zu\"", t.used, t.room);
    else
        rt_log_line(line, t.used);
}

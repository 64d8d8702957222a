/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of counters; see the header. */
#include "counters.h"

#include <rt/assert.h>
#include <rt/log.h>

#define QUEUE(member) offsetof(struct nic_queue_stats, member)
#define CARD(member) offsetof(struct nic_stats, member)
#define LOOP(member) offsetof(struct loop_stats, member)

static const struct kit_counter rxq_counters[] = {
    {"rx_packets", "frames", "received", KIT_TRAFFIC, QUEUE(packets)},
    {"rx_bytes", "bytes", "received", KIT_TRAFFIC, QUEUE(bytes)},
    {"no_replacement", "frames", "no buffer for the receive ring", KIT_DROP,
     QUEUE(no_replacement)},
    {"rx_error", "frames", "the card reports a bad frame", KIT_DROP, QUEUE(errors)},
    {"rx_hostile", "frames", "the card reports what cannot be", KIT_DROP, QUEUE(hostile)},
    {"rx_too_long", "frames", "in several buffers, longer than frame_max", KIT_DROP,
     QUEUE(too_long)},
};

static const struct kit_counter txq_counters[] = {
    {"tx_packets", "frames", "sent", KIT_TRAFFIC, QUEUE(packets)},
    {"tx_bytes", "bytes", "sent", KIT_TRAFFIC, QUEUE(bytes)},
    {"tx_bad", "frames", "cannot be sent as asked: a line says why", KIT_DROP,
     QUEUE(bad_request)},
};

/* What the card lost; which register that is: pmd/nic.h. */
static const struct kit_counter card_counters[] = {
    {"rx_missed", "frames", "lost before the rings: the card was full", KIT_CARD,
     CARD(rx_missed)},
    {"rx_no_buffer", "frames", "lost before the rings: no descriptor", KIT_CARD,
     CARD(rx_no_buffer)},
    {"rx_crc_errors", "frames", "wrong checksum on the wire", KIT_CARD, CARD(rx_crc_errors)},
    {"rx_length_errors", "frames", "too short or too long", KIT_CARD,
     CARD(rx_length_errors)},
    {"tx_errors", "frames", "not sent: collisions", KIT_CARD, CARD(tx_errors)},
};

static const struct kit_counter core_counters[] = {
    {"turns", "turns", "of the loop", KIT_TRAFFIC, LOOP(turns)},
    {"empty_polls", "turns", "that found nothing", KIT_TRAFFIC, LOOP(empty_polls)},
    {"full_polls", "polls", "of a source that gave all it may at once", KIT_TRAFFIC,
     LOOP(full_polls)},
    {"packets", "packets", "handled by all sources", KIT_TRAFFIC, LOOP(packets)},
    {"arms", "times", "all sources were armed", KIT_TRAFFIC, LOOP(arms)},
    {"arm_pending", "times", "arming found work: no halt", KIT_TRAFFIC, LOOP(arm_pending)},
    {"wakes", "halts", "ended", KIT_TRAFFIC, LOOP(wakes)},
    {"wakes_idle", "halts", "that ended for nothing", KIT_TRAFFIC, LOOP(wakes_idle)},
};

static uint64_t value_at(const void *base, size_t offset)
{
    const char *at = (const char *)base + offset;

    return *(const uint64_t *)(const void *)at;
}

static uint64_t sum_rxqs(const struct kit *kit, uint32_t port, size_t offset)
{
    const struct nic *nic = kit->ports[port];
    uint64_t sum = 0;

    RT_ASSERT_LE(kit->plan.rxqs[port], NIC_QUEUES_MAX);
    for (uint32_t q = 0; q < kit->plan.rxqs[port]; q++)
        sum += nic->rxq[q] != NULL ? value_at(&nic->rxq[q]->stats, offset) : 0;
    return sum;
}

static uint64_t sum_txqs(const struct kit *kit, uint32_t port, size_t offset)
{
    const struct nic *nic = kit->ports[port];
    uint64_t sum = 0;

    RT_ASSERT_LE(kit->plan.txqs[port], NIC_QUEUES_MAX);
    for (uint32_t q = 0; q < kit->plan.txqs[port]; q++)
        sum += nic->txq[q] != NULL ? value_at(&nic->txq[q]->stats, offset) : 0;
    return sum;
}

static uint64_t of_card(const struct kit *kit, uint32_t port, size_t offset)
{
    RT_ASSERT(kit->ports[port] != NULL);
    return value_at(&kit->ports[port]->stats, offset);
}

static uint64_t sum_paths(const struct kit *kit, uint32_t port, size_t offset)
{
    uint64_t sum = 0;

    RT_ASSERT_LE(offset + sizeof(uint64_t), kit->app->path_bytes);
    for (uint32_t i = 0; i < kit->plan.count; i++) {
        if (kit->paths[i]->rx_port == port)
            sum += value_at(kit->paths[i], offset);
    }
    return sum;
}

/* Where a table's counters are, and how a port's are summed. */
struct port_table {
    const struct kit_counter *row;
    uint32_t count;
    uint64_t (*sum)(const struct kit *kit, uint32_t port, size_t offset);
};

enum { PORT_TABLES = 4 };

static void port_tables(const struct kit *kit, struct port_table table[PORT_TABLES])
{
    table[0] = (struct port_table){rxq_counters, RT_ARRAY_SIZE(rxq_counters), sum_rxqs};
    table[1] = (struct port_table){txq_counters, RT_ARRAY_SIZE(txq_counters), sum_txqs};
    table[2] = (struct port_table){card_counters, RT_ARRAY_SIZE(card_counters), of_card};
    table[3] = (struct port_table){kit->app->counters, kit->app->counter_count, sum_paths};
}

void kit_counters_of_port(const struct kit *kit, uint32_t port, enum kit_counter_kind kind,
                          kit_counter_fn *each, void *ctx)
{
    struct port_table table[PORT_TABLES];

    RT_ASSERT(kit->ports[port] != NULL);
    port_tables(kit, table);
    for (unsigned t = 0; t < PORT_TABLES; t++) {
        for (uint32_t i = 0; i < table[t].count; i++) {
            const struct kit_counter *row = &table[t].row[i];

            if (row->kind == kind)
                each(ctx, row, table[t].sum(kit, port, row->offset));
        }
    }
}

void kit_counters_of_core(const struct kit *kit, unsigned core, kit_counter_fn *each,
                          void *ctx)
{
    RT_ASSERT_LT(core, kit->core_count);
    for (size_t i = 0; i < RT_ARRAY_SIZE(core_counters); i++)
        each(ctx, &core_counters[i],
             value_at(&kit->cores[core]->loop.stats, core_counters[i].offset));
}

static bool has(const struct kit_counter *row, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (__builtin_strcmp(row[i].name, name) == 0)
            return true;
    }
    return false;
}

bool kit_counters_know(const char *name)
{
    return name != NULL && (has(rxq_counters, RT_ARRAY_SIZE(rxq_counters), name) ||
                            has(txq_counters, RT_ARRAY_SIZE(txq_counters), name) ||
                            has(card_counters, RT_ARRAY_SIZE(card_counters), name));
}

static void explain(const char *of, const struct kit_counter *row, uint32_t count)
{
    static const char *const kinds[] = {
        [KIT_COUNT] = "count", [KIT_DROP] = "drop", [KIT_TRAFFIC] = "traffic",
        [KIT_CARD] = "card"};

    for (uint32_t i = 0; i < count; i++)
        rt_log("counter of=%s name=%s kind=%s unit=%s what=\"%s\"", of, row[i].name,
               kinds[row[i].kind], row[i].unit, row[i].help);
}

void kit_counters_explain(const struct kit *kit)
{
    struct port_table table[PORT_TABLES];

    port_tables(kit, table);
    for (unsigned t = 0; t < PORT_TABLES; t++)
        explain("port", table[t].row, table[t].count);
    explain("core", core_counters, RT_ARRAY_SIZE(core_counters));
}

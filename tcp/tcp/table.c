/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/siphash.h>

bool table_make(struct tcp_table *table, uint32_t conns, const uint8_t key[16])
{
    uint32_t count = 2;

    RT_ASSERT_LT(conns, UINT32_MAX / 4);
    while (count < 2 * conns)
        count *= 2;
    table->mask = count - 1;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(table->secrets); i++)
        table->secrets[i] = rt_siphash(key, &i, sizeof(i));
    table->secrets[3] |= 1;
    table->slots = hal_alloc(count * sizeof(*table->slots), RT_CACHE_LINE, "TCP table");
    return table->slots != NULL;
}

uint64_t table_addrs(const struct tcp_ends *ends)
{
    const be32_t src = ip_addr_get_v4(&ends->remote), dst = ip_addr_get_v4(&ends->local);

    return (uint64_t)dst.raw << 32 | src.raw;
}

uint32_t table_ports(const struct tcp_ends *ends)
{
    const be16_t src = be16_put(ends->remote_port), dst = be16_put(ends->local_port);

    return (uint32_t)dst.raw << 16 | src.raw;
}

uint32_t table_hash(const struct tcp_table *table, const struct tcp_ends *ends)
{
    const uint32_t ports = table_ports(ends);
    uint64_t local, remote;

    RT_ASSERT_EQ(ip_addr_is_v4(&ends->local), ip_addr_is_v4(&ends->remote));
    if (ip_addr_is_v4(&ends->remote))
        return table_hash_v4(table, table_addrs(ends), ports);
    local = table_fold(ends->local.halves[0] ^ table->secrets[0],
                       ends->local.halves[1] ^ table->secrets[1]);
    remote = table_fold(ends->remote.halves[0] ^ table->secrets[1],
                        ends->remote.halves[1] ^ table->secrets[0]);
    return table_hash_v4(table, table_fold(local ^ table->secrets[2], remote | 1) ^ remote, ports);
}

void table_put(struct tcp_table *table, uint32_t hash, uint32_t number)
{
    uint32_t i = hash & table->mask;

    RT_ASSERT_LT(0u, number);
    while (table->slots[i].number != 0) /* half of them are free */
        i = (i + 1) & table->mask;
    table->slots[i] = (struct tcp_slot){hash, number};
}

/* What lies behind the hole moves into it, unless that would put it before its own place. */
void table_remove(struct tcp_table *table, uint32_t hash, uint32_t number)
{
    uint32_t hole = hash & table->mask;

    while (table->slots[hole].number != number) { /* it is there: half of them are free */
        RT_ASSERT_NE(table->slots[hole].number, 0u);
        hole = (hole + 1) & table->mask;
    }
    for (uint32_t i = (hole + 1) & table->mask; table->slots[i].number != 0;
         i = (i + 1) & table->mask) {
        const uint32_t home = table->slots[i].hash & table->mask;

        if (((i - home) & table->mask) < ((i - hole) & table->mask))
            continue;
        table->slots[hole] = table->slots[i];
        hole = i;
    }
    table->slots[hole].number = 0;
}

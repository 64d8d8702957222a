/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns what: counts by owner, the leak report at stop. */
#include <mempool/pool.h>
#include <rt/log.h>

#define OWNERS 256

uint32_t pool_count_owner(const struct pool *pool, enum buf_owner owner)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < pool->total; i++)
        n += pool->owners[i] == (uint8_t)owner;
    return n;
}

/* Names every owner that still has buffers of the pool, so that a leak says where it is. */
static void report_missing(const struct pool *pool)
{
    for (unsigned owner = 1; owner < OWNERS; owner++) {
        uint32_t n = pool_count_owner(pool, (enum buf_owner)owner);

        if (n != 0)
            rt_log("pool name=%s missing_at=%s owner=%u buffers=%u", pool->name,
                   buf_owner_name(owner), owner, (unsigned)n);
    }
}

uint32_t pool_report(void)
{
    uint32_t missing = 0;

    for (const struct pool *pool = pool_first(); pool != NULL; pool = pool->next) {
        uint32_t lost = pool->total - pool->free;

        rt_log("pool name=%s core=%u total=%u free=%u missing=%u empty=%llu sent_home=%llu "
               "collected=%llu",
               pool->name, pool->core, (unsigned)pool->total, (unsigned)pool->free,
               (unsigned)lost, (unsigned long long)pool->stats.empty,
               (unsigned long long)pool->stats.sent_home,
               (unsigned long long)pool->stats.collected);
        if (lost != 0)
            report_missing(pool);
        missing += lost;
    }
    return missing;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns what: refusals as they happen, the leak report at stop. */
#include <mempool/pool.h>
#include <rt/log.h>
#include <rt/trace.h>

#define OWNERS 256

/* One line a core, so that counting never shares a cache line. */
static struct {
    uint64_t count RT_ALIGNED(RT_CACHE_LINE);
} refusals[HAL_CORES_MAX];

static const char *owner_name(unsigned owner)
{
    static const char *const names[] = {[BUF_POOL] = "pool", [BUF_NIC] = "nic",
                                        [BUF_STACK] = "stack", [BUF_RING] = "ring",
                                        [BUF_NVME] = "nvme"};

    if (owner < RT_ARRAY_SIZE(names))
        return names[owner];
    return owner < BUF_APP ? "unknown" : "app";
}

bool buf_refuse(const struct buf *b, enum buf_owner from, enum buf_owner to)
{
    static struct rt_log_limit limit;
    unsigned core = hal_core_id();
    unsigned owner = *b->owner;

    if (core < HAL_CORES_MAX)
        refusals[core].count++;
    rt_trace(TRACE_REFUSAL, (uint16_t)owner, (uint32_t)from);
    rt_log_limited(&limit, "pool name=%s refused=hand-over buf=%u owner=%s wanted=%s to=%s",
                   b->pool->name, (unsigned)buf_index(b), owner_name(owner),
                   owner_name((unsigned)from), owner_name((unsigned)to));
    return false;
}

uint64_t buf_refusals(void)
{
    uint64_t sum = 0;

    for (unsigned core = 0; core < HAL_CORES_MAX; core++)
        sum += refusals[core].count;
    return sum;
}

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
                   owner_name(owner), owner, (unsigned)n);
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

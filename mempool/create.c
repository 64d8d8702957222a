/* SPDX-License-Identifier: BSD-2-Clause */
/* Making pools: a stack of references, an owner array, rings home; the registry. */
#include <mempool/ext.h>
#include <mempool/take.h>
#include <rt/log.h>

#include "private.h"

#define POOL_ALIGN_BYTES 64

static struct pool *pools; /* registry, newest first; core 0 before the seal */

struct pool *pool_first(void)
{
    return pools;
}

void pool_forget_all(void)
{
    pools = NULL;
}

static enum rt_status make_home_rings(struct pool *pool, unsigned cores)
{
    uint32_t slots = 1;

    RT_ASSERT_LE(cores, (unsigned)HAL_CORES_MAX);
    /* As large as the pool, so that a ring can never be full: each buffer is in one at most. */
    while (slots < pool->total)
        slots *= 2;
    for (unsigned core = 0; core < cores; core++) {
        void **memory;

        if (core == pool->core)
            continue;
        pool->home[core] = hal_alloc(sizeof(struct ring), RT_CACHE_LINE, "pool ring");
        memory = hal_alloc(slots * sizeof(void *), RT_CACHE_LINE, "pool ring slots");
        if (pool->home[core] == NULL || memory == NULL)
            return RT_NO_MEMORY;
        ring_init(pool->home[core], memory, slots);
    }
    return RT_OK;
}

/* All buffers into the stack, so that the first one is taken first. */
static void fill(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->total; i++) {
        struct buf *b = (struct buf *)(void *)(pool->base + (size_t)i * pool->stride_bytes);

        b->owner = &pool->owners[i];
        b->pool = pool;
        *b->owner = BUF_POOL;
        pool->stack[pool->total - 1 - i] = (struct buf_ref){b, b->owner};
        pool_poison(pool, b);
    }
    pool->free = pool->total;
}

/* An odd number of cache lines, so that the headers of a pool spread over all sets of a
 * cache. */
static uint32_t stride_of(const struct pool_config *config)
{
    uint32_t bytes =
        (uint32_t)sizeof(struct buf) + config->headroom_bytes + config->room_bytes;
    uint32_t lines = (bytes + RT_CACHE_LINE - 1) / RT_CACHE_LINE;

    return (lines | 1) * RT_CACHE_LINE;
}
_Static_assert(BUF_STRIDE_BYTES / RT_CACHE_LINE % 2 == 1, "usual buffers lie close");

/* An empty buffer is the last of one segment, its data behind the headroom. Behind a header alone
 * nothing may be: an offset that lies in no room. */
static buf_half empty_of(const struct pool_config *config)
{
    const uint64_t data_off = config->room_bytes != 0 ? config->headroom_bytes : UINT16_MAX;
    const unsigned segments_bit =
        8 * (offsetof(struct buf, segments) - offsetof(struct buf, data_off));

    return (buf_half){0, data_off | UINT64_C(1) << segments_bit};
}
_Static_assert(offsetof(struct buf, data_off) == offsetof(struct buf, next) + 8,
               "the shape's second word begins with data_off");

static bool is_sound(const struct pool_config *config)
{
    return config->count != 0 && config->count <= POOL_COUNT_MAX &&
           config->cores <= HAL_CORES_MAX && config->core < config->cores &&
           config->headroom_bytes <= POOL_HEADROOM_BYTES_MAX &&
           config->room_bytes <= POOL_ROOM_BYTES_MAX &&
           (config->room_bytes != 0 || config->headroom_bytes == 0);
}

static enum rt_status take_memory(struct pool *pool, unsigned cores, bool headers_only)
{
    const size_t count = pool->total;

    pool->owners = hal_alloc(count, RT_CACHE_LINE, "pool owners");
    pool->stack = hal_alloc(count * sizeof(struct buf_ref), RT_CACHE_LINE, "pool stack");
    pool->base = hal_alloc(count * pool->stride_bytes, POOL_ALIGN_BYTES, "pool buffers");
    if (pool->owners == NULL || pool->stack == NULL || pool->base == NULL)
        return RT_NO_MEMORY;
    if (headers_only) {
        pool->pins = hal_alloc(count * sizeof(pool->pins[0]), RT_CACHE_LINE, "pool pins");
        if (pool->pins == NULL)
            return RT_NO_MEMORY;
    }
    return make_home_rings(pool, cores);
}

enum rt_status pool_create_config(const struct pool_config *config, struct pool **pool_out)
{
    struct pool *pool;
    uint32_t count = config->count;

    RT_ASSERT(config->name != NULL);
    if (!is_sound(config))
        return RT_INVALID;
    if (POOL_HOSTILE) {
        pool_hostile_begin();
        count = RT_MIN(count, (uint32_t)POOL_HOSTILE_BUFS);
    }
    pool = hal_alloc(sizeof(*pool), RT_CACHE_LINE, "pool");
    if (pool == NULL)
        return RT_NO_MEMORY;
    *pool = (struct pool){.total = count, .core = config->core, .name = config->name,
                          .stride_bytes = stride_of(config), .home_cores = config->cores,
                          .headroom_bytes = config->headroom_bytes,
                          .room_bytes = config->room_bytes, .empty = empty_of(config)};
    if (take_memory(pool, config->cores, config->room_bytes == 0) != RT_OK)
        return RT_NO_MEMORY;
    fill(pool);
    pool->next = pools;
    pools = pool;
    *pool_out = pool;
    return RT_OK;
}

enum rt_status pool_create(const char *name, unsigned core, unsigned cores, uint32_t count,
                           struct pool **pool)
{
    const struct pool_config config = {.name = name, .core = core, .cores = cores,
                                       .count = count, .headroom_bytes = BUF_HEADROOM_BYTES,
                                       .room_bytes = BUF_ROOM_BYTES};

    return pool_create_config(&config, pool);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking from pools and giving back, singly, in bulk, and home from other cores. */
#include <mempool/ext.h>
#include <mempool/take.h>
#include <rt/log.h>
#include <rt/trace.h>

#include "private.h"

#define POOL_BATCH 32
#define POOL_FAIL_ONE_IN 16 /* hostile: every sixteenth take fails, at random */

static uint64_t hostile_state;  /* generator of hostile builds, any core: races do no harm */

static bool hostile_off;

void pool_takes_fail(bool on)
{
    hostile_off = !on;
}

void pool_takes_fail_from(uint64_t seed)
{
    hostile_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

/* xorshift64*: one step; the seed was printed when the first pool was made. */
RT_UNSYNCHRONISED static bool hostile_failure(void)
{
    uint64_t x = hostile_state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    hostile_state = x;
    return (x * UINT64_C(0x2545f4914f6cdd1d)) >> 60 == 0;
}
_Static_assert(POOL_FAIL_ONE_IN == 1 << 4, "the top four bits decide");

void pool_hostile_begin(void)
{
    if (hostile_state != 0)
        return;
    hostile_state = hal_cycles() | 1;
    rt_log("pool hostile=on seed=0x%llx fail_one_in=%u",
           (unsigned long long)hostile_state, (unsigned)POOL_FAIL_ONE_IN);
}

bool pool_contains(const struct pool *pool, const struct buf *b)
{
    uintptr_t offset = (uintptr_t)b - (uintptr_t)pool->base;

    if (offset >= (uintptr_t)pool->total * pool->stride_bytes ||
        offset % pool->stride_bytes != 0)
        return false;
    return b->pool == pool && b->owner == &pool->owners[offset / pool->stride_bytes];
}

struct buf *pool_take_odd(struct pool *pool)
{
    struct buf_ref ref;

    RT_ASSERT_EQ(pool->core, hal_core_id());
    if (pool->free == 0) {
        pool->stats.empty++;
        return NULL;
    }
    if (POOL_HOSTILE && !hostile_off && hostile_failure()) {
        pool->stats.failed++;
        return NULL;
    }
    ref = pool->stack[--pool->free];
    RT_INVARIANT(pool_contains(pool, ref.buf));
    /* A free buffer that is not the pool's own was corrupted: leave it out for good. */
    if (!buf_move(ref.buf, ref.owner, BUF_POOL, BUF_STACK))
        return NULL;
    buf_unpoison(ref.buf);
    buf_make_empty(ref.buf, pool->empty);
    return ref.buf;
}

struct buf *pool_take(struct pool *pool)
{
    return pool_take_inline(pool);
}

/* `limit` buffers from the top of the stack, or up to one that is not free; returns how
 * many. */
RT_INLINE uint32_t take_run(struct pool *pool, struct buf **out, uint32_t limit)
{
    const struct buf_ref *top = &pool->stack[pool->free];
    const buf_half empty = pool->empty;
    struct buf **p = out, **const end = out + limit;

    for (; p < end; p++) {
        struct buf *b = (--top)->buf;
        uint8_t *owner = top->owner;

        if (RT_UNLIKELY(*owner != BUF_POOL))
            break;
        RT_INVARIANT(pool_contains(pool, b));
        *owner = BUF_STACK;
        buf_unpoison(b);
        buf_make_empty(b, empty);
        *p = b;
    }
    pool->free -= (uint32_t)(p - out);
    return (uint32_t)(p - out);
}

uint32_t pool_take_batch(struct pool *pool, struct buf_batch *batch, uint32_t count)
{
    const uint32_t before = batch->count;
    uint32_t left;

    RT_ASSERT_EQ(pool->core, hal_core_id());
    RT_ASSERT_LE(before, (uint32_t)BUF_BATCH_MAX);
    left = RT_MIN(count, BUF_BATCH_MAX - before);
    while (left > 0) {
        uint32_t n = take_run(pool, &batch->buf[batch->count],
                              POOL_HOSTILE ? 0 : RT_MIN(left, pool->free));
        struct buf *b;

        batch->count += n;
        left -= n;
        if (left == 0)
            break;
        b = pool_take_odd(pool);
        if (b == NULL)
            break;
        batch->buf[batch->count++] = b;
        left--;
    }
    return batch->count - before;
}

/* The header is home: what it named has one use less. */
static void put_pin_of(struct pool *pool, const uint8_t *owner)
{
    struct buf_pin **slot = &pool->pins[owner - pool->owners], *pin = *slot;

    RT_ASSERT(pin != NULL);
    *slot = NULL;
    buf_pin_put(pin);
}

/* Free, on its home core; the pin last, its release may take buffers and free them. */
static bool is_home(struct pool *pool, struct buf_ref ref, enum buf_owner from)
{
    const bool pinned = from == BUF_EXT || from == BUF_ACKED_NIC || from == BUF_ACKED_RING;

    if (!buf_move(ref.buf, ref.owner, from, BUF_POOL))
        return false;
    pool_poison(pool, ref.buf);
    RT_ASSERT_LT(pool->free, pool->total);
    pool->stack[pool->free++] = ref;
    if (pinned)
        put_pin_of(pool, ref.owner);
    return true;
}

void buf_go_home(struct buf_ref ref_owned, enum buf_owner from)
{
    const bool pinned = from == BUF_EXT || from == BUF_ACKED_NIC;
    struct buf *b = ref_owned.buf;
    struct pool *pool = b->pool;
    unsigned core = hal_core_id();
    void *item = b;

    RT_INVARIANT(pool_contains(pool, b));
    if (pool->core == core) {
        (void)is_home(pool, ref_owned, from);
        return;
    }
    if (!buf_move(b, ref_owned.owner, from, pinned ? BUF_ACKED_RING : BUF_RING))
        return;
    pool_poison(pool, b);
    RT_ASSERT_LT(core, pool->home_cores); /* the pool was made for fewer cores than run */
    RT_ASSERT_EQ(ring_put(pool->home[core], &item, 1), 1u);
    __atomic_store_n(&pool->waiting, 1, __ATOMIC_RELEASE); /* behind the put, always */
}

/* A whole chain, another core's pool, or what is not the stack's. Segments that are kept
 * stay with their keeper. */
void buf_free_odd(struct buf *b_owned)
{
    struct buf *b = b_owned, *seen = NULL;

    for (uint32_t i = 0; b != NULL; i++) {
        struct buf *next;

        RT_ASSERT_LT(i, BUF_CHAIN_MAX);
        /* Before the rest of the header is read: it may be somebody else's by now. */
        if (i != 0 && buf_is_kept(b->owner) && b != seen) {
            if (RT_IS_POW2(i))
                seen = b; /* again: a loop of kept ones, found within twice its length */
            b = b->next;
            continue;
        }
        if (RT_UNLIKELY(*b->owner != BUF_STACK)) {
            (void)buf_refuse(b, BUF_STACK, BUF_POOL);
            return;
        }
        next = b->next;
        buf_go_home((struct buf_ref){b, b->owner}, BUF_STACK);
        b = next;
    }
}

void buf_free(struct buf *b_owned)
{
    if (RT_LIKELY(b_owned != NULL))
        buf_free_inline(b_owned);
}

/* At most `limit` buffers of one segment and of this pool, which is this core's, up to one
 * that is not; returns how many. */
RT_INLINE uint32_t free_run(struct pool *pool, struct buf *const *from, uint32_t limit)
{
    struct buf *const *p = from, *const *const end = from + limit;
    struct buf_ref *top = &pool->stack[pool->free];

    for (; p < end; p++, top++) {
        struct buf *b = *p;
        uint8_t *owner = b->owner;

        if (RT_UNLIKELY(*owner != BUF_STACK) || RT_UNLIKELY(b->pool != pool) ||
            RT_UNLIKELY(b->next != NULL))
            break;
        *owner = BUF_POOL;
        buf_poison(b);
        pool_put(top, b, owner);
    }
    pool->free = (uint32_t)(top - pool->stack);
    return (uint32_t)(p - from);
}

void buf_batch_free(struct buf_batch *batch)
{
    const uint32_t count = batch->count;
    uint32_t i = 0;

    RT_ASSERT_LE(count, (uint32_t)BUF_BATCH_MAX);
    while (i < count) {
        struct pool *pool = batch->buf[i]->pool;

        if (!POOL_HOSTILE && pool->core == hal_core_id())
            i += free_run(pool, &batch->buf[i], RT_MIN(count - i, pool->total - pool->free));
        if (i < count)
            buf_free(batch->buf[i++]);
    }
    batch->count = 0;
}

static uint32_t collect_from(struct pool *pool, struct ring *ring)
{
    void *items[POOL_BATCH];
    uint32_t total = 0;

    while (total < pool->total) { /* a ring never holds more */
        uint32_t n = ring_get(ring, items, POOL_BATCH);

        for (uint32_t i = 0; i < n; i++) {
            struct buf *b = items[i];
            enum buf_owner from = *b->owner == BUF_ACKED_RING ? BUF_ACKED_RING : BUF_RING;

            total += is_home(pool, (struct buf_ref){b, b->owner}, from);
        }
        if (n < POOL_BATCH)
            break;
    }
    return total;
}

uint32_t pool_collect_waiting(struct pool *pool)
{
    uint32_t total = 0, waiting = 0;

    /* First, and in one: what is put from here on sets it again. */
    (void)__atomic_exchange_n(&pool->waiting, 0, __ATOMIC_ACQ_REL);
    for (unsigned core = 0; core < pool->home_cores; core++) {
        if (pool->home[core] == NULL)
            continue;
        total += collect_from(pool, pool->home[core]);
        waiting += ring_used(pool->home[core]);
    }
    pool->stats.collected += total;
    pool->stats.sent_home = pool->stats.collected + waiting;
    return total;
}

void buf_batch_check(const struct buf_batch_checked *checked)
{
    if (checked->batch.count != 0)
        rt_panic("%s:%d: a batch went out of scope with %u packets in it: send or free them",
                 checked->file, checked->line, (unsigned)checked->batch.count);
}

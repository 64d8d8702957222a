/* SPDX-License-Identifier: BSD-2-Clause */
/* The rare half of <mempool/ring_side.h>. */
#include <mempool/ext.h>
#include <mempool/ring_side.h>

#define FRESH_TRIES 8 /* wrong owner bytes in a row: more are no accident */

bool pool_take_for_nic(struct pool *pool, struct buf_ref *ref)
{
    for (unsigned i = 0; i < FRESH_TRIES && pool->free > 0; i++) {
        *ref = pool->stack[--pool->free];
        if (buf_move(ref->buf, ref->owner, BUF_POOL, BUF_NIC))
            return true;
    }
    return false;
}

uint32_t pool_take_back_other(const struct buf_ref *slots, uint32_t count)
{
    struct buf *b = slots->buf;
    uint32_t n = 0;

    RT_ASSERT_LT(0u, count);
    RT_ASSERT(b != NULL);
    if (*slots->owner == BUF_NIC && b->pool->core == hal_core_id())
        n = pool_take_back_run(b->pool, slots, count);
    if (n == 0) {
        buf_sent(*slots);
        n = 1;
    }
    return n;
}

uint32_t pool_take_back_gaps(struct pool *pool, const struct buf_ref *slots, uint32_t count)
{
    struct buf_ref *to = pool->stack + pool->free;
    uint32_t n;

    for (n = 0; n < count; n++) {
        struct buf_ref ref = slots[n];

        if (ref.buf == NULL)
            continue;
        if (POOL_HOSTILE || !pool_has_owner(pool, ref.owner) || *ref.owner != BUF_NIC)
            break;
        *ref.owner = BUF_POOL;
        *to++ = ref;
    }
    pool->free = (uint32_t)(to - pool->stack);
    return n;
}

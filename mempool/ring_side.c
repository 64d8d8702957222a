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

void pool_take_back_odd(struct buf_ref ref_owned)
{
    if (ref_owned.buf != NULL)
        buf_sent(ref_owned);
}

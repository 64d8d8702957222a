/* SPDX-License-Identifier: BSD-2-Clause */
#include "held.h"

#include "../state.h"

#include <mempool/pool.h>

/* Number of the connection, and above it the generation of what stood there. */
_Static_assert(sizeof(uint64_t) == sizeof(((struct buf *)0)->outside), "in its place");

uint32_t held_take(struct tcp_conn *conn, struct buf *chain)
{
    const uint64_t account = (uint64_t)conn->generation << 32 | conn->number;
    uint32_t bytes = 0;

    for (struct buf *b = chain; b != NULL; b = b->next) {
        b->flags |= BUF_HELD;
        __builtin_memcpy(&b->outside, &account, sizeof(account));
        bytes += b->pool->stride_bytes;
    }
    conn->held_bytes += bytes;
    return bytes;
}

void held_give(struct net *net, struct buf *b)
{
    held_give_one(net, b);
}

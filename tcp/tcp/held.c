/* SPDX-License-Identifier: BSD-2-Clause */
#include "held.h"

#include "../state.h"

#include <mempool/pool.h>

/* Number of the connection, and above it the generation of what stood there. */
_Static_assert(sizeof(uint64_t) == sizeof(((struct buf *)0)->outside), "in its place");

void held_take(struct tcp_conn *conn, struct buf *chain)
{
    for (struct buf *b = chain; b != NULL; b = b->next)
        held_take_one(conn, b);
}

void held_give(struct net *net, struct buf *b)
{
    held_give_one(net, b);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection has delivered and not got back, by the true size of its buffers: it bounds
 * the window that is offered. A buffer says whose account it is on while it is held; the
 * connection may be gone by then.
 */
#ifndef TCP_TCP_HELD_H
#define TCP_TCP_HELD_H

#include "conn.h"

#define BUF_HELD (1u << 29) /* of buf.flags: its account stands in the place of `outside` */
_Static_assert((BUF_HELD & (BUF_TX_OFFLOADS | BUF_LONG)) == 0, "a bit of its own");

/* Puts every buffer of a chain on the account; returns their true size. */
uint32_t held_take(struct tcp_conn *conn, struct buf *chain);
/* Takes one off, if it is on one. */
void held_give(struct net *net, struct buf *b);

#endif

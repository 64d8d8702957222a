/* SPDX-License-Identifier: BSD-2-Clause */
/* What came before its turn: segments by sequence number, until the hole in front is filled. */
#ifndef TCP_TCP_ORDER_H
#define TCP_TCP_ORDER_H

#include "conn.h"

/* Keeps a segment's data, which is not next; false: no room, or all of it is there already. */
bool order_put(struct tcp_conn *conn, struct tcp_segment *segment_owned);
/* The chain that begins at or before `next` and goes beyond, cut to begin there; NULL: none. `fin`:
 * the stream ends behind it. What lies before `next` is dropped. */
struct buf *order_take(struct tcp_conn *conn, uint32_t next, bool *fin);
/* Blocks to report, the one with the newest segment first (RFC 2018 4). */
void order_sacks(const struct tcp_conn *conn, struct tcp_options *options, uint32_t most);
void order_close(struct tcp_conn *conn);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new segment of several buffers, or with a header buffer in front of them, leaves by the way
 * that is known already (fast_out.h): what is pinned, an answer in parts, a buffer without
 * headroom. The steps decide what goes into it (output.c); routes are not looked up for each, and
 * headers are written as whole words.
 */
#ifndef TCP_TCP_FAST_RUN_H
#define TCP_TCP_FAST_RUN_H

#include "conn.h"

/* The connection is as usual, its way is known, and the interface has room for a frame. */
bool fast_run_possible(struct tcp_conn *conn);
/* `count` buffers of the queue, from `first` on, that are next and carry `bytes` bytes. Only after
 * fast_run_possible(). False: no buffer, or the device still has one of them. */
bool fast_run_send(struct tcp_conn *conn, struct buf *first, uint32_t count, uint32_t bytes);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections to ourselves. What the sending side keeps has one owner and cannot be received, too,
 * so it is copied: the one path on which payload always is. */
#ifndef TCP_TCP_SELF_H
#define TCP_TCP_SELF_H

#include "conn.h"

/* A frame with what `count` buffers of the queue carry, from `start` on. NULL: no buffer. */
struct buf *self_frame(struct tcp_conn *conn, struct buf *first, uint32_t start, uint32_t count,
                       uint32_t bytes);

#endif

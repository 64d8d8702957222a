/* SPDX-License-Identifier: BSD-2-Clause */
/* One segment of a connection: its header, and on its way by IP. */
#ifndef TCP_TCP_TRANSMIT_H
#define TCP_TCP_TRANSMIT_H

#include "conn.h"

/* True: a segment that is kept would leave with this turn: there is a way, the neighbour is known,
 * and the interface has room. If the neighbour is not, it is asked. */
bool transmit_possible(struct tcp_conn *conn);
/* `count` buffers of the queue, from `first` on, that carry `bytes` bytes from `seq` on. Only
 * after transmit_possible(). False: no buffer, or the device still has one of them. */
bool transmit_data(struct tcp_conn *conn, struct buf *first, uint32_t seq, uint32_t count,
                   uint32_t bytes, bool fin);
/* A segment without data. False: there is no buffer for it, or no way. */
bool transmit_bare(struct tcp_conn *conn, uint32_t seq, uint16_t flags);
/* A bare ACK, of bytes up to `ack`: all that came, or fewer, when others follow at once. */
bool transmit_ack(struct tcp_conn *conn, uint32_t ack);

#endif

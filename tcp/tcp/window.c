/* SPDX-License-Identifier: BSD-2-Clause */
/* The window that we offer: as far as buffers go that the application does not hold. Its right edge
 * never moves back (RFC 9293 3.8.6), and forward only by steps worth telling (3.8.6.2.2). */
#include "../state.h"
#include "conn.h"
#include "lists.h"
#include "seq.h"

uint32_t conn_right_edge(const struct tcp_conn *conn)
{
    RT_ASSERT_LE(conn->rcv_scale, TCP_SCALE_MAX);
    return lists_right_edge(conn);
}

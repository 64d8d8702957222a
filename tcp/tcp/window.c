/* SPDX-License-Identifier: BSD-2-Clause */
/* The window that we offer: as far as buffers go that the application does not hold. Its right edge
 * never moves back (RFC 9293 3.8.6), and forward only by steps worth telling (3.8.6.2.2). */
#include "../state.h"
#include "conn.h"
#include "seq.h"

uint32_t conn_right_edge(const struct tcp_conn *conn)
{
    const uint32_t most = conn->net->tcp->config.rx_window;
    const uint32_t space = most > conn->held_bytes ? most - conn->held_bytes : 0;
    /* What the header's field can say with the scale that was agreed on (RFC 7323 2.2). */
    const uint32_t sayable = (uint32_t)UINT16_MAX << conn->rcv_scale;
    const uint32_t edge =
        conn->rcv_nxt + RT_MIN(RT_ALIGN_DOWN(space, 1u << conn->rcv_scale), sayable);
    const uint32_t step = RT_MIN((uint32_t)conn->mss, most / 2);

    RT_ASSERT_LE(conn->rcv_scale, TCP_SCALE_MAX);
    if (!seq_after(edge, conn->rcv_adv) || edge - conn->rcv_adv < step)
        return conn->rcv_adv;
    return edge;
}

bool conn_window_opened(const struct tcp_conn *conn)
{
    const uint32_t most = conn->net->tcp->config.rx_window;

    return conn_right_edge(conn) - conn->rcv_adv >= RT_MIN(2u * conn->mss, most / 2);
}

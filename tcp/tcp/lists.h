/* SPDX-License-Identifier: BSD-2-Clause */
/* What conn_tell() and conn_output() do, in line; and the window that we offer. */
#ifndef TCP_TCP_LISTS_H
#define TCP_TCP_LISTS_H

#include "../state.h"
#include "conn.h"
#include "seq.h"

RT_INLINE void lists_tell(struct tcp_conn *conn, uint32_t events)
{
    struct tcp_stack *tcp = conn->net->tcp;

    conn->events |= (uint8_t)events;
    if (conn->event_listed)
        return;
    conn->event_listed = true;
    conn->event_next = NULL;
    if (tcp->event_last != NULL)
        tcp->event_last->event_next = conn;
    else
        tcp->event_first = conn;
    tcp->event_last = conn;
}

RT_INLINE void lists_output(struct tcp_conn *conn)
{
    struct tcp_stack *tcp = conn->net->tcp;

    if (conn->output_listed)
        return;
    conn->output_listed = true;
    conn->output_next = NULL;
    if (tcp->output_last != NULL)
        tcp->output_last->output_next = conn;
    else
        tcp->output_first = conn;
    tcp->output_last = conn;
}

/* ---- the window that we offer ----
 * As far as buffers go that the application does not hold. Its right edge never moves back (RFC
 * 9293 3.8.6), and forward only by steps worth telling (3.8.6.2.2). */

/* So far it could be opened beyond what was offered; below 0: not even so far. */
RT_INLINE int32_t lists_more_window(const struct tcp_conn *conn)
{
    const uint32_t most = conn->net->tcp->window_most;
    const uint32_t space = most > conn->held_bytes ? most - conn->held_bytes : 0;
    /* In the steps of the scale that was agreed on, as much as the header's field can say (RFC
     * 7323 2.2). */
    const uint32_t steps = RT_MIN(space >> conn->rcv_scale, (uint32_t)UINT16_MAX);

    return (int32_t)((steps << conn->rcv_scale) - (conn->rcv_adv - conn->rcv_nxt));
}

/* The right edge to offer now. */
RT_INLINE uint32_t lists_right_edge(const struct tcp_conn *conn)
{
    const int32_t more = lists_more_window(conn);
    const uint32_t step = RT_MIN((uint32_t)conn->mss, conn->net->tcp->config.rx_window / 2);

    return more > 0 && more >= (int32_t)step ? conn->rcv_adv + (uint32_t)more : conn->rcv_adv;
}

/* True: it would move so far that the peer should know: by a quarter, or, when there is little left
 * of it, by two segments. What the peer sends meanwhile is answered with the new edge anyhow. */
RT_INLINE bool lists_window_opened(const struct tcp_conn *conn)
{
    const uint32_t most = conn->net->tcp->config.rx_window;
    const bool narrow = conn->rcv_adv - conn->rcv_nxt <= most / 8;
    const uint32_t step = narrow ? RT_MIN(2u * conn->mss, most / 2) : most / 4;

    return lists_more_window(conn) >= (int32_t)step;
}

#endif

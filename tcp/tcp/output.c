/* SPDX-License-Identifier: BSD-2-Clause */
/* What leaves, at the end of a turn: as much as both windows allow, in segments as full as what was
 * given until then (RFC 9293 3.7.4, 3.8.6; RFC 5681 3.1). */
#include "../link/neigh.h"
#include "../state.h"
#include "../wire/tcp.h"
#include "sendq.h"
#include "seq.h"
#include "transmit.h"

#include <mempool/pool.h>

enum {
    SEGMENTS_MAX = 64, /* of a connection, in a turn */
    SEGMENT_BUFS_MAX = 8,
};

void conn_output(struct tcp_conn *conn)
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

static bool may_send_data(const struct tcp_conn *conn)
{
    return conn->state == TCP_ESTABLISHED || conn->state == TCP_CLOSE_WAIT ||
           conn->state == TCP_FIN_WAIT_1 || conn->state == TCP_CLOSING ||
           conn->state == TCP_LAST_ACK;
}

/* What both windows leave. */
static uint32_t usable(const struct tcp_conn *conn)
{
    const uint32_t window = RT_MIN(conn->snd_wnd, conn->cc.cwnd);
    const uint32_t flight = conn->snd_nxt - conn->snd_una;

    return window > flight ? window - flight : 0;
}

/* A run of buffers that are one segment. */
struct run {
    uint32_t count, bytes;
};

static struct run gather(const struct tcp_conn *conn, uint32_t most)
{
    struct run run = {0, 0};
    uint32_t start = conn->snd_nxt;

    for (const struct buf *b = conn->queue.next; b != NULL && run.count < SEGMENT_BUFS_MAX;
         b = sendq_after(b)) {
        const uint32_t bytes = sendq_end(b) - start;

        if (bytes > most - run.bytes)
            break;
        run.bytes += bytes;
        run.count++;
        start += bytes;
    }
    return run;
}

/* Of the first buffer no segment can have all: cut where it may end (3.8.6.2.1: a full one, or
 * half of the largest window there was). */
static bool cut_first(struct tcp_conn *conn, uint32_t most)
{
    struct buf *b = conn->queue.next;

    if (most < conn->mss &&
        (most == 0 || (most < conn->snd_wnd_max / 2 && conn->snd_nxt != conn->snd_una)))
        return false;
    return sendq_cut(conn, b, conn->snd_nxt, most);
}

/* A segment that is not full waits while others are on their way (Nagle, 3.7.4), unless the stream
 * ends with it. */
static bool should_wait(const struct tcp_conn *conn, const struct run *run)
{
    return run->bytes < conn->mss && conn->snd_nxt != conn->snd_una &&
           conn->snd_nxt + run->bytes == conn->snd_end && !conn->fin_wanted && !conn->nodelay;
}

static void sent(struct tcp_conn *conn, struct buf *first, const struct run *run, bool fin)
{
    const uint32_t end = conn->snd_nxt + run->bytes;
    const bool again = seq_before(conn->snd_nxt, conn->snd_max);
    struct buf *b = first;

    for (uint32_t i = 0; i < run->count; i++, b = sendq_after(b))
        if (again)
            b->vlan_tci = SENDQ_AGAIN;
    conn->queue.next = b;
    conn->snd_nxt = end + fin;
    conn->fin_sent |= fin;
    if (again)
        conn->net->counters.tcp_retrans_segs++;
    if (seq_after(conn->snd_nxt, conn->snd_max))
        conn->snd_max = conn->snd_nxt;
}

/* One segment of what waits; false: nothing may be sent now. */
static bool send_next(struct tcp_conn *conn)
{
    const uint32_t most = RT_MIN(usable(conn), (uint32_t)conn->mss);
    struct buf *first = conn->queue.next;
    struct run run = gather(conn, most);
    bool fin;

    if (run.count == 0) {
        if (!cut_first(conn, most))
            return false;
        run = gather(conn, most);
    }
    if (should_wait(conn, &run))
        return false;
    if (!transmit_possible(conn)) {
        if (if_room(conn->iface) == 0)
            conn_output(conn); /* again, as soon as the device has taken some */
        return false;
    }
    fin = conn->fin_wanted && conn->snd_nxt + run.bytes == conn->snd_end;
    if (!transmit_data(conn, first, conn->snd_nxt, run.count, run.bytes, fin))
        return false;
    sent(conn, first, &run, fin);
    return true;
}

static bool send_fin(struct tcp_conn *conn)
{
    const struct run none = {0, 0};

    if (!transmit_bare(conn, conn->snd_nxt, TCP_FIN | TCP_ACK))
        return false;
    sent(conn, NULL, &none, true);
    return true;
}

/* The timer runs while something is on its way, or waits for a window to open. */
static void set_timer(struct tcp_conn *conn)
{
    const bool waits = conn->snd_nxt != conn->snd_una || conn->queue.next != NULL ||
                       (conn->fin_wanted && !conn->fin_sent);

    if (waits && !conn_has_deadline(conn, TCP_AT_RETRANSMIT))
        conn_at(conn, TCP_AT_RETRANSMIT, conn->net->now_us + rtt_wait_us(&conn->rtt));
}

static void send_again(struct tcp_conn *conn)
{
    struct buf *first = conn->queue.first;
    const uint32_t una = conn->snd_una;

    if (first == NULL) { /* the FIN alone */
        if (conn->fin_sent && transmit_bare(conn, una, TCP_FIN | TCP_ACK))
            conn->net->counters.tcp_retrans_segs++;
        return;
    }
    if (sendq_end(first) - una > conn->mss && !sendq_cut(conn, first, una, conn->mss))
        return;
    if (!transmit_possible(conn) ||
        !transmit_data(conn, first, una, 1, sendq_end(first) - una,
                       conn->fin_sent && sendq_end(first) == conn->snd_end))
        return;
    first->vlan_tci = SENDQ_AGAIN;
    conn->net->counters.tcp_retrans_segs++;
}

static void output(struct tcp_conn *conn)
{
    uint32_t segments = 0;

    if (conn->state == TCP_SYN_SENT) {
        conn_send_syn(conn);
        return;
    }
    if (conn->again_now) {
        conn->again_now = false;
        if (conn->snd_nxt != conn->snd_una)
            send_again(conn);
    }
    if (may_send_data(conn)) {
        while (conn->queue.next != NULL && segments < SEGMENTS_MAX && send_next(conn))
            segments++;
        if (conn->queue.next != NULL && segments == SEGMENTS_MAX)
            conn_output(conn); /* the rest with the next turn */
        if (conn->fin_wanted && !conn->fin_sent && conn->queue.next == NULL && send_fin(conn))
            segments++;
        set_timer(conn);
    }
    if (conn->ack_now && segments == 0 && conn->state != TCP_SYN_RECEIVED)
        conn_send_ack(conn);
}

/* Each connection that is listed now, once. */
void tcp_output_all(struct net *net)
{
    struct tcp_conn *conn = net->tcp->output_first, *next;

    net->tcp->output_first = net->tcp->output_last = NULL;
    for (; conn != NULL; conn = next) {
        next = conn->output_next;
        conn->output_listed = false;
        if (conn->state != TCP_CLOSED)
            output(conn);
        conn_free(conn);
    }
}

bool tcp_output_waits(const struct net *net)
{
    return net->tcp != NULL && (net->tcp->output_first != NULL || net->tcp->event_first != NULL);
}

void conn_retransmit(struct tcp_conn *conn)
{
    conn->again_now = true;
    conn_output(conn);
}

void conn_send_ack(struct tcp_conn *conn)
{
    transmit_bare(conn, conn->snd_nxt, TCP_ACK);
}

/* One number too old: the peer must answer with what it wants (RFC 9293 3.8.6.1). */
void conn_send_probe(struct tcp_conn *conn)
{
    transmit_bare(conn, conn->snd_una - 1, TCP_ACK);
}

void conn_send_rst(struct tcp_conn *conn)
{
    if (conn->state == TCP_SYN_SENT)
        return; /* the peer may not know of it */
    conn->net->counters.tcp_out_rsts++;
    transmit_bare(conn, conn->snd_max, TCP_RST | TCP_ACK);
}

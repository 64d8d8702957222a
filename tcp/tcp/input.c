/* SPDX-License-Identifier: BSD-2-Clause */
/* A segment comes in: whose it is, and the steps it goes through (RFC 9293 3.10.7). */
#include "../state.h"
#include "../wire/tcp.h"
#include "merge.h"
#include "plain.h"
#include "rx.h"
#include "seq.h"

#include <mempool/pool.h>

/* Nobody's: a new connection for a listener, or refused (3.10.7.1). */
static void input_new(struct net *net, struct tcp_segment *segment_owned)
{
    struct tcp_listener *listener =
        tcp_listener_find(net, &segment_owned->dst, segment_owned->dst_port);

    if (listener != NULL) {
        rx_listen(listener, segment_owned);
        return;
    }
    tcp_refuse(net, segment_owned);
    buf_free(segment_owned->buf);
}

/* What the card said of the frame is not said of what we may do with its buffer later. */
void rx_segment(struct tcp_conn *conn, struct tcp_segment *segment_owned)
{
    segment_owned->buf->flags = 0;
    if (conn->state == TCP_SYN_SENT) {
        rx_syn_sent(conn, segment_owned);
        return;
    }
    if (conn->listens_alive)
        life_heard(conn);
    if (rx_check(conn, segment_owned) && rx_ack(conn, segment_owned)) {
        if (segment_owned->is_time)
            rx_keep_time(conn, segment_owned);
        rx_data(conn, segment_owned);
    } else {
        buf_free(segment_owned->buf);
    }
    plain_predict(conn);
}

void tcp_input(struct net *net, struct ip_packet *packet_owned)
{
    struct tcp_segment segment;
    struct tcp_conn *conn;

    if (!segment_parse(net, packet_owned, &segment) || merge_takes(net, &segment))
        return;
    conn = conn_find(net, &segment.dst, segment.dst_port, &segment.src, segment.src_port);
    if (conn != NULL && conn->state == TCP_TIME_WAIT && rx_time_wait_reused(conn, &segment))
        conn = NULL;
    if (conn == NULL || conn->state == TCP_CLOSED)
        input_new(net, &segment);
    else if (!merge_waits(conn, &segment))
        rx_segment(conn, &segment);
}

/* That there is no way may be a moment's truth (RFC 1122 4.2.3.9): it ends an attempt when it is
 * said of a second SYN, too. */
static void unreachable(struct tcp_conn *conn)
{
    RT_ASSERT_EQ(conn->state, TCP_SYN_SENT);
    if (conn->no_way)
        conn_end(conn, TCP_UNREACHABLE);
    conn->no_way = true;
}

/* An error is believed when it quotes a number that is on its way (RFC 5927 4.1). It ends an
 * attempt to connect, nothing that stands (5.2). */
void tcp_icmp(struct net *net, const struct icmp_error *error)
{
    const uint8_t *quote = error->quote;
    const uint16_t local_port = (uint16_t)(quote[0] << 8 | quote[1]);
    const uint16_t remote_port = (uint16_t)(quote[2] << 8 | quote[3]);
    struct tcp_conn *conn =
        conn_find(net, &error->src, local_port, &error->dst, remote_port);
    be32_t seq;

    __builtin_memcpy(&seq, quote + 4, sizeof(seq));
    if (conn == NULL || conn->snd_una == conn->snd_nxt ||
        !seq_within(be32_get(seq), conn->snd_una, conn->snd_nxt - 1)) {
        net->counters.icmp_in_unbelieved++;
        return;
    }
    if (conn->state == TCP_SYN_SENT && error->what == ICMP_SAYS_REFUSED)
        conn_end(conn, TCP_REFUSED);
    else if (conn->state == TCP_SYN_SENT && error->what == ICMP_SAYS_UNREACHABLE)
        unreachable(conn);
    else if (error->what == ICMP_SAYS_TOO_BIG)
        pmtu_too_big(conn, error->mtu_bytes);
}

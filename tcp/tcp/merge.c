/* SPDX-License-Identifier: BSD-2-Clause */
#include "merge.h"

#include "../state.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"
#include "rx.h"

#include <mempool/pool.h>

void merge_deliver(struct tcp_merge *m)
{
    struct tcp_conn *conn = m->conn;

    m->conn = NULL;
    if (conn->generation == m->generation && conn->state != TCP_CLOSED)
        rx_segment(conn, &m->segment);
    else
        buf_free(m->segment.buf); /* another frame of the batch has ended it */
}

/* A frame's buffers: a few. */
static struct buf *last_of(struct buf *b)
{
    while (b->next != NULL)
        b = b->next;
    return b;
}

static bool has_data_alone(const struct tcp_segment *s, uint16_t flags)
{
    return s->flags == flags && s->bytes != 0 && s->options.sack_count == 0 &&
           (s->tos & IP_ECN_BITS) != IP_ECN_CE;
}

static bool is_same_flow(const struct tcp_segment *a, const struct tcp_segment *b)
{
    return a->src_port == b->src_port && a->dst_port == b->dst_port && a->iface == b->iface &&
           ip_addr_equal(&a->src, &b->src) && ip_addr_equal(&a->dst, &b->dst);
}

static bool says_the_same(const struct tcp_segment *a, const struct tcp_segment *b)
{
    return a->ack == b->ack && a->window == b->window && a->tos == b->tos &&
           a->options.has_time == b->options.has_time && a->options.time == b->options.time &&
           a->options.time_echo == b->options.time_echo;
}

/* Within the window that was offered: what lies behind it is cut off, and odd. */
static bool fits(const struct tcp_merge *m, const struct tcp_segment *s)
{
    const struct tcp_conn *conn = m->conn;
    const uint32_t bytes = m->segment.bytes + s->bytes;

    return s->seq == m->segment.seq + m->segment.bytes && bytes <= MERGE_BYTES_MAX &&
           bytes <= conn->rcv_adv - m->segment.seq;
}

bool merge_takes(struct net *net, struct tcp_segment *segment)
{
    struct tcp_merge *m = &net->tcp->merge;
    const bool push = segment->flags == (TCP_ACK | TCP_PSH);

    if (m->conn == NULL)
        return false;
    if (!has_data_alone(segment, push ? TCP_ACK | TCP_PSH : TCP_ACK) ||
        !is_same_flow(&m->segment, segment) || !says_the_same(&m->segment, segment) ||
        !fits(m, segment)) {
        merge_deliver(m);
        return false;
    }
    m->last->next = segment->buf;
    m->last = last_of(segment->buf);
    m->segment.buf->pkt_len += segment->bytes;
    m->segment.bytes += segment->bytes;
    m->segment.flags |= segment->flags;
    m->segment.merged++;
    m->segs++;
    if (push)
        merge_deliver(m);
    return true;
}

bool merge_waits(struct tcp_conn *conn, struct tcp_segment *segment)
{
    struct tcp_merge *m = &conn->net->tcp->merge;

    if (!m->open || conn->state != TCP_ESTABLISHED || conn->order != NULL ||
        conn->quick_left != 0 || !has_data_alone(segment, TCP_ACK) ||
        segment->seq != conn->rcv_nxt || segment->bytes > conn->rcv_adv - segment->seq)
        return false;
    RT_ASSERT(m->conn == NULL);
    m->conn = conn;
    m->generation = conn->generation;
    m->segment = *segment;
    m->last = last_of(segment->buf);
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A piece's first buffer says where it lies: rss_hash its first byte, rss_type the one behind its
 * last, user the next piece. */
#include "reasm.h"

#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "icmp.h"

#include <mempool/pool.h>
#include <rt/assert.h>

static struct buf *after(const struct buf *piece)
{
    return (struct buf *)(uintptr_t)piece->user;
}

static void free_pieces(struct reasm *r)
{
    struct buf *next;

    for (struct buf *piece = r->first; piece != NULL; piece = next) { /* PIECES_MAX at most */
        next = after(piece);
        buf_free(piece);
    }
    RT_ASSERT_LE(r->bufs, r->net->reasm_bufs);
    r->net->reasm_bufs -= r->bufs;
    r->first = r->last = NULL;
    r->bufs = 0;
}

static void forget(struct reasm *r)
{
    free_pieces(r);
    timer_cancel(&r->net->wheel, &r->timer);
    r->used = false;
}

/* Of ICMP an echo may be answered so, an error never (RFC 1122 3.2.2, RFC 4443 2.4 (e)). */
static bool may_be_told(const struct reasm *r)
{
    const uint8_t *data = buf_data(r->first);

    if (r->first->rss_hash != 0)
        return false; /* the first piece is missing */
    if (r->next == IP_ICMP && ip_addr_is_v4(&r->src))
        return data[0] == ICMP_ECHO_REQUEST;
    return r->next != IP_ICMPV6 || data[0] == ICMP6_ECHO_REQUEST;
}

/* It will not be whole: its sender is told, where he can know of which (RFC 792, RFC 4443 3.3). */
static void on_timer(struct timer *timer, uint64_t now_us)
{
    struct reasm *r = RT_CONTAINER_OF(timer, struct reasm, timer);

    RT_ASSERT(r->used);
    if (!r->ended)
        r->net->counters.ip_reasm_fails++;
    if (r->first != NULL && may_be_told(r)) {
        const struct ip_packet packet = {
            .buf = r->first,
            .iface = r->iface,
            .src = r->src,
            .dst = r->dst,
            .bytes = r->first->pkt_len,
            .header_bytes = r->header_bytes,
            .to_group = ip_addr_is_multicast(&r->dst) || if_is_broadcast(r->iface, &r->dst),
        };

        icmp_send_error(r->net, &packet, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY);
    }
    forget(r);
}

enum rt_status reasm_create(struct net *net)
{
    net->reasms = hal_alloc(REASM_DATAGRAMS * sizeof(*net->reasms), RT_CACHE_LINE, "reassembly");
    if (net->reasms == NULL)
        return RT_NO_MEMORY;
    for (uint32_t i = 0; i < REASM_DATAGRAMS; i++)
        net->reasms[i] = (struct reasm){.net = net, .timer = {.fn = on_timer}};
    net->reasm_bufs_max = RT_MIN(net->config.pool->total / 4, (uint32_t)REASM_BUFS_MAX);
    return RT_OK;
}

/* The one that began longest ago, beside `but`; NULL: there is no other. */
static struct reasm *oldest(struct net *net, const struct reasm *but)
{
    struct reasm *found = NULL;

    for (uint32_t i = 0; i < REASM_DATAGRAMS; i++) {
        struct reasm *r = &net->reasms[i];

        if (r->used && r != but && (found == NULL || r->began_us < found->began_us))
            found = r;
    }
    return found;
}

/* It makes room; one that had ended was counted then. */
static void evict(struct reasm *r)
{
    RT_ASSERT(r->used);
    r->net->counters.ip_reasm_fails += !r->ended;
    r->net->counters.ip_reasm_evicted++;
    forget(r);
}

static struct reasm *begin(const struct ip_packet *packet, const struct reasm_piece *piece)
{
    struct net *net = packet->iface->net;
    struct reasm *r = NULL;

    for (uint32_t i = 0; i < REASM_DATAGRAMS && r == NULL; i++)
        if (!net->reasms[i].used)
            r = &net->reasms[i];
    if (r == NULL) {
        r = oldest(net, NULL);
        evict(r);
    }
    *r = (struct reasm){
        .src = packet->src,
        .dst = packet->dst,
        .net = net,
        .iface = packet->iface,
        .id = piece->id,
        .protocol = piece->protocol,
        .used = true,
        .began_us = net->now_us,
        .timer = {.fn = on_timer},
    };
    timer_arm(&net->wheel, &r->timer,
              net->now_us + (ip_addr_is_v4(&packet->src) ? REASM_V4_US : REASM_V6_US));
    return r;
}

static struct reasm *find(const struct ip_packet *packet, const struct reasm_piece *piece)
{
    struct net *net = packet->iface->net;

    for (uint32_t i = 0; i < REASM_DATAGRAMS; i++) {
        struct reasm *r = &net->reasms[i];

        if (r->used && r->id == piece->id && r->protocol == piece->protocol &&
            ip_addr_equal(&r->src, &packet->src) && ip_addr_equal(&r->dst, &packet->dst))
            return r;
    }
    return NULL;
}

/* A wrong piece: no datagram comes of this number, whatever else comes. */
static void end(struct reasm *r)
{
    free_pieces(r);
    r->ended = true;
    r->net->counters.ip_reasm_fails++;
}

/* Makes room for so many buffers; false: not even by all others. */
static bool make_room(struct reasm *r, uint32_t bufs)
{
    struct net *net = r->net;

    for (uint32_t i = 0; i < REASM_DATAGRAMS; i++) {
        struct reasm *other;

        if (bufs <= net->reasm_bufs_max - net->reasm_bufs)
            return true;
        other = oldest(net, r);
        if (other == NULL)
            return false;
        evict(other);
    }
    return false;
}

/* The piece behind which this one belongs, NULL: it is the first. Most come in order. */
static struct buf *place_of(const struct reasm *r, uint32_t offset)
{
    struct buf *before = NULL;

    if (r->last != NULL && r->last->rss_hash <= offset)
        return r->last;
    for (struct buf *b = r->first; b != NULL && b->rss_hash <= offset; b = after(b))
        before = b; /* PIECES_MAX at most */
    return before;
}

enum fit { FITS, TWICE, WRONG };

static enum fit fit_of(const struct reasm *r, const struct buf *before, uint32_t offset,
                       uint32_t end_offset, bool more)
{
    const struct buf *next = before != NULL ? after(before) : r->first;

    if (before != NULL && before->rss_hash == offset && before->rss_type == end_offset)
        return more == (r->total != end_offset) ? TWICE : WRONG;
    if ((before != NULL && before->rss_type > offset) ||
        (next != NULL && next->rss_hash < end_offset))
        return WRONG;
    if (r->total != 0 && (end_offset > r->total || !more))
        return WRONG; /* behind the end, or a second one */
    return !more && r->last != NULL && r->last->rss_type > end_offset ? WRONG : FITS;
}

static void link_piece(struct reasm *r, struct buf *before, struct buf *piece, uint32_t offset)
{
    struct buf *next = before != NULL ? after(before) : r->first;

    piece->rss_hash = offset;
    piece->rss_type = offset + piece->pkt_len;
    piece->user = (uintptr_t)next;
    if (before != NULL)
        before->user = (uintptr_t)piece;
    else
        r->first = piece;
    if (next == NULL)
        r->last = piece;
    r->bytes += piece->pkt_len;
    r->pieces++;
    r->bufs += piece->segments;
    r->net->reasm_bufs += piece->segments;
}

/* One chain of all pieces. What the card and we noted of each buffer is nobody's business. */
static struct buf *join(struct reasm *r)
{
    struct buf *whole = r->first, *last = NULL, *next;

    whole->segments = (uint8_t)r->bufs;
    for (struct buf *piece = r->first; piece != NULL; piece = next) {
        next = after(piece);
        if (last != NULL)
            last->next = piece;
        for (last = piece;; last = last->next) { /* PIECES_MAX at most */
            last->flags = 0;
            last->rss_hash = last->rss_type = 0;
            last->user = 0;
            if (last->next == NULL)
                break;
        }
    }
    whole->pkt_len = r->total;
    r->net->reasm_bufs -= r->bufs;
    r->first = r->last = NULL;
    r->bufs = 0;
    return whole;
}

static void finish(struct reasm *r, struct ip_packet *packet)
{
    RT_ASSERT_EQ(r->first->rss_hash, 0u);
    packet->buf = join(r);
    packet->bytes = r->total;
    packet->header_bytes = r->header_bytes;
    packet->next_at = r->next_at;
    packet->protocol = r->next;
    packet->whole_sum = true;
    if (r->congested)
        packet->tos |= IP_ECN_CE;
    r->net->counters.ip_reasm_oks++;
    forget(r);
}

/* Of the datagram this packet is a piece of; false: it is dropped. */
static bool put(struct reasm *r, struct ip_packet *packet, const struct reasm_piece *piece)
{
    const uint32_t end_offset = piece->offset + packet->bytes;
    struct buf *before = place_of(r, piece->offset);
    const enum fit fit = fit_of(r, before, piece->offset, end_offset, piece->more);

    if (r->ended || fit == TWICE) {
        r->net->counters.ip_reasm_duplicates++;
        return false;
    }
    if (fit == WRONG || r->pieces == REASM_PIECES_MAX ||
        r->bufs + packet->buf->segments > REASM_PIECES_MAX ||
        !make_room(r, packet->buf->segments)) {
        end(r);
        return false;
    }
    link_piece(r, before, packet->buf, piece->offset);
    r->congested |= (packet->tos & IP_ECN_BITS) == IP_ECN_CE;
    if (!piece->more)
        r->total = end_offset;
    if (piece->offset == 0) {
        r->header_bytes = packet->header_bytes;
        r->next_at = packet->next_at;
        r->next = packet->protocol;
    }
    return true;
}

bool reasm_put(struct ip_packet *packet_owned, const struct reasm_piece *piece)
{
    struct net *net = packet_owned->iface->net;
    struct reasm *r;

    net->counters.ip_reasm_reqds++;
    RT_ASSERT_EQ(packet_owned->bytes, packet_owned->buf->pkt_len);
    if (packet_owned->bytes == 0 || (piece->more && packet_owned->bytes % 8 != 0) ||
        piece->offset > piece->room || packet_owned->bytes > piece->room - piece->offset) {
        net->counters.ip_reasm_fails++;
        buf_free(packet_owned->buf);
        return false;
    }
    r = find(packet_owned, piece);
    if (r == NULL)
        r = begin(packet_owned, piece);
    if (!put(r, packet_owned, piece)) {
        buf_free(packet_owned->buf);
        return false;
    }
    if (r->total == 0 || r->bytes != r->total)
        return false;
    finish(r, packet_owned);
    return true;
}

void reasm_relieve(struct net *net)
{
    struct reasm *r;

    for (uint32_t i = 0; i < REASM_DATAGRAMS; i++) {
        r = few_is(&net->few, FEW_EIGHTH) ? oldest(net, NULL) : NULL;
        if (r == NULL)
            return;
        evict(r);
    }
}

void reasm_close(struct net *net)
{
    for (uint32_t i = 0; i < REASM_DATAGRAMS; i++)
        if (net->reasms[i].used)
            forget(&net->reasms[i]);
}

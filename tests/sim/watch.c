/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <string.h>

enum {
    ETH_BYTES = 14,
    IP_BYTES = 20,
    IP6_BYTES = 40,
    TCP_BYTES = 20,
    FIN = 1,
    SYN = 2,
    RST = 4,
    ACK = 16,
    MSS_DEFAULT = 536, /* RFC 9293 3.7.1 */
    NOT_LONGER_MAX = 3,
    GAP_FULL_US = 30000000, /* the RTO stops growing some time (RFC 6298 2.4) */
};

struct seen {
    struct watch_way *way, *back; /* of who sent it, of who gets it */
    uint32_t seq, ack;            /* counted from the SYNs */
    uint32_t bytes, flags, window, options_bytes;
    uint32_t sack_count;
    uint32_t sacks[4][2];
    const uint8_t *options;
};

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static bool bit(const uint8_t *bits, uint32_t i)
{
    return i < WATCH_BYTES_MAX && (bits[i / 8] >> i % 8 & 1) != 0;
}

static void set_bit(uint8_t *bits, uint32_t i)
{
    RT_ASSERT_LT(i, (uint32_t)WATCH_BYTES_MAX);
    bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << i % 8);
}

void watch_reset(struct watch *watch)
{
    memset(watch->flows, 0, watch->count * sizeof(watch->flows[0]));
    watch->count = 0;
}

static struct watch_flow *find(struct watch *w, const uint16_t ports[2], bool syn)
{
    struct watch_flow *f;

    for (uint32_t i = 0; i < w->count; i++)
        if (memcmp(w->flows[i].ports, ports, sizeof(w->flows[i].ports)) == 0)
            return &w->flows[i];
    if (!syn || w->count == WATCH_FLOWS_MAX)
        return NULL;
    f = &w->flows[w->count++];
    memcpy(f->ports, ports, sizeof(f->ports));
    return f;
}

/* What a SYN says of its sender. */
static void read_syn(struct watch_way *way, const struct seen *s)
{
    way->mss = MSS_DEFAULT;
    for (uint32_t i = 0; i < s->options_bytes && s->options[i] != 0;) {
        const uint8_t *o = s->options + i;

        if (o[0] == 2)
            way->mss = (uint16_t)get16(o + 2);
        if (o[0] == 3) {
            way->scales = true;
            way->scale = o[2];
        }
        i += o[0] == 1 ? 1 : RT_MAX(o[1], 2);
    }
}

static void read_sacks(struct seen *s)
{
    for (uint32_t i = 0; i < s->options_bytes && s->options[i] != 0;) {
        const uint8_t *o = s->options + i;

        for (uint32_t j = 2; o[0] == 5 && j < o[1] && s->sack_count < 4; j += 8) {
            s->sacks[s->sack_count][0] = get32(o + j) - s->back->first;
            s->sacks[s->sack_count++][1] = get32(o + j + 4) - s->back->first;
        }
        i += o[0] == 1 ? 1 : RT_MAX(o[1], 2);
    }
}

/* One SYN may have two answers, each with a number of its own: a listener has forgotten the first,
 * or sent a cookie while it had no room. The one that arrives first is the connection's. */
static void begin_anew(struct watch_flow *flow, unsigned from)
{
    memset(&flow->ways[from], 0, sizeof(flow->ways[from]));
    flow->ways[!from].acked = flow->ways[!from].offered = 0;
}

/* The TCP segment of a frame, and its bytes; NULL: there is none, or not all of it. */
static const uint8_t *find_tcp(const uint8_t *frame, uint32_t bytes, uint32_t *tcp_bytes)
{
    const uint8_t *ip = frame + ETH_BYTES;
    const uint32_t type = bytes >= ETH_BYTES + IP6_BYTES ? get16(frame + 12) : 0;
    const uint32_t ip_bytes = type == 0x86dd ? IP6_BYTES : IP_BYTES;

    if (type == 0x0800 && ip[9] == 6)
        *tcp_bytes = get16(ip + 2) - IP_BYTES;
    else if (type == 0x86dd && ip[6] == 6)
        *tcp_bytes = get16(ip + 4);
    else
        return NULL;
    if (*tcp_bytes < TCP_BYTES || *tcp_bytes > bytes - ETH_BYTES - ip_bytes)
        return NULL;
    return ip + ip_bytes;
}

/* False: not TCP, or of no connection that began here. */
static bool read_frame(struct sim *sim, unsigned from, const uint8_t *frame, uint32_t bytes,
                       struct seen *s)
{
    uint32_t tcp_bytes;
    const uint8_t *tcp = find_tcp(frame, bytes, &tcp_bytes);
    uint16_t ports[2];
    struct watch_flow *flow;

    if (tcp == NULL)
        return false;
    *s = (struct seen){.flags = tcp[13], .window = get16(tcp + 14)};
    ports[from] = (uint16_t)get16(tcp);
    ports[!from] = (uint16_t)get16(tcp + 2);
    flow = find(&sim->watch, ports, (s->flags & (SYN | RST)) == SYN);
    if (flow == NULL)
        return false;
    s->way = &flow->ways[from];
    s->back = &flow->ways[!from];
    s->options = tcp + TCP_BYTES;
    s->options_bytes = (uint32_t)(tcp[12] >> 4) * 4 - TCP_BYTES;
    s->bytes = tcp_bytes - TCP_BYTES - s->options_bytes;
    if ((s->flags & (SYN | ACK)) == (SYN | ACK) && s->way->syn && get32(tcp + 4) != s->way->first) {
        if (s->way->syn_arrived)
            return false;
        begin_anew(flow, from);
    }
    if ((s->flags & SYN) != 0 && !s->way->syn) {
        s->way->syn = true;
        s->way->first = get32(tcp + 4);
        read_syn(s->way, s);
    }
    s->seq = get32(tcp + 4) - s->way->first;
    s->ack = get32(tcp + 8) - s->back->first;
    read_sacks(s);
    return s->way->syn;
}

static uint32_t length_of(const struct seen *s)
{
    return s->bytes + ((s->flags & SYN) != 0) + ((s->flags & FIN) != 0);
}

/* The right edge of the window that a segment offers. */
static uint32_t edge_of(const struct seen *s)
{
    const bool scaled = (s->flags & SYN) == 0 && s->way->scales && s->back->scales;

    return s->ack + (s->window << (scaled ? s->way->scale : 0));
}

/* RFC 9293 3.7.1 (MUST-16), 3.8.6: not longer than the other takes, nor beyond its window. */
static void check_size(struct sim *sim, const struct seen *s)
{
    if (s->bytes == 0)
        return;
    if (s->bytes + s->options_bytes > s->back->mss)
        sim_fail(sim, "a segment of %u bytes and %u of options, to one that takes %u", s->bytes,
                 s->options_bytes, s->back->mss);
    if (s->way->edge_known && s->seq + s->bytes > s->way->edge)
        sim_fail(sim, "bytes up to %u, and the window ends at %u", s->seq + s->bytes,
                 s->way->edge);
}

/* RFC 6298 5.5: while nothing is heard, each repetition waits longer. */
static void check_again(struct sim *sim, const struct seen *s)
{
    struct watch_way *way = s->way;
    const uint64_t gap_us = sim->now_us - way->again_us;

    if (length_of(s) == 0 || s->seq + length_of(s) > way->sent_end ||
        (way->again_us != 0 && s->seq != way->again_seq))
        return;
    way->again_seq = s->seq;
    if (way->again_us != 0 && gap_us != 0) {
        if (way->gap_us != 0 && way->gap_us < GAP_FULL_US && gap_us * 2 < way->gap_us * 3)
            way->not_longer++;
        else
            way->not_longer = 0;
        if (way->not_longer == NOT_LONGER_MAX)
            sim_fail(sim, "sent again after %llu us, as often before: no back-off",
                     (unsigned long long)gap_us);
        way->gap_us = gap_us;
    }
    way->again_us = sim->now_us;
}

/* What is acknowledged has arrived; and acknowledgements and windows do not go back. */
static void check_ack(struct sim *sim, const struct seen *s)
{
    struct watch_way *way = s->way;
    const uint32_t edge = edge_of(s);
    const uint32_t coarse = s->way->scales ? 1u << s->way->scale : 1;

    if ((s->flags & ACK) == 0 || !s->back->syn)
        return;
    if (s->ack > s->back->arrived_end)
        sim_fail(sim, "acknowledges %u, and %u have arrived", s->ack, s->back->arrived_end);
    if ((s->flags & RST) != 0)
        return;
    if (s->ack < way->acked)
        sim_fail(sim, "acknowledges %u, after %u", s->ack, way->acked);
    way->acked = s->ack;
    if ((s->flags & SYN) == 0 && edge + coarse <= way->offered)
        sim_fail(sim, "the window ends at %u, after %u", edge, way->offered);
    way->offered = RT_MAX(way->offered, edge);
}

/* Each byte of a block has arrived, and a segment began and ended where it does (RFC 2018 4). A
 * first block below what is acknowledged tells of a repetition (RFC 2883 4). */
static void check_sacks(struct sim *sim, const struct seen *s)
{
    for (uint32_t i = 0; i < s->sack_count; i++) {
        const uint32_t first = s->sacks[i][0], end = s->sacks[i][1];

        if (first >= end || end > WATCH_BYTES_MAX) {
            sim_fail(sim, "a SACK block from %u to %u", first, end);
            return;
        }
        for (uint32_t at = first; at < end; at++)
            if (!bit(s->back->arrived, at)) {
                sim_fail(sim, "SACK %u:%u, and %u has not arrived", first, end, at);
                return;
            }
        if (first <= s->ack)
            continue;
        if (!bit(s->back->border, first) || !bit(s->back->border, end))
            sim_fail(sim, "SACK %u:%u, and no segment ends there", first, end);
    }
}

void watch_sent(struct sim *sim, unsigned from, const uint8_t *frame, uint32_t bytes)
{
    struct seen s;

    if (!read_frame(sim, from, frame, bytes, &s))
        return;
    if ((s.flags & SYN) != 0 && s.seq != 0)
        sim_fail(sim, "a SYN again, with another number");
    check_ack(sim, &s);
    check_sacks(sim, &s);
    if ((s.flags & RST) != 0)
        return;
    check_size(sim, &s);
    check_again(sim, &s);
    if (length_of(&s) != 0)
        s.way->sent_end = RT_MAX(s.way->sent_end, s.seq + length_of(&s));
}

void watch_arrived(struct sim *sim, unsigned from, const uint8_t *frame, uint32_t bytes)
{
    struct watch_way *way;
    struct seen s;

    if (!read_frame(sim, from, frame, bytes, &s) || (s.flags & RST) != 0)
        return;
    way = s.way;
    way->syn_arrived |= (s.flags & SYN) != 0;
    s.back->again_us = s.back->gap_us = s.back->not_longer = 0;
    if ((s.flags & ACK) != 0 && s.back->syn) {
        s.back->edge = RT_MAX(s.back->edge, edge_of(&s));
        s.back->edge_known = true;
    }
    if (length_of(&s) == 0)
        return;
    for (uint32_t i = 0; i < length_of(&s); i++)
        set_bit(way->arrived, s.seq + i);
    set_bit(way->border, s.seq);
    set_bit(way->border, s.seq + length_of(&s));
    set_bit(way->border, s.seq + s.bytes);
    while (bit(way->arrived, way->arrived_end))
        way->arrived_end++;
}

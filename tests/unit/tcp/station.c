/* SPDX-License-Identifier: BSD-2-Clause */
#include "station.h"

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/ext.h>
#include <rt/host.h>
#include <stdlib.h>
#include <string.h>

const uint8_t our_mac[6] = {0x02, 0, 0, 0, 0, 1}, peer_mac[6] = {0x02, 0, 0, 0, 0, 2};

/* As a driver: each segment is the card's, and sent. */
static void device_done(struct buf *frame)
{
    struct buf *next;

    for (struct buf *b = frame; b != NULL; b = next) {
        next = b->next;
        buf_to_nic(b->owner);
        buf_sent((struct buf_ref){b, b->owner});
    }
}

/* The device: copies what it sends, and gives the buffers back at once. */
static void device_send(void *ctx, struct buf_batch *batch)
{
    struct station *s = ctx;
    uint32_t taken = 0;

    for (; taken < batch->count && s->accepts != 0; taken++) {
        struct frame *f = &s->frames[s->sent++ % STATION_FRAMES];

        s->accepts -= s->accepts != UINT32_MAX;
        f->bytes = 0;
        for (const struct buf *b = batch->buf[taken]; b != NULL; b = b->next)
            frame_add(f, buf_start(b), buf_bytes(b));
        assert_int_equal(f->bytes, batch->buf[taken]->pkt_len);
        device_done(batch->buf[taken]);
    }
    batch->count -= taken;
    memmove(batch->buf, batch->buf + taken, batch->count * sizeof(batch->buf[0]));
}

void station_start_with(struct station *s, uint32_t buffers, struct net_if_config config)
{
    const struct ip_addr own = ip_addr_v4_of(OUR_IP), gateway = ip_addr_v4_of(GATEWAY_IP);
    uint32_t iface;
    struct net_config net_config = {.neighs = 8, .key = "a secret of 16"};

    pool_takes_fail(false);
    host_memory_reset();
    host_clock_virtual(1000000);
    host_set_core_count(1);
    *s = (struct station){.now_us = 1000000, .accepts = UINT32_MAX};
    s->frames = calloc(STATION_FRAMES, sizeof(*s->frames));
    assert_non_null(s->frames);
    assert_int_equal(pool_create("station", 0, 1, buffers, &s->pool), RT_OK);
    net_config.pool = s->pool;
    assert_int_equal(net_create(&net_config, s->now_us, &s->net), RT_OK);
    config.send = device_send;
    config.ctx = s;
    memcpy(config.mac, our_mac, 6);
    assert_int_equal(net_if_add(s->net, &config, &iface), RT_OK);
    assert_int_equal(net_addr_add(s->net, 0, &own, 24), RT_OK);
    assert_int_equal(net_gateway_set(s->net, 0, &gateway), RT_OK);
}

void station_start(struct station *s, uint32_t buffers)
{
    station_start_with(s, buffers, (struct net_if_config){.mtu_bytes = 1500});
}

void station_stop(struct station *s)
{
    net_close(s->net);
    assert_int_equal(s->pool->free, s->pool->total);
    assert_int_equal(buf_refusals(), 0);
    free(s->frames);
    pool_forget_all();
    host_memory_reset();
}

static struct buf *to_chain(struct station *s, const struct frame *frame, uint32_t cut)
{
    struct buf *first = NULL, **link = &first;
    uint32_t segments = 0;

    for (uint32_t at = 0; at < frame->bytes || first == NULL; segments++) {
        const uint32_t bytes = RT_MIN(frame->bytes - at, cut);
        struct buf *b = pool_take(s->pool);

        assert_non_null(b);
        memcpy(buf_data(b), frame->data + at, bytes);
        b->data_len = (uint16_t)bytes;
        *link = b;
        link = &b->next;
        at += bytes;
    }
    first->segments = (uint8_t)segments;
    first->pkt_len = frame->bytes;
    return first;
}

static void give(struct station *s, const struct frame *frame, uint32_t cut, uint32_t flags)
{
    struct buf_batch batch = {.count = 1};

    batch.buf[0] = to_chain(s, frame, cut != 0 ? cut : BUF_ROOM_BYTES);
    batch.buf[0]->flags = flags;
    net_input(s->net, 0, &batch, s->now_us);
    assert_int_equal(batch.count, 0);
    net_turn(s->net, s->now_us);
}

void station_give(struct station *s, const struct frame *frame, uint32_t cut)
{
    give(s, frame, cut, 0);
}

void station_give_flags(struct station *s, const struct frame *frame, uint32_t cut,
                        uint32_t flags)
{
    give(s, frame, cut, flags);
}

void station_advance_us(struct station *s, uint64_t us)
{
    const uint64_t end_us = s->now_us + us;

    for (uint32_t turns = 0; turns < 1000000; turns++) {
        const uint64_t next_us = net_next_us(s->net);

        if (next_us > end_us)
            break;
        s->now_us = RT_MAX(s->now_us, next_us);
        net_turn(s->net, s->now_us);
    }
    s->now_us = end_us;
    net_turn(s->net, s->now_us);
}

const struct frame *station_next(struct station *s)
{
    assert_true(s->sent - s->seen <= STATION_FRAMES);
    return s->seen < s->sent ? &s->frames[s->seen++ % STATION_FRAMES] : NULL;
}

void station_silent(struct station *s)
{
    assert_int_equal(s->sent - s->seen, 0);
}

void frame_add(struct frame *f, const void *data, uint32_t bytes)
{
    assert_true(bytes <= sizeof(f->data) - f->bytes);
    memcpy(f->data + f->bytes, data, bytes);
    f->bytes += bytes;
}

void frame_eth(struct frame *f, const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
    const be16_t wire = be16_put(type);

    f->bytes = 0;
    frame_add(f, dst, 6);
    frame_add(f, src, 6);
    frame_add(f, &wire, sizeof(wire));
}

void frame_arp(struct frame *f, uint16_t op, struct ip_addr sender, struct ip_addr target)
{
    struct arp_header arp = {
        .hardware = be16_put(ARP_ETHERNET),
        .protocol = be16_put(ETH_IPV4),
        .hardware_bytes = 6,
        .protocol_bytes = 4,
        .op = be16_put(op),
        .sender = ip_addr_get_v4(&sender),
        .target = ip_addr_get_v4(&target),
    };
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    memcpy(arp.sender_mac, peer_mac, 6);
    frame_eth(f, op == ARP_REQUEST ? all : our_mac, peer_mac, ETH_ARP);
    frame_add(f, &arp, sizeof(arp));
}

void frame_ip_sum(struct ipv4_header *ip)
{
    ip->checksum = be16_put(0);
    ip->checksum = csum_fold(csum_add(0, ip, (ip->version_words & 0x0fu) * 4));
}

struct ipv4_header *frame_ip(struct frame *f, struct ip_addr src, struct ip_addr dst,
                             uint8_t protocol, uint32_t bytes)
{
    struct ipv4_header ip = {
        .version_words = IPV4_VERSION_WORDS,
        .total_bytes = be16_put((uint16_t)(sizeof(ip) + bytes)),
        .hops = 64,
        .protocol = protocol,
        .src = ip_addr_get_v4(&src),
        .dst = ip_addr_get_v4(&dst),
    };

    frame_ip_sum(&ip);
    frame_eth(f, our_mac, peer_mac, ETH_IPV4);
    frame_add(f, &ip, sizeof(ip));
    return (struct ipv4_header *)(void *)(f->data + f->bytes - sizeof(ip));
}

void frame_ping(struct frame *f, struct ip_addr src, struct ip_addr dst, uint32_t bytes)
{
    struct icmp_header icmp = {.type = ICMP_ECHO_REQUEST, .id = be16_put(77),
                               .sequence = be16_put(1)};
    uint8_t data[STATION_FRAME_BYTES];
    csum_t sum = 0;

    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(i * 7);
    sum = csum_add(csum_add(0, &icmp, sizeof(icmp)), data, bytes);
    icmp.checksum = csum_fold(sum);
    frame_ip(f, src, dst, IP_ICMP, (uint32_t)sizeof(icmp) + bytes);
    frame_add(f, &icmp, sizeof(icmp));
    frame_add(f, data, bytes);
}

void frame_pad(struct frame *f)
{
    static const uint8_t padding[60] = {[0 ... 59] = 0xa5};

    if (f->bytes < 60)
        frame_add(f, padding, 60 - f->bytes);
}

void station_meet(struct station *s, struct ip_addr peer)
{
    struct frame f;

    frame_arp(&f, ARP_REQUEST, peer, ip_addr_v4_of(OUR_IP));
    station_give(s, &f, 0);
    assert_non_null(station_next(s));
    station_silent(s);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include "link/neigh.h"
#include "state.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/ext.h>
#include <rt/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS_DEFAULT = 2048, MTU_DEFAULT = 1500, TURNS_MAX = 1000000, START_US = 1000000 };

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, gateway_mac[6] = {2, 0, 0, 0, 0, 2};
static const struct ip_addr own_v6 = {.bytes = {0x20, 1, 0xd, 0xb8, [15] = 2}};
static const struct ip_addr peer_v6 = {.bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}};
static const struct ip_addr gateway = {.bytes = {[10] = 0xff, 0xff, 192, 168, 0, 2}};

void world_fail(const char *what)
{
    fprintf(stderr, "packetdrill: %s\n", what);
    exit(2);
}

struct ip_addr world_addr(void)
{
    return ip_addr_v4_of(192, 168, 0, 1);
}

struct ip_addr world_peer(void)
{
    return ip_addr_v4_of(192, 0, 2, 1);
}

/* A frame comes in by the interface; the stack has looked at it, its turn has not ended. */
static void give_frame(struct world *w, uint16_t type, const void *data, uint32_t bytes)
{
    struct buf_batch batch = {.count = 1};
    struct eth_header eth = {.type = be16_put(type)};
    struct buf *b = NULL, *first = NULL, **link = &first;

    memcpy(eth.dst, our_mac, sizeof(our_mac));
    memcpy(eth.src, gateway_mac, sizeof(gateway_mac));
    for (uint32_t at = 0, segments = 0; at < bytes || first == NULL; link = &b->next) {
        const uint32_t head = first == NULL ? (uint32_t)sizeof(eth) : 0;
        const uint32_t part = RT_MIN(bytes - at, BUF_ROOM_BYTES - head);

        b = pool_take(w->pool);
        if (b == NULL)
            world_fail("no buffer is left for a packet of the script");
        memcpy(buf_data(b), &eth, head);
        memcpy(buf_data(b) + head, (const uint8_t *)data + at, part);
        b->data_len = (uint16_t)(head + part);
        *link = b;
        at += part;
        first->segments = (uint8_t)++segments;
    }
    first->pkt_len = (uint32_t)sizeof(eth) + bytes;
    batch.buf[0] = first;
    net_input(w->net, 0, &batch, w->now_us);
}

/* The gateway answers for everybody; it is asked, so that our neighbours are learnt as usual. The
 * answer comes in with the next turn: nothing may come in while frames are taken. */
static void answer_arp(struct world *w, const struct arp_header *asked)
{
    struct arp_header arp = *asked;

    if (be16_get(asked->op) != ARP_REQUEST)
        return;
    arp.op = be16_put(ARP_REPLY);
    memcpy(arp.sender_mac, gateway_mac, sizeof(gateway_mac));
    arp.sender = asked->target;
    memcpy(arp.target_mac, asked->sender_mac, sizeof(arp.target_mac));
    arp.target = asked->sender;
    memcpy(w->arp_answer, &arp, sizeof(arp));
    w->arp_answers = true;
}

static void keep_packet(struct world *w, const uint8_t *data, uint32_t bytes)
{
    struct packet *p = &w->packets[w->left % WORLD_PACKETS];

    if (w->left - w->taken == WORLD_PACKETS)
        world_fail("too many packets left that the script does not name");
    p->at_us = w->now_us;
    p->bytes = bytes;
    memcpy(p->data, data, bytes);
    w->left++;
}

static bool is_tcp6(const struct ipv6_header *ip)
{
    return ip->next == IP_TCP;
}

static void frame_left(struct world *w, const struct buf *frame)
{
    uint8_t data[sizeof(struct eth_header) + WORLD_PACKET_BYTES];
    const struct eth_header *eth = (const struct eth_header *)data;
    uint32_t bytes = 0;

    for (const struct buf *b = frame; b != NULL; b = b->next) {
        if (buf_bytes(b) > sizeof(data) - bytes)
            world_fail("a frame longer than any here");
        memcpy(data + bytes, buf_start(b), buf_bytes(b));
        bytes += buf_bytes(b);
    }
    if (be16_get(eth->type) == ETH_ARP)
        answer_arp(w, (const struct arp_header *)(eth + 1));
    else if (be16_get(eth->type) == ETH_IPV6 && !is_tcp6((const struct ipv6_header *)(eth + 1)))
        w->nd_answers = true; /* whatever was asked: the peer is there */
    else
        keep_packet(w, (const uint8_t *)(eth + 1), bytes - (uint32_t)sizeof(*eth));
}

/* The device: sends at once, and gives the buffers back as drivers do. */
static void device_send(void *ctx, struct buf_batch *batch)
{
    struct buf *next;

    for (uint32_t i = 0; i < batch->count; i++) {
        frame_left(ctx, batch->buf[i]);
        for (struct buf *b = batch->buf[i]; b != NULL; b = next) {
            next = b->next;
            buf_to_nic(b->owner);
            buf_sent((struct buf_ref){b, b->owner});
        }
    }
    batch->count = 0;
}

static void expect(enum rt_status status, const char *what)
{
    if (status != RT_OK)
        world_fail(what);
}

/* Addresses are asked for before they are used: it takes a while. */
static void start_ipv6(struct world *w)
{
    enum { READY_US = 10000000 };

    expect(net_ip6_start(w->net, 0, false), "no IPv6");
    expect(net_addr_add(w->net, 0, &own_v6, 64), "no address");
    w->nd_answers = true;
    world_until(w, w->now_us + READY_US);
}

void world_start(struct world *w, const struct world_config *config)
{
    struct net_config net_config = {.neighs = 8, .key = "not so secret 16"};
    struct net_if_config iface = {.mtu_bytes = config->mtu_bytes, .send = device_send, .ctx = w};
    const struct ip_addr own = world_addr();
    uint32_t index;

    host_memory_reset();
    pool_takes_fail(false); /* a script says what each packet causes */
    host_set_core_count(1);
    *w = (struct world){.now_us = config->start_us != 0 ? config->start_us : START_US};
    host_clock_virtual(w->now_us);
    w->packets = calloc(WORLD_PACKETS, sizeof(*w->packets));
    if (w->packets == NULL)
        world_fail("no memory");
    memcpy(iface.mac, our_mac, sizeof(our_mac));
    if (iface.mtu_bytes == 0)
        iface.mtu_bytes = MTU_DEFAULT;
    expect(pool_create("script", 0, 1, config->buffers != 0 ? config->buffers : BUFFERS_DEFAULT,
                       &w->pool), "no pool");
    net_config.pool = w->pool;
    expect(net_create(&net_config, w->now_us, &w->net), "no stack");
    expect(net_if_add(w->net, &iface, &index), "no interface");
    expect(net_addr_add(w->net, 0, &own, 16), "no address");
    expect(net_gateway_set(w->net, 0, &gateway), "no gateway");
    expect(tcp_create(w->net, &config->tcp), "no TCP");
    if (config->ipv6)
        start_ipv6(w);
}

bool world_stop(struct world *w)
{
    bool home;

    net_close(w->net);
    home = w->pool->free == w->pool->total && buf_refusals() == 0;
    free(w->packets);
    pool_forget_all();
    host_memory_reset();
    return home;
}

void world_give(struct world *w, const uint8_t *packet, uint32_t bytes)
{
    give_frame(w, packet[0] >> 4 == 6 ? ETH_IPV6 : ETH_IPV4, packet, bytes);
    world_turn(w);
}

void world_turn(struct world *w)
{
    /* A turn may leave work for the next: what ARP answered, what handlers caused. */
    for (uint32_t turns = 0; turns < TURNS_MAX; turns++) {
        if (w->arp_answers)
            give_frame(w, ETH_ARP, w->arp_answer, sizeof(w->arp_answer));
        w->arp_answers = false;
        if (w->nd_answers)
            neigh_learn(&w->net->ifs[0], &peer_v6, gateway_mac, true);
        w->nd_answers = false;
        net_turn(w->net, w->now_us);
        if (w->turned != NULL)
            w->turned(w->ctx);
        if (net_next_us(w->net) > w->now_us && !w->arp_answers)
            return;
    }
    world_fail("the stack wants turns without end");
}

uint64_t world_next_us(const struct world *w)
{
    return net_next_us(w->net);
}

void world_until(struct world *w, uint64_t us)
{
    for (uint32_t turns = 0; turns < TURNS_MAX; turns++) {
        const uint64_t next_us = net_next_us(w->net);

        if (next_us > us) {
            w->now_us = RT_MAX(w->now_us, us);
            return;
        }
        w->now_us = RT_MAX(w->now_us, next_us);
        world_turn(w);
    }
    world_fail("the stack wants turns without end");
}

bool world_has_packet(const struct world *w)
{
    return w->left != w->taken;
}

const struct packet *world_take(struct world *w)
{
    return world_has_packet(w) ? &w->packets[w->taken++ % WORLD_PACKETS] : NULL;
}

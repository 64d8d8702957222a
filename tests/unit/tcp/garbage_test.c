/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of every kind that IP knows, with bits and bytes changed by a seed and half of their
 * checksums made right again: the stack drops them or does as they say, keeps its bounds, gives
 * every buffer back, and answers a right ping afterwards. garbage_test SEEDS [FIRST] runs others.
 */
#include "station6.h"

#include "link/nd.h"
#include "state.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/nd.h"

#include <mempool/pool.h>
#include <stdlib.h>
#include <string.h>

enum { L3 = 14, L4 = 14 + 40, FRAMES_A_SEED = 4000 };

static uint32_t seeds = 20, first_seed = 1;
static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16) % below;
}

/* A message of neighbours, routers or groups with options behind it, right so far. */
static void make_message(struct frame *f, uint8_t type)
{
    static const uint8_t options[] = {
        ND_OPT_SOURCE_LINK, 1, 2, 0, 0, 0, 0, 0x44, ND_OPT_MTU, 1, 0, 0, 0, 0, 5, 0x78,
        ND_OPT_PREFIX, 4, 64, 0xc0, 0, 0, 0, 60, 0, 0, 0, 30, 0, 0, 0, 0,
        0x20, 1, 0xd, 0xb8, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    };
    const struct ip_addr target = addr_of(draw(2) == 0 ? OUR6 : PEER6);
    const struct icmp_header icmp = {.type = type, .id = be16_put((uint16_t)draw(65536))};
    uint8_t data[16 + sizeof(options)];
    uint32_t bytes = type == ICMP6_ROUTER_ADVERT ? 8 : 16;

    memcpy(data, &target, 16);
    memcpy(data + bytes, options, sizeof(options));
    bytes += draw(4) == 0 ? 0 : (uint32_t)sizeof(options);
    frame_icmp6(f, addr_of(PEER6_LINK), addr_of(draw(2) == 0 ? "ff02::1" : OUR6_LINK), icmp, data,
                bytes);
    ((struct ipv6_header *)(void *)(f->data + L3))->hops =
        type == ICMP6_MLD_QUERY ? 1 : ND_HOPS;
}

/* A piece of a datagram of either family. */
static void make_piece(struct frame *f)
{
    const struct ip6_fragment fragment = {
        .next = IP_ICMPV6,
        .offset_more = be16_put((uint16_t)(8 * draw(20) | draw(2))),
        .id = be32_put(draw(8)),
    };
    static const uint8_t data[64];

    if (draw(2) == 0) {
        frame_ip6(f, addr_of(PEER6), addr_of(OUR6), IP6_FRAGMENT, 8 + 64);
        frame_add(f, &fragment, sizeof(fragment));
    } else {
        struct ipv4_header *ip = frame_ip(f, peer(), ours(), IP_ICMP, 64);

        ip->id = be16_put((uint16_t)draw(8));
        ip->fragment = be16_put((uint16_t)(draw(20) | (draw(2) != 0 ? IPV4_MORE_FRAGMENTS : 0)));
        frame_ip_sum(ip);
    }
    frame_add(f, data, sizeof(data));
}

static void make_headers(struct frame *f)
{
    static const uint8_t first[] = {IP6_HOP_BY_HOP, IP6_DESTINATION, IP6_ROUTING, IP6_FRAGMENT};
    uint8_t headers[32];

    for (uint32_t i = 0; i < sizeof(headers); i++)
        headers[i] = (uint8_t)(i % 8 == 0 ? first[draw(4)] : draw(8));
    frame_ip6(f, addr_of(PEER6), addr_of(OUR6), first[draw(4)], sizeof(headers));
    frame_add(f, headers, sizeof(headers));
}

static void make(struct frame *f)
{
    static const uint8_t types[] = {ICMP6_NEIGH_SOLICIT, ICMP6_NEIGH_ADVERT, ICMP6_ROUTER_ADVERT,
                                    ICMP6_MLD_QUERY, ICMP6_REDIRECT, ICMP6_TOO_BIG};
    const uint32_t kind = draw(8);

    if (kind < 3)
        make_message(f, types[draw(RT_ARRAY_SIZE(types))]);
    else if (kind < 5)
        make_piece(f);
    else if (kind == 5)
        make_headers(f);
    else if (kind == 6)
        frame_ping6(f, PEER6, OUR6, draw(200));
    else
        frame_arp(f, (uint16_t)draw(3), peer(), ours());
}

static void spoil(struct frame *f)
{
    const uint32_t changes = draw(5);

    for (uint32_t i = 0; i < changes; i++)
        f->data[12 + draw(f->bytes - 12)] ^= (uint8_t)(draw(2) == 0 ? 1u << draw(8) : draw(256));
    if (draw(8) == 0)
        f->bytes = 1 + draw(f->bytes);
    if (f->bytes > L4 + 4 && f->data[L3 + 6] == IP_ICMPV6 && draw(2) == 0) {
        be16_t sum;

        f->data[L4 + 2] = f->data[L4 + 3] = 0;
        sum.raw = frame_sum6(f, L4, IP_ICMPV6);
        memcpy(f->data + L4 + 2, &sum, sizeof(sum));
    }
}

/* Every packet that came went somewhere: up, into a datagram that is not whole, or was dropped for
 * one reason. */
static void check_sums(const struct net_counters *c)
{
    assert_int_equal(c->ip_in_receives,
                     c->ip_in_hdr_errors + c->ip_in_addr_errors + c->ip_in_truncated +
                         c->ip_in_options + c->ip6_in_no_next + c->ip_in_unknown_protos +
                         c->ip_in_delivers + c->ip_reasm_reqds - c->ip_reasm_oks);
}

static void run_seed(uint64_t seed)
{
    const struct ip_addr own = addr_of(OUR6);
    struct station6 t;
    struct frame f;

    random_state = seed * 2 + 1;
    station6_begin(&t, (struct net_if_config){.mtu_bytes = 1500}, true);
    assert_int_equal(net_addr_add(t.s.net, 0, &own, 64), RT_OK);
    station_advance_us(&t.s, 3000000);
    for (uint32_t i = 0; i < FRAMES_A_SEED; i++) {
        make(&f);
        spoil(&f);
        station_give(&t.s, &f, 0);
        if (draw(20) == 0)
            station_advance_us(&t.s, draw(2000000));
        t.s.seen = t.s.sent;
        assert_true(t.s.net->reasm_bufs <= t.s.net->reasm_bufs_max);
    }
    station_advance_us(&t.s, 70000000);
    assert_int_equal(t.s.net->reasm_bufs, 0);
    t.s.seen = t.s.sent;
    station6_meet(&t, PEER6);
    frame_ping6(&f, PEER6, OUR6, 8);
    station_give(&t.s, &f, 0);
    station6_icmp(&t, ICMP6_ECHO_REPLY);
    check_sums(net_counters(t.s.net));
    station_stop(&t.s);
}

static void run_garbage(void **state)
{
    for (uint32_t i = 0; i < seeds; i++)
        run_seed(first_seed + i);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_garbage)};

    if (argc > 1)
        seeds = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = (uint32_t)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

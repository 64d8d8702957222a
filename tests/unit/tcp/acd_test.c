/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses: asked for, announced, defended (RFC 5227); set as a whole, and taken away. */
#include "station.h"

#include "ip/ip.h"
#include "link/acd.h"
#include "state.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/pool.h>
#include <string.h>
#include <tcp/tcp.h>

#define NEW_IP 192, 0, 2, 50

static struct ip_addr new_addr(void)
{
    return ip_addr_v4_of(NEW_IP);
}

/* What the interface was told; one test at a time. */
static uint32_t told[3];

static void on_told(void *ctx, const struct ip_addr *addr, enum net_addr_event event)
{
    assert_memory_equal(&addr->bytes[12], ((uint8_t[]){NEW_IP}), 4);
    told[event]++;
}

static void start(struct station *s)
{
    memset(told, 0, sizeof(told));
    station_start_with(s, 64, (struct net_if_config){.mtu_bytes = 1500, .told = on_told});
}

static struct net_setup setup_of(struct ip_addr addr, uint32_t bits)
{
    return (struct net_setup){.addrs = {{addr, bits}}, .count = 1, .probe = true};
}

static void apply(struct station *s, struct ip_addr addr)
{
    const struct net_setup setup = setup_of(addr, 24);

    assert_int_equal(net_setup_apply(s->net, 0, &setup), RT_OK);
    net_turn(s->net, s->now_us);
}

/* The next frame is an ARP request from `sender` for NEW_IP, to everybody. */
static void expect_arp(struct station *s, struct ip_addr sender)
{
    const struct frame *f = station_next(s);
    const struct arp_header *arp;

    assert_non_null(f);
    arp = (const void *)(f->data + 14);
    assert_int_equal(f->data[0], 0xff);
    assert_int_equal(f->data[12] << 8 | f->data[13], ETH_ARP);
    assert_int_equal(be16_get(arp->op), ARP_REQUEST);
    assert_memory_equal(arp->sender_mac, our_mac, 6);
    assert_int_equal(arp->sender.raw, ip_addr_get_v4(&sender).raw);
    assert_memory_equal(&arp->target, ((uint8_t[]){NEW_IP}), 4);
}

static void expect_probe(struct station *s)
{
    expect_arp(s, ip_addr_v4_of(0, 0, 0, 0));
}

static void ask_for_us(struct station *s, struct ip_addr target)
{
    struct frame f;

    frame_arp(&f, ARP_REQUEST, peer(), target);
    station_give(s, &f, 0);
}

/* Three probes, then it is ours, and said twice. Until then it is not answered for. */
static void run_probed(void **state)
{
    struct station s;
    struct net_setup now;

    start(&s);
    apply(&s, new_addr());
    net_setup_get(s.net, 0, &now);
    assert_int_equal(now.count, 0); /* not yet */
    station_advance_us(&s, 100);
    for (uint32_t i = 0; i < ACD_PROBES; i++) {
        expect_probe(&s);
        station_silent(&s);
        ask_for_us(&s, new_addr());
        ask_for_us(&s, ours()); /* what the setup does not have is gone at once */
        station_silent(&s);
        assert_int_equal(told[NET_ADDR_READY], 0);
        station_advance_us(&s, ACD_PROBE_US);
    }
    assert_int_equal(told[NET_ADDR_READY], 1);
    expect_arp(&s, new_addr());
    station_silent(&s);
    ask_for_us(&s, new_addr());
    assert_int_equal(station_next(&s)->bytes, 42);
    station_advance_us(&s, ACD_ANNOUNCE_US);
    expect_arp(&s, new_addr());
    station_advance_us(&s, 120000000);
    station_silent(&s);
    assert_int_equal(told[NET_ADDR_READY], 1);
    station_stop(&s);
}

/* Somebody answers, or probes for the same one: not used, asked for again a minute later. */
static void run_taken(void **state)
{
    for (uint32_t simultaneous = 0; simultaneous < 2; simultaneous++) {
        struct station s;
        struct frame f;

        start(&s);
        apply(&s, new_addr());
        station_advance_us(&s, ACD_PROBE_US + 100);
        expect_probe(&s);
        expect_probe(&s);
        frame_arp(&f, ARP_REPLY, new_addr(), ip_addr_v4_of(0, 0, 0, 0));
        if (simultaneous)
            frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(0, 0, 0, 0), new_addr());
        station_give(&s, &f, 0);
        station_give(&s, &f, 0); /* told once */
        assert_int_equal(told[NET_ADDR_TAKEN], 1);
        assert_int_equal(net_counters(s.net)->arp_conflicts, 1);
        station_advance_us(&s, ACD_AGAIN_US - 1000);
        ask_for_us(&s, new_addr());
        station_silent(&s);
        station_advance_us(&s, 2000);
        expect_probe(&s);
        station_advance_us(&s, 1000000);
        assert_int_equal(told[NET_ADDR_READY], 1);
        station_stop(&s);
    }
}

/* Every conflict is counted; said that it is ours at most every 10 s; it stays ours. */
static void run_defended(void **state)
{
    struct station s;
    struct frame f;

    start(&s);
    apply(&s, new_addr());
    station_advance_us(&s, 5000000);
    while (station_next(&s) != NULL)
        continue;
    for (uint32_t i = 0; i < 40; i++) {
        frame_arp(&f, i % 2 == 0 ? ARP_REPLY : ARP_REQUEST, new_addr(), peer());
        station_give(&s, &f, 0);
        station_advance_us(&s, 500000);
    }
    assert_int_equal(net_counters(s.net)->arp_conflicts, 40);
    assert_int_equal(told[NET_ADDR_CONFLICT], 2);
    expect_arp(&s, new_addr());
    expect_arp(&s, new_addr());
    station_silent(&s);
    ask_for_us(&s, new_addr());
    assert_non_null(station_next(&s));
    station_stop(&s);
}

/* No link, nobody to ask; when it comes back everything again, and the address is in use. */
static void run_link(void **state)
{
    struct station s;
    struct frame f;

    start(&s);
    net_link(s.net, 0, false);
    apply(&s, new_addr());
    station_advance_us(&s, 60000000);
    station_silent(&s);
    assert_int_equal(told[NET_ADDR_READY], 0);
    for (uint32_t i = 0; i < 2; i++) {
        net_link(s.net, 0, true);
        station_advance_us(&s, 100);
        expect_probe(&s);
        if (i == 1) {
            frame_arp(&f, ARP_REQUEST, peer(), new_addr());
            station_give(&s, &f, 0);
            assert_int_equal(station_next(&s)->data[21], ARP_REPLY);
        }
        station_advance_us(&s, ACD_PROBES * ACD_PROBE_US + ACD_ANNOUNCE_US);
        expect_probe(&s);
        expect_probe(&s);
        expect_arp(&s, new_addr());
        expect_arp(&s, new_addr());
        station_silent(&s);
        assert_int_equal(told[NET_ADDR_READY], 1);
        net_link(s.net, 0, false);
    }
    station_stop(&s);
}

/* A setup that is wrong anywhere changes nothing. */
static void run_wrong(void **state)
{
    const struct ip_addr group = ip_addr_v4_of(224, 0, 0, 9), far_away = ip_addr_v4_of(FAR_IP);
    struct station s;

    start(&s);
    for (uint32_t i = 0; i < 7; i++) {
        struct net_setup setup = setup_of(new_addr(), 24);

        if (i == 0)
            setup.addrs[0].addr = group;
        else if (i == 1)
            setup.addrs[0].prefix_bits = 33;
        else if (i == 2)
            setup.count = NET_ADDRS_MAX + 1;
        else if (i == 3)
            setup.mtu_bytes = 67;
        else if (i == 4)
            setup.mtu_bytes = 1501;
        else
            setup.has_gateway = true;
        setup.gateway = i == 5 ? far_away : new_addr();
        assert_int_equal(net_setup_apply(s.net, 0, &setup), RT_INVALID);
    }
    ask_for_us(&s, ours());
    assert_non_null(station_next(&s));
    station_advance_us(&s, 1000000);
    station_silent(&s);
    station_stop(&s);
}

static uint32_t ended[TCP_NO_ADDRESS + 1];

static void on_bytes(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    buf_free(chain_owned);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    ended[reason]++;
}

/* An address that goes takes its connections with it, without a word; others stay. */
static void run_gone(void **state)
{
    static const struct tcp_ops ops = {.received = on_bytes, .closed = on_closed};
    const struct ip_addr kept = ip_addr_v4_of(198, 51, 100, 1), far_peer = ip_addr_v4_of(FAR_IP),
                         near_peer = peer();
    const struct tcp_config config = {.conns = 8};
    struct net_setup setup = {.addrs = {{kept, 24}}, .count = 1};
    struct tcp_conn *conn;
    struct station s;

    start(&s);
    memset(ended, 0, sizeof(ended));
    assert_int_equal(tcp_create(s.net, &config), RT_OK);
    assert_int_equal(net_addr_add(s.net, 0, &kept, 24), RT_OK);
    station_meet(&s, peer());
    assert_int_equal(tcp_connect(s.net, &near_peer, 7, &ops, NULL, &conn), RT_OK);
    assert_int_equal(tcp_connect(s.net, &far_peer, 7, &ops, NULL, &conn), RT_OK);
    net_turn(s.net, s.now_us);
    while (station_next(&s) != NULL)
        continue;
    assert_int_equal(net_setup_apply(s.net, 0, &setup), RT_OK);
    net_turn(s.net, s.now_us);
    assert_int_equal(ended[TCP_NO_ADDRESS], 1);
    station_silent(&s);
    setup.count = 0;
    assert_int_equal(net_setup_apply(s.net, 0, &setup), RT_OK);
    net_turn(s.net, s.now_us);
    assert_int_equal(ended[TCP_NO_ADDRESS], 2);
    station_stop(&s);
}

/* Of several subnets the smallest says from which address; a smaller MTU cuts. */
static void run_source(void **state)
{
    const struct net_setup setup = {
        .addrs = {{ours(), 24}, {ip_addr_v4_of(192, 0, 2, 129), 25}, {new_addr(), 24}},
        .count = 3,
        .mtu_bytes = 576,
    };
    struct net_setup now;
    struct ip_route route;
    struct ip_addr dst = ip_addr_v4_of(192, 0, 2, 200);
    struct station s;
    struct frame f;

    start(&s);
    assert_int_equal(net_setup_apply(s.net, 0, &setup), RT_OK);
    net_setup_get(s.net, 0, &now);
    assert_int_equal(now.count, 3);
    assert_int_equal(now.addrs[1].addr.bytes[15], 129);
    assert_int_equal(now.addrs[1].prefix_bits, 25);
    assert_int_equal(now.mtu_bytes, 576);
    assert_false(now.has_gateway);
    assert_true(ip_route(s.net, &dst, &route));
    assert_int_equal(route.src.bytes[15], 129);
    dst = peer();
    assert_true(ip_route(s.net, &dst, &route));
    assert_int_equal(route.src.bytes[15], 1);
    station_meet(&s, peer());
    frame_ping(&f, peer(), new_addr(), 1000);
    station_give(&s, &f, 0);
    assert_int_equal(station_next(&s)->bytes, 14 + 20 + 552);
    assert_int_equal(station_next(&s)->data[29], 50); /* from the address that was asked */
    station_silent(&s);
    station_stop(&s);
}

/* A packet of 9000 bytes, in several buffers, comes in and goes back. */
static void run_jumbo(void **state)
{
    struct station s;
    struct frame f;

    station_start_with(&s, 64, (struct net_if_config){.mtu_bytes = 9000});
    station_meet(&s, peer());
    frame_ping(&f, peer(), ours(), 9000 - 28);
    station_give(&s, &f, 0);
    assert_int_equal(station_next(&s)->bytes, 9014);
    station_silent(&s);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_probed), cmocka_unit_test(run_taken),
        cmocka_unit_test(run_defended), cmocka_unit_test(run_link),
        cmocka_unit_test(run_wrong),  cmocka_unit_test(run_gone),
        cmocka_unit_test(run_source), cmocka_unit_test(run_jumbo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbours of IPv6, message by message (RFC 4861 7). */
#include "station6.h"

#include "ip/ip.h"
#include "state.h"
#include "wire/nd.h"

#include <mempool/pool.h>
#include <string.h>

enum { L3 = 14, L4 = 14 + 40 };

static const uint8_t other_mac[6] = {0x02, 0, 0, 0, 0, 0x77};

/* A solicitation or advertisement; `option`: enum nd_option_type, with that MAC, or 0. */
struct says {
    uint8_t type;
    const char *src, *dst, *target;
    uint32_t flags;
    uint8_t option;
    const uint8_t *mac;
};

static void frame_nd(struct frame *f, struct says says)
{
    struct {
        uint8_t target[16];
        struct nd_link_option link;
    } RT_PACKED rest = {.link = {.head = {says.option, 1}}};
    const struct ip_addr about = addr_of(says.target);
    const struct icmp_header icmp = {.type = says.type,
                                     .id = be16_put((uint16_t)(says.flags >> 16))};
    const uint32_t bytes = says.option != 0 ? sizeof(rest) : 16;

    memcpy(rest.target, &about, 16);
    if (says.option != 0)
        memcpy(rest.link.mac, says.mac, 6);
    frame_icmp6(f, addr_of(says.src), addr_of(says.dst), icmp, &rest, bytes);
    ((struct ipv6_header *)(void *)(f->data + L3))->hops = ND_HOPS;
}

static void give_nd(struct station6 *t, struct says says)
{
    struct frame f;

    frame_nd(&f, says);
    station_give(&t->s, &f, 0);
}

/* The next frame is a message about `target`; its flags. */
static uint32_t nd_of(struct station6 *t, uint8_t type, const char *target)
{
    const struct nd_neighbour *nd = (const void *)station6_icmp(t, type);
    const struct ipv6_header *ip = (const void *)(station6_last(t)->data + L3);

    assert_int_equal(ip->hops, ND_HOPS);
    assert_memory_equal(nd->target, addr_of(target).bytes, 16);
    return be32_get(nd->flags);
}

static void is_to(struct station6 *t, const uint8_t *mac, const char *dst)
{
    assert_memory_equal(station6_last(t)->data, mac, 6);
    assert_memory_equal(station6_last(t)->data + L3 + 24, addr_of(dst).bytes, 16);
}

static enum rt_status send_to(struct station6 *t, const char *dst, uint16_t bytes)
{
    const struct ip_how how = {
        .dst = addr_of(dst), .protocol = 253, .hops = 64, .sum_offset = IP_NO_SUM};
    struct buf *b = pool_take(t->s.pool);
    enum rt_status st;

    assert_non_null(b);
    memset(buf_data(b), 0, bytes);
    b->data_len = bytes;
    b->pkt_len = bytes;
    st = ip_send(t->s.net, &how, b);
    net_turn(t->s.net, t->s.now_us);
    return st;
}

/* Who asks for an address of ours is answered, with our MAC; who asks from nowhere, by the
 * group. */
static void run_solicited(void **state)
{
    struct station6 t;

    station6_start(&t);
    for (uint32_t i = 0; i < 2; i++) {
        const char *own = i == 0 ? OUR6 : OUR6_LINK;

        give_nd(&t, (struct says){ICMP6_NEIGH_SOLICIT, PEER6, "ff02::1:ff00:1", own, 0,
                                  ND_OPT_SOURCE_LINK, peer_mac});
        assert_int_equal(nd_of(&t, ICMP6_NEIGH_ADVERT, own), ND_SOLICITED | ND_OVERRIDE);
        is_to(&t, peer_mac, PEER6);
        assert_memory_equal(station6_last(&t)->data + L4 + 24, ((uint8_t[]){2, 1}), 2);
        assert_memory_equal(station6_last(&t)->data + L4 + 26, our_mac, 6);
    }
    give_nd(&t, (struct says){ICMP6_NEIGH_SOLICIT, "::", "ff02::1:ff00:1", OUR6, 0, 0, NULL});
    assert_int_equal(nd_of(&t, ICMP6_NEIGH_ADVERT, OUR6), ND_OVERRIDE);
    is_to(&t, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, "ff02::1");
    give_nd(&t, (struct says){ICMP6_NEIGH_SOLICIT, PEER6, "ff02::1:ff00:1", "2001:db8::aa00:1",
                              0, ND_OPT_SOURCE_LINK, peer_mac});
    station_silent(&t.s);
    station_stop(&t.s);
}

/* The asker's MAC is known from its question, and asked about when it is used. */
static void run_heard(void **state)
{
    struct station6 t;

    station6_start(&t);
    give_nd(&t, (struct says){ICMP6_NEIGH_SOLICIT, PEER6, "ff02::1:ff00:1", OUR6, 0,
                              ND_OPT_SOURCE_LINK, peer_mac});
    nd_of(&t, ICMP6_NEIGH_ADVERT, OUR6);
    assert_int_equal(send_to(&t, PEER6, 20), RT_OK);
    nd_of(&t, ICMP6_NEIGH_SOLICIT, PEER6);
    is_to(&t, peer_mac, PEER6);
    assert_int_equal(station_next(&t.s)->bytes, L4 + 20);
    station_stop(&t.s);
}

/* Each thing that can be wrong: dropped, counted, not answered. */
static void run_bad(void **state)
{
    struct station6 t;
    struct frame f;

    station6_start(&t);
    for (uint32_t n = 0; n < 12; n++) {
        struct ipv6_header *ip = (struct ipv6_header *)(void *)(f.data + L3);

        frame_nd(&f, (struct says){ICMP6_NEIGH_SOLICIT, n == 5 ? "::" : PEER6,
                                   n == 5 ? OUR6 : "ff02::1:ff00:1", n == 6 ? "ff02::5" : OUR6,
                                   0, n == 5 ? 0 : ND_OPT_SOURCE_LINK, peer_mac});
        if (n == 0)
            ip->hops = 254; /* of another link */
        else if (n == 1)
            f.data[L4 + 1] = 1; /* code */
        else if (n == 2)
            f.data[L4 + 25] = 0; /* an option of no length */
        else if (n == 3)
            f.data[L4 + 25] = 2; /* ... that runs over */
        else if (n == 4)
            f.bytes -= 9, ip->payload_bytes = be16_put(23);
        else if (n == 7)
            frame_nd(&f, (struct says){ICMP6_NEIGH_ADVERT, "::", "ff02::1", PEER6, 0, 0, NULL});
        else if (n == 8)
            f.bytes -= 1, ip->payload_bytes = be16_put(31); /* half an option */
        else if (n == 9) /* a MAC of nobody */
            frame_nd(&f, (struct says){ICMP6_NEIGH_SOLICIT, "::", "ff02::1:ff00:1", OUR6, 0,
                                       ND_OPT_SOURCE_LINK, peer_mac});
        else if (n == 10) /* from nowhere, to all */
            frame_nd(&f, (struct says){ICMP6_NEIGH_SOLICIT, "::", "ff02::1", OUR6, 0, 0, NULL});
        else if (n == 11) /* an answer, to all */
            frame_nd(&f, (struct says){ICMP6_NEIGH_ADVERT, PEER6, "ff02::1", PEER6,
                                       ND_SOLICITED, ND_OPT_TARGET_LINK, peer_mac});
        f.data[L4 + 2] = f.data[L4 + 3] = 0;
        memcpy(f.data + L4 + 2, &(uint16_t){frame_sum6(&f, L4, IP_ICMPV6)}, 2);
        station_give(&t.s, &f, 0);
        station_silent(&t.s);
        assert_int_equal(
            net_counters(t.s.net)->nd_bad + net_counters(t.s.net)->ip_in_addr_errors, n + 1);
    }
    station_stop(&t.s);
}

/* Extension headers, or a piece of a fragment: not of a neighbour (RFC 6980). */
static void run_behind_header(void **state)
{
    static const uint8_t header[8] = {IP_ICMPV6, 0, 1, 4};
    struct station6 t;
    struct frame nd, f;

    station6_start(&t);
    frame_nd(&nd, (struct says){ICMP6_NEIGH_SOLICIT, PEER6, "ff02::1:ff00:1", OUR6, 0,
                                ND_OPT_SOURCE_LINK, peer_mac});
    frame_ip6(&f, addr_of(PEER6), addr_of("ff02::1:ff00:1"), IP6_DESTINATION, 8 + 32)->hops =
        ND_HOPS;
    frame_add(&f, header, 8);
    frame_add(&f, nd.data + L4, 32);
    station_give(&t.s, &f, 0);
    station_silent(&t.s);
    assert_int_equal(net_counters(t.s.net)->nd_bad, 1);
    station_stop(&t.s);
}

/* Asked by its group, three times; the newest packet leaves with the answer. */
static void run_resolve(void **state)
{
    struct station6 t;

    station6_start(&t);
    assert_int_equal(send_to(&t, PEER6, 20), RT_OK);
    assert_int_equal(send_to(&t, PEER6, 33), RT_OK);
    for (uint32_t i = 0; i < 3; i++) {
        nd_of(&t, ICMP6_NEIGH_SOLICIT, PEER6);
        is_to(&t, (const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 2}, "ff02::1:ff00:2");
        assert_memory_equal(station6_last(&t)->data + L4 + 24, ((uint8_t[]){1, 1}), 2);
        assert_memory_equal(station6_last(&t)->data + L4 + 26, our_mac, 6);
        station_silent(&t.s);
        if (i < 2)
            station_advance_us(&t.s, NEIGH_REQUEST_US + 100);
    }
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, PEER6, OUR6, PEER6, ND_SOLICITED, 0,
                              NULL}); /* says no MAC */
    station_silent(&t.s);
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, PEER6, OUR6, PEER6,
                              ND_SOLICITED | ND_OVERRIDE, ND_OPT_TARGET_LINK, peer_mac});
    assert_int_equal(station_next(&t.s)->bytes, L4 + 33);
    assert_int_equal(send_to(&t, "2001:db8::9", 20), RT_OK);
    nd_of(&t, ICMP6_NEIGH_SOLICIT, "2001:db8::9");
    station_advance_us(&t.s, 3 * NEIGH_REQUEST_US + 1000);
    assert_int_equal(net_counters(t.s.net)->neigh_failed, 1);
    assert_int_equal(send_to(&t, "2001:db8::9", 20), RT_NOT_FOUND);
    station_stop(&t.s);
}

/* One whose confirmation is old is asked by unicast, then by the group, then failed. */
static void run_unreachability(void **state)
{
    struct station6 t;

    station6_start(&t);
    station6_meet(&t, PEER6);
    station_advance_us(&t.s, NEIGH_REACHABLE_US + 1000);
    assert_int_equal(send_to(&t, PEER6, 20), RT_OK);
    for (uint32_t i = 0; i < 6; i++) {
        nd_of(&t, ICMP6_NEIGH_SOLICIT, PEER6);
        if (i == 0)
            assert_int_equal(station_next(&t.s)->bytes, L4 + 20);
        if (i < 3)
            is_to(&t, peer_mac, i == 0 ? PEER6 : PEER6);
        else
            is_to(&t, (const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 2}, "ff02::1:ff00:2");
        station_silent(&t.s);
        station_advance_us(&t.s, NEIGH_REQUEST_US + 100);
    }
    assert_int_equal(net_counters(t.s.net)->neigh_failed, 1);
    station_stop(&t.s);
}

/* RFC 7.2.5: what nobody asked for changes a MAC only when it says that it must; what does not
 * say so makes us ask. Of whom we know nothing nothing is kept. */
static void run_advertised(void **state)
{
    struct station6 t;

    station6_start(&t);
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, PEER6, "ff02::1", PEER6, ND_OVERRIDE,
                              ND_OPT_TARGET_LINK, other_mac});
    station6_meet(&t, PEER6);
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, PEER6, "ff02::1", PEER6, 0,
                              ND_OPT_TARGET_LINK, other_mac});
    assert_int_equal(send_to(&t, PEER6, 20), RT_OK);
    nd_of(&t, ICMP6_NEIGH_SOLICIT, PEER6); /* STALE, still at the old place */
    is_to(&t, peer_mac, PEER6);
    assert_memory_equal(station_next(&t.s)->data, peer_mac, 6);
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, PEER6, OUR6, PEER6, ND_SOLICITED, 0, NULL});
    assert_int_equal(send_to(&t, PEER6, 20), RT_OK); /* REACHABLE again */
    assert_memory_equal(station_next(&t.s)->data, peer_mac, 6);
    station_silent(&t.s);
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, PEER6, "ff02::1", PEER6, ND_OVERRIDE,
                              ND_OPT_TARGET_LINK, other_mac});
    assert_int_equal(send_to(&t, PEER6, 20), RT_OK);
    nd_of(&t, ICMP6_NEIGH_SOLICIT, PEER6); /* moved, it says: believed, and asked */
    assert_memory_equal(station_next(&t.s)->data, other_mac, 6);
    give_nd(&t, (struct says){ICMP6_REDIRECT, PEER6_LINK, OUR6, FAR6, 0, 0, NULL});
    assert_int_equal(net_counters(t.s.net)->nd_ignored, 1);
    station_stop(&t.s);
}

/* An address of ours at another host: it stays ours, and is counted. */
static void run_conflict(void **state)
{
    struct station6 t;
    struct frame f;

    station6_start(&t);
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, PEER6_LINK, "ff02::1", OUR6, ND_OVERRIDE,
                              ND_OPT_TARGET_LINK, other_mac});
    assert_int_equal(net_counters(t.s.net)->nd_conflicts, 1);
    station6_meet(&t, PEER6);
    frame_ping6(&f, PEER6, OUR6, 8);
    station_give(&t.s, &f, 0);
    station6_icmp(&t, ICMP6_ECHO_REPLY);
    station_stop(&t.s);
}

/* Ten thousand strangers ask: the table keeps its size, who is not of this link has no place in
 * it, and whom we ask keeps his. */
static void run_flood(void **state)
{
    struct station6 t;
    uint32_t used = 0;

    station6_start(&t);
    assert_int_equal(send_to(&t, "2001:db8::99", 20), RT_OK);
    nd_of(&t, ICMP6_NEIGH_SOLICIT, "2001:db8::99");
    for (uint32_t i = 0; i < 10000; i++) {
        struct ip_addr who = addr_of(i % 2 == 0 ? "fe80::aaaa:0" : "2001:db9::aaaa:0");
        char text[IP_ADDR_TEXT_BYTES];

        who.bytes[14] = (uint8_t)(i >> 8);
        who.bytes[15] = (uint8_t)i;
        give_nd(&t, (struct says){ICMP6_NEIGH_SOLICIT, ip_addr_format(&who, text),
                                  "ff02::1:ff00:1", OUR6, 0, ND_OPT_SOURCE_LINK, peer_mac});
        if (t.s.sent != t.s.seen)
            t.s.seen = t.s.sent;
    }
    for (uint32_t i = 0; i < t.s.net->neighs.count; i++) {
        const struct neigh *n = &t.s.net->neighs.entries[i];

        used += n->state != NEIGH_FREE;
        assert_false(n->addr.bytes[0] == 0x20 && n->addr.bytes[3] == 0xb9);
    }
    assert_int_equal(used, 8);
    give_nd(&t, (struct says){ICMP6_NEIGH_ADVERT, "2001:db8::99", OUR6, "2001:db8::99",
                              ND_SOLICITED, ND_OPT_TARGET_LINK, peer_mac});
    assert_int_equal(station_next(&t.s)->bytes, L4 + 20);
    station_stop(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_solicited),  cmocka_unit_test(run_heard),
        cmocka_unit_test(run_bad),        cmocka_unit_test(run_behind_header),
        cmocka_unit_test(run_resolve),    cmocka_unit_test(run_unreachability),
        cmocka_unit_test(run_advertised), cmocka_unit_test(run_conflict),
        cmocka_unit_test(run_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Several stacks with one address: the first speaks of it, and all know what the link said. */
#include "stacks.h"
#include "station6.h"

#include "wire/eth.h"
#include "wire/nd.h"

#include <mempool/pool.h>
#include <string.h>

enum { L3 = 14, L4 = 14 + 40 };

#define ROUTER "fe80::1111"
#define AUTO6 "2001:db8:5::ff:fe00:1"

static bool has(const struct stacks *t, uint32_t number, const struct ip_addr *addr)
{
    return if_addr_find(&t->one[number].net->ifs[0], addr) != NULL;
}

/* Where packets to `text` go; NULL: nowhere. */
static bool reaches(struct stacks *t, uint32_t number, const char *text, const char *next_hop)
{
    const struct ip_addr to = addr_of(text);
    struct ip_route route;
    struct ip_addr hop;

    if (!ip_route(stacks_on(t, number), &to, &route))
        return next_hop == NULL;
    hop = addr_of(next_hop != NULL ? next_hop : "::");
    return ip_addr_equal(&route.next_hop, &hop);
}

static void setup(struct stacks *t, uint32_t count)
{
    const struct net_setup setup = {
        .addrs = {{ours(), 24}},
        .count = count,
        .gateway = ip_addr_v4_of(GATEWAY_IP),
        .has_gateway = count != 0,
        .probe = true,
        .mtu_bytes = 1400,
    };

    assert_int_equal(net_setup_apply(stacks_on(t, 0), 0, &setup), RT_OK);
    stacks_turn(t);
}

/* All that left did so by the first stack; how many frames. */
static uint32_t all_by_first(struct stacks *t)
{
    uint32_t count = 0, by;

    while (stacks_next(t, &by) != NULL) {
        assert_int_equal(by, 0);
        count++;
    }
    return count;
}

/* One asks whether the address is free; then all have it, and its subnet, gateway and MTU.
 * When it goes the connections of all end with it. */
static void run_address(void **state)
{
    const struct ip_addr own = ours();
    struct stacks *t = stacks_start(3);
    struct frame f;
    uint32_t iss;

    setup(t, 1);
    for (uint32_t i = 0; i < 3; i++)
        assert_false(has(t, i, &own));
    stacks_wait_us(t, 5000000);
    assert_int_equal(all_by_first(t), 3 + 2); /* probes, announcements */
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(has(t, i, &own));
        assert_true(reaches(t, i, "198.51.100.7", "192.0.2.254"));
        assert_int_equal(t->one[i].net->ifs[0].config.mtu_bytes, 1400);
    }
    frame_arp(&f, ARP_REQUEST, peer(), own);
    stacks_give(t, 0, &f);
    t->seen = t->sent;
    for (uint16_t port = 4000; port < 4003; port++)
        stacks_accept(t, 0, port, &iss);
    setup(t, 0);
    assert_int_equal(stacks_told.closed, 3);
    assert_int_equal(stacks_told.reason, TCP_NO_ADDRESS);
    for (uint32_t i = 0; i < 3; i++)
        assert_false(has(t, i, &own));
    stacks_silent(t);
    stacks_stop(t);
}

/* A stack asks for a neighbour by itself; the answer comes by the first, and what that learns
 * without asking the others know, too. ARP that comes by another is the first one's. */
static void run_neighbour(void **state)
{
    const struct ip_addr to = peer(), other = ip_addr_v4_of(192, 0, 2, 9);
    struct stacks *t = stacks_start(2);
    const struct ip_addr own = ours();
    const struct frame *frame;
    struct tcp_conn *conn;
    struct frame f;
    uint64_t told;
    uint32_t by;

    assert_int_equal(net_addr_add(stacks_on(t, 0), 0, &own, 24), RT_OK);
    stacks_turn(t);
    assert_int_equal(tcp_connect(stacks_on(t, 1), &to, 7, &stacks_ops, NULL, &conn), RT_OK);
    stacks_turn(t);
    frame = stacks_next(t, &by);
    assert_non_null(frame);
    assert_int_equal(by, 1);
    assert_int_equal(frame->data[12] << 8 | frame->data[13], ETH_ARP);
    stacks_silent(t);
    frame_arp(&f, ARP_REPLY, to, own);
    stacks_give(t, 0, &f);
    assert_int_equal(be16_get(stacks_hear(t, &by)->dst), 7);
    assert_int_equal(by, 1);
    frame_arp(&f, ARP_REQUEST, other, own);
    stacks_give(t, 1, &f);
    assert_non_null(stacks_next(t, &by));
    assert_int_equal(by, 0);
    assert_int_equal(tcp_connect(stacks_on(t, 1), &other, 7, &stacks_ops, NULL, &conn), RT_OK);
    stacks_turn(t);
    assert_int_equal(be16_get(stacks_hear(t, &by)->dst), 7); /* at once */
    told = net_counters(t->one[0].net)->share_out;
    frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(192, 0, 2, 77), ip_addr_v4_of(192, 0, 2, 78));
    stacks_give(t, 0, &f); /* among strangers: no news */
    assert_int_equal(net_counters(t->one[0].net)->share_out, told);
    stacks_silent(t);
    stacks_stop(t);
}

/* The link is away for a while: one announces the address again, none asks for itself. */
static void run_link(void **state)
{
    struct stacks *t = stacks_start_ready(2);
    const struct ip_addr own = ours();

    for (uint32_t up = 0; up < 2; up++)
        for (uint32_t i = 0; i < 2; i++)
            net_link(stacks_on(t, i), 0, up != 0);
    stacks_wait_us(t, 5000000);
    assert_int_equal(all_by_first(t), 3 + 2);
    assert_true(has(t, 1, &own));
    stacks_stop(t);
}

/* No room in a ring: told with a later turn. */
static void run_full(void **state)
{
    const struct ip_addr own = ours();
    struct stacks *t = stacks_start(2);

    t->mail_room = 0;
    assert_int_equal(net_addr_add(stacks_on(t, 0), 0, &own, 24), RT_OK);
    net_turn(stacks_on(t, 0), t->now_us);
    assert_false(has(t, 1, &own));
    assert_int_equal(net_next_us(t->one[0].net), 0); /* it does not sleep over it */
    t->mail_room = STACKS_MAIL;
    stacks_turn(t);
    assert_true(has(t, 1, &own));
    assert_int_not_equal(net_next_us(t->one[0].net), 0);
    stacks_stop(t);
}

struct advert {
    struct nd_router_advert head;
    struct nd_prefix_option prefix;
    struct nd_mtu_option mtu;
    struct nd_link_option link;
} RT_PACKED;

static void give_advert(struct stacks *t, uint32_t number, uint16_t lifetime_s)
{
    const struct ip_addr prefix = addr_of("2001:db8:5::");
    struct advert a = {
        .head = {.type = ICMP6_ROUTER_ADVERT, .lifetime_s = be16_put(lifetime_s)},
        .prefix = {.head = {ND_OPT_PREFIX, 4}, .bits = 64,
                   .flags = ND_PREFIX_ON_LINK | ND_PREFIX_AUTOMATIC,
                   .valid_s = be32_put(86400), .preferred_s = be32_put(3600)},
        .mtu = {.head = {ND_OPT_MTU, 1}, .mtu_bytes = be32_put(1400)},
        .link = {.head = {ND_OPT_SOURCE_LINK, 1}, .mac = {2, 0, 0, 0, 0, 0x11}},
    };
    struct icmp_header icmp;
    struct frame f;

    memcpy(a.prefix.prefix, &prefix, 16);
    memcpy(&icmp, &a, sizeof(icmp));
    frame_icmp6(&f, addr_of(ROUTER), addr_of("ff02::1"), icmp,
                (const uint8_t *)&a + sizeof(icmp), (uint32_t)(sizeof(a) - sizeof(icmp)));
    f.data[L3 + 7] = 255;
    stacks_give(t, number, &f);
}

/* A neighbour asks for our address; the answer leaves by the first stack. */
static void ask(struct stacks *t, uint32_t number, const char *own)
{
    const struct ip_addr target = addr_of(own);
    const struct icmp_header icmp = {.type = ICMP6_NEIGH_SOLICIT};
    const struct ip_addr group = ip6_solicited_node(&target);
    const struct frame *answer;
    struct frame f;
    uint8_t data[16 + 8] = {0};
    uint32_t by;

    memcpy(data, &target, 16);
    data[16] = ND_OPT_SOURCE_LINK;
    data[17] = 1;
    memcpy(data + 18, peer_mac, 6);
    frame_icmp6(&f, addr_of(PEER6_LINK), group, icmp, data, sizeof(data));
    f.data[L3 + 7] = 255;
    t->seen = t->sent;
    stacks_give(t, number, &f);
    answer = stacks_next(t, &by);
    assert_non_null(answer);
    assert_int_equal(by, 0);
    assert_int_equal(answer->data[L4], ICMP6_NEIGH_ADVERT);
    stacks_silent(t);
}

/* IPv6 configures itself by whatever queue a router is heard: tested and answered for by the
 * first stack, used by all, and gone for all when its time is over. */
static void run_routers(void **state)
{
    const struct ip_addr made = addr_of(AUTO6), far = addr_of(FAR6);
    struct stacks *t = stacks_start(2);
    struct tcp_conn *conn;

    assert_int_equal(net_ip6_start(stacks_on(t, 0), 0, true), RT_OK);
    stacks_wait_us(t, 5000000);
    give_advert(t, 1, 10);
    stacks_wait_us(t, 5000000);
    assert_in_range(all_by_first(t), 4, 20); /* groups, tests, who is a router */
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(has(t, i, &made));
        assert_true(reaches(t, i, FAR6, ROUTER));
        assert_int_equal(t->one[i].net->ifs[0].ip6.mtu_bytes, 1400);
        ask(t, i, AUTO6);
    }
    assert_int_equal(tcp_connect(stacks_on(t, 1), &far, 7, &stacks_ops, NULL, &conn), RT_OK);
    stacks_turn(t);
    assert_int_equal(t->sent - t->seen, 2); /* at once, and the router is asked if it is there */
    tcp_abort(conn);
    stacks_wait_us(t, 10000000);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(reaches(t, i, FAR6, NULL));
        assert_true(has(t, i, &made));
    }
    stacks_stop(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_address),
        cmocka_unit_test(run_neighbour),
        cmocka_unit_test(run_link),
        cmocka_unit_test(run_full),
        cmocka_unit_test(run_routers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

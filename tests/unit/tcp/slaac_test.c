/* SPDX-License-Identifier: BSD-2-Clause */
/* How an interface gets its IPv6 addresses and routers, and loses them (RFC 4862, RFC 4861 6.3,
 * RFC 3810). */
#include "station6.h"

#include "link/nd.h"
#include "state.h"
#include "wire/nd.h"

#include <mempool/pool.h>
#include <string.h>

enum { L3 = 14, L4 = 14 + 40 };

#define ROUTER "fe80::1111"
#define AUTO6 "2001:db8:5::ff:fe00:1"

static uint32_t told[3];

static void on_told(void *ctx, const struct ip_addr *addr, enum net_addr_event event)
{
    told[event]++;
}

static void begin(struct station6 *t, bool automatic)
{
    memset(told, 0, sizeof(told));
    station6_begin(t, (struct net_if_config){.mtu_bytes = 1500, .told = on_told}, automatic);
}

/* The address is ours to use. */
static bool has(struct station6 *t, const char *text)
{
    const struct ip_addr addr = addr_of(text);

    return if_addr_find(&t->s.net->ifs[0], &addr) != NULL;
}

static bool reaches(struct station6 *t, const char *text, const char *next_hop)
{
    const struct ip_addr to = addr_of(text);
    struct ip_route route;
    struct ip_addr hop;

    if (!ip_route(t->s.net, &to, &route))
        return next_hop == NULL;
    hop = addr_of(next_hop != NULL ? next_hop : "::");
    return ip_addr_equal(&route.next_hop, &hop);
}

struct advert {
    struct nd_router_advert head;
    struct nd_prefix_option prefix;
    struct nd_mtu_option mtu;
    struct nd_link_option link;
} RT_PACKED;

static struct advert advert_of(const char *prefix, uint8_t bits, uint32_t valid_s,
                               uint32_t preferred_s)
{
    struct advert a = {
        .head = {.type = ICMP6_ROUTER_ADVERT, .lifetime_s = be16_put(1800)},
        .prefix = {.head = {ND_OPT_PREFIX, 4}, .bits = bits,
                   .flags = ND_PREFIX_ON_LINK | ND_PREFIX_AUTOMATIC,
                   .valid_s = be32_put(valid_s), .preferred_s = be32_put(preferred_s)},
        .mtu = {.head = {ND_OPT_MTU, 1}, .mtu_bytes = be32_put(1400)},
        .link = {.head = {ND_OPT_SOURCE_LINK, 1}, .mac = {2, 0, 0, 0, 0, 0x11}},
    };
    const struct ip_addr addr = addr_of(prefix);

    memcpy(a.prefix.prefix, &addr, 16);
    return a;
}

static void give_advert(struct station6 *t, const char *from, const struct advert *a)
{
    struct icmp_header icmp;
    struct frame f;

    memcpy(&icmp, a, sizeof(icmp));
    frame_icmp6(&f, addr_of(from), addr_of("ff02::1"), icmp,
                (const uint8_t *)a + sizeof(icmp), (uint32_t)(sizeof(*a) - sizeof(icmp)));
    ((struct ipv6_header *)(void *)(f.data + L3))->hops = ND_HOPS;
    station_give(&t->s, &f, 0);
}

/* Groups to the device, then to the link's routers, then the question; then the address is used,
 * groups are reported from it, and routers asked for three times. */
static void run_start(void **state)
{
    struct station6 t;
    const struct frame *f;
    uint32_t solicits = 0, reports = 0;

    begin(&t, true);
    assert_int_equal(t.joins, 2);
    station_advance_us(&t.s, 2 * TIMER_TICK_US);
    assert_int_equal(station6_report(&t, "::", MLD_TO_EXCLUDE), 1);
    station_advance_us(&t.s, IP6_START_DELAY_US);
    while ((f = station_next(&t.s)) != NULL && f->data[L3 + 6] == IP6_HOP_BY_HOP)
        continue; /* ... said again */
    assert_non_null(f);
    assert_int_equal(f->data[L4], ICMP6_NEIGH_SOLICIT);
    assert_int_equal(f->bytes, L4 + 24); /* no MAC of nobody */
    assert_memory_equal(f->data + L3 + 8, addr_of("::").bytes, 16);
    assert_memory_equal(f->data + L3 + 24, addr_of("ff02::1:ff00:1").bytes, 16);
    assert_false(has(&t, OUR6_LINK));
    station_advance_us(&t.s, IP6_TEST_US);
    assert_true(has(&t, OUR6_LINK));
    assert_int_equal(told[NET_ADDR_READY], 1);
    station_advance_us(&t.s, 100000000);
    while ((f = station_next(&t.s)) != NULL) {
        solicits += f->data[L4] == ICMP6_ROUTER_SOLICIT;
        reports += f->data[L3 + 6] == IP6_HOP_BY_HOP && f->data[L3 + 8] == 0xfe;
    }
    assert_int_equal(solicits, IP6_SOLICITS);
    assert_int_equal(reports, IP6_REPORTS);
    station_silent(&t.s);
    assert_int_equal(net_next_us(t.s.net), UINT64_MAX);
    station_stop(&t.s);
}

/* Another host has it, or tests it at the same time: it is never used, nor answered for. */
static void run_taken(void **state)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct station6 t;
        struct frame f;
        const struct ip_addr own = addr_of(OUR6);
        uint8_t target[16];

        begin(&t, false);
        station_advance_us(&t.s, 5000000);
        assert_int_equal(net_addr_add(t.s.net, 0, &own, 64), RT_OK);
        station_advance_us(&t.s, IP6_START_DELAY_US);
        memcpy(target, &own, 16);
        frame_icmp6(&f, addr_of(i == 0 ? PEER6 : "::"),
                    addr_of(i == 0 ? "ff02::1" : "ff02::1:ff00:1"),
                    (struct icmp_header){.type = i == 0 ? ICMP6_NEIGH_ADVERT
                                                        : ICMP6_NEIGH_SOLICIT}, target, 16);
        ((struct ipv6_header *)(void *)(f.data + L3))->hops = ND_HOPS;
        t.s.seen = t.s.sent;
        station_give(&t.s, &f, 0);
        station_give(&t.s, &f, 0);
        station_advance_us(&t.s, 10000000);
        station_silent(&t.s);
        assert_false(has(&t, OUR6));
        assert_int_equal(told[NET_ADDR_TAKEN], 1);
        frame_ping6(&f, PEER6, OUR6, 8);
        station_give(&t.s, &f, 0);
        station_silent(&t.s);
        station_stop(&t.s);
    }
}

/* A router: what is behind its prefix, what is on the link, the MTU, and no further questions. */
static void run_router(void **state)
{
    const struct advert a = advert_of("2001:db8:5::77", 64, 3600, 1800);
    struct net_addr in_use[NET_ADDRS_MAX];
    struct station6 t;

    begin(&t, true);
    station_advance_us(&t.s, 3000000);
    assert_true(reaches(&t, FAR6, NULL));
    give_advert(&t, ROUTER, &a);
    t.s.seen = t.s.sent;
    assert_false(has(&t, AUTO6));
    assert_int_equal(net_ip6_get(t.s.net, 0, in_use), 1); /* the link-local one */
    station_advance_us(&t.s, 3000000);
    assert_true(has(&t, AUTO6));
    assert_int_equal(net_ip6_get(t.s.net, 0, in_use), 2);
    assert_memory_equal(&in_use[1].addr, addr_of(AUTO6).bytes, 16);
    assert_true(reaches(&t, FAR6, ROUTER));
    assert_true(reaches(&t, "2001:db8:5::9", "2001:db8:5::9"));
    assert_int_equal(t.s.net->ifs[0].ip6.mtu_bytes, 1400);
    assert_int_equal(t.joins, 2);
    while (station_next(&t.s) != NULL)
        assert_int_not_equal(station6_last(&t)->data[L4], ICMP6_ROUTER_SOLICIT);
    station_stop(&t.s);
}

/* An IPv4 lease's MTU is IPv4's: IPv6 has the router's. */
static void run_two_mtus(void **state)
{
    const struct net_setup lease = {.mtu_bytes = 1300};
    const struct advert a = advert_of("2001:db8:5::", 64, 3600, 1800);
    struct station6 t;

    begin(&t, true);
    assert_int_equal(net_setup_apply(t.s.net, 0, &lease), RT_OK);
    station_advance_us(&t.s, 3000000);
    give_advert(&t, ROUTER, &a);
    assert_int_equal(t.s.net->ifs[0].ip6.mtu_bytes, 1400);
    assert_int_equal(t.s.net->ifs[0].config.mtu_bytes, 1300);
    assert_int_equal(net_counters(t.s.net)->nd_bad, 0);
    t.s.seen = t.s.sent;
    station_stop(&t.s);
}

/* Nobody is to listen to routers: nothing changes. */
static void run_not_automatic(void **state)
{
    const struct advert a = advert_of("2001:db8:5::", 64, 3600, 1800);
    struct station6 t;

    begin(&t, false);
    station_advance_us(&t.s, 3000000);
    give_advert(&t, ROUTER, &a);
    station_advance_us(&t.s, 3000000);
    assert_false(has(&t, AUTO6));
    assert_true(reaches(&t, FAR6, NULL));
    assert_int_equal(net_counters(t.s.net)->nd_ignored, 1);
    station_stop(&t.s);
}

/* Preferred, then deprecated, then gone; the router has a time of its own; a word that is not
 * proven ends an address in two hours, not at once (RFC 4862 5.5.3 (e)). */
static void run_lifetimes(void **state)
{
    const uint64_t second = 1000000;
    struct advert a = advert_of("2001:db8:5::", 64, 20000, 100);
    const struct ip_addr own = addr_of(AUTO6);
    struct station6 t;
    uint64_t ends_us;

    begin(&t, true);
    station_advance_us(&t.s, 3 * second);
    give_advert(&t, ROUTER, &a);
    station_advance_us(&t.s, 101 * second);
    assert_int_equal(if_addr_find(&t.s.net->ifs[0], &own)->state, IF_ADDR_DEPRECATED);
    a = advert_of("2001:db8:5::", 64, 0, 0);
    a.head.lifetime_s = be16_put(0);
    give_advert(&t, ROUTER, &a);
    ends_us = t.s.now_us + 7200 * second;
    assert_true(has(&t, AUTO6));
    assert_true(reaches(&t, FAR6, NULL));
    assert_true(reaches(&t, "2001:db8:5::9", NULL)); /* on the link no more, at once */
    give_advert(&t, ROUTER, &a);
    station_advance_us(&t.s, ends_us - t.s.now_us - second);
    assert_true(has(&t, AUTO6));
    a = advert_of("2001:db8:5::", 64, 60, 60); /* less than is left: ignored, more: taken */
    give_advert(&t, ROUTER, &a);
    assert_int_equal(if_addr_find(&t.s.net->ifs[0], &own)->state, IF_ADDR_PREFERRED);
    station_advance_us(&t.s, 59 * second);
    assert_true(has(&t, AUTO6));
    station_advance_us(&t.s, 2 * second);
    assert_false(has(&t, AUTO6));
    assert_true(reaches(&t, "2001:db8:5::9", ROUTER)); /* the prefix went with it */
    station_advance_us(&t.s, 1800 * second);
    assert_true(reaches(&t, FAR6, NULL));
    station_stop(&t.s);
}

/* What no router may say: no address follows from it. */
static void run_bad_adverts(void **state)
{
    const struct {
        const char *from, *prefix;
        uint8_t bits;
        uint32_t valid_s, preferred_s;
    } bad[] = {
        {"2001:db8::7", "2001:db8:5::", 64, 3600, 1800}, /* not from the link */
        {ROUTER, "2001:db8:5::", 63, 3600, 1800},        /* no room for 64 bits of ours */
        {ROUTER, "2001:db8:5::", 65, 3600, 1800},
        {ROUTER, "2001:db8:5::", 129, 3600, 1800},
        {ROUTER, "2001:db8:5::", 64, 1800, 3600}, /* preferred longer than valid */
        {ROUTER, "fe80::", 64, 3600, 1800},
        {ROUTER, "ff05::", 64, 3600, 1800},
        {ROUTER, "::ffff:0:0", 96, 3600, 1800},
        {ROUTER, "2001:db8:5::", 64, 0, 0}, /* unknown, and over */
    };
    struct station6 t;
    struct advert a;

    begin(&t, true);
    station_advance_us(&t.s, 3000000);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(bad); i++) {
        a = advert_of(bad[i].prefix, bad[i].bits, bad[i].valid_s, bad[i].preferred_s);
        a.mtu.mtu_bytes = be32_put(i % 2 == 0 ? 1279 : 1501);
        give_advert(&t, bad[i].from, &a);
    }
    station_advance_us(&t.s, 3000000);
    assert_int_equal(t.s.net->ifs[0].addr_count, 2); /* IPv4's, and the link-local one */
    assert_int_equal(t.s.net->ifs[0].ip6.mtu_bytes, 1500);
    station_stop(&t.s);
}

/* A thousand routers with a prefix each: as many are believed as there is room for; one of them
 * that does not answer is passed over; one that was set by hand stays. */
static void run_many(void **state)
{
    struct station6 t;
    struct ip_addr first = addr_of("fe80::2000");

    begin(&t, true);
    station_advance_us(&t.s, 3000000);
    for (uint32_t i = 0; i < 1000; i++) {
        char from[IP_ADDR_TEXT_BYTES], prefix[IP_ADDR_TEXT_BYTES];
        struct ip_addr router = first, net = addr_of("2001:db8:5::");
        struct advert a;

        router.bytes[15] = net.bytes[7] = (uint8_t)i;
        router.bytes[13] = net.bytes[6] = (uint8_t)(i >> 8);
        a = advert_of(ip_addr_format(&net, prefix), 64, 3600, 1800);
        give_advert(&t, ip_addr_format(&router, from), &a);
        t.s.seen = t.s.sent;
    }
    assert_int_equal(t.s.net->ifs[0].ip6.router_count, IP6_ROUTERS_MAX);
    assert_int_equal(t.s.net->ifs[0].ip6.prefix_count, IP6_PREFIXES_MAX);
    assert_int_equal(t.s.net->ifs[0].addr_count, NET_ADDRS_MAX);
    assert_true(net_counters(t.s.net)->nd_full > 2900);
    station_advance_us(&t.s, 3000000);
    assert_true(reaches(&t, FAR6, "fe80::2000"));
    assert_false(neigh_ready(&t.s.net->ifs[0], &first)); /* evicted by the others: asked */
    station_advance_us(&t.s, 4 * NEIGH_REQUEST_US);
    assert_true(reaches(&t, FAR6, "fe80::2001"));
    for (uint32_t i = 0; i < IP6_ROUTERS_MAX; i++)
        t.s.net->ifs[0].ip6.routers[i].valid_until_us = UINT64_MAX;
    ip6_router_gone(&t.s.net->ifs[0], &first);
    assert_int_equal(t.s.net->ifs[0].ip6.router_count, IP6_ROUTERS_MAX);
    station_stop(&t.s);
}

/* Without a buffer nothing is forgotten: the test asks a second later. */
static void run_no_buffers(void **state)
{
    struct buf_batch taken[2] = {{.count = 0}, {.count = 0}};
    struct station6 t;

    begin(&t, false);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(pool_take_batch(t.s.pool, &taken[i], 64), 64);
    station_advance_us(&t.s, 5000000);
    station_silent(&t.s);
    assert_false(has(&t, OUR6_LINK));
    buf_batch_free(&taken[0]);
    buf_batch_free(&taken[1]);
    station_advance_us(&t.s, 3000000);
    assert_true(has(&t, OUR6_LINK));
    assert_true(t.s.sent >= 3); /* two reports, the question */
    station_stop(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_start),       cmocka_unit_test(run_taken),
        cmocka_unit_test(run_router),      cmocka_unit_test(run_two_mtus),
        cmocka_unit_test(run_lifetimes),   cmocka_unit_test(run_bad_adverts),
        cmocka_unit_test(run_many),        cmocka_unit_test(run_not_automatic),
        cmocka_unit_test(run_no_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The DHCP client (RFC 2131), message by message, the test being its servers. */
#include "dhcp_server.h"

#include "wire/eth.h"
#include "wire/ip.h"

#include <string.h>
#include <tcp/tcp.h>

#define SECOND_US UINT64_C(1000000)

static uint32_t changes;
static struct net_setup last;

static void on_changed(void *ctx, const struct net_setup *setup)
{
    changes++;
    last = *setup;
}

static struct dhcp_client *start(struct station *s)
{
    changes = 0;
    return dhcp_station(s, (struct dhcp_config){.changed = on_changed});
}

static bool pings(struct station *s)
{
    struct frame f;

    frame_arp(&f, ARP_REQUEST, peer(), ip_addr_v4_of(LEASE_IP));
    station_give(s, &f, 0);
    return station_next(s) != NULL;
}

/* Who we are, what we want, how messages hang together; then an address in use. */
static void run_bound(void **state)
{
    static const uint8_t id[7] = {1, 2, 0, 0, 0, 0, 1},
                         list[] = {1, 3, 26, 51, 54, 58, 59};
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked discover = expect_asked(&s, DHCP_DISCOVER), request;
    struct answer answer = answer_of(&discover, DHCP_OFFER);

    assert_int_equal(discover.flags, DHCP_BROADCAST);
    assert_int_equal(discover.frame_src, 0);
    assert_int_equal(discover.frame_dst, 0xffffffff);
    assert_int_equal(discover.client, 0);
    assert_int_equal(discover.wanted, 0);
    assert_memory_equal(discover.id, id, 7); /* as iPXE's: type and MAC */
    assert_int_equal(discover.list_bytes, sizeof(list));
    assert_memory_equal(discover.list, list, sizeof(list));
    answer_give(&s, &answer);
    request = expect_asked(&s, DHCP_REQUEST);
    assert_int_equal(request.xid, discover.xid);
    assert_int_equal(request.secs, discover.secs);
    assert_int_equal(request.wanted, v4_number(LEASE_IP));
    assert_int_equal(request.server, v4_number(SERVER_IP));
    assert_int_equal(request.client, 0);
    assert_int_equal(request.frame_src, 0);
    answer.kind = DHCP_ACK;
    answer_give(&s, &answer);
    assert_int_equal(dhcp_state(client), DHCP_PROBING);
    station_advance_us(&s, 1000);
    skip_arp(&s); /* the first probe */
    assert_false(pings(&s));
    assert_int_equal(changes, 0);
    station_advance_us(&s, SECOND_US);
    assert_int_equal(dhcp_state(client), DHCP_BOUND);
    assert_int_equal(changes, 1);
    assert_int_equal(last.count, 1);
    assert_int_equal(last.addrs[0].prefix_bits, 24);
    assert_true(last.has_gateway);
    skip_arp(&s);
    assert_true(pings(&s));
    assert_in_range(dhcp_lease_s(client, s.now_us), 3590, 3600);
    station_stop(&s);
}

/* Asked again after about 4, 8, 16, 32, 64, 64 s, with the same number. */
static void run_pauses(void **state)
{
    struct station s;
    struct asked first;
    uint64_t asked_us;

    start(&s);
    first = expect_asked(&s, DHCP_DISCOVER);
    asked_us = s.now_us;
    for (uint32_t i = 0; i < 6; i++) {
        const uint64_t pause_us = SECOND_US << (i < 4 ? 2 + i : 6);
        struct asked again;

        for (uint32_t steps = 0; steps < 1000 && s.seen == s.sent; steps++)
            station_advance_us(&s, 100000);
        again = expect_asked(&s, DHCP_DISCOVER);
        assert_int_equal(again.xid, first.xid);
        assert_in_range(s.now_us - asked_us, pause_us - SECOND_US, pause_us + SECOND_US + 200000);
        asked_us = s.now_us;
        assert_in_range(again.secs, (asked_us / SECOND_US) - 3, asked_us / SECOND_US);
    }
    station_stop(&s);
}

/* An offer that comes after the second question, an ACK 2.5 s or 6 s after the request: both are
 * good, and the number stays. */
static void run_late(void **state)
{
    for (uint32_t late = 0; late < 2; late++) {
        struct station s;
        struct dhcp_client *client = start(&s);
        struct asked first = expect_asked(&s, DHCP_DISCOVER);
        struct answer answer = answer_of(&first, DHCP_OFFER);

        station_advance_us(&s, 6 * SECOND_US);
        expect_asked(&s, DHCP_DISCOVER);
        answer_give(&s, &answer);
        assert_int_equal(expect_asked(&s, DHCP_REQUEST).xid, first.xid);
        station_advance_us(&s, late == 0 ? 2500000 : 6000000);
        if (late == 1)
            assert_int_equal(expect_asked(&s, DHCP_REQUEST).xid, first.xid);
        answer.kind = DHCP_ACK;
        answer_give(&s, &answer);
        station_advance_us(&s, SECOND_US);
        assert_int_equal(dhcp_state(client), DHCP_BOUND);
        station_stop(&s);
    }
}

/* Nobody acknowledges: four requests, then from the start, with another number. */
static void run_no_ack(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked first = expect_asked(&s, DHCP_DISCOVER);
    struct answer answer = answer_of(&first, DHCP_OFFER);

    answer_give(&s, &answer);
    expect_asked(&s, DHCP_REQUEST);
    station_advance_us(&s, 70 * SECOND_US);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(expect_asked(&s, DHCP_REQUEST).xid, first.xid);
    assert_int_not_equal(expect_asked(&s, DHCP_DISCOVER).xid, first.xid);
    assert_int_equal(dhcp_state(client), DHCP_SELECTING);
    station_stop(&s);
}

/* Two servers: the NAK, and the ACK, of the one that was not chosen mean nothing. */
static void run_two_servers(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked = expect_asked(&s, DHCP_DISCOVER);
    struct answer a = answer_of(&asked, DHCP_OFFER), b = a;

    b.server = ip_addr_v4_of(OTHER_IP);
    b.yours = ip_addr_v4_of(192, 0, 2, 200);
    answer_give(&s, &a);
    answer_give(&s, &b);
    asked = expect_asked(&s, DHCP_REQUEST);
    assert_int_equal(asked.server, v4_number(SERVER_IP));
    station_silent(&s);
    b.kind = DHCP_NAK;
    answer_give(&s, &b);
    b.kind = DHCP_ACK;
    answer_give(&s, &b);
    assert_int_equal(dhcp_state(client), DHCP_REQUESTING);
    a.kind = DHCP_ACK;
    answer_give(&s, &a);
    station_advance_us(&s, SECOND_US);
    assert_int_equal(dhcp_state(client), DHCP_BOUND);
    assert_int_equal(net_counters(s.net)->dhcp_ignored, 3);
    station_stop(&s);
}

/* The server that was chosen says no: at once from the start; then slower each time. */
static void run_refused(void **state)
{
    struct station s;

    start(&s);
    for (uint32_t i = 0; i < 8; i++) {
        struct asked asked = expect_asked(&s, DHCP_DISCOVER);
        struct answer answer = answer_of(&asked, DHCP_OFFER);

        answer_give(&s, &answer);
        asked = expect_asked(&s, DHCP_REQUEST);
        answer = answer_of(&asked, DHCP_NAK);
        answer_give(&s, &answer);
        if (i != 0) {
            const uint64_t wait_us = SECOND_US << (i < 6 ? i : 6);

            station_advance_us(&s, wait_us - 1000);
            station_silent(&s);
            station_advance_us(&s, 2000);
        }
    }
    assert_int_equal(net_counters(s.net)->dhcp_refused, 8);
    station_stop(&s);
}

/* Somebody has the address: declined, and from the start ten seconds later. */
static void run_declined(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked = expect_asked(&s, DHCP_DISCOVER);
    struct answer answer = answer_of(&asked, DHCP_OFFER);
    struct frame f;

    answer_give(&s, &answer);
    expect_asked(&s, DHCP_REQUEST);
    answer.kind = DHCP_ACK;
    answer_give(&s, &answer);
    frame_arp(&f, ARP_REPLY, ip_addr_v4_of(LEASE_IP), ip_addr_v4_of(0, 0, 0, 0));
    station_give(&s, &f, 0);
    asked = expect_asked(&s, DHCP_DECLINE);
    assert_int_equal(asked.wanted, v4_number(LEASE_IP));
    assert_int_equal(asked.server, v4_number(SERVER_IP));
    assert_int_equal(asked.client, 0);
    assert_int_equal(asked.frame_src, 0);
    assert_int_equal(dhcp_state(client), DHCP_WAITING);
    station_advance_us(&s, 10 * SECOND_US - 1000);
    skip_arp(&s);
    station_silent(&s);
    station_advance_us(&s, 2000);
    assert_int_equal(expect_asked(&s, DHCP_DISCOVER).wanted, 0);
    assert_int_equal(net_counters(s.net)->dhcp_declined, 1);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_bound),       cmocka_unit_test(run_pauses),
        cmocka_unit_test(run_late),
        cmocka_unit_test(run_no_ack),      cmocka_unit_test(run_two_servers),
        cmocka_unit_test(run_refused),     cmocka_unit_test(run_declined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

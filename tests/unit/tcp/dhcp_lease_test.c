/* SPDX-License-Identifier: BSD-2-Clause */
/* Leases in use (RFC 2131 4.4.5, 3.2): renewed, refused, run out, given back; links that go. */
#include "dhcp_server.h"

#include "wire/eth.h"
#include "wire/ip.h"

#include <string.h>
#include <tcp/tcp.h>

#define SECOND_US UINT64_C(1000000)

static struct net_setup last;
static struct dhcp_client *asking;
static enum dhcp_state told; /* as it was when `last` was told */
static uint32_t ended[TCP_NO_ADDRESS + 1];

static void on_changed(void *ctx, const struct net_setup *setup)
{
    last = *setup;
    told = dhcp_state(asking);
}

static void on_bytes(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    tcp_give_back(NULL, chain_owned);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    ended[reason]++;
}

/* A station with a lease of an hour, and a connection from it (whose SYN nobody answers). */
static struct dhcp_client *start(struct station *s)
{
    static const struct tcp_ops ops = {.received = on_bytes, .closed = on_closed};
    const struct tcp_config config = {.conns = 4};
    const struct ip_addr to = peer();
    struct dhcp_client *client = dhcp_station(s, (struct dhcp_config){.changed = on_changed});
    struct tcp_conn *conn;
    struct frame f;

    asking = client;
    memset(ended, 0, sizeof(ended));
    assert_int_equal(tcp_create(s->net, &config), RT_OK);
    dhcp_bind(s);
    frame_arp(&f, ARP_REQUEST, to, ip_addr_v4_of(LEASE_IP));
    station_give(s, &f, 0);
    assert_int_equal(tcp_connect(s->net, &to, 7, &ops, NULL, &conn), RT_OK);
    tcp_abort(conn); /* the one that is ended by us is another one */
    assert_int_equal(tcp_connect(s->net, &to, 7, &ops, NULL, &conn), RT_OK);
    station_advance_us(s, 3 * SECOND_US);
    s->seen = s->sent;
    return client;
}

static void skip_all_but_dhcp(struct station *s)
{
    while (s->seen < s->sent) {
        const struct frame *f = &s->frames[s->seen % STATION_FRAMES];

        if (f->data[23] == IP_UDP && (f->data[12] << 8 | f->data[13]) == ETH_IPV4)
            return;
        s->seen++;
    }
}

static struct asked expect_dhcp(struct station *s, enum dhcp_kind kind)
{
    skip_all_but_dhcp(s);
    return expect_asked(s, kind);
}

/* The server, 192.0.2.67, is a neighbour. */
static void meet_server(struct station *s)
{
    struct frame f;

    frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(SERVER_IP), ip_addr_v4_of(LEASE_IP));
    station_give(s, &f, 0);
}

/* At T1 its server is asked by unicast, with a new number; then the lease counts from there. */
static void run_renewed(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked;
    struct answer answer;

    for (uint32_t i = 0; i < 3; i++) {
        station_advance_us(&s, 1790 * SECOND_US);
        skip_all_but_dhcp(&s);
        station_silent(&s);
        meet_server(&s);
        station_advance_us(&s, 12 * SECOND_US);
        asked = expect_dhcp(&s, DHCP_REQUEST);
        assert_int_equal(dhcp_state(client), DHCP_RENEWING);
        assert_int_equal(asked.client, v4_number(LEASE_IP));
        assert_int_equal(asked.wanted, 0); /* RFC 2131 table 5 */
        assert_int_equal(asked.server, 0);
        assert_int_equal(asked.flags, 0);
        assert_int_equal(asked.frame_src, v4_number(LEASE_IP));
        assert_int_equal(asked.frame_dst, v4_number(SERVER_IP));
        answer = answer_of(&asked, DHCP_ACK);
        answer_give(&s, &answer);
        assert_int_equal(dhcp_state(client), DHCP_BOUND);
        assert_in_range(dhcp_lease_s(client, s.now_us), 3580, 3600);
    }
    assert_int_equal(net_counters(s.net)->dhcp_granted, 4);
    assert_int_equal(ended[TCP_NO_ADDRESS], 0);
    station_stop(&s);
}

/* Leases of a second: renewed twice a second, not as fast as the server answers; the address
 * stays. */
static void run_short(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked;
    struct answer answer;
    uint32_t renewals = 0;
    uint64_t first_us = 0;

    meet_server(&s);
    station_advance_us(&s, 1790 * SECOND_US);
    for (uint32_t i = 0; i < 3000 && renewals < 20; i++) { /* 30 s */
        skip_all_but_dhcp(&s);
        if (s.seen < s.sent) {
            asked = expect_asked(&s, DHCP_REQUEST);
            answer = answer_of(&asked, DHCP_ACK);
            answer.lease_s = 1;
            answer_give(&s, &answer);
            first_us = renewals++ == 0 ? s.now_us : first_us;
        }
        station_advance_us(&s, SECOND_US / 100);
    }
    assert_int_equal(renewals, 20);
    assert_in_range(s.now_us - first_us, 19 * SECOND_US / 2, 20 * SECOND_US / 2);
    assert_int_equal(dhcp_state(client), DHCP_BOUND);
    assert_int_equal(last.count, 1);
    assert_int_equal(net_counters(s.net)->dhcp_expired, 0);
    station_stop(&s);
}

/* Its server says no at T1: the address goes at once, with its connections; a stranger's no
 * means nothing. */
static void run_refused(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked;
    struct answer answer;

    meet_server(&s);
    station_advance_us(&s, 1800 * SECOND_US);
    asked = expect_dhcp(&s, DHCP_REQUEST);
    answer = answer_of(&asked, DHCP_NAK);
    answer.server = ip_addr_v4_of(OTHER_IP);
    answer_give(&s, &answer);
    assert_int_equal(dhcp_state(client), DHCP_RENEWING);
    assert_int_equal(last.count, 1);
    answer.server = ip_addr_v4_of(SERVER_IP);
    answer_give(&s, &answer);
    assert_int_equal(last.count, 0);
    asked = expect_dhcp(&s, DHCP_DISCOVER);
    assert_int_equal(asked.frame_src, 0);
    assert_int_equal(asked.wanted, 0);
    net_turn(s.net, s.now_us);
    assert_int_equal(dhcp_state(client), DHCP_SELECTING);
    station_stop(&s);
}

/* Nobody answers: its server is asked from T1 on, everybody from T2 on, with the same number; at
 * the end the address is not used any more. */
static void run_expired(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked;
    uint32_t renewals = 0, rebindings = 0, xid = 0;

    for (uint32_t second = 0; second < 3600; second++) {
        if (second % 20 == 0)
            meet_server(&s); /* it is there, and hears nothing of this */
        station_advance_us(&s, SECOND_US);
        skip_all_but_dhcp(&s);
        if (s.seen == s.sent)
            continue;
        if (dhcp_state(client) == DHCP_SELECTING)
            break;
        asked = expect_asked(&s, DHCP_REQUEST);
        assert_true(xid == 0 || asked.xid == xid);
        xid = asked.xid;
        renewals += dhcp_state(client) == DHCP_RENEWING;
        rebindings += asked.frame_dst == 0xffffffff;
        assert_int_equal(asked.client, v4_number(LEASE_IP));
    }
    assert_in_range(renewals, 2, 12);
    assert_in_range(rebindings, 2, 7);
    assert_int_equal(net_counters(s.net)->dhcp_expired, 1);
    asked = expect_asked(&s, DHCP_DISCOVER);
    assert_int_equal(asked.frame_src, 0);
    assert_int_equal(asked.wanted, v4_number(LEASE_IP)); /* the same again, if it can be */
    assert_int_equal(last.count, 0);
    station_stop(&s);
}

/* Any server may answer from T2 on. */
static void run_rebound(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked;
    struct answer answer;

    station_advance_us(&s, 3150 * SECOND_US);
    assert_int_equal(dhcp_state(client), DHCP_REBINDING);
    do {
        asked = expect_dhcp(&s, DHCP_REQUEST);
    } while (asked.frame_dst != 0xffffffff); /* as many as were sent */
    answer = answer_of(&asked, DHCP_ACK);
    answer.server = ip_addr_v4_of(OTHER_IP);
    answer_give(&s, &answer);
    assert_int_equal(dhcp_state(client), DHCP_BOUND);
    station_stop(&s);
}

/* The connection that lives when the address goes is ended, and its owner told. */
static void run_connections(void **state)
{
    static const struct tcp_ops ops = {.received = on_bytes, .closed = on_closed};
    struct station s;
    struct dhcp_client *client = start(&s);
    const struct ip_addr to = peer();
    struct tcp_conn *conn;

    assert_int_equal(tcp_connect(s.net, &to, 9, &ops, NULL, &conn), RT_OK);
    dhcp_release(client);
    net_turn(s.net, s.now_us);
    assert_int_equal(ended[TCP_NO_ADDRESS], 2);
    station_stop(&s);
}

/* Given back by name, to its server; then silence. */
static void run_released(void **state)
{
    struct station s;
    struct dhcp_client *client = start(&s);
    struct asked asked;

    meet_server(&s);
    s.seen = s.sent;
    dhcp_release(client);
    net_turn(s.net, s.now_us);
    asked = expect_dhcp(&s, DHCP_RELEASE);
    assert_int_equal(asked.client, v4_number(LEASE_IP));
    assert_int_equal(asked.server, v4_number(SERVER_IP));
    assert_int_equal(asked.wanted, 0);
    assert_int_equal(asked.frame_dst, v4_number(SERVER_IP));
    assert_int_equal(last.count, 0);
    assert_int_equal(told, DHCP_STOPPED);
    station_advance_us(&s, 7200 * SECOND_US);
    skip_arp(&s);
    station_silent(&s);
    assert_int_equal(dhcp_state(client), DHCP_STOPPED);
    station_stop(&s);
}

/* The link was away: the address is asked for again and used meanwhile; where nobody answers, too,
 * for its time; where a server of another place says no, it goes. */
static void run_link(void **state)
{
    for (uint32_t answered = 0; answered < 3; answered++) {
        struct station s;
        struct dhcp_client *client = start(&s);
        struct asked asked;
        struct answer answer;

        net_link(s.net, 0, false);
        station_advance_us(&s, 60 * SECOND_US);
        s.seen = s.sent;
        net_link(s.net, 0, true);
        net_turn(s.net, s.now_us);
        asked = expect_dhcp(&s, DHCP_REQUEST);
        assert_int_equal(asked.wanted, v4_number(LEASE_IP));
        assert_int_equal(asked.server, 0);
        assert_int_equal(asked.client, 0);
        assert_int_equal(dhcp_state(client), DHCP_REBOOTING);
        assert_int_equal(last.count, 1);
        answer = answer_of(&asked, answered == 1 ? DHCP_ACK : DHCP_NAK);
        if (answered != 0)
            answer_give(&s, &answer);
        station_advance_us(&s, 100 * SECOND_US);
        assert_int_equal(dhcp_state(client), answered == 2 ? DHCP_SELECTING : DHCP_BOUND);
        assert_int_equal(last.count, answered != 2);
        station_stop(&s);
    }
}

/* No link at the start: nothing is sent until it is there. An address that we had is asked for
 * first; nobody knows it: from the start. */
static void run_start(void **state)
{
    const struct dhcp_config config = {.known = ip_addr_v4_of(LEASE_IP)};
    struct station s;
    struct dhcp_client *client = dhcp_station(&s, config);
    struct asked asked = expect_asked(&s, DHCP_REQUEST);
    struct answer answer = answer_of(&asked, DHCP_ACK);

    assert_int_equal(asked.wanted, v4_number(LEASE_IP));
    assert_int_equal(dhcp_state(client), DHCP_REBOOTING);
    answer_give(&s, &answer);
    assert_int_equal(dhcp_state(client), DHCP_PROBING);
    station_stop(&s);
    client = dhcp_station(&s, config);
    station_advance_us(&s, 100 * SECOND_US);
    for (uint32_t i = 0; i < 4; i++)
        expect_asked(&s, DHCP_REQUEST);
    expect_asked(&s, DHCP_DISCOVER);
    net_link(s.net, 0, false);
    station_advance_us(&s, 500 * SECOND_US);
    s.seen = s.sent;
    station_advance_us(&s, 500 * SECOND_US);
    station_silent(&s);
    assert_int_equal(dhcp_state(client), DHCP_WAITING);
    net_link(s.net, 0, true);
    net_turn(s.net, s.now_us);
    expect_asked(&s, DHCP_DISCOVER);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_renewed),  cmocka_unit_test(run_refused),
        cmocka_unit_test(run_expired),  cmocka_unit_test(run_rebound),
        cmocka_unit_test(run_connections), cmocka_unit_test(run_released),
        cmocka_unit_test(run_link),     cmocka_unit_test(run_start),
        cmocka_unit_test(run_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

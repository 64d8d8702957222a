/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP over IPv6, and which address of ours it comes from (RFC 9293 3.7.1, RFC 6724). */
#include "station6.h"

#include "state.h"
#include "tcp/conn.h"
#include "wire/checksum.h"
#include "wire/tcp.h"

#include <mempool/pool.h>
#include <string.h>
#include <tcp/tcp.h>

enum { L3 = 14, L4 = 14 + 40, PORT = 80 };

static uint32_t opened, closed, received;
static enum tcp_reason why;

static void on_open(struct tcp_conn *conn)
{
    opened++;
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    received += bytes;
    tcp_give_back(conn->net, chain_owned);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    closed++;
    why = reason;
}

static const struct tcp_ops ops = {.accepted = on_open, .connected = on_open,
                                   .received = on_received, .closed = on_closed};

static void start(struct station6 *t, struct net_if_config config)
{
    static const struct tcp_config tcp = {.conns = 4};
    const struct ip_addr own = addr_of(OUR6);

    opened = closed = received = 0;
    station6_begin(t, config, false);
    assert_int_equal(net_addr_add(t->s.net, 0, &own, 64), RT_OK);
    station_advance_us(&t->s, 10000000);
    t->s.seen = t->s.sent;
    assert_int_equal(tcp_create(t->s.net, &tcp), RT_OK);
    station6_meet(t, PEER6);
}

/* The next frame is a segment of ours; its header. */
static const struct tcp_header *segment_of(struct station6 *t)
{
    const struct frame *f = station_next(&t->s);

    assert_non_null(f);
    assert_int_equal(f->data[L3 + 6], IP_TCP);
    return (const void *)(f->data + L4);
}

static void give(struct station6 *t, struct tcp_header tcp, const void *data, uint32_t bytes)
{
    struct frame f;

    frame_ip6(&f, addr_of(PEER6), addr_of(OUR6), IP_TCP, (uint32_t)sizeof(tcp) + bytes);
    frame_add(&f, &tcp, sizeof(tcp));
    frame_add(&f, data, bytes);
    tcp.checksum.raw = frame_sum6(&f, L4, IP_TCP);
    memcpy(f.data + L4, &tcp, sizeof(tcp));
    station_give(&t->s, &f, 0);
}

static struct tcp_header header_of(const struct tcp_header *answered, uint16_t flags)
{
    return (struct tcp_header){
        .src = answered->dst,
        .dst = answered->src,
        .seq = be32_put(7000),
        .ack = be32_put(be32_get(answered->seq) + 1),
        .offset_flags = be16_put((uint16_t)(5 << TCP_OFFSET_SHIFT | flags)),
        .window = be16_put(1000),
    };
}

static struct tcp_conn *begin_to(struct station6 *t, const char *to)
{
    const struct ip_addr addr = addr_of(to);
    struct tcp_conn *conn;

    assert_int_equal(tcp_connect(t->s.net, &addr, PORT, &ops, NULL, &conn), RT_OK);
    station_advance_us(&t->s, 1);
    return conn;
}

/* Our SYN says 1440; a peer that says nothing takes 1220; a byte comes and is acknowledged. */
static void run_connect(void **state)
{
    struct station6 t;
    struct tcp_conn *conn;
    const struct tcp_header *syn;
    struct tcp_header tcp;

    start(&t, (struct net_if_config){.mtu_bytes = 1500});
    conn = begin_to(&t, PEER6);
    syn = segment_of(&t);
    assert_int_equal(frame_sum6(station6_last(&t), L4, IP_TCP), 0);
    assert_memory_equal(syn + 1, ((uint8_t[]){TCP_OPT_MSS, 4, 1440 >> 8, 1440 & 0xff}), 4);
    tcp = header_of(syn, TCP_SYN | TCP_ACK);
    give(&t, tcp, "", 0);
    assert_int_equal(opened, 1);
    assert_int_equal(conn->mss, 1220);
    segment_of(&t);
    tcp.seq = be32_put(7001);
    tcp.offset_flags = be16_put(5 << TCP_OFFSET_SHIFT | TCP_ACK | TCP_PSH);
    give(&t, tcp, "x", 1);
    assert_int_equal(received, 1);
    segment_of(&t); /* a push is acknowledged at once */
    tcp_abort(conn);
    station_advance_us(&t.s, 1);
    assert_int_equal(be16_get(segment_of(&t)->offset_flags) & TCP_RST, TCP_RST);
    assert_int_equal(frame_sum6(station6_last(&t), L4, IP_TCP), 0);
    station_stop(&t.s);
}

/* A listener for every address accepts peers of either family. */
static void run_accept(void **state)
{
    const struct tcp_listen listen = {.port = PORT, .backlog = 2, .ops = &ops};
    const struct tcp_header asked = {.src = be16_put(PORT), .dst = be16_put(1234)};
    struct tcp_listener *listener;
    struct station6 t;
    struct tcp_header tcp;

    start(&t, (struct net_if_config){.mtu_bytes = 1500});
    assert_int_equal(tcp_listen(t.s.net, &listen, &listener), RT_OK);
    give(&t, header_of(&asked, TCP_SYN), "", 0);
    tcp = header_of(segment_of(&t), TCP_ACK);
    tcp.seq = be32_put(7001);
    give(&t, tcp, "", 0);
    assert_int_equal(opened, 1);
    give(&t, header_of(&(struct tcp_header){.src = be16_put(9), .dst = be16_put(5)}, TCP_SYN),
         "", 0);
    assert_int_equal(be16_get(segment_of(&t)->offset_flags) & TCP_RST, TCP_RST);
    station_stop(&t.s);
}

/* A card that sums finds the sum of the pseudo header, and no more. */
static void run_card_sums(void **state)
{
    struct station6 t;
    const struct tcp_header *syn;
    const struct ip_addr src = addr_of(OUR6), dst = addr_of(PEER6);

    start(&t, (struct net_if_config){.mtu_bytes = 1500, .tx_l4_checksum = true,
                                     .tx_ip_checksum = true});
    begin_to(&t, PEER6);
    syn = segment_of(&t);
    assert_int_equal(syn->checksum.raw,
                     csum_partial(csum_pseudo(&src, &dst, IP_TCP,
                                              station6_last(&t)->bytes - L4)).raw);
    station_stop(&t.s);
}

/* That nobody listens, by ICMPv6: the attempt is over; said of numbers not on their way, not. */
static void run_refused(void **state)
{
    struct station6 t;
    struct frame f, quote;

    start(&t, (struct net_if_config){.mtu_bytes = 1500});
    begin_to(&t, PEER6);
    segment_of(&t);
    quote = *station6_last(&t);
    for (uint32_t i = 0; i < 2; i++) {
        quote.data[L4 + 4] ^= 0x55; /* the number: wrong, then right again */
        frame_icmp6(&f, addr_of(PEER6), addr_of(OUR6),
                    (struct icmp_header){.type = ICMP6_UNREACHABLE, .code = ICMP6_NO_PORT},
                    quote.data + L3, quote.bytes - L3);
        station_give(&t.s, &f, 0);
        assert_int_equal(closed, i);
    }
    assert_int_equal(why, TCP_REFUSED);
    station_stop(&t.s);
}

static void expect_source(struct station6 *t, const char *dst, const char *src)
{
    const struct ip_addr to = addr_of(dst);
    struct ip_addr from;
    char text[IP_ADDR_TEXT_BYTES];

    assert_true(ip_source(&t->s.net->ifs[0], &to, &to, &from));
    assert_string_equal(ip_addr_format(&from, text), src);
}

/* Scope first, then what is not deprecated, then the longest prefix. */
static void run_source(void **state)
{
    const struct ip_addr private = addr_of("fd00::1"), other = addr_of("2001:db9::1");
    struct station6 t;

    start(&t, (struct net_if_config){.mtu_bytes = 1500});
    assert_int_equal(net_addr_add(t.s.net, 0, &private, 64), RT_OK);
    assert_int_equal(net_addr_add(t.s.net, 0, &other, 64), RT_OK);
    station_advance_us(&t.s, 3000000);
    expect_source(&t, "fe80::9", OUR6_LINK);
    expect_source(&t, "ff02::1", OUR6_LINK);
    expect_source(&t, "ff0e::1", OUR6);
    expect_source(&t, "2001:db8::9", OUR6);
    expect_source(&t, "2001:db9:1::9", "2001:db9::1");
    expect_source(&t, "fd00:1::9", "fd00::1");
    expect_source(&t, OUR6_LINK, OUR6_LINK);
    ((struct if_addr *)(uintptr_t)if_addr_find(&t.s.net->ifs[0], &other))->state =
        IF_ADDR_DEPRECATED;
    expect_source(&t, "2001:db9:1::9", OUR6);
    expect_source(&t, "2001:db9::1", "2001:db9::1"); /* the same */
    station_stop(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_connect), cmocka_unit_test(run_accept),
        cmocka_unit_test(run_card_sums), cmocka_unit_test(run_refused),
        cmocka_unit_test(run_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

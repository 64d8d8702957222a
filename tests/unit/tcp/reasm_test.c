/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments become datagrams again, in both families (RFC 791 3.2, RFC 5722, RFC 8200 4.5). */
#include "station6.h"

#include "ip/reasm.h"
#include "state.h"
#include "tcp/conn.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

#include <mempool/pool.h>
#include <string.h>

enum { L3 = 14, BYTES_MAX = 65536 };

/* A datagram that comes in pieces, and how. */
struct whole {
    bool v6;
    uint8_t protocol, tos;
    uint32_t id, bytes;
    uint32_t flags; /* that a card sets */
    uint8_t data[BYTES_MAX];
};

static struct whole w, back;

static void start(struct station6 *t, uint32_t buffers)
{
    const struct ip_addr own = addr_of(OUR6);

    t->joins = 0;
    station_start(&t->s, buffers);
    assert_int_equal(net_ip6_start(t->s.net, 0, false), RT_OK);
    assert_int_equal(net_addr_add(t->s.net, 0, &own, 64), RT_OK);
    station_advance_us(&t->s, 10000000);
    t->s.seen = t->s.sent;
    station6_meet(t, PEER6);
    station_meet(&t->s, peer());
}

static uint32_t header_bytes(void)
{
    return w.v6 ? 40 + 8 : 20;
}

static void give_piece(struct station6 *t, uint32_t offset, uint32_t bytes, bool more)
{
    const struct ip6_fragment fragment = {
        .next = w.protocol,
        .offset_more = be16_put((uint16_t)(offset | more)),
        .id = be32_put(w.id),
    };
    struct frame f;

    if (w.v6) {
        frame_ip6(&f, addr_of(PEER6), addr_of(OUR6), IP6_FRAGMENT, bytes + 8)
            ->version_class_flow = be32_put(IP6_VERSION | (uint32_t)w.tos << IP6_CLASS_SHIFT);
        frame_add(&f, &fragment, sizeof(fragment));
    } else {
        struct ipv4_header *ip = frame_ip(&f, peer(), ours(), w.protocol, bytes);

        ip->id = be16_put((uint16_t)w.id);
        ip->tos = w.tos;
        ip->fragment = be16_put((uint16_t)(offset / 8 | (more ? IPV4_MORE_FRAGMENTS : 0)));
        frame_ip_sum(ip);
    }
    frame_add(&f, w.data + RT_MIN(offset, BYTES_MAX - bytes), bytes);
    station_give_flags(&t->s, &f, 0, w.flags);
}

/* The piece of `each` bytes by number; it may be the last. */
static void give_number(struct station6 *t, uint32_t number, uint32_t each)
{
    const uint32_t offset = number * each;
    const uint32_t bytes = RT_MIN(each, w.bytes - offset);

    give_piece(t, offset, bytes, offset + bytes < w.bytes);
}

/* A ping of so many bytes of data. */
static void make_ping(bool v6, uint32_t bytes)
{
    struct icmp_header icmp = {.type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST};
    const struct ip_addr src = addr_of(PEER6), dst = addr_of(OUR6);

    w = (struct whole){.v6 = v6, .protocol = v6 ? IP_ICMPV6 : IP_ICMP, .id = w.id + 1,
                       .bytes = bytes + 8};
    for (uint32_t i = 0; i < bytes; i++)
        w.data[8 + i] = (uint8_t)(i * 7 ^ i >> 8);
    memcpy(w.data, &icmp, 8);
    icmp.checksum = csum_fold(csum_add(v6 ? csum_pseudo(&src, &dst, IP_ICMPV6, w.bytes) : 0,
                                       w.data, w.bytes));
    memcpy(w.data, &icmp, 8);
}

/* What left is a reply of all bytes, in one packet or in pieces; false: nothing left. */
static bool answered(struct station6 *t)
{
    const struct frame *f = station_next(&t->s);
    uint32_t at = 0;

    if (f == NULL)
        return false;
    for (; f != NULL; f = at < w.bytes ? station_next(&t->s) : NULL) {
        const bool pieces = !w.v6 || f->data[L3 + 6] == IP6_FRAGMENT;
        const uint32_t headers = L3 + (w.v6 && !pieces ? 40 : header_bytes());

        assert_true(f->bytes <= 1514);
        memcpy(back.data + at, f->data + headers, f->bytes - headers);
        at += f->bytes - headers;
    }
    assert_int_equal(at, w.bytes);
    assert_int_equal(back.data[0], w.v6 ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY);
    assert_memory_equal(back.data + 8, w.data + 8, w.bytes - 8);
    return true;
}

static uint32_t piece_bytes(void)
{
    return RT_ALIGN_DOWN(1500 - header_bytes(), 8u);
}

/* 2000 bytes, whole: in order, reversed, each piece twice. */
static void run_orders(void **state)
{
    struct station6 t;

    start(&t, 128);
    for (uint32_t i = 0; i < 6; i++) {
        make_ping(i >= 3, 2000);
        for (uint32_t k = 0; k < 2; k++) {
            give_number(&t, i % 3 == 1 ? 1 - k : k, piece_bytes());
            if (i % 3 == 2 && k == 0)
                give_number(&t, k, piece_bytes());
        }
        assert_true(answered(&t));
        station_silent(&t.s);
        assert_int_equal(t.s.net->reasm_bufs, 0);
    }
    assert_int_equal(net_counters(t.s.net)->ip_reasm_oks, 6);
    assert_int_equal(net_counters(t.s.net)->ip_reasm_duplicates, 2);
    station_stop(&t.s);
}

/* The longest ping there is comes back, its pieces in any order; in small pools as much as the cap
 * lets through. */
static void run_longest(void **state)
{
    struct station6 t;

    start(&t, 600);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t count;

        make_ping(i == 1, 65507);
        if (POOL_HOSTILE)
            make_ping(i == 1, 20000);
        count = w.bytes / piece_bytes() + 1;
        for (uint32_t k = 0; k < count; k++)
            give_number(&t, k * 11 % count, piece_bytes());
        assert_true(answered(&t));
        assert_int_equal(t.s.net->reasm_bufs, 0);
    }
    station_stop(&t.s);
}

/* A piece that overlaps another ends the datagram, and all that comes of it still; its buffers are
 * home at once, its number is free when its time is over. */
static void run_overlaps(void **state)
{
    static const struct {
        uint32_t offset, bytes;
        bool more;
    } wrong[] = {
        {792, 808, true},   /* by 8 bytes */
        {0, 8, true},       /* inside */
        {0, 808, true},     /* around */
        {8, 1600, true},    /* all between, and more */
        {1600, 800, true},  /* the same place, but not the last */
        {2400, 8, true},    /* behind the last */
        {2408, 8, false},   /* a second last */
        {2200, 100, false}, /* ... before it */
    };
    struct station6 t;

    start(&t, 128);
    for (uint32_t i = 0; i < 2 * RT_ARRAY_SIZE(wrong); i++) {
        const uint32_t n = i / 2;
        const uint64_t fails = net_counters(t.s.net)->ip_reasm_fails;

        make_ping(i % 2 == 1, 2400 - 8);
        give_piece(&t, 0, 800, true);
        give_piece(&t, 1600, 800, false);
        assert_int_equal(t.s.net->reasm_bufs, 2);
        give_piece(&t, wrong[n].offset, wrong[n].bytes, wrong[n].more);
        if (t.s.net->reasm_bufs != 0 || net_counters(t.s.net)->ip_reasm_fails != fails + 1)
            fail_msg("piece %u, version 6 %u", n, w.v6);
        for (uint32_t k = 0; k < 3; k++)
            give_number(&t, k, 800);
        station_silent(&t.s);
    }
    station_advance_us(&t.s, REASM_V6_US);
    station_silent(&t.s);
    station6_meet(&t, PEER6);
    for (uint32_t k = 0; k < 3; k++)
        give_number(&t, k, 800);
    assert_true(answered(&t));
    station_stop(&t.s);
}

/* Pieces that are wrong in themselves; IPv6 wants their senders to be told (RFC 8200 4.5). */
static void run_wrong_pieces(void **state)
{
    static const struct {
        uint32_t offset, bytes;
        bool more;
        int pointer; /* of a parameter problem of IPv6; -1: none */
    } wrong[] = {
        {0, 801, true, 4},
        {800, 7, true, 4},
        {65528, 16, false, 42},
        {64000, 1456, true, -1}, /* room for as much */
        {65528, 8, true, 42},
        {800, 0, true, -1},
    };
    struct station6 t;

    start(&t, 128);
    for (uint32_t i = 0; i < 2 * RT_ARRAY_SIZE(wrong); i++) {
        const uint32_t n = i / 2;

        make_ping(i % 2 == 1, 1000);
        give_piece(&t, wrong[n].offset, wrong[n].bytes, wrong[n].more);
        if (w.v6 && wrong[n].pointer >= 0)
            assert_int_equal(
                be16_get(station6_icmp(&t, ICMP6_PARAMETER_PROBLEM)->sequence),
                wrong[n].pointer);
        station_silent(&t.s);
    }
    station_stop(&t.s);
}

/* The first piece alone: kept so long, then its sender hears of it; another one alone: nothing. */
static void run_late(void **state)
{
    const struct ip_addr v4 = peer();
    struct station6 t;

    start(&t, 128);
    for (uint32_t i = 0; i < 4; i++) {
        const uint64_t wait_us = i % 2 == 0 ? REASM_V4_US : REASM_V6_US;

        make_ping(i % 2 == 1, 2000);
        give_piece(&t, i < 2 ? 0 : 800, 800, true);
        station_advance_us(&t.s, wait_us - 1000);
        station_silent(&t.s);
        assert_int_equal(t.s.net->reasm_bufs, 1);
        station6_meet(&t, PEER6);
        neigh_learn(&t.s.net->ifs[0], &v4, peer_mac, true);
        station_advance_us(&t.s, 2000);
        assert_int_equal(t.s.net->reasm_bufs, 0);
        if (i == 1) {
            assert_int_equal(station6_icmp(&t, ICMP6_TIME_EXCEEDED)->code, ICMP6_REASSEMBLY);
        } else if (i == 0) {
            const struct frame *f = station_next(&t.s);

            assert_non_null(f);
            assert_int_equal(f->data[L3 + 20], ICMP_TIME_EXCEEDED);
            assert_int_equal(f->data[L3 + 21], ICMP_REASSEMBLY);
            assert_memory_equal(f->data + L3 + 28 + 12, ((uint8_t[]){PEER_IP, OUR_IP}), 8);
        }
        station_silent(&t.s);
    }
    station_stop(&t.s);
}

/* Ten thousand numbers, then pieces of 8 bytes: what we hold keeps its bound, the oldest goes, and
 * who sends fewer is served. */
static void run_flood(void **state)
{
    struct station6 t;

    start(&t, 128);
    for (uint32_t i = 0; i < 10000; i++) {
        w = (struct whole){.v6 = i % 2 == 1, .protocol = 253, .id = 1000 + i};
        give_piece(&t, 8 * (i % 50), 800, true);
        assert_true(t.s.net->reasm_bufs <= t.s.net->reasm_bufs_max);
        t.s.seen = t.s.sent;
    }
    assert_true(net_counters(t.s.net)->ip_reasm_evicted >= 10000 - REASM_DATAGRAMS);
    for (uint32_t i = 0; i < 2; i++) {
        make_ping(i == 1, 2000);
        give_number(&t, 0, piece_bytes());
        give_number(&t, 1, piece_bytes());
        assert_true(answered(&t));
        make_ping(i == 1, 2000);
        for (uint32_t k = 0; k < w.bytes / 8; k++)
            give_number(&t, k, 8);
        station_silent(&t.s);
        assert_true(t.s.net->reasm_bufs <= t.s.net->reasm_bufs_max);
    }
    station_stop(&t.s);
}

/* All of a packet behind a fragment header is no fragment (RFC 6946), whatever its number; in a
 * piece there is no second header of that kind, and the first has all headers (RFC 7112). */
static void run_atomic(void **state)
{
    struct station6 t;

    start(&t, 128);
    make_ping(true, 2000);
    give_number(&t, 0, 800);
    make_ping(true, 100);
    w.id--; /* the same number */
    give_piece(&t, 0, w.bytes, false);
    assert_true(answered(&t));
    assert_int_equal(net_counters(t.s.net)->ip_reasm_oks, 0);
    make_ping(true, 100);
    w.protocol = IP6_FRAGMENT;
    give_piece(&t, 0, 8, true);
    give_piece(&t, 8, 100, false);
    w.id++;
    w.protocol = IP6_DESTINATION;
    memcpy(w.data, ((uint8_t[]){IP_ICMPV6, 1, 1, 12}), 4);
    give_piece(&t, 0, 8, true);
    give_piece(&t, 8, 100, false);
    station_silent(&t.s);
    assert_int_equal(net_counters(t.s.net)->ip_reasm_oks, 2);
    assert_int_equal(net_counters(t.s.net)->ip_in_options, 2);
    station_stop(&t.s);
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    tcp_give_back(conn->net, chain_owned);
}

/* A SYN in pieces is answered; what a card says of its sum counts for nothing. */
static void run_tcp(void **state)
{
    static const struct tcp_ops ops = {.received = on_received};
    static const struct tcp_config config = {.conns = 4};
    const struct tcp_listen listen = {.port = 80, .backlog = 4, .ops = &ops};
    struct tcp_listener *listener;
    struct station6 t;

    start(&t, 128);
    assert_int_equal(tcp_create(t.s.net, &config), RT_OK);
    assert_int_equal(tcp_listen(t.s.net, &listen, &listener), RT_OK);
    for (uint32_t i = 0; i < 4; i++) {
        const bool v6 = i % 2 == 1;
        const struct ip_addr src = v6 ? addr_of(PEER6) : peer(), dst = v6 ? addr_of(OUR6) : ours();
        struct tcp_header tcp = {.src = be16_put((uint16_t)(1000 + i)), .dst = be16_put(80),
                                 .offset_flags = be16_put(7 << TCP_OFFSET_SHIFT | TCP_SYN)};

        w = (struct whole){.v6 = v6, .protocol = IP_TCP, .id = w.id + 1, .bytes = 1028,
                           .flags = BUF_RX_L4_GOOD};
        memcpy(w.data, &tcp, sizeof(tcp));
        memcpy(w.data + 20, ((uint8_t[]){TCP_OPT_MSS, 4, 2, 0, 1, 1, 1, 1}), 8);
        tcp.checksum = csum_fold(csum_add(csum_pseudo(&src, &dst, IP_TCP, w.bytes), w.data,
                                          w.bytes));
        tcp.checksum.raw ^= i >= 2; /* wrong */
        memcpy(w.data, &tcp, sizeof(tcp));
        give_number(&t, 1, 800);
        give_number(&t, 0, 800);
        assert_int_equal(station_next(&t.s) != NULL, i < 2);
    }
    assert_int_equal(net_counters(t.s.net)->tcp_in_errs, 2);
    station_stop(&t.s);
}

/* A piece that met congestion says so for the whole (RFC 3168 5.3): the echo carries it back. */
static void run_congested(void **state)
{
    struct station6 t;

    start(&t, 128);
    make_ping(false, 1000);
    w.tos = IP_ECN_ECT0;
    give_number(&t, 0, 800);
    w.tos = IP_ECN_CE;
    give_number(&t, 1, 800);
    assert_int_equal(station_next(&t.s)->data[L3 + 1] & IP_ECN_BITS, IP_ECN_CE);
    station_stop(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_orders),       cmocka_unit_test(run_longest),
        cmocka_unit_test(run_overlaps),     cmocka_unit_test(run_wrong_pieces),
        cmocka_unit_test(run_late),         cmocka_unit_test(run_flood),
        cmocka_unit_test(run_atomic),       cmocka_unit_test(run_tcp),
        cmocka_unit_test(run_congested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

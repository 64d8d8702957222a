/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams over IPv6 (RFC 8200 8.1): as over IPv4, but never without a checksum. */
#include "station6.h"

#include "wire/checksum.h"
#include "wire/udp.h"

#include <mempool/pool.h>
#include <string.h>
#include <tcp/udp.h>

enum { OUR_PORT = 5000, PEER_PORT = 6000, UDP_AT = 14 + 40 };

static uint32_t received, failed;
static enum udp_error last_error;
static struct ip_addr last_peer;
static struct net *of;
static struct udp_sock *sock;

static void on_received(struct udp_sock *from, struct buf *chain_owned, const struct udp_way *way)
{
    struct buf *chain = chain_owned;

    received++;
    last_peer = way->peer;
    if (udp_try_send(from, way, &chain) != RT_OK)
        udp_give_back(of, chain);
}

static void on_failed(struct udp_sock *from, const struct udp_way *way, enum udp_error error)
{
    failed++;
    last_peer = way->peer;
    last_error = error;
}

static void start(struct station6 *t)
{
    static const struct udp_ops ops = {.received = on_received, .failed = on_failed};
    const struct udp_open how = {.port = OUR_PORT, .ops = &ops};
    const struct udp_config config = {.socks = 0};

    received = failed = 0;
    station6_start(t);
    of = t->s.net;
    assert_int_equal(udp_create(of, &config), RT_OK);
    assert_int_equal(udp_open(of, &how, &sock), RT_OK);
    station6_meet(t, PEER6);
}

/* A datagram of the peer, right in all its parts. */
static struct udp_header *frame_udp6(struct frame *f, uint16_t dst_port, uint32_t bytes)
{
    struct udp_header udp = {
        .src_port = be16_put(PEER_PORT),
        .dst_port = be16_put(dst_port),
        .bytes = be16_put((uint16_t)(sizeof(udp) + bytes)),
    };
    uint8_t data[2000];
    struct udp_header *at;
    uint16_t sum;

    assert_true(bytes <= sizeof(data));
    memset(data, 0x5a, bytes);
    frame_ip6(f, addr_of(PEER6), addr_of(OUR6), IP_UDP, (uint32_t)sizeof(udp) + bytes);
    frame_add(f, &udp, sizeof(udp));
    frame_add(f, data, bytes);
    at = (struct udp_header *)(void *)(f->data + UDP_AT);
    sum = frame_sum6(f, UDP_AT, IP_UDP);
    at->checksum.raw = sum == 0 ? UINT16_MAX : sum;
    return at;
}

static void run_echo(void **state)
{
    struct station6 t;
    struct frame f;

    start(&t);
    for (uint32_t bytes = 0; bytes <= 1452; bytes += bytes < 8 ? 1 : 361) {
        const struct frame *answer;

        frame_udp6(&f, OUR_PORT, bytes);
        station_give(&t.s, &f, bytes % 2 == 0 ? 0 : 67);
        answer = station_next(&t.s);
        assert_non_null(answer);
        assert_int_equal(answer->bytes, UDP_AT + 8 + bytes);
        assert_int_equal(frame_sum6(answer, UDP_AT, IP_UDP), 0);
        assert_memory_equal(answer->data + UDP_AT + 8, f.data + UDP_AT + 8, bytes);
        assert_memory_equal(answer->data + 14 + 8, f.data + 14 + 24, 16); /* from who was asked */
    }
    station_silent(&t.s);
    station_stop(&t.s);
}

/* Without a checksum, and with a wrong one: dropped and counted. */
static void run_checksum(void **state)
{
    struct station6 t;
    struct frame f;

    start(&t);
    frame_udp6(&f, OUR_PORT, 20)->checksum = be16_put(0);
    station_give(&t.s, &f, 0);
    frame_udp6(&f, OUR_PORT, 20)->checksum.raw ^= 0x0101;
    station_give(&t.s, &f, 0);
    assert_int_equal(received, 0);
    assert_int_equal(net_counters(of)->udp_in_errors, 2);
    station_silent(&t.s);
    station_stop(&t.s);
}

/* Nobody has the port: ICMPv6 1/4 (RFC 4443 3.1). One that quotes a datagram of ours is told. */
static void run_closed_port(void **state)
{
    struct station6 t;
    struct frame f, error;
    const struct icmp_header *icmp;

    start(&t);
    frame_udp6(&f, 9, 20);
    station_give(&t.s, &f, 0);
    icmp = station6_icmp(&t, ICMP6_UNREACHABLE);
    assert_int_equal(icmp->code, 4);
    frame_udp6(&f, OUR_PORT, 20);
    station_give(&t.s, &f, 0);
    frame_icmp6(&error, addr_of(PEER6), addr_of(OUR6),
                (struct icmp_header){.type = ICMP6_UNREACHABLE, .code = 4},
                station_next(&t.s)->data + 14, 40 + 8 + 20);
    station_give(&t.s, &error, 0);
    assert_int_equal(failed, 1);
    assert_int_equal(last_error, UDP_NO_PORT);
    assert_true(ip_addr_equal(&last_peer, &(const struct ip_addr[]){addr_of(PEER6)}[0]));
    station_stop(&t.s);
}

/* ---- paths that carry less than the link (RFC 8201) ---- */

static const struct udp_way to_peer = {.port = PEER_PORT};

/* Sends that many bytes; how many frames they left in. */
static uint32_t frames_of(struct station6 *t, uint32_t bytes)
{
    struct udp_way way = to_peer;
    struct buf *b = pool_take(t->s.pool);
    uint32_t frames = 0;

    assert_non_null(b);
    way.peer = addr_of(PEER6);
    memset(buf_data(b), 0x77, bytes);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    station_advance_us(&t->s, 1);
    while (station_next(&t->s) != NULL)
        frames++;
    return frames;
}

/* A router says that the frame which left last is too big for this link. */
static void too_big(struct station6 *t, const struct frame *sent, uint32_t mtu)
{
    struct frame f;

    frame_icmp6(&f, addr_of(PEER6), addr_of(OUR6),
                (struct icmp_header){.type = ICMP6_TOO_BIG, .id = be16_put((uint16_t)(mtu >> 16)),
                                     .sequence = be16_put((uint16_t)mtu)},
                sent->data + 14, 40 + 8);
    station_give(&t->s, &f, 0);
}

static void run_path(void **state)
{
    struct udp_way way = to_peer;
    struct station6 t;
    struct frame sent;

    start(&t);
    way.peer = addr_of(PEER6);
    assert_int_equal(udp_whole_bytes(sock, &way), 1452);
    assert_int_equal(frames_of(&t, 1452), 1);
    sent = *station6_last(&t);
    too_big(&t, &sent, 1500); /* no less than it was */
    too_big(&t, &sent, 1279); /* no link carries so little */
    assert_int_equal(udp_whole_bytes(sock, &way), 1452);
    too_big(&t, &sent, 1400);
    assert_true(failed != 0);
    assert_int_equal(last_error, UDP_TOO_LONG);
    assert_int_equal(udp_whole_bytes(sock, &way), 1352);
    assert_int_equal(frames_of(&t, 1352), 1);
    assert_int_equal(frames_of(&t, 1353), 2);
    assert_int_equal(frames_of(&t, 1452), 2);
    too_big(&t, &sent, 1450); /* it does not grow by what somebody says */
    assert_int_equal(udp_whole_bytes(sock, &way), 1352);
    assert_int_equal(net_counters(of)->udp_mtu_lowered, 1);
    station_advance_us(&t.s, UINT64_C(601000000));
    t.s.seen = t.s.sent;
    assert_int_equal(udp_whole_bytes(sock, &way), 1452);
    station6_meet(&t, PEER6);
    assert_int_equal(frames_of(&t, 1452), 1);
    station_stop(&t.s);
}

/* Of a port that nobody has, of a datagram that was no longer: nothing is learnt; of many peers the
 * newest are remembered. */
static void run_path_bounds(void **state)
{
    struct udp_way way = to_peer;
    struct station6 t;
    struct frame sent;

    start(&t);
    way.peer = addr_of(PEER6);
    assert_int_equal(frames_of(&t, 1452), 1);
    sent = *station6_last(&t);
    sent.data[UDP_AT + 1]++; /* our port */
    too_big(&t, &sent, 1400);
    sent.data[UDP_AT + 1]--;
    sent.data[UDP_AT + 4] = 0; /* its length */
    too_big(&t, &sent, 1400);
    assert_int_equal(udp_whole_bytes(sock, &way), 1452);
    sent.data[UDP_AT + 4] = 1460 >> 8;
    too_big(&t, &sent, 1400);
    for (uint8_t i = 0; i < 40; i++) {
        sent.data[14 + 39] = (uint8_t)(100 + i); /* other peers */
        station_advance_us(&t.s, 1000);
        too_big(&t, &sent, 1300);
        way.peer.bytes[15] = (uint8_t)(100 + i);
        assert_int_equal(udp_whole_bytes(sock, &way), 1252);
    }
    way.peer = addr_of(PEER6);
    assert_int_equal(udp_whole_bytes(sock, &way), 1452); /* forgotten */
    station_stop(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_echo),
        cmocka_unit_test(run_checksum),
        cmocka_unit_test(run_closed_port),
        cmocka_unit_test(run_path),
        cmocka_unit_test(run_path_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams go out, and what is told of those that do not arrive (RFC 1122 4.1.3.3). */
#include "datagrams.h"

#include "wire/checksum.h"
#include "wire/ip.h"

#include <string.h>

/* A sum of 0 is sent as ffff: 0 would say that there is none. */
static void run_checksum_zero(void **state)
{
    struct station s;
    struct seen seen;
    const struct udp_way way = to_peer();
    uint32_t ones = 0;
    struct udp_sock *sock;

    datagrams_start(&s, 64);
    station_meet(&s, peer());
    sock = datagrams_open(&s, &seen, OUR_PORT);
    for (uint32_t i = 0; i <= UINT16_MAX; i++) { /* one of these sums is 0 */
        struct buf *b = filled(&s, 2);
        const struct frame *f;

        buf_data(b)[0] = (uint8_t)(i >> 8);
        buf_data(b)[1] = (uint8_t)i;
        assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
        net_turn(s.net, s.now_us);
        f = station_next(&s);
        assert_int_not_equal(udp_of(f)->checksum.raw, 0);
        ones += udp_of(f)->checksum.raw == UINT16_MAX;
    }
    assert_int_equal(ones, 1);
    station_stop(&s);
}

/* All or nothing: each refusal leaves the chain as it was. */
static void run_refused(void **state)
{
    struct station s;
    struct seen seen;
    struct udp_way way = to_peer();
    struct udp_sock *sock;
    struct buf *b, *same;

    datagrams_start(&s, 128);
    station_meet(&s, peer());
    sock = datagrams_open(&s, &seen, OUR_PORT);
    b = same = filled(&s, 100);
    s.accepts = 0;
    for (uint32_t i = 0; i < BUF_BATCH_MAX; i++) {
        struct buf *other = filled(&s, 1);

        assert_int_equal(udp_try_send(sock, &way, &other), RT_OK);
    }
    assert_int_equal(udp_try_send(sock, &way, &b), RT_FULL);
    s.accepts = UINT32_MAX;
    way.peer = ip_addr_v4_of(0, 0, 0, 0);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_INVALID);
    way = to_peer();
    way.port = 0;
    assert_int_equal(udp_try_send(sock, &way, &b), RT_INVALID);
    way = to_peer();
    b->next = filled(&s, 0); /* a segment without bytes */
    assert_int_equal(udp_try_send(sock, &way, &b), RT_INVALID);
    buf_free(b->next);
    b->next = NULL;
    assert_ptr_equal(b, same);
    assert_int_equal(b->data_len, 100);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    assert_null(b);
    net_turn(s.net, s.now_us);
    station_stop(&s);
}

/* The headers are in the buffer of the data where there is room, in one of their own elsewhere;
 * several buffers are one datagram; a long one is cut by IP. */
static void run_shapes(void **state)
{
    struct station s;
    struct seen seen;
    const struct udp_way way = to_peer();
    struct udp_sock *sock;
    const struct frame *f;
    struct buf *b;

    datagrams_start(&s, 128);
    station_meet(&s, peer());
    sock = datagrams_open(&s, &seen, OUR_PORT);
    for (uint32_t i = 0; i < 4; i++) {
        b = filled(&s, 100);
        if (i % 2 != 0)
            b->data_off = 0; /* no room in front */
        if (i >= 2)
            b->next = filled(&s, 57);
        assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
        net_turn(s.net, s.now_us);
        f = station_next(&s);
        assert_int_equal(be16_get(udp_of(f)->bytes), i >= 2 ? 165 : 108);
    }
    b = filled(&s, 0);
    b->data_off = 0;
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    net_turn(s.net, s.now_us);
    assert_int_equal(be16_get(udp_of(station_next(&s))->bytes), 8);
    b = filled(&s, 2000);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    net_turn(s.net, s.now_us);
    assert_int_equal(station_next(&s)->bytes, 14 + 20 + 1480);
    assert_int_equal(station_next(&s)->bytes, 14 + 20 + 528);
    station_silent(&s);
    assert_int_equal(net_counters(s.net)->ip_out_frag_creates, 2);
    station_stop(&s);
}

/* An error that quotes a datagram of ours is told; one that quotes none is not. */
static void run_errors(void **state)
{
    struct station s;
    struct seen seen;
    const struct udp_way way = to_peer();
    struct icmp_header icmp = {.type = ICMP_UNREACHABLE, .code = ICMP_PORT};
    struct udp_sock *sock;
    uint8_t quote[28];
    struct buf *b;
    struct frame f;

    datagrams_start(&s, 64);
    station_meet(&s, peer());
    sock = datagrams_open(&s, &seen, OUR_PORT);
    b = filled(&s, 10);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    net_turn(s.net, s.now_us);
    memcpy(quote, station_next(&s)->data + 14, sizeof(quote));
    for (uint32_t i = 0; i < 3; i++) {
        icmp.checksum = be16_put(0);
        icmp.code = i == 0 ? ICMP_PORT : ICMP_HOST;
        quote[21] ^= i == 2; /* another port */
        icmp.checksum = csum_fold(csum_add(csum_add(0, &icmp, 8), quote, sizeof(quote)));
        frame_ip(&f, peer(), ours(), IP_ICMP, 8 + sizeof(quote));
        frame_add(&f, &icmp, 8);
        frame_add(&f, quote, sizeof(quote));
        station_give(&s, &f, 0);
        assert_int_equal(seen.failed, i == 0 ? 1 : 2);
        assert_int_equal(seen.error, i == 0 ? UDP_NO_PORT : UDP_NO_WAY);
        assert_int_equal(seen.way.port, PEER_PORT);
    }
    station_stop(&s);
}

/* No neighbour answers: told; what was sent is home. To ourselves: never on the wire. To all: by
 * the link's broadcast, nobody is asked for it. */
static void run_ways(void **state)
{
    struct station s;
    struct seen seen;
    struct udp_way way = {.peer = ip_addr_v4_of(192, 0, 2, 99), .port = PEER_PORT};
    struct udp_sock *sock;
    struct buf *b;

    datagrams_start(&s, 64);
    sock = datagrams_open(&s, &seen, OUR_PORT);
    b = filled(&s, 10);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    station_advance_us(&s, 4000000);
    assert_int_equal(seen.failed, 1); /* of the one that waited */
    b = filled(&s, 10);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    net_turn(s.net, s.now_us);
    assert_int_equal(seen.failed, 2);
    assert_int_equal(seen.error, UDP_NO_WAY);
    while (station_next(&s) != NULL)
        continue;
    way = (struct udp_way){.peer = ours(), .port = OUR_PORT};
    b = filled(&s, 10);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    assert_int_equal(net_next_us(s.net), 0);
    net_turn(s.net, s.now_us);
    station_silent(&s);
    assert_int_equal(seen.received, 1);
    assert_true(ip_addr_equal(&seen.way.peer, &way.peer));
    for (uint32_t i = 0; i < 3; i++) {
        static const uint8_t group[6] = {1, 0, 0x5e, 0x7f, 2, 3};
        const struct ip_addr many[] = {ip_addr_v4_of(255, 255, 255, 255),
                                       ip_addr_v4_of(192, 0, 2, 255),
                                       ip_addr_v4_of(239, 255, 2, 3)};
        const struct frame *f;

        way.peer = many[i];
        b = filled(&s, 10);
        assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
        net_turn(s.net, s.now_us);
        f = station_next(&s);
        udp_of(f);
        assert_memory_equal(f->data, i == 2 ? group : (const uint8_t[]){[0 ... 5] = 0xff}, 6);
        assert_memory_equal(f->data + 26, ((uint8_t[]){OUR_IP}), 4);
    }
    station_silent(&s);
    station_stop(&s);
}

/* Ports that nobody chose are different ones, free, and of the dynamic range. */
static void run_ports(void **state)
{
    struct station s;
    struct seen seen;
    struct udp_sock *socks[4], *sock;
    const struct udp_open how = {.ops = &seen_ops, .ctx = &seen};

    datagrams_start(&s, 64);
    for (uint32_t i = 0; i < 4; i++) {
        socks[i] = datagrams_open(&s, &seen, 0);
        assert_true(udp_port(socks[i]) >= 49152);
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(udp_port(socks[i]), udp_port(socks[j]));
    }
    assert_int_equal(udp_open(s.net, &how, &sock), RT_FULL);
    udp_close(socks[2]);
    assert_int_equal(udp_open(s.net, &how, &sock), RT_OK);
    station_stop(&s);
}

/* The card sums: it gets the sum of the pseudo header, and is asked for. */
static void run_by_card(void **state)
{
    struct station s;
    struct seen seen;
    const struct udp_way way = to_peer();
    const struct udp_config config = {.socks = 0};
    const struct ip_addr from = ours(), to = peer();
    const struct frame *f;
    struct udp_sock *sock;
    struct buf *b;
    be16_t sum;

    station_start_with(&s, 64, (struct net_if_config){.mtu_bytes = 1500, .tx_ip_checksum = true,
                                                      .tx_l4_checksum = true});
    assert_int_equal(udp_create(s.net, &config), RT_OK);
    station_meet(&s, peer());
    sock = datagrams_open(&s, &seen, OUR_PORT);
    b = filled(&s, 10);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    net_turn(s.net, s.now_us);
    f = station_next(&s);
    sum = csum_partial(csum_pseudo(&from, &to, IP_UDP, 18));
    assert_memory_equal(f->data + 40, &sum, 2);
    station_stop(&s);
}

/* A device that takes frames of three buffers, headers among them: refused, not dropped later; what
 * leaves in pieces is copied, and may lie in more. */
static void run_few_bufs(void **state)
{
    struct station s;
    struct seen seen;
    const struct udp_way way = to_peer();
    const struct udp_config config = {.socks = 0};
    struct udp_sock *sock;

    station_start_with(&s, 64, (struct net_if_config){.mtu_bytes = 1500, .tx_bufs = 3});
    assert_int_equal(udp_create(s.net, &config), RT_OK);
    station_meet(&s, peer());
    sock = datagrams_open(&s, &seen, OUR_PORT);
    for (uint32_t bufs = 1; bufs <= 5; bufs++) {
        const uint32_t each = bufs < 5 ? 100 : 400;
        struct buf *b = NULL;

        for (uint32_t i = 0; i < bufs; i++) {
            struct buf *more = filled(&s, each);

            more->next = b;
            b = more;
        }
        assert_int_equal(udp_try_send(sock, &way, &b), bufs == 4 ? RT_INVALID : RT_OK);
        if (bufs == 4)
            buf_free(b);
        net_turn(s.net, s.now_us);
    }
    s.seen = s.sent;
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_checksum_zero),
        cmocka_unit_test(run_refused),
        cmocka_unit_test(run_shapes),
        cmocka_unit_test(run_errors),
        cmocka_unit_test(run_ways),
        cmocka_unit_test(run_ports),
        cmocka_unit_test(run_by_card),
        cmocka_unit_test(run_few_bufs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

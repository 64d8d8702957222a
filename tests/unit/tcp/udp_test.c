/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams come in (RFC 768, RFC 1122 4.1.3), frame by frame. */
#include "datagrams.h"

#include "wire/checksum.h"
#include "wire/ip.h"

#include <string.h>

/* Every length, cut in any way, padded as short frames are: exact bytes, and where they came
 * from; what was received goes back in its own buffers. */
static void run_echo(void **state)
{
    struct station s;
    struct seen seen;
    struct frame f;

    datagrams_start(&s, 64);
    station_meet(&s, peer());
    datagrams_open(&s, &seen, OUR_PORT);
    seen.echo = true;
    for (uint32_t bytes = 0; bytes <= 1472; bytes += bytes < 64 ? 1 : 88) {
        const struct frame *answer;

        frame_udp(&f, ours(), OUR_PORT, bytes);
        frame_pad(&f);
        station_give(&s, &f, bytes % 2 == 0 ? 0 : 43 + bytes % 5);
        answer = station_next(&s);
        assert_int_equal(be16_get(udp_of(answer)->src_port), OUR_PORT);
        assert_int_equal(be16_get(udp_of(answer)->dst_port), PEER_PORT);
        assert_int_equal(answer->bytes, 42 + bytes);
        assert_memory_equal(answer->data + 42, f.data + 42, bytes);
        assert_int_equal(seen.bytes, bytes);
        assert_memory_equal(seen.data, f.data + 42, bytes);
    }
    assert_int_equal(seen.way.port, PEER_PORT);
    assert_memory_equal(&seen.way.peer.bytes[12], ((uint8_t[]){PEER_IP}), 4);
    assert_memory_equal(&seen.way.own.bytes[12], ((uint8_t[]){OUR_IP}), 4);
    station_silent(&s);
    station_stop(&s);
}

/* Lengths that lie; a datagram shorter than its packet is cut to its length. */
static void run_lengths(void **state)
{
    struct station s;
    struct seen seen;
    struct frame f;

    datagrams_start(&s, 64);
    datagrams_open(&s, &seen, OUR_PORT);
    for (uint32_t said = 0; said < 30; said++) {
        struct udp_header *udp = frame_udp(&f, ours(), OUR_PORT, 12);

        udp->bytes = be16_put((uint16_t)said);
        udp->checksum = be16_put(0);
        station_give(&s, &f, 0);
        if (said >= 8 && said <= 20)
            assert_int_equal(seen.bytes, said - 8);
    }
    assert_int_equal(seen.received, 13);
    assert_int_equal(net_counters(s.net)->udp_in_errors, 30 - 13);
    for (uint32_t bytes = 0; bytes < 8; bytes++) { /* a header cut short */
        frame_udp(&f, ours(), OUR_PORT, 0);
        f.bytes = 34 + bytes;
        ((struct ipv4_header *)(void *)(f.data + 14))->total_bytes =
            be16_put((uint16_t)(20 + bytes));
        frame_ip_sum((struct ipv4_header *)(void *)(f.data + 14));
        station_give(&s, &f, 0);
    }
    assert_int_equal(seen.received, 13);
    assert_int_equal(net_counters(s.net)->udp_in_errors, 30 - 13 + 8);
    station_silent(&s);
    station_stop(&s);
}

/* 0 says that there is none; else it must be right, whatever the card thinks of it: only its word
 * that it is right is taken. */
static void run_checksum(void **state)
{
    struct station s;
    struct seen seen;
    struct frame f;

    datagrams_start(&s, 64);
    datagrams_open(&s, &seen, OUR_PORT);
    frame_udp(&f, ours(), OUR_PORT, 33)->checksum = be16_put(0);
    station_give(&s, &f, 0);
    assert_int_equal(seen.received, 1);
    frame_udp(&f, ours(), OUR_PORT, 33);
    f.data[50] ^= 1;
    station_give(&s, &f, 0);
    assert_int_equal(seen.received, 1);
    assert_int_equal(net_counters(s.net)->udp_in_errors, 1);
    frame_udp(&f, ours(), OUR_PORT, 33);
    station_give_flags(&s, &f, 0, BUF_RX_L4_BAD); /* 82574: false alarms */
    assert_int_equal(seen.received, 2);
    station_give_flags(&s, &f, 0, BUF_RX_L4_GOOD | BUF_RX_L4_BAD);
    assert_int_equal(seen.received, 3);
    f.data[50] ^= 1;
    station_give_flags(&s, &f, 0, BUF_RX_L4_BAD);
    assert_int_equal(seen.received, 3);
    station_give_flags(&s, &f, 0, BUF_RX_L4_GOOD); /* not looked at again */
    assert_int_equal(seen.received, 4);
    assert_int_equal(net_counters(s.net)->udp_in_errors, 2);
    station_stop(&s);
}

/* Nobody has the port: said so to who asked us alone, with what he sent; and not too often. */
static void run_closed_port(void **state)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct station s;
    struct frame f;
    const struct frame *answer;

    datagrams_start(&s, 256);
    station_meet(&s, peer());
    frame_udp(&f, ours(), 7, 20);
    station_give(&s, &f, 0);
    answer = station_next(&s);
    assert_non_null(answer);
    assert_int_equal(answer->data[34], ICMP_UNREACHABLE);
    assert_int_equal(answer->data[35], ICMP_PORT);
    assert_memory_equal(answer->data + 42, f.data + 14, 20 + 8);
    frame_udp(&f, ip_addr_v4_of(192, 0, 2, 255), 7, 20); /* to all */
    station_give(&s, &f, 0);
    frame_udp(&f, ip_addr_v4_of(224, 0, 0, 1), 7, 20);
    station_give(&s, &f, 0);
    frame_udp(&f, ours(), 7, 20); /* to us, but by a broadcast of the link */
    memcpy(f.data, all, 6);
    station_give(&s, &f, 0);
    frame_udp(&f, ours(), 7, 20); /* from everybody */
    f.data[29] = 255;
    frame_ip_sum((struct ipv4_header *)(void *)(f.data + 14));
    station_give(&s, &f, 0);
    station_silent(&s);
    assert_int_equal(net_counters(s.net)->udp_no_ports, 3);
    assert_int_equal(net_counters(s.net)->ip_in_addr_errors, 2);
    for (uint32_t i = 0; i < 200; i++) {
        frame_udp(&f, ours(), 7, 20);
        station_give(&s, &f, 0);
    }
    assert_int_equal(net_counters(s.net)->icmp_out_msgs, 100);
    assert_int_equal(net_counters(s.net)->icmp_out_limited, 101);
    station_stop(&s);
}

/* By address, then by port alone; groups we are in, and no others. */
static void run_who(void **state)
{
    struct station s;
    struct seen seen, exact;
    struct frame f;
    const struct ip_addr own = ours(), second = ip_addr_v4_of(192, 0, 2, 77);
    const struct udp_open how = {.addr = &own, .port = OUR_PORT, .ops = &seen_ops, .ctx = &exact};
    struct udp_sock *sock;

    datagrams_start(&s, 64);
    assert_int_equal(net_addr_add(s.net, 0, &second, 24), RT_OK);
    datagrams_open(&s, &seen, OUR_PORT);
    exact = seen;
    assert_int_equal(udp_open(s.net, &how, &sock), RT_OK);
    assert_int_equal(udp_open(s.net, &how, &sock), RT_BUSY);
    frame_udp(&f, own, OUR_PORT, 5);
    station_give(&s, &f, 0);
    assert_int_equal(exact.received, 1);
    frame_udp(&f, second, OUR_PORT, 5);
    station_give(&s, &f, 0);
    frame_udp(&f, ip_addr_v4_of(192, 0, 2, 255), OUR_PORT, 5);
    memset(f.data, 0xff, 6);
    station_give(&s, &f, 0);
    frame_udp(&f, ip_addr_v4_of(255, 255, 255, 255), OUR_PORT, 5);
    memset(f.data, 0xff, 6);
    station_give(&s, &f, 0);
    frame_udp(&f, ip_addr_v4_of(224, 0, 0, 1), OUR_PORT, 5);
    station_give(&s, &f, 0);
    frame_udp(&f, ip_addr_v4_of(224, 0, 0, 2), OUR_PORT, 5); /* nobody here joined it */
    station_give(&s, &f, 0);
    assert_int_equal(exact.received, 1);
    assert_int_equal(seen.received, 4);
    assert_int_equal(net_counters(s.net)->ip_in_addr_errors, 1);
    station_stop(&s);
}

/* A socket that has too much to be told loses what comes then, by the true size of buffers. */
static void run_queue(void **state)
{
    struct station s;
    struct seen seen = {.received = 0};
    const struct udp_open how = {.port = OUR_PORT, .ops = &seen_ops, .ctx = &seen,
                                 .queue_bytes = 3 * BUF_STRIDE_BYTES};
    struct udp_sock *sock;
    struct frame f;

    datagrams_start(&s, 64);
    seen.net = s.net;
    assert_int_equal(udp_open(s.net, &how, &sock), RT_OK);
    frame_udp(&f, ours(), OUR_PORT, 1);
    datagrams_give(&s, &f, 5);
    assert_int_equal(seen.received, 0); /* nothing is told from there */
    net_turn(s.net, s.now_us);
    assert_int_equal(seen.received, 3);
    assert_int_equal(net_counters(s.net)->udp_queue_full, 2);
    seen.keep = true; /* what the application has is its own, also when the socket is gone */
    station_give(&s, &f, 0);
    udp_close(sock);
    assert_int_equal(buf_data(seen.kept)[0], 1);
    udp_give_back(s.net, seen.kept);
    station_give(&s, &f, 0);
    assert_int_equal(seen.received, 4);
    station_stop(&s);
}

/* A piece of the packet that `f` holds; its data begin `at` bytes behind the packet's header. */
static void give_piece(struct station *s, const struct frame *f, uint32_t at, uint32_t bytes)
{
    const bool more = 34 + at + bytes < f->bytes;
    struct frame piece;

    frame_ip(&piece, peer(), ours(), IP_UDP, bytes)->fragment =
        be16_put((uint16_t)(at / 8 | (more ? IPV4_MORE_FRAGMENTS : 0)));
    frame_ip_sum((struct ipv4_header *)(void *)(piece.data + 14));
    frame_add(&piece, f->data + 34 + at, bytes);
    station_give(s, &piece, 0);
}

/* The first fragment carries the header and no more, the smallest that there is: no empty buffer
 * comes with the data, so what came can be sent on. */
static void run_header_alone(void **state)
{
    struct station s;
    struct seen seen;
    struct frame f;
    const struct frame *answer;

    datagrams_start(&s, 64);
    station_meet(&s, peer());
    datagrams_open(&s, &seen, OUR_PORT);
    seen.echo = true;
    for (uint32_t bytes = 0; bytes <= 100; bytes += 50) {
        frame_udp(&f, ours(), OUR_PORT, bytes);
        if (bytes != 0)
            give_piece(&s, &f, 8, bytes);
        give_piece(&s, &f, 0, 8);
        answer = station_next(&s);
        assert_int_equal(be16_get(udp_of(answer)->bytes), 8 + bytes);
        assert_memory_equal(answer->data + 42, f.data + 42, bytes);
        assert_memory_equal(seen.data, f.data + 42, bytes);
    }
    station_silent(&s);
    station_stop(&s);
}

/* Closed by its own function, with more that waits: the rest is dropped, nothing is told. */
static void run_close_inside(void **state)
{
    struct station s;
    struct seen seen;
    struct frame f;

    datagrams_start(&s, 64);
    datagrams_open(&s, &seen, OUR_PORT);
    seen.close = true;
    frame_udp(&f, ours(), OUR_PORT, 1);
    datagrams_give(&s, &f, 3);
    net_turn(s.net, s.now_us);
    assert_int_equal(seen.received, 1);
    datagrams_open(&s, &seen, OUR_PORT); /* the port is free again */
    station_give(&s, &f, 0);
    assert_int_equal(seen.received, 1);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_echo),
        cmocka_unit_test(run_lengths),
        cmocka_unit_test(run_checksum),
        cmocka_unit_test(run_closed_port),
        cmocka_unit_test(run_who),
        cmocka_unit_test(run_queue),
        cmocka_unit_test(run_header_alone),
        cmocka_unit_test(run_close_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

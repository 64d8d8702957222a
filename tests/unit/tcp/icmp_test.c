/* SPDX-License-Identifier: BSD-2-Clause */
/* Echoes and errors (RFC 792, RFC 1122 3.2.2). */
#include "station.h"

#include "ip/icmp.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/pool.h>
#include <string.h>

static const struct icmp_header *icmp_of(const struct frame *f)
{
    const struct ipv4_header *ip = (const void *)(f->data + 14);

    assert_int_equal(ip->protocol, IP_ICMP);
    assert_int_equal(csum_fold(csum_add(0, ip, 20)).raw, 0);
    assert_int_equal(csum_fold(csum_add(0, f->data + 34, be16_get(ip->total_bytes) - 20u)).raw,
                     0);
    return (const void *)(f->data + 34);
}

/* All its bytes come back, whatever their number, and however the frame was cut. */
static void run_echo(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 64);
    station_meet(&s, peer());
    for (uint32_t bytes = 0; bytes <= 1472; bytes += bytes < 64 ? 1 : 88) {
        const struct frame *answer;

        frame_ping(&f, peer(), ours(), bytes);
        frame_pad(&f);
        station_give(&s, &f, bytes % 2 == 0 ? 0 : 43 + bytes % 5);
        answer = station_next(&s);
        assert_non_null(answer);
        assert_int_equal(answer->bytes, 14 + 20 + 8 + bytes);
        assert_memory_equal(answer->data, peer_mac, 6);
        assert_int_equal(icmp_of(answer)->type, ICMP_ECHO_REPLY);
        assert_int_equal(be16_get(icmp_of(answer)->id), 77);
        assert_memory_equal(answer->data + 42, f.data + 42, bytes);
    }
    station_silent(&s);
    station_stop(&s);
}

/* An echo to everybody, a wrong checksum, an unknown type: silence (RFC 1122 3.2.2.6). */
static void run_not_answered(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 64);
    station_meet(&s, peer());
    frame_ping(&f, peer(), ip_addr_v4_of(192, 0, 2, 255), 8);
    station_give(&s, &f, 0);
    frame_ping(&f, peer(), ip_addr_v4_of(224, 0, 0, 1), 8);
    station_give(&s, &f, 0);
    frame_ping(&f, peer(), ours(), 8);
    memset(f.data, 0xff, 6); /* our address, but everybody's MAC */
    station_give(&s, &f, 0);
    frame_ping(&f, peer(), ours(), 8);
    f.data[f.bytes - 1] ^= 1;
    station_give(&s, &f, 0);
    assert_int_equal(net_counters(s.net)->icmp_in_errors, 1);
    station_silent(&s);
    station_stop(&s);
}

static void give_unknown(struct station *s, struct ip_addr dst, uint32_t bytes)
{
    static const uint8_t data[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct frame f;

    frame_ip(&f, peer(), dst, 200, bytes);
    frame_add(&f, data, bytes);
    station_give(s, &f, 0);
}

/* An unknown protocol is told to its sender, who sees his own packet quoted; not to a group, and
 * not more than so many times a second. */
static void run_unreachable(void **state)
{
    struct station s;
    const struct frame *answer;
    uint32_t answers = 0;

    station_start(&s, 64);
    station_meet(&s, peer());
    give_unknown(&s, ours(), 20);
    answer = station_next(&s);
    assert_non_null(answer);
    assert_int_equal(icmp_of(answer)->type, ICMP_UNREACHABLE);
    assert_int_equal(icmp_of(answer)->code, ICMP_PROTOCOL);
    assert_int_equal(answer->bytes, 14 + 20 + 8 + 20 + 8);
    assert_memory_equal(answer->data + 42 + 20, ((uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}), 8);
    give_unknown(&s, ip_addr_v4_of(192, 0, 2, 255), 20);
    station_silent(&s);
    give_unknown(&s, ours(), 0);
    assert_non_null(station_next(&s));
    for (uint32_t i = 0; i < 300; i++) {
        give_unknown(&s, ours(), 20);
        answers += station_next(&s) != NULL;
    }
    assert_int_equal(answers, ICMP_ERRORS_PER_S - 2);
    assert_int_equal(net_counters(s.net)->icmp_out_limited, 302 - ICMP_ERRORS_PER_S);
    station_advance_us(&s, 100000);
    for (uint32_t i = 0; i < 50; i++) {
        give_unknown(&s, ours(), 20);
        answers += station_next(&s) != NULL;
    }
    assert_int_equal(answers, ICMP_ERRORS_PER_S - 2 + ICMP_ERRORS_PER_S / 10);
    station_stop(&s);
}

/* An error that quotes too little, or a packet that is not ours, tells nothing and is counted. */
static void run_errors_in(void **state)
{
    struct station s;

    station_start(&s, 64);
    station_meet(&s, peer());
    for (uint32_t quoted = 0; quoted <= 28; quoted++) {
        struct icmp_header icmp = {.type = ICMP_UNREACHABLE, .code = ICMP_PORT};
        struct frame f, quote;

        frame_ip(&quote, quoted == 28 ? peer() : ours(), peer(), IP_TCP, 8);
        memset(quote.data + 34, 0, 8);
        icmp.checksum = csum_fold(csum_add(csum_add(0, &icmp, 8), quote.data + 14, quoted));
        frame_ip(&f, peer(), ours(), IP_ICMP, 8 + quoted);
        frame_add(&f, &icmp, sizeof(icmp));
        frame_add(&f, quote.data + 14, quoted);
        station_give(&s, &f, 0);
    }
    assert_int_equal(net_counters(s.net)->icmp_in_errors, 29);
    station_silent(&s);
    station_stop(&s);
}

/* A datagram that never becomes whole is told to its sender, unless it is an error itself. */
static void run_piece_of_error(void **state)
{
    struct station s;
    struct frame f;

    for (uint32_t error = 0; error < 2; error++) {
        struct ipv4_header *ip;

        station_start(&s, 64);
        frame_ping(&f, peer(), ours(), 64);
        f.data[34] = error != 0 ? ICMP_UNREACHABLE : ICMP_ECHO_REQUEST;
        ip = (struct ipv4_header *)(void *)(f.data + 14);
        ip->fragment = be16_put(IPV4_MORE_FRAGMENTS);
        frame_ip_sum(ip);
        station_give(&s, &f, 0);
        station_advance_us(&s, 29000000);
        station_meet(&s, peer());
        station_advance_us(&s, 1100000);
        assert_int_equal(net_counters(s.net)->ip_reasm_fails, 1);
        if (error == 0)
            assert_int_equal(icmp_of(station_next(&s))->type, ICMP_TIME_EXCEEDED);
        station_silent(&s);
        station_stop(&s);
    }
}

/* To ourselves: it never leaves, and is answered all the same. */
static void run_to_ourselves(void **state)
{
    const struct ip_how how = {.dst = ours(), .protocol = IP_ICMP, .hops = 64,
                               .sum_offset = offsetof(struct icmp_header, checksum)};
    struct station s;
    struct buf *b;

    station_start(&s, 64);
    b = pool_take(s.pool);
    assert_non_null(b);
    *(struct icmp_header *)(void *)buf_data(b) = (struct icmp_header){.type = ICMP_ECHO_REQUEST};
    b->data_len = 8;
    b->pkt_len = 8;
    assert_int_equal(ip_send(s.net, &how, b), RT_OK);
    assert_int_equal(net_next_us(s.net), 0);
    station_advance_us(&s, 10);
    assert_int_equal(net_counters(s.net)->icmp_in_msgs, 2); /* the request and its reply */
    assert_int_equal(net_next_us(s.net), UINT64_MAX);
    station_silent(&s);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_echo),      cmocka_unit_test(run_not_answered),
        cmocka_unit_test(run_unreachable), cmocka_unit_test(run_errors_in),
        cmocka_unit_test(run_to_ourselves), cmocka_unit_test(run_piece_of_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6 packets in and out: headers, extension headers, groups, pieces, echoes and errors (RFC 8200,
 * RFC 4443). */
#include "station6.h"

#include "ip/icmp.h"
#include "state.h"
#include "wire/checksum.h"

#include <mempool/pool.h>
#include <string.h>

enum { L3 = 14, L4 = 14 + 40 };

/* A ping with one thing wrong, by number; false: there is no such. */
static bool make_wrong(uint32_t n, struct frame *f, const struct net_counters *c,
                       const uint64_t **counter)
{
    static const char *const from[] = {"ff02::1", "::1", "::ffff:192.0.2.2", OUR6, "::"};
    static const char *const to[] = {"2001:db8::3", "::1", "ff02::2", "ff02::1:ff00:7", "::",
                                     "::ffff:192.0.2.1"};
    struct ipv6_header *ip = (struct ipv6_header *)(void *)(f->data + L3);

    frame_ping6(f, PEER6, OUR6, 8);
    if (n == 0) {
        ip->version_class_flow = be32_put(4u << 28);
        *counter = &c->ip_in_hdr_errors;
    } else if (n == 1) {
        f->bytes = L4 - 1;
        *counter = &c->ip_in_hdr_errors;
    } else if (n == 2) {
        ip->payload_bytes = be16_put(17);
        *counter = &c->ip_in_truncated;
    } else if (n == 3) {
        ip->payload_bytes = be16_put(UINT16_MAX);
        *counter = &c->ip_in_truncated;
    } else if (n < 4 + RT_ARRAY_SIZE(from)) {
        frame_ping6(f, from[n - 4], OUR6, 8);
        *counter = &c->ip_in_addr_errors;
    } else if (n < 4 + RT_ARRAY_SIZE(from) + RT_ARRAY_SIZE(to)) {
        frame_ping6(f, PEER6, to[n - 4 - RT_ARRAY_SIZE(from)], 8);
        *counter = &c->ip_in_addr_errors;
    } else {
        return false;
    }
    return true;
}

static void run_wrong_headers(void **state)
{
    struct station6 t;
    const uint64_t *counter;
    struct frame f;

    station6_start(&t);
    station6_meet(&t, PEER6);
    for (uint32_t n = 0; make_wrong(n, &f, net_counters(t.s.net), &counter); n++) {
        const uint64_t before = *counter;

        station_give(&t.s, &f, 0);
        station_silent(&t.s);
        if (*counter != before + 1)
            fail_msg("header %u", n);
    }
    station_stop(&t.s);
}

/* All its bytes come back, however the frame was cut and padded; to a group, from an address of
 * ours. */
static void run_echo(void **state)
{
    struct station6 t;
    struct frame f;

    station6_start(&t);
    station6_meet(&t, PEER6);
    for (uint32_t bytes = 0; bytes <= 1452; bytes += bytes < 32 ? 1 : 71) {
        frame_ping6(&f, PEER6, bytes % 3 == 0 ? "ff02::1" : OUR6, bytes);
        frame_pad(&f);
        station_give(&t.s, &f, bytes % 2 == 0 ? 0 : L4 + 8 + bytes % 5);
        assert_int_equal(be16_get(station6_icmp(&t, ICMP6_ECHO_REPLY)->id), 77);
        assert_int_equal(station6_last(&t)->bytes, L4 + 8 + bytes);
        assert_memory_equal(station6_last(&t)->data, peer_mac, 6);
        assert_memory_equal(station6_last(&t)->data + L3 + 8, addr_of(OUR6).bytes, 16);
        assert_memory_equal(station6_last(&t)->data + L4 + 8, f.data + L4 + 8, bytes);
    }
    frame_ping6(&f, PEER6, OUR6, 8);
    f.data[f.bytes - 1] ^= 1;
    station_give(&t.s, &f, 0);
    assert_int_equal(net_counters(t.s.net)->icmp_in_errors, 1);
    station_silent(&t.s);
    station_stop(&t.s);
}

/* A ping behind extension headers, the first of which `next` names. */
static void frame_behind(struct frame *f, const char *dst, uint8_t next, const uint8_t *headers,
                         uint32_t bytes)
{
    struct frame ping;

    frame_ping6(&ping, PEER6, dst, 8);
    frame_ip6(f, addr_of(PEER6), addr_of(dst), next, bytes + ping.bytes - L4);
    frame_add(f, headers, bytes);
    frame_add(f, ping.data + L4, ping.bytes - L4);
}

enum { ANSWERED = -1, SILENT = -2 }; /* else: the code of a parameter problem */

static const struct {
    uint8_t next;
    uint8_t bytes[24];
    uint8_t count;
    int what;
    uint32_t pointer;
} extensions[] = {
    {0, {58, 0, 5, 2, 0, 0, 1, 0}, 8, ANSWERED, 0},             /* router alert, padding */
    {0, {58, 0, 1, 4}, 8, ANSWERED, 0},                          /* padding alone */
    {0, {60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4}, 16, ANSWERED, 0},
    {60, {58, 0, 0x1e, 4}, 8, ANSWERED, 0},                      /* unknown: skip */
    {60, {58, 0, 0x5e, 4}, 8, SILENT, 0},                        /* unknown: drop */
    {60, {58, 0, 0x9e, 4}, 8, ICMP6_UNKNOWN_OPTION, 42},         /* unknown: tell */
    {60, {58, 0, 0xde, 4}, 8, ICMP6_UNKNOWN_OPTION, 42},
    {60, {58, 0, 1, 5}, 8, SILENT, 0},                           /* runs over */
    {60, {58, 0, 1, 3, 0, 0, 0, 1}, 8, SILENT, 0},               /* cut behind its type */
    {60, {58, 1, 1, 12}, 16, SILENT, 0},                         /* more padding than needed */
    {60, {58, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 16, SILENT, 0},
    {60, {58, 200, 1, 4}, 8, SILENT, 0},                         /* longer than the packet */
    {60, {0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4}, 16, ICMP6_UNKNOWN_NEXT, 40}, /* 0 behind others */
    {0, {0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4}, 16, ICMP6_UNKNOWN_NEXT, 40},
    {43, {58, 2, 0, 1}, 24, ICMP6_WRONG_FIELD, 42},              /* type 0 (RFC 5095) */
    {43, {58, 2, 0, 0}, 24, ANSWERED, 0},                        /* ... at its end */
    {43, {58, 2, 4, 1}, 24, ICMP6_WRONG_FIELD, 42},
    {60, {51, 0, 1, 4}, 8, ICMP6_UNKNOWN_NEXT, 40},              /* AH: nobody here has keys */
    {60, {59, 0, 1, 4}, 8, SILENT, 0},                           /* nothing follows */
};

static void run_extensions(void **state)
{
    struct station6 t;

    station6_start(&t);
    station6_meet(&t, PEER6);
    for (size_t i = 0; i < RT_ARRAY_SIZE(extensions); i++) {
        struct frame f;
        const struct icmp_header *icmp;

        frame_behind(&f, OUR6, extensions[i].next, extensions[i].bytes, extensions[i].count);
        station_give(&t.s, &f, 0);
        if (extensions[i].what == SILENT) {
            if (t.s.sent != t.s.seen)
                fail_msg("extension %zu", i);
            continue;
        }
        if (t.s.sent == t.s.seen)
            fail_msg("extension %zu", i);
        if (extensions[i].what == ANSWERED) {
            station6_icmp(&t, ICMP6_ECHO_REPLY);
            continue;
        }
        icmp = station6_icmp(&t, ICMP6_PARAMETER_PROBLEM);
        assert_int_equal(icmp->code, extensions[i].what);
        assert_int_equal(be16_get(icmp->sequence), extensions[i].pointer);
        assert_memory_equal(icmp + 1, f.data + L3, f.bytes - L3); /* all of it quoted */
    }
    assert_int_equal(net_counters(t.s.net)->ip6_in_no_next, 1);
    station_stop(&t.s);
}

/* To a group only the option that says so is told of. */
static void run_group_problem(void **state)
{
    static const uint8_t tell[8] = {58, 0, 0x9e, 4}, unless[8] = {58, 0, 0xde, 4};
    struct station6 t;
    struct frame f;

    station6_start(&t);
    station6_meet(&t, PEER6);
    frame_behind(&f, "ff02::1", 60, unless, 8);
    station_give(&t.s, &f, 0);
    station_silent(&t.s);
    frame_behind(&f, "ff02::1", 60, tell, 8);
    station_give(&t.s, &f, 0);
    station6_icmp(&t, ICMP6_PARAMETER_PROBLEM);
    station_stop(&t.s);
}

/* A hundred headers, headers of 2000 bytes, a header in the next segment: no work, no answer. */
static void run_too_many(void **state)
{
    uint8_t many[800], one[2000];
    struct station6 t;
    struct frame f;

    station6_start(&t);
    station6_meet(&t, PEER6);
    for (uint32_t i = 0; i < 100; i++)
        memcpy(many + 8 * i, ((uint8_t[]){i < 99 ? 60 : 58, 0, 1, 4, 0, 0, 0, 0}), 8);
    for (uint32_t count = 1; count <= 100; count++) {
        frame_behind(&f, OUR6, 60, many + 8 * (100 - count), 8 * count);
        station_give(&t.s, &f, 0);
        if (count <= IP6_HEADERS_MAX)
            station6_icmp(&t, ICMP6_ECHO_REPLY);
        station_silent(&t.s);
    }
    memset(one, 0, sizeof(one));
    memcpy(one, ((uint8_t[]){58, 249}), 2);
    for (uint32_t i = 2; i < sizeof(one); i += 222)
        memcpy(one + i, ((uint8_t[]){0x1e, 220}), 2);
    frame_behind(&f, OUR6, 60, one, sizeof(one));
    station_give(&t.s, &f, 0);
    station_silent(&t.s);
    frame_behind(&f, OUR6, 60, many + 8 * 98, 16);
    station_give(&t.s, &f, L4 + 8);
    station_silent(&t.s);
    assert_int_equal(net_counters(t.s.net)->ip_in_options, 100 - IP6_HEADERS_MAX + 2);
    station_stop(&t.s);
}

/* The device hears of a group before it is used; others are not heard. */
static void run_groups(void **state)
{
    struct station6 t;

    station6_start(&t);
    assert_int_equal(t.joins, 2); /* both addresses end in the same 24 bits */
    assert_memory_equal(t.joined[0], ((uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
    assert_memory_equal(t.joined[1], ((uint8_t[]){0x33, 0x33, 0xff, 0, 0, 1}), 6);
    station_stop(&t.s);
}

/* A datagram that is too long leaves in pieces that every link carries; their whole is it. */
static void run_pieces(void **state)
{
    const struct ip_how how = {.dst = addr_of(PEER6), .protocol = 253, .hops = 3,
                               .sum_offset = IP_NO_SUM};
    struct station6 t;
    uint32_t at = 0, id = 0;
    struct buf *first = NULL, **link = &first;
    const struct frame *f;

    station6_start(&t);
    station6_meet(&t, PEER6);
    for (uint32_t i = 0; i < 4; i++) {
        struct buf *b = pool_take(t.s.pool);

        assert_non_null(b);
        for (uint32_t k = 0; k < 1111; k++)
            buf_data(b)[k] = (uint8_t)((i * 1111 + k) * 31 >> 3);
        b->data_len = 1111;
        *link = b;
        link = &b->next;
    }
    first->segments = 4;
    first->pkt_len = 4444;
    assert_int_equal(ip_send(t.s.net, &how, first), RT_OK);
    net_turn(t.s.net, t.s.now_us);
    while ((f = station_next(&t.s)) != NULL) {
        const struct ipv6_header *ip = (const void *)(f->data + L3);
        const struct ip6_fragment *fragment = (const void *)(f->data + L4);
        const uint32_t bytes = f->bytes - L4 - 8;

        assert_true(f->bytes <= L3 + IPV6_MTU_MIN);
        assert_int_equal(ip->next, IP6_FRAGMENT);
        assert_int_equal(be16_get(ip->payload_bytes), bytes + 8);
        assert_int_equal(fragment->next, 253);
        assert_int_equal(be16_get(fragment->offset_more) & IP6_OFFSET, at);
        assert_int_equal(be16_get(fragment->offset_more) & 7, at + bytes < 4444);
        assert_true(at == 0 || id == fragment->id.raw);
        id = fragment->id.raw;
        for (uint32_t k = 0; k < bytes; k++)
            assert_int_equal(f->data[L4 + 8 + k], (uint8_t)((at + k) * 31 >> 3));
        at += bytes;
    }
    assert_int_equal(at, 4444);
    station_stop(&t.s);
}

/* An unknown protocol is told to its sender; not more than so many times a second, both families
 * together; not to a group. */
static void run_unknown_protocol(void **state)
{
    static const uint8_t data[1400];
    struct station6 t;
    struct frame f;
    uint32_t answers = 0;

    station6_start(&t);
    station6_meet(&t, PEER6);
    frame_ip6(&f, addr_of(PEER6), addr_of("ff02::1"), 200, 100);
    frame_add(&f, data, 100);
    station_give(&t.s, &f, 0);
    station_silent(&t.s);
    frame_ip6(&f, addr_of(PEER6), addr_of(OUR6), 200, sizeof(data));
    frame_add(&f, data, sizeof(data));
    for (uint32_t i = 0; i < 200; i++) {
        station_give(&t.s, &f, 0);
        if (t.s.sent == t.s.seen)
            continue;
        answers++;
        assert_int_equal(station6_icmp(&t, ICMP6_PARAMETER_PROBLEM)->code, ICMP6_UNKNOWN_NEXT);
        assert_int_equal(station6_last(&t)->bytes, L3 + IPV6_MTU_MIN);
    }
    assert_int_equal(answers, ICMP_ERRORS_PER_S);
    station_stop(&t.s);
}

/* Errors that quote too little, or no packet of ours, or of an impossible link. */
static void run_errors_in(void **state)
{
    struct station6 t;
    struct frame f, quote;

    station6_start(&t);
    station6_meet(&t, PEER6);
    for (uint32_t quoted = 0; quoted < 48; quoted++) {
        frame_ip6(&quote, addr_of(OUR6), addr_of(FAR6), IP_TCP, 8);
        memset(quote.data + L4, 0, 8);
        frame_icmp6(&f, addr_of(PEER6), addr_of(OUR6),
                    (struct icmp_header){.type = ICMP6_UNREACHABLE}, quote.data + L3, quoted);
        station_give(&t.s, &f, 0);
    }
    frame_ip6(&quote, addr_of(PEER6), addr_of(FAR6), IP_TCP, 8);
    frame_icmp6(&f, addr_of(PEER6), addr_of(OUR6),
                (struct icmp_header){.type = ICMP6_UNREACHABLE}, quote.data + L3, 48);
    station_give(&t.s, &f, 0);
    frame_ip6(&quote, addr_of(OUR6), addr_of(FAR6), IP_TCP, 8);
    frame_icmp6(&f, addr_of(PEER6), addr_of(OUR6),
                (struct icmp_header){.type = ICMP6_TOO_BIG, .sequence = be16_put(1279)},
                quote.data + L3, 48);
    station_give(&t.s, &f, 0);
    assert_int_equal(net_counters(t.s.net)->icmp_in_errors, 50);
    station_silent(&t.s);
    station_stop(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_wrong_headers), cmocka_unit_test(run_echo),
        cmocka_unit_test(run_extensions),    cmocka_unit_test(run_group_problem),
        cmocka_unit_test(run_too_many),      cmocka_unit_test(run_groups),
        cmocka_unit_test(run_pieces),        cmocka_unit_test(run_unknown_protocol),
        cmocka_unit_test(run_errors_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

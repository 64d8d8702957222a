/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 packets in and out (RFC 791, RFC 1122 3.2.1). */
#include "station.h"

#include "ip/ip.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/pool.h>
#include <string.h>

/* A header with one thing wrong, by number; false: there is no such. The counter it must move. */
static bool make_wrong(uint32_t n, struct frame *f, const struct net_counters *c,
                       const uint64_t **counter)
{
    struct ipv4_header *ip = (struct ipv4_header *)(void *)(f->data + 14);

    *counter = &c->ip_in_hdr_errors;
    switch (n) {
    case 0: ip->version_words = 0x65; break;
    case 1: ip->version_words = 0x44; break;
    case 2: ip->version_words = 0x4f; ip->total_bytes = be16_put(59); break;
    case 3: ip->total_bytes = be16_put(19); break;
    case 4: ip->checksum.raw ^= 0x100; return true;
    case 5: ip->total_bytes = be16_put(61); *counter = &c->ip_in_truncated; break;
    case 6: ip->total_bytes = be16_put(65535); *counter = &c->ip_in_truncated; break;
    default: return false;
    }
    frame_ip_sum(ip);
    return true;
}

static void run_wrong_headers(void **state)
{
    struct station s;
    const uint64_t *counter;

    station_start(&s, 64);
    station_meet(&s, peer());
    for (uint32_t n = 0;; n++) {
        struct frame f;
        uint64_t before;

        frame_ping(&f, peer(), ours(), 32);
        if (!make_wrong(n, &f, net_counters(s.net), &counter))
            break;
        before = *counter;
        station_give(&s, &f, 0);
        station_silent(&s);
        if (*counter != before + 1)
            fail_msg("header %u", n);
    }
    station_stop(&s);
}

/* From addresses that no host has, and to others: silence (RFC 1122 3.2.1.3). */
static void run_addresses(void **state)
{
    static const uint8_t from[][4] = {{0, 0, 0, 0},       {127, 0, 0, 1}, {224, 0, 0, 1},
                                      {255, 255, 255, 255}, {192, 0, 2, 255}, {192, 0, 2, 1},
                                      {240, 0, 0, 1}};
    static const uint8_t to[][4] = {{192, 0, 2, 3}, {10, 0, 0, 1}, {127, 0, 0, 1}, {0, 0, 0, 0}};
    struct station s;
    struct frame f;

    station_start(&s, 64);
    station_meet(&s, peer());
    for (size_t i = 0; i < RT_ARRAY_SIZE(from); i++) {
        frame_ping(&f, ip_addr_v4_of(from[i][0], from[i][1], from[i][2], from[i][3]), ours(), 8);
        station_give(&s, &f, 0);
    }
    for (size_t i = 0; i < RT_ARRAY_SIZE(to); i++) {
        frame_ping(&f, peer(), ip_addr_v4_of(to[i][0], to[i][1], to[i][2], to[i][3]), 8);
        station_give(&s, &f, 0);
    }
    station_silent(&s);
    assert_int_equal(net_counters(s.net)->ip_in_addr_errors,
                     RT_ARRAY_SIZE(from) + RT_ARRAY_SIZE(to));
    station_stop(&s);
}

/* Options: source routes dropped, also one that hides behind others or overruns; the rest
 * skipped. */
static void run_options(void **state)
{
    static const struct {
        uint8_t bytes[8];
        bool answered;
    } options[] = {
        {{1, 1, 1, 1, 1, 1, 1, 1}, true},
        {{0}, true},
        {{68, 8, 5, 0, 0, 0, 0, 0}, true}, /* timestamps */
        {{7, 7, 4, 0, 0, 0, 0, 0}, true},  /* record route */
        {{131, 7, 4, 1, 2, 3, 4, 0}, false},
        {{137, 7, 4, 1, 2, 3, 4, 0}, false},
        {{1, 1, 1, 1, 1, 1, 131, 2}, false},
        {{131, 3, 4, 131, 3, 4, 0, 0}, false}, /* twice (CVE-2019-12256) */
        {{137, 3, 4, 137, 3, 4, 0, 0}, false},
        {{131, 255, 4, 1, 2, 3, 4, 0}, false}, /* longer than all options */
        {{137, 0, 4, 1, 2, 3, 4, 0}, false},
        {{68, 4, 5, 0, 131, 4, 4, 0}, false}, /* behind another */
        {{68, 0, 0, 0, 0, 0, 0, 0}, false},
        {{68, 1, 0, 0, 0, 0, 0, 0}, false},
        {{68, 9, 5, 0, 0, 0, 0, 0}, false},
        {{1, 1, 1, 1, 1, 1, 1, 68}, false},
        {{0, 131, 7, 4, 1, 2, 3, 4}, true}, /* behind the end */
    };
    struct station s;

    station_start(&s, 64);
    station_meet(&s, peer());
    for (size_t i = 0; i < RT_ARRAY_SIZE(options); i++) {
        struct frame f;
        struct ipv4_header *ip = (struct ipv4_header *)(void *)(f.data + 14);

        frame_ping(&f, peer(), ours(), 8);
        memmove(f.data + 14 + 28, f.data + 14 + 20, f.bytes - 14 - 20);
        memcpy(f.data + 14 + 20, options[i].bytes, 8);
        f.bytes += 8;
        ip->version_words = 0x47;
        ip->total_bytes = be16_put(20 + 8 + 8 + 8);
        frame_ip_sum(ip);
        station_give(&s, &f, 0);
        if ((station_next(&s) != NULL) != options[i].answered)
            fail_msg("options %zu", i);
    }
    station_stop(&s);
}

/* The card's word for the header checksum is taken only when it says that it is right. */
static void run_card_checksum(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 64);
    station_meet(&s, peer());
    frame_ping(&f, peer(), ours(), 8);
    station_give_flags(&s, &f, 0, BUF_RX_IP_BAD); /* wrongly: looked at */
    assert_non_null(station_next(&s));
    ((struct ipv4_header *)(void *)(f.data + 14))->checksum.raw ^= 1;
    station_give_flags(&s, &f, 0, 0);
    station_silent(&s);
    station_give_flags(&s, &f, 0, BUF_RX_IP_GOOD);
    assert_non_null(station_next(&s));
    station_stop(&s);
}

/* What is sent: one packet, or pieces that an 8-byte grid cuts, and their whole is the datagram. */
static void run_pieces(void **state)
{
    static const uint16_t lengths[] = {1, 1480, 1481, 2000, 2960, 2961, 8000};
    struct station s;

    station_start(&s, 64);
    station_meet(&s, peer());
    for (size_t i = 0; i < RT_ARRAY_SIZE(lengths); i++) {
        const struct ip_how how = {.dst = peer(), .protocol = 253, .hops = 3,
                                   .sum_offset = IP_NO_SUM};
        struct buf *first = NULL, **link = &first;
        const struct frame *f;
        uint32_t at = 0;
        uint16_t id = 0;

        for (uint32_t done = 0; done < lengths[i];) {
            struct buf *b = pool_take(s.pool);
            const uint32_t part = RT_MIN(lengths[i] - done, 1000u);

            assert_non_null(b);
            for (uint32_t k = 0; k < part; k++)
                buf_data(b)[k] = (uint8_t)((done + k) * 31 >> 3);
            b->data_len = (uint16_t)part;
            done += part;
            *link = b;
            link = &b->next;
            first->segments = (uint8_t)(first == b ? 1 : first->segments + 1);
            first->pkt_len = done;
        }
        assert_int_equal(ip_send(s.net, &how, first), RT_OK);
        net_turn(s.net, s.now_us);
        while ((f = station_next(&s)) != NULL) {
            const struct ipv4_header *ip = (const void *)(f->data + 14);
            const uint32_t bytes = be16_get(ip->total_bytes) - 20u;

            assert_int_equal(csum_fold(csum_add(0, ip, 20)).raw, 0);
            assert_int_equal(f->bytes, 34 + bytes);
            assert_true(f->bytes <= 1514);
            assert_int_equal((be16_get(ip->fragment) & IPV4_OFFSET) * 8, at);
            assert_int_equal((be16_get(ip->fragment) & IPV4_MORE_FRAGMENTS) != 0,
                             at + bytes < lengths[i]);
            assert_true(at == 0 || id == be16_get(ip->id));
            id = be16_get(ip->id);
            for (uint32_t k = 0; k < bytes; k++)
                assert_int_equal(f->data[34 + k], (uint8_t)((at + k) * 31 >> 3));
            at += bytes;
        }
        assert_int_equal(at, lengths[i]);
    }
    station_stop(&s);
}

static uint16_t number_to(struct station *s, uint8_t host, bool dont_cut)
{
    const struct ip_how how = {.dst = ip_addr_v4_of(198, 51, 100, host), .protocol = 253,
                               .hops = 9, .dont_cut = dont_cut, .sum_offset = IP_NO_SUM};
    struct buf *b = pool_take(s->pool);
    const struct frame *f;

    assert_non_null(b);
    memset(buf_data(b), 0, 20);
    b->data_len = 20;
    b->pkt_len = 20;
    assert_int_equal(ip_send(s->net, &how, b), RT_OK);
    net_turn(s->net, s->now_us);
    f = station_next(s);
    assert_non_null(f);
    return be16_get(((const struct ipv4_header *)(const void *)(f->data + 14))->id);
}

/* Numbers of packets that may be cut: another one each time, and who is sent some does not learn
 * how many others are sent (RFC 7739 5.3, "idle scan"). Those that may not be cut have none. */
static void run_numbers(void **state)
{
    struct station s;
    uint16_t before, after;

    station_start(&s, 64);
    station_meet(&s, ip_addr_v4_of(GATEWAY_IP));
    before = number_to(&s, 1, false);
    assert_int_equal((uint16_t)(number_to(&s, 1, false) - before), 1);
    for (uint8_t host = 2; host < 100; host++)
        number_to(&s, host, false);
    after = number_to(&s, 1, false);
    assert_in_range((uint16_t)(after - before), 2, 10);
    assert_int_not_equal(number_to(&s, 2, false) / 256, number_to(&s, 3, false) / 256);
    assert_int_equal(number_to(&s, 1, true), 0);
    station_stop(&s);
}

/* Not to be cut, or nowhere to go: said, counted, and the buffer is home. */
static void run_refusals(void **state)
{
    struct station s;
    struct ip_how how = {.dst = peer(), .protocol = 253, .hops = 3, .dont_cut = true,
                         .sum_offset = IP_NO_SUM};
    struct buf *b;

    station_start(&s, 64);
    b = pool_take(s.pool);
    assert_non_null(b);
    b->data_len = 1481;
    b->pkt_len = 1481;
    assert_int_equal(ip_send(s.net, &how, b), RT_INVALID);
    assert_int_equal(net_counters(s.net)->ip_out_frag_fails, 1);
    how.dst.bytes[0] = 0x20; /* IPv6: no address, no gateway */
    b = pool_take(s.pool);
    assert_non_null(b);
    assert_int_equal(ip_send(s.net, &how, b), RT_NOT_FOUND);
    assert_int_equal(net_counters(s.net)->ip_out_no_routes, 1);
    station_silent(&s);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_wrong_headers), cmocka_unit_test(run_addresses),
        cmocka_unit_test(run_options),       cmocka_unit_test(run_card_checksum),
        cmocka_unit_test(run_pieces),        cmocka_unit_test(run_refusals),
        cmocka_unit_test(run_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

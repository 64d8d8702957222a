/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments that nobody honest sends: lengths that do not fit, options without an end, tiny sizes,
 * urgent pointers to anywhere, acknowledgements of what was not sent. The classes of attacks that
 * made other stacks fall: AMNESIA:33, URGENT/11, CVE-2019-11477. */
#include "talk.h"

#include "wire/checksum.h"
#include "wire/ip.h"

#include <string.h>

static const struct tcp_config config = {.conns = 64};
static const struct tcp_listen listen = {.backlog = 64};

static void start(struct talk *t)
{
    talk_start(t, &config, listen);
    talk_accept(t, 1000);
}

static const struct net_counters *counters(const struct talk *t)
{
    return net_counters(t->s.net);
}

/* A segment whose header is `words` long, it says, with these bytes behind its first twenty. */
static void give_raw(struct talk *t, uint16_t flags, uint32_t words, const uint8_t *rest,
                     uint32_t bytes)
{
    struct tcp_header tcp = {
        .src = be16_put(t->port),
        .dst = be16_put(t->our_port),
        .seq = be32_put(t->irs + ((flags & S) != 0 ? 0 : 1)),
        .ack = be32_put((flags & A) != 0 ? t->iss + 1 : 0),
        .offset_flags = be16_put((uint16_t)(words << TCP_OFFSET_SHIFT | flags)),
        .window = be16_put(1000),
    };
    struct frame f;

    frame_ip(&f, t->from, ours(), IP_TCP, (uint32_t)sizeof(tcp) + bytes);
    frame_add(&f, &tcp, sizeof(tcp));
    frame_add(&f, rest, bytes);
    station_give_flags(&t->s, &f, 0, BUF_RX_L4_GOOD);
}

/* ---- lengths ---- */

/* The data begins before the header ends, or behind the segment's end. */
static void run_data_offset(void **state)
{
    static const uint8_t rest[40] = {1};
    struct talk t;
    uint64_t errors = 0;

    start(&t);
    for (uint32_t words = 0; words < 16; words++) {
        const uint32_t bytes = 7; /* so header and rest are 27: six words at most */

        if (words >= 5 && words <= 6)
            continue;
        give_raw(&t, A, words, rest, bytes);
        talk_silent(&t);
        assert_int_equal(counters(&t)->tcp_in_errs, ++errors);
    }
    assert_int_equal(told.received_bytes, 0);
    talk_stop(&t);
}

/* Shorter than a header, each length. */
static void run_short(void **state)
{
    struct talk t;

    start(&t);
    for (uint32_t bytes = 0; bytes < 20; bytes++) {
        static const uint8_t some[20] = {3, 232, 0, 80};
        struct frame f;

        frame_ip(&f, t.from, ours(), IP_TCP, bytes);
        frame_add(&f, some, bytes);
        station_give_flags(&t.s, &f, 0, BUF_RX_L4_GOOD);
        talk_silent(&t);
        assert_int_equal(counters(&t)->tcp_in_errs, bytes + 1);
    }
    talk_stop(&t);
}

/* Options of length 0 and 1, and those that run over: the segment goes, and nothing is said. Every
 * kind, every length, at the end and before others. */
static void run_options(void **state)
{
    struct talk t;
    uint64_t errors = 0;

    start(&t);
    for (uint32_t kind = 0; kind < 256; kind++) {
        for (uint32_t length = 0; length < 256; length += length < 45 ? 1 : 50) {
            uint8_t rest[40] = {(uint8_t)kind, (uint8_t)length};
            const bool fits = kind < 2 || (length >= 2 && length <= 40);

            memset(rest + 2, TCP_OPT_NOP, sizeof(rest) - 2);
            if (kind == TCP_OPT_NOP)
                rest[1] = TCP_OPT_END;
            give_raw(&t, A, 15, rest, sizeof(rest));
            errors += !fits;
            assert_int_equal(counters(&t)->tcp_in_errs, errors);
        }
    }
    talk_silent(&t);
    assert_int_equal(told.closed, 0);
    talk_stop(&t);
}

/* A SYN with broken options has no answer. */
static void run_syn_options(void **state)
{
    static const uint8_t broken[][4] = {{2, 0, 5, 180}, {2, 1, 5, 180}, {2, 5, 5, 180},
                                        {1, 1, 1, 2}};
    struct talk t;

    talk_start(&t, &config, listen);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(broken); i++) {
        give_raw(&t, S, 6, broken[i], 4);
        talk_silent(&t);
    }
    assert_int_equal(counters(&t)->tcp_in_errs, RT_ARRAY_SIZE(broken));
    talk_stop(&t);
}

/* ---- sizes ---- */

/* No segment is larger than what the peer said, with timestamps taken off; what is below the
 * floor is not served, from either side (CVE-2019-11479). */
static void run_sizes(void **state)
{
    static const uint16_t sizes[] = {1, 8, 12, 48, 63, 64, 88, 100, 517, 536, 1460, 9000};
    struct talk t;

    talk_start(&t, &config, listen);
    for (uint32_t i = 0; i < 2 * RT_ARRAY_SIZE(sizes); i++) {
        const uint16_t said = sizes[i / 2];
        const uint32_t most = RT_MIN(said, 1460u) - (i % 2 != 0 ? 12 : 0);
        uint32_t bytes = 0;

        talk_new(&t, (uint16_t)(1100 + i));
        t.options.mss = said;
        t.options.time_on = i % 2 != 0;
        talk_give(&t, S, 0, 0, 0);
        if (said < 64) {
            talk_silent(&t);
            continue;
        }
        talk_expect(&t, S | A, 0, 1, 0);
        talk_give(&t, A, 1, 1, 0);
        talk_send(&t, told.conn, 1500, 1500);
        while (bytes < 1500) {
            const struct heard heard = talk_hear(&t);

            assert_true(heard.bytes <= most);
            bytes += heard.bytes;
            talk_give(&t, A, 1, 1 + bytes, 0);
        }
        tcp_abort(told.conn);
        talk_wait_ms(&t, 1);
        talk_drop_all(&t);
    }
    told.closed = 0;
    talk_connect(&t);
    t.options.mss = 20;
    talk_give(&t, S | A, 0, 1, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_REFUSED);
    talk_stop(&t);
}

/* A size of 0 is said, not left out: neither it nor any below the floor is served, and nothing is
 * kept of who says it. */
static void run_no_size(void **state)
{
    struct talk t;

    talk_start(&t, &config, listen);
    for (uint8_t said = 0; said < 64; said++) {
        const uint8_t option[] = {TCP_OPT_MSS, 4, 0, said};

        talk_new(&t, 1100 + said);
        give_raw(&t, S, 6, option, sizeof(option));
        talk_silent(&t);
    }
    assert_int_equal(counters(&t)->tcp_mss_refused, 64);
    assert_int_equal(t.s.net->tcp->open, 0);
    talk_connect(&t);
    give_raw(&t, S | A, 6, (const uint8_t[]){TCP_OPT_MSS, 4, 0, 0}, 4);
    assert_int_equal(told.reason, TCP_REFUSED);
    assert_int_equal(told.closed, 1);
    talk_stop(&t);
}

/* ---- urgent data: a plain stream, wherever the pointer points (URGENT/11) ---- */

static void run_urgent(void **state)
{
    static const uint16_t pointers[] = {0, 1, 5, 10, 11, 1460, 0x7fff, 0x8000, 0xffff};
    struct talk t;
    uint32_t seq = 1;

    start(&t);
    t.checks = true;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(pointers); i++) {
        t.urgent = pointers[i];
        talk_give(&t, A | TCP_URG, seq, 1, 10);
        seq += 10;
        assert_int_equal(told.received_bytes, seq - 1);
        talk_give(&t, A | TCP_URG, seq, 1, 0); /* without data */
        talk_give(&t, A | TCP_URG, seq + 20, 1, 10); /* out of order */
        t.urgent = 0;
        talk_give(&t, A, seq, 1, 20);
        seq += 30;
        assert_int_equal(told.received_bytes, seq - 1);
    }
    t.urgent = 0xffff;
    talk_give(&t, F | A | TCP_URG, seq, 1, 0);
    assert_int_equal(told.ended, 1);
    talk_stop(&t);
}

/* Across the handshake: a SYN that is urgent, a pointer into the SYN, the same port again. */
static void run_urgent_syn(void **state)
{
    struct talk t;

    talk_start(&t, &config, listen);
    for (uint32_t round = 0; round < 2; round++) {
        talk_new(&t, 1000);
        t.irs += round << 20;
        t.urgent = 0xfff0;
        talk_give(&t, S | TCP_URG, 0, 0, 20);
        talk_expect(&t, S | A, 0, 1, 0);
        talk_give(&t, A | TCP_URG, 1, 1, 20);
        assert_int_equal(told.received_bytes, 20 * (round + 1));
        talk_give(&t, R | TCP_URG, 21, 0, 0);
        assert_int_equal(told.closed, round + 1);
        talk_drop_all(&t);
    }
    talk_stop(&t);
}

/* ---- acknowledgements that cannot be (RFC 9293 3.10.7.4, fifth; optimistic ACK) ---- */

static void run_optimistic(void **state)
{
    struct talk t;
    uint32_t cwnd;

    start(&t);
    talk_send(&t, told.conn, 20000, 2000);
    talk_drop_all(&t);
    cwnd = told.conn->cc.cwnd;
    for (uint32_t i = 0; i < 50; i++) {
        talk_give(&t, A, 1, 20002 + i * 1460, 0); /* of more than was given */
        assert_int_equal(told.conn->snd_una - t.iss, 1);
    }
    assert_int_equal(told.conn->cc.cwnd, cwnd);
    assert_in_range(counters(&t)->tcp_challenges, 5, 15);
    assert_int_equal(told.closed, 0);
    talk_stop(&t);
}

/* One acknowledgement for each byte of a segment (RFC 3465 2.3): no more than for the segment. */
static void run_ack_division(void **state)
{
    struct talk t;
    uint32_t cwnd;

    start(&t);
    talk_send(&t, told.conn, 1460 * 10, 1460);
    talk_drop_all(&t);
    cwnd = told.conn->cc.cwnd;
    for (uint32_t i = 1; i <= 1460; i += 10)
        talk_give(&t, A, 1, 1 + i, 0);
    talk_give(&t, A, 1, 1461, 0);
    assert_true(told.conn->cc.cwnd <= cwnd + 2 * 1460);
    talk_stop(&t);
}

/* Byte by byte, to an application that does not read: one peer does not get all buffers there are,
 * and what it must say again arrives later. */
static void run_small_bites(void **state)
{
    const struct tcp_config small = {.conns = 4, .rx_window = 65535};
    struct talk t;
    uint32_t took, total;

    talk_start(&t, &small, (struct tcp_listen){.backlog = 1});
    total = t.s.pool->total;
    t.keeps = true;
    talk_accept(&t, 1000);
    for (uint32_t i = 0; i < 3000; i++) {
        talk_give(&t, A, 1 + i, 1, 1);
        talk_drop_all(&t);
    }
    took = told.received_bytes;
    assert_in_range(took, total / 2, total - total / 8 + 1);
    assert_true(t.s.pool->free >= total / 8 - 2);
    assert_true(net_counters(t.s.net)->tcp_held_dropped != 0);
    talk_give_back(&t);
    talk_give(&t, A, 1 + took, 1, 1);
    assert_int_equal(told.received_bytes, took + 1);
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_data_offset),
        cmocka_unit_test(run_short),
        cmocka_unit_test(run_options),
        cmocka_unit_test(run_syn_options),
        cmocka_unit_test(run_sizes),
        cmocka_unit_test(run_no_size),
        cmocka_unit_test(run_urgent),
        cmocka_unit_test(run_urgent_syn),
        cmocka_unit_test(run_optimistic),
        cmocka_unit_test(run_ack_division),
        cmocka_unit_test(run_small_bites),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

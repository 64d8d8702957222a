/* SPDX-License-Identifier: BSD-2-Clause */
/* SYNs behind a full backlog: answered without keeping anything, and served when they come back
 * (RFC 4987 3.6). And a flood of them beside streams. */
#include "talk.h"

#include <stdlib.h>

static const struct tcp_config config = {.conns = 64};

static uint64_t free_conns(const struct talk *t)
{
    uint64_t count = 0;

    for (const struct tcp_conn *c = t->s.net->tcp->free; c != NULL; c = c->chain)
        count++;
    return count;
}

/* The backlog is one, and taken. */
static void start(struct talk *t)
{
    talk_start(t, &config, (struct tcp_listen){.backlog = 1});
    talk_give(t, S, 0, 0, 0);
    talk_expect(t, S | A, 0, 1, 0);
    talk_new(t, 1001);
}

static const struct net_counters *counters(const struct talk *t)
{
    return net_counters(t->s.net);
}

/* What both sides can do is kept by our timestamp; segments are never larger than was said. */
static void run_options(void **state)
{
    static const struct {
        uint16_t said, used;
    } sizes[] = {{64, 64}, {255, 64}, {256, 256}, {536, 536}, {1000, 536}, {1459, 1440},
                 {1460, 1460}, {8960, 1460}, {65535, 1460}, {0, 536}};
    struct talk t;

    start(&t);
    for (uint32_t i = 0; i < 2 * RT_ARRAY_SIZE(sizes); i++) {
        const bool time_on = i % 2 != 0;
        const uint32_t used = sizes[i / 2].used - (time_on ? 12u : 0u);
        struct heard answer;

        talk_new(&t, (uint16_t)(1100 + i));
        t.options = (struct talk_options){.mss = sizes[i / 2].said, .scale = (uint8_t)(i % 15),
                                          .sack = i % 4 < 2, .time_on = time_on, .time = 5000};
        talk_give(&t, S, 0, 0, 0);
        answer = talk_hear(&t);
        assert_int_equal(answer.flags, S | A);
        assert_int_equal(answer.options.has_time, time_on);
        assert_int_equal(answer.options.scale != TCP_NO_SCALE, time_on);
        assert_int_equal(answer.options.sack_permitted, time_on && t.options.sack);
        talk_wait_ms(&t, 3);
        talk_give(&t, A, 1, 1, 10);
        assert_int_equal(told.accepted, i + 1);
        assert_int_equal(told.received_bytes, 10 * (i + 1));
        assert_int_equal(told.conn->mss, used);
        assert_int_equal(told.conn->time_on, time_on);
        assert_int_equal(told.conn->sack_on, time_on && t.options.sack);
        assert_int_equal(told.conn->snd_scale, time_on ? t.options.scale : 0);
        assert_int_equal(told.conn->rcv_scale != 0, time_on);
        talk_send(&t, told.conn, 2000, 2000);
        do
            answer = talk_hear(&t);
        while (answer.bytes == 0); /* a small segment opens the window at once */
        assert_int_equal(answer.bytes, used);
        tcp_abort(told.conn);
        talk_wait_ms(&t, 1);
        talk_drop_all(&t);
    }
    talk_stop(&t);
}

/* ECN, where both sides want it, is kept by the timestamp, too (RFC 3168 6.1.1). */
static void run_ecn(void **state)
{
    const uint16_t asks = TCP_ECE | TCP_CWR;
    struct talk t;

    for (uint32_t i = 0; i < 4; i++) {
        const struct tcp_config with = {.conns = 64, .ecn = i < 3 ? TCP_ECN_ACCEPT : TCP_ECN_OFF};

        talk_start(&t, &with, (struct tcp_listen){.backlog = 1});
        talk_give(&t, S, 0, 0, 0);
        talk_expect(&t, S | A, 0, 1, 0);
        talk_new(&t, 1001);
        t.options.time_on = i != 1;
        talk_give(&t, i == 2 ? S | TCP_ECE : S | asks, 0, 0, 0);
        talk_expect(&t, i == 0 ? S | A | TCP_ECE : S | A, 0, 1, 0);
        talk_give(&t, A, 1, 1, 0);
        assert_int_equal(told.accepted, 1);
        assert_int_equal(told.conn->ecn.on, i == 0);
        talk_stop(&t);
    }
}

/* Our timestamps never go back, whatever their low bits said. */
static void run_time_grows(void **state)
{
    struct talk t;

    start(&t);
    for (uint16_t i = 0; i < 100; i++) {
        uint32_t first;

        talk_new(&t, 1100 + i);
        t.options.time_on = true;
        t.options.scale = (uint8_t)(i % 15);
        t.options.sack = true;
        talk_give(&t, S, 0, 0, 0);
        first = talk_hear(&t).options.time;
        talk_give(&t, A, 1, 1, 0);
        talk_send(&t, told.conn, 10, 10);
        assert_true((int32_t)(talk_hear(&t).options.time - first) >= 0);
        tcp_abort(told.conn);
        talk_wait_ms(&t, 1);
        talk_drop_all(&t);
    }
    talk_stop(&t);
}

/* Nothing is kept: no connection, no buffer, no timer. */
static void run_nothing_kept(void **state)
{
    struct talk t;
    uint64_t conns;
    uint32_t buffers;

    start(&t);
    conns = free_conns(&t);
    buffers = t.s.pool->free;
    for (uint16_t i = 0; i < 200; i++) {
        talk_new(&t, 1100 + i);
        talk_give(&t, S, 0, 0, 0);
        talk_expect(&t, S | A, 0, 1, 0);
    }
    assert_int_equal(free_conns(&t), conns);
    assert_int_equal(t.s.pool->free, buffers);
    assert_int_equal(counters(&t)->tcp_cookies_sent, 200);
    talk_stop(&t);
}

/* What is not ours is refused: another number, another port, another SYN of the peer's, too old. */
static void run_not_ours(void **state)
{
    struct talk t;

    start(&t);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    for (uint32_t bit = 0; bit < 32; bit++) {
        talk_give(&t, A, 1, 1 ^ (1u << bit), 0);
        if (told.accepted != 0)
            fail_msg("bit %u", bit);
        talk_drop_all(&t);
    }
    talk_give(&t, A, 2, 1, 0);
    t.port++;
    talk_give(&t, A, 1, 1, 0);
    t.port--;
    assert_int_equal(told.accepted, 0);
    assert_int_equal(counters(&t)->tcp_out_rsts, 34);
    assert_int_equal(counters(&t)->tcp_cookies_bad, 34);
    talk_stop(&t);
}

/* Good for one to two epochs of 64 s; keys of before are gone. */
static void run_age(void **state)
{
    static const struct {
        uint32_t wait_s;
        bool good;
    } ages[] = {{1, true}, {63, true}, {64, true}, {129, false}, {191, false}, {192, false}};
    struct talk t;

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(ages); i++) {
        uint32_t iss;

        start(&t);
        talk_give(&t, S, 0, 0, 0);
        talk_expect(&t, S | A, 0, 1, 0);
        iss = t.iss;
        talk_wait_ms(&t, ages[i].wait_s * 1000);
        talk_drop_all(&t);
        t.listener->cookies_until_us = UINT64_MAX; /* others are about all the time */
        talk_new(&t, 1001);
        t.iss = iss;
        talk_give(&t, A, 1, 1, 0);
        assert_int_equal(told.accepted, ages[i].good);
        talk_stop(&t);
    }
}

/* Also at the start, when there was no epoch before, no key is one that everybody knows. */
static void run_first_keys(void **state)
{
    static const uint8_t none[16];
    struct talk t;

    start(&t);
    assert_true(t.s.now_us < SECRET_COOKIE_EPOCH_US);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    for (uint32_t i = 0; i < 2; i++)
        assert_memory_not_equal(t.s.net->tcp->secret.cookie_keys[i], none, sizeof(none));
    talk_stop(&t);
}

/* When none was sent for two epochs, no guess is looked at. */
static void run_none_about(void **state)
{
    struct talk t;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 1});
    talk_give(&t, A, 1, 1, 0);
    talk_expect(&t, R, 1, 0, 0);
    assert_int_equal(counters(&t)->tcp_cookies_bad, 0);
    talk_stop(&t);
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b != 0) { /* log a steps */
        const uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* First sequence numbers, kept or not, show no pattern from port to port (RFC 6528; nmap's
 * "difficulty"): no common divisor, no difference twice, each bit as often 1 as 0. */
static void numbers_of(bool cookies, uint32_t count)
{
    struct talk t;
    uint32_t before = 0, divisor = 0, ones[32] = {0}, *gaps = calloc(count, sizeof(*gaps));

    assert_non_null(gaps);
    start(&t);
    t.listener->backlog = cookies ? 1 : UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        talk_new(&t, (uint16_t)(2000 + i));
        talk_give(&t, S, 0, 0, 0);
        talk_hear(&t);
        gaps[i] = t.iss - before;
        before = t.iss;
        divisor = i == 0 ? 0 : gcd(divisor, gaps[i]);
        for (uint32_t bit = 0; bit < 32; bit++)
            ones[bit] += t.iss >> bit & 1;
        if (!cookies)
            talk_give(&t, R, 1, 0, 0);
    }
    assert_int_equal(divisor, 1);
    for (uint32_t bit = 0; bit < 32; bit++)
        assert_in_range(ones[bit], count / 2 - count / 20, count / 2 + count / 20);
    for (uint32_t i = 2; i < count; i++)
        assert_int_not_equal(gaps[i], gaps[i - 1]);
    free(gaps);
    talk_stop(&t);
}

static void run_numbers(void **state)
{
    if (!POOL_HOSTILE) /* there they all lie just before the wrap */
        numbers_of(false, 10000);
    numbers_of(true, 10000);
}

/* ---- a flood ---- */

enum { STREAMS = 20, SEGMENT_BYTES = 1000, FLOOD_MS = 400, SYNS_PER_MS = 380 };

struct stream {
    uint16_t port;
    uint32_t irs, iss, sent; /* bytes of the peer */
};

static void choose(struct talk *t, const struct stream *s)
{
    talk_new(t, s->port);
    t->irs = s->irs;
    t->iss = s->iss;
}

/* A millisecond: 20 segments of the streams among 380 SYNs from anywhere, all for one core. */
static void flood_ms(struct talk *t, struct stream *streams, uint32_t ms)
{
    for (uint32_t i = 0; i < SYNS_PER_MS; i++) {
        if (i % (SYNS_PER_MS / STREAMS) == 0) {
            struct stream *s = &streams[i / (SYNS_PER_MS / STREAMS)];

            choose(t, s);
            talk_give(t, A, 1 + s->sent, 1, SEGMENT_BYTES);
            s->sent += SEGMENT_BYTES;
        }
        talk_new(t, (uint16_t)(i * 7 + ms));
        t->from = ip_addr_v4_of(198, (uint8_t)(18 + i % 2), (uint8_t)ms, (uint8_t)i);
        t->irs = ms * 1000 + i;
        talk_give(t, S, 0, 0, 0);
        if (t->waiting.count == 0)
            net_turn(t->s.net, t->s.now_us);
    }
    talk_flush(t);
    talk_drop_all(t);
    talk_wait_ms(t, 1);
}

/* 380,000 spoofed SYNs a second beside 20,000 segments a second of streams: the streams lose
 * nothing, and neither connections nor buffers become fewer. */
static void run_flood(void **state)
{
    struct stream streams[STREAMS];
    struct talk t;
    uint64_t conns = 0;
    uint32_t fewest = UINT32_MAX, start_buffers;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 16});
    for (uint16_t i = 0; i < STREAMS; i++) {
        talk_accept(&t, 3000 + i);
        streams[i] = (struct stream){t.port, t.irs, t.iss, 0};
    }
    t.batch = true;
    start_buffers = t.s.pool->free;
    for (uint32_t ms = 0; ms < FLOOD_MS; ms++) {
        flood_ms(&t, streams, ms);
        if (ms == 0)
            conns = free_conns(&t);
        assert_int_equal(free_conns(&t), conns);
        fewest = RT_MIN(fewest, t.s.pool->free);
    }
    assert_true(told.received_bytes >= 0.9 * FLOOD_MS * STREAMS * SEGMENT_BYTES);
    assert_int_equal(told.closed, 0);
    assert_true(fewest + 128 >= start_buffers);
    assert_in_range(counters(&t)->tcp_cookies_sent, FLOOD_MS * SYNS_PER_MS * 9 / 10,
                    FLOOD_MS * SYNS_PER_MS);
    t.batch = false;
    talk_accept(&t, 999); /* a peer that means it is served meanwhile */
    talk_stop(&t);
}

/* A peer was answered by a cookie; its SYN comes once more when there is room, and is answered by
 * another number. What it says to the first answer counts: it is connected. */
static void run_twice(void **state)
{
    const struct tcp_config few = {.conns = 8};
    struct talk t, other;

    talk_start(&t, &few, (struct tcp_listen){.backlog = 1});
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    other = t;
    talk_new(&t, 2000);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    assert_int_equal(net_counters(t.s.net)->tcp_cookies_sent, 1);
    other.s = t.s;
    talk_give(&other, A, 1, 1, 0);
    t.s = other.s;
    assert_int_equal(told.accepted, 1);
    talk_give(&t, S, 0, 0, 0);
    assert_int_not_equal(talk_hear(&t).seq, 0);
    talk_give(&t, A | P, 1, 1, 5);
    assert_int_equal(told.accepted, 2);
    assert_int_equal(told.received_bytes, 5);
    talk_expect(&t, A, 1, 6, 0);
    talk_send(&t, told.conn, 10, 10);
    talk_expect(&t, A, 1, 6, 10);
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_options),
        cmocka_unit_test(run_ecn),
        cmocka_unit_test(run_time_grows),
        cmocka_unit_test(run_nothing_kept),
        cmocka_unit_test(run_not_ours),
        cmocka_unit_test(run_age),
        cmocka_unit_test(run_first_keys),
        cmocka_unit_test(run_none_about),
        cmocka_unit_test(run_numbers),
        cmocka_unit_test(run_flood),
        cmocka_unit_test(run_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments of a batch that become one: which do, and that nobody can tell. Each test twice: with a
 * card that checks sums, so that usual segments take the fast path, and without, by the steps.
 * merge_test SEEDS [FIRST]. */
#include "talk.h"

#include "wire/checksum.h"
#include "wire/ip.h"

#include <stdlib.h>
#include <string.h>

enum { CARD = BUF_RX_IP_GOOD | BUF_RX_L4_GOOD, STEP = 100, FIRST = 1 };

static uint32_t seeds = 40, first_seed = 1;
static uint32_t calls; /* of received() */

static void start(struct talk *t, const struct tcp_config *config)
{
    talk_start(t, config, (struct tcp_listen){.backlog = 4});
    t->options.time_on = true;
    t->options.time = 1000;
    talk_accept(t, 1000);
    t->options.time_on = true;
    t->checks = true;
    t->batch = true;
}

static struct ipv4_header *ip_of(struct buf *b)
{
    return (struct ipv4_header *)(void *)(buf_data(b) + 14);
}

static struct tcp_header *tcp_of(struct buf *b)
{
    return (struct tcp_header *)(void *)(ip_of(b) + 1);
}

/* Sums are right again after a change. */
static void sum(struct buf *b)
{
    struct ipv4_header *ip = ip_of(b);
    struct tcp_header *tcp = tcp_of(b);
    const struct ip_addr from = peer(), to = ours();
    const uint32_t bytes = be16_get(ip->total_bytes) - (uint32_t)sizeof(*ip);

    frame_ip_sum(ip);
    tcp->checksum = be16_put(0);
    tcp->checksum = csum_fold(csum_add(csum_pseudo(&from, &to, IP_TCP, bytes), tcp, bytes));
}

/* ---- what may differ ---- */

static void same(struct buf *b)
{
}
static void pushed(struct buf *b)
{
    tcp_of(b)->offset_flags = be16_put(be16_get(tcp_of(b)->offset_flags) | TCP_PSH);
}
static void urgent(struct buf *b)
{
    tcp_of(b)->offset_flags = be16_put(be16_get(tcp_of(b)->offset_flags) | TCP_URG);
}
static void other_window(struct buf *b)
{
    tcp_of(b)->window = be16_put(1234);
}
static void other_time(struct buf *b)
{
    ((uint8_t *)(tcp_of(b) + 1))[7]++;
}
static void other_echo(struct buf *b)
{
    ((uint8_t *)(tcp_of(b) + 1))[11]--;
}
static void other_tos(struct buf *b)
{
    ip_of(b)->tos = 0x10;
}
static void marked(struct buf *b)
{
    ip_of(b)->tos = IP_ECN_CE;
}
static void other_hops(struct buf *b)
{
    ip_of(b)->hops = 17;
}
static void behind(struct buf *b)
{
    tcp_of(b)->seq = be32_put(be32_get(tcp_of(b)->seq) + 1);
}
static void again(struct buf *b)
{
    tcp_of(b)->seq = be32_put(be32_get(tcp_of(b)->seq) - STEP);
}
static void old_ack(struct buf *b)
{
    tcp_of(b)->ack = be32_put(be32_get(tcp_of(b)->ack) - 1);
}

static const struct row {
    const char *name;
    void (*first)(struct buf *b);
    void (*second)(struct buf *b);
    bool merged;
    uint32_t bytes; /* that arrive */
} rows[] = {
    {"plain", same, same, true, 2 * STEP},
    {"pushed", same, pushed, true, 2 * STEP},
    {"pushed before", pushed, same, false, 2 * STEP},
    {"urgent", same, urgent, false, 2 * STEP},
    {"window", same, other_window, false, 2 * STEP},
    {"time", same, other_time, false, 2 * STEP},
    {"echo", same, other_echo, false, 2 * STEP},
    {"tos", same, other_tos, false, 2 * STEP},
    {"marked", marked, marked, false, 2 * STEP},
    {"hops", same, other_hops, true, 2 * STEP},
    {"hole", same, behind, false, STEP},
    {"again", same, again, false, STEP},
    {"ack", same, old_ack, false, 2 * STEP},
};

static void run_row(const struct row *row, bool cards)
{
    const struct tcp_config config = {.conns = 4};
    struct talk t;
    uint64_t before;

    start(&t, &config);
    before = net_counters(t.s.net)->tcp_in_segs;
    talk_give(&t, A, FIRST, 1, STEP);
    talk_give(&t, A, FIRST + STEP, 1, STEP);
    row->first(t.waiting.buf[0]);
    row->second(t.waiting.buf[1]);
    for (uint32_t i = 0; i < 2; i++) {
        sum(t.waiting.buf[i]);
        t.waiting.buf[i]->flags = cards ? CARD : 0;
    }
    t.checks = false;
    talk_flush(&t);
    if (t.s.net->tcp->merge.segs != row->merged || told.received_bytes != row->bytes)
        fail_msg("%s, cards %d: %llu merged, %u bytes", row->name, cards,
                 (unsigned long long)t.s.net->tcp->merge.segs, told.received_bytes);
    assert_int_equal(net_counters(t.s.net)->tcp_in_segs, before + 2); /* each counts */
    talk_drop_all(&t);
    talk_stop(&t);
}

static void run_rules(void **state)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        run_row(&rows[i], false);
        run_row(&rows[i], true);
    }
}

/* A wrong sum ends a run: the segment is dropped, those behind it wait for it. */
static void run_bad_sum(void **state)
{
    const struct tcp_config config = {.conns = 4};
    struct talk t;

    start(&t, &config);
    for (uint32_t i = 0; i < 5; i++) {
        talk_give(&t, A, FIRST + i * STEP, 1, STEP);
        sum(t.waiting.buf[i]);
        t.waiting.buf[i]->flags = 0;
    }
    buf_data(t.waiting.buf[2])[80] ^= 1;
    talk_flush(&t);
    assert_int_equal(told.received_bytes, 2 * STEP);
    assert_int_equal(net_counters(t.s.net)->tcp_in_errs, 1);
    assert_int_equal(t.s.net->tcp->merge.segs, 1);
    talk_drop_all(&t);
    talk_stop(&t);
}

/* Short frames have a tail of Ethernet's, which is nobody's data, also where they are merged. */
static void run_padded(bool cards)
{
    static const uint8_t tail[60] = {[0 ... 59] = 0xa5};
    const struct tcp_config config = {.conns = 4};
    struct talk t;
    uint32_t seq = FIRST;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4});
    talk_accept(&t, 1000);
    t.checks = t.batch = true;
    for (uint32_t bytes = 1; bytes <= 5; bytes += bytes == 1 ? 1 : 3) {
        struct buf *b;

        talk_give(&t, A, seq, 1, bytes);
        b = t.waiting.buf[t.waiting.count - 1];
        sum(b);
        memcpy(buf_data(b) + b->data_len, tail, 60u - b->data_len);
        b->data_len = 60;
        b->pkt_len = 60;
        b->flags = cards ? CARD : 0;
        seq += bytes;
    }
    talk_flush(&t);
    assert_int_equal(told.received_bytes, 1 + 2 + 5);
    assert_int_equal(t.s.net->tcp->merge.segs, 2);
    talk_drop_all(&t);
    talk_stop(&t);
}

static void run_padding(void **state)
{
    run_padded(false);
    run_padded(true);
}

/* Two flows that take turns: nothing to merge, and each stream exact. */
static void run_flows(void **state)
{
    const struct tcp_config config = {.conns = 4};
    struct talk t;

    for (uint32_t cards = 0; cards < 2; cards++) {
        start(&t, &config);
        t.batch = t.checks = false;
        talk_accept(&t, 1001);
        for (uint32_t i = 0; i < 8; i++) {
            t.batch = true;
            t.port = (uint16_t)(1000 + i % 2);
            t.irs = 0x7ffffff0u + t.port * 7919u;
            talk_give(&t, A, FIRST + i / 2 * STEP, 1, STEP);
            if (i % 2 == 0) /* the first one's numbers of ours are other ones: no ACK */
                tcp_of(t.waiting.buf[i])->ack = be32_put(
                    conn_find(t.s.net, &(const struct ip_addr[]){ours()}[0], TALK_PORT,
                              &(const struct ip_addr[]){peer()}[0], 1000)->snd_nxt);
            t.waiting.buf[i]->flags = cards ? CARD : BUF_RX_L4_GOOD;
        }
        talk_flush(&t);
        assert_int_equal(told.received_bytes, 8 * STEP);
        assert_int_equal(t.s.net->tcp->merge.segs, 0);
        talk_drop_all(&t);
        talk_stop(&t);
    }
}

/* ---- one by one, or together: the wire and the application see the same ---- */

struct log {
    uint64_t hash;
    uint32_t frames, bytes, merged;
};

static uint32_t draw(uint64_t *random, uint32_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 16) % below;
}

static void note(struct log *log, const void *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        log->hash = (log->hash ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
}

/* Most are next in order; some come twice, late, pushed, with another window or time. */
static void give_some(struct talk *t, uint64_t *random, uint32_t *next, bool cards)
{
    const uint32_t count = 1 + draw(random, 24);

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bytes = draw(random, 8) == 0 ? draw(random, 3) : 1 + draw(random, 300);
        const uint16_t flags = draw(random, 6) == 0 ? A | P : A;
        uint32_t seq = *next;
        struct buf *b;

        if (draw(random, 10) == 0)
            seq += draw(random, 400);
        else if (draw(random, 12) == 0)
            seq -= RT_MIN(seq - 1, draw(random, 400));
        else
            *next += bytes;
        t->window = draw(random, 10) == 0 ? (uint16_t)(20000 + draw(random, 9)) : t->window;
        t->options.time += draw(random, 10) == 0;
        talk_give(t, flags, seq, 1, bytes);
        b = t->waiting.buf[i];
        ip_of(b)->tos = draw(random, 20) == 0 ? IP_ECN_CE : 0;
        sum(b);
        b->flags = cards && draw(random, 16) != 0 ? CARD : 0;
    }
}

static void run_seed(uint64_t seed, bool cards, bool together, enum tcp_acks_use acks,
                     struct log *log)
{
    const struct tcp_config config = {.conns = 4, .acks = acks, .rx_window = 40000};
    uint64_t random = seed * 2 + 1;
    uint32_t next = FIRST;
    struct talk t;
    const struct frame *f;

    start(&t, &config);
    t.checks = false;
    t.keeps = draw(&random, 4) == 0;
    *log = (struct log){.hash = 1};
    for (uint32_t turn = 0; turn < 12; turn++) {
        struct buf_batch all;

        give_some(&t, &random, &next, cards);
        all = t.waiting;
        t.waiting.count = 0;
        for (uint32_t i = 0; i < all.count && !together; i++) {
            struct buf_batch one = {.count = 1, .buf = {all.buf[i]}};

            net_input(t.s.net, 0, &one, t.s.now_us);
        }
        if (together)
            net_input(t.s.net, 0, &all, t.s.now_us);
        net_turn(t.s.net, t.s.now_us);
        if (draw(&random, 3) == 0)
            talk_give_back(&t);
        station_advance_us(&t.s, draw(&random, 3) * 30000);
        for (; (f = station_next(&t.s)) != NULL; log->frames++)
            note(log, f->data, f->bytes);
        note(log, &told, offsetof(struct talk_told, conn));
    }
    note(log, net_counters(t.s.net), sizeof(struct net_counters));
    log->bytes = told.received_bytes;
    log->merged = (uint32_t)t.s.net->tcp->merge.segs;
    talk_stop(&t);
}

static void run_same(void **state)
{
    uint64_t merged = 0, bytes = 0;

    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        const enum tcp_acks_use acks = seed % 3 == 0 ? TCP_ACKS_EIGHTH : TCP_ACKS_SECOND;
        const bool cards = seed % 2 == 0;
        struct log one, all;

        run_seed(seed, cards, false, acks, &one);
        run_seed(seed, cards, true, acks, &all);
        assert_int_equal(one.merged, 0);
        if (one.hash != all.hash || one.frames != all.frames || one.bytes != all.bytes)
            fail_msg("seed %llu: %u frames for %u bytes one by one, %u for %u together",
                     (unsigned long long)seed, one.frames, one.bytes, all.frames, all.bytes);
        merged += all.merged;
        bytes += all.bytes;
    }
    assert_true(merged > 10 * (uint64_t)seeds && bytes > 1000 * (uint64_t)seeds);
}

/* A whole batch is told with one call, and acknowledged two by two. */
static void count_call(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    calls++;
    tcp_give_back(conn->net, chain_owned);
}

static void run_whole_batch(void **state)
{
    static const struct tcp_ops ops = {.received = count_call};
    const struct tcp_config config = {.conns = 4};
    struct talk t;

    for (uint32_t cards = 0; cards < 2; cards++) {
        start(&t, &config);
        told.conn->ops = &ops;
        calls = 0;
        for (uint32_t i = 0; i < 40; i++) {
            talk_give(&t, A, FIRST + i * STEP, 1, STEP);
            t.waiting.buf[i]->flags = cards ? CARD : BUF_RX_L4_GOOD;
        }
        talk_flush(&t);
        assert_int_equal(calls, 1);
        assert_int_equal(t.s.net->tcp->merge.segs, 39);
        for (uint32_t i = 1; i <= 20; i++)
            talk_expect(&t, A, 1, FIRST + i * 2 * STEP, 0);
        talk_silent(&t);
        told.conn->ops = &talk_ops;
        talk_stop(&t);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_rules),       cmocka_unit_test(run_bad_sum),
        cmocka_unit_test(run_padding),     cmocka_unit_test(run_flows),
        cmocka_unit_test(run_whole_batch), cmocka_unit_test(run_same),
    };

    if (argc > 1)
        seeds = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = (uint32_t)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

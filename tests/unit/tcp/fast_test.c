/* SPDX-License-Identifier: BSD-2-Clause */
/* The fast path does what the steps do: the same seeds twice, once with cards that check and fill
 * checksums, so that usual segments take the fast path, once without, so that it refuses all.
 * Streams, counters and the wire's own draws must be the same. fast_test SEEDS [FIRST]. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "tcp/conn.h"

#define PORT 7

static uint32_t seeds = 12, first_seed = 1;

struct talk {
    struct pair *p;
    struct tcp_conn *conn; /* of the client */
    uint32_t messages, most_bufs;
    uint64_t hash;
    uint32_t opened, closed;
    bool bulk;
};

static struct talk talk;

/* One to three buffers of any size, sent together, or nothing when there is none. */
static void say_something(unsigned side, struct tcp_conn *conn)
{
    struct buf *chain = NULL, *last = NULL;
    const uint32_t bufs = 1 + pair_random(talk.p, talk.most_bufs);

    for (uint32_t i = 0; i < bufs; i++) {
        struct buf *b = pool_take(pair_pool(talk.p, side));
        const uint32_t bytes = talk.bulk ? 1448 : 1 + pair_random(talk.p, 1448);

        if (b == NULL)
            break;
        memset(buf_data(b), (int)pair_random(talk.p, 256), bytes);
        b->data_len = (uint16_t)bytes;
        b->pkt_len = bytes;
        if (last != NULL)
            last->next = b;
        else
            chain = b;
        last = b;
    }
    if (chain != NULL && !tcp_try_send(conn, &chain, 0))
        buf_free(chain);
}

static void hear(unsigned side, const struct buf *chain)
{
    talk.hash = (talk.hash ^ side) * UINT64_C(1099511628211);
    for (const struct buf *b = chain; b != NULL; b = b->next)
        for (uint32_t i = 0; i < b->data_len; i++)
            talk.hash = (talk.hash ^ buf_data(b)[i]) * UINT64_C(1099511628211);
}

static void connected(struct tcp_conn *conn)
{
    tcp_set_nodelay(conn, pair_random(talk.p, 2) == 0);
    talk.opened++;
    for (uint32_t i = 0; i < (talk.bulk ? 20u : 1u); i++)
        say_something(0, conn);
}

static void client_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    hear(0, chain_owned);
    tcp_give_back(pair_net(talk.p, 0), chain_owned);
    if (talk.messages == 0)
        return;
    if (--talk.messages == 0)
        tcp_close(conn);
    else
        say_something(0, conn);
}

/* The server answers, or sends on what it got. */
static void server_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    hear(1, chain_owned);
    if (pair_random(talk.p, 4) == 0 && tcp_try_send(conn, &chain_owned, 0))
        return;
    tcp_give_back(pair_net(talk.p, 1), chain_owned);
    say_something(1, conn);
}

static void closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    talk.hash = (talk.hash ^ (uint64_t)reason) * UINT64_C(1099511628211);
    talk.closed++;
}

static const struct tcp_ops client_ops = {
    .connected = connected, .received = client_received, .closed = closed};
static const struct tcp_ops server_ops = {.received = server_received, .closed = closed};

static bool is_over(void *ctx)
{
    return talk.closed == 2;
}

/* What a run left behind; all of it must be the same. */
struct outcome {
    struct net_counters counters[2];
    uint64_t hash, carried, lost, random, now_us;
    bool over;
};

static void run(struct wire_rules rules, uint64_t seed, struct outcome *out, uint64_t *fast)
{
    const struct tcp_listen how = {.port = PORT, .backlog = 4, .ops = &server_ops};
    const struct tcp_config config = {.conns = 16};
    const struct ip_addr server = pair_addr(1);
    struct tcp_listener *listener;
    struct pair p;

    pool_takes_fail(false); /* at random, and not the same twice */
    pair_start(&p, 1024, &config, rules, seed);
    talk = (struct talk){.p = &p, .messages = 300, .most_bufs = 1 + (uint32_t)seed % 3,
                         .bulk = seed % 5 == 0};
    assert_int_equal(tcp_listen(pair_net(&p, 1), &how, &listener), RT_OK);
    assert_int_equal(tcp_connect(pair_net(&p, 0), &server, PORT, &client_ops, NULL, &talk.conn),
                     RT_OK);
    memset(out, 0, sizeof(*out));
    out->over = pair_run(&p, 600000000, is_over, NULL);
    for (unsigned i = 0; i < 2; i++) {
        out->counters[i] = *net_counters(pair_net(&p, i));
        *fast += pair_net(&p, i)->tcp->fast_segs;
    }
    out->hash = talk.hash;
    out->carried = p.carried;
    out->lost = p.lost;
    out->random = p.random;
    out->now_us = p.now_us;
    pair_stop(&p);
    pool_takes_fail(true);
}

static void assert_same(const struct outcome *a, const struct outcome *b, uint64_t seed)
{
    const uint64_t *x = (const uint64_t *)a->counters, *y = (const uint64_t *)b->counters;

    for (size_t i = 0; i < 2 * NET_COUNTERS; i++)
        if (x[i] != y[i])
            fail_msg("seed %llu, side %zu, %s: %llu with the fast path, %llu without",
                     (unsigned long long)seed, i / NET_COUNTERS,
                     net_counter_rows[i % NET_COUNTERS].name, (unsigned long long)x[i],
                     (unsigned long long)y[i]);
    if (memcmp(a, b, sizeof(*a)) != 0)
        fail_msg("seed %llu: streams or the wire differ", (unsigned long long)seed);
}

/* Both ways of each seed; `least`: segments of a hundred that took the fast path. */
static void run_both(struct wire_rules rules, uint64_t least)
{
    uint64_t fast = 0, refused = 0, segments = 0;

    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        struct outcome with, without;

        rules.cards = true;
        run(rules, seed, &with, &fast);
        rules.cards = false;
        run(rules, seed, &without, &refused);
        assert_same(&with, &without, seed);
        assert_true(with.over);
        segments += with.counters[0].tcp_in_segs + with.counters[1].tcp_in_segs;
    }
    assert_int_equal(refused, 0);
    if (fast * 100 < segments * least)
        fail_msg("only %llu of %llu segments took the fast path", (unsigned long long)fast,
                 (unsigned long long)segments);
}

static void same_on_a_good_wire(void **state)
{
    run_both((struct wire_rules){.delay_us = 50, .hold_us = 20}, 60);
}

static void same_when_cards_are_late(void **state)
{
    run_both((struct wire_rules){.delay_us = 50, .hold_us = 3000}, 60);
}

static void same_on_a_bad_wire(void **state)
{
    run_both((struct wire_rules){.loss = 20, .repeat = 10, .reorder = 30, .delay_us = 200,
                                 .hold_us = 100}, 10);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_on_a_good_wire),
        cmocka_unit_test(same_when_cards_are_late),
        cmocka_unit_test(same_on_a_bad_wire),
    };

    if (argc > 1)
        seeds = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = (uint32_t)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

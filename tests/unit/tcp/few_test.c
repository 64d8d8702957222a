/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers are few (few.h): what is given up, in which order, and that nobody is reset for it. An
 * application that keeps buffers is played by taking them out of the pool. */
#include "talk.h"

#include "wire/eth.h"
#include "wire/ip.h"

enum { WINDOW = 65535, MSS = 1460, RESERVE = 8 };

static const struct tcp_config config = {.conns = 16, .rx_window = WINDOW};
static struct buf *taken; /* by `user` */

/* `reserve` buffers are the stack's alone. */
static void start(struct talk *t, uint32_t reserve)
{
    talk_start(t, &config, (struct tcp_listen){.backlog = 8});
    few_begin(&t->s.net->few, t->s.pool, reserve);
    net_turn(t->s.net, t->s.now_us);
    assert_int_equal(t->s.net->few.reserve.count, reserve);
    talk_accept(t, 1000);
}

static void take_until(struct talk *t, uint32_t left)
{
    while (t->s.pool->free > left) {
        struct buf *b = pool_take(t->s.pool);

        assert_non_null(b);
        b->user = (uintptr_t)taken;
        taken = b;
    }
    assert_int_equal(t->s.pool->free, left);
}

static void give_taken(void)
{
    while (taken != NULL) {
        struct buf *b = taken;

        taken = (struct buf *)(uintptr_t)b->user;
        buf_free(b);
    }
}

/* One less than that part of all is free, and a turn has passed. */
static void leave_less_than(struct talk *t, uint32_t part)
{
    take_until(t, t->s.net->few.most / part - 1);
    net_turn(t->s.net, t->s.now_us);
}

static const struct net_counters *counters(const struct talk *t)
{
    return net_counters(t->s.net);
}

/* ---- nothing is free ---- */

/* The application has all buffers, some of them sent: what the peer acknowledges comes home, though
 * it comes with data for one that holds some; that is dropped, and comes again. */
static void run_dry(void **state)
{
    struct talk t;
    const uint32_t segments = 20;
    struct tcp_conn *conn;

    start(&t, RESERVE);
    conn = told.conn;
    t.keeps = true;
    for (uint32_t i = 0; i < 2; i++)
        talk_give(&t, A, 1 + i, 1, 1);
    talk_send(&t, conn, segments * MSS, MSS);
    for (uint32_t i = 1; i <= segments; i++) {
        take_until(&t, 0);
        net_before_receive(t.s.net);
        assert_int_equal(t.s.pool->free, RESERVE);
        talk_give(&t, A | P, 3, 1 + i * MSS, 100);
        talk_drop_all(&t);
        assert_int_equal(conn->snd_una - t.iss, 1 + i * MSS);
        assert_int_equal(counters(&t)->tcp_held_dropped, i);
        assert_int_equal(t.s.net->few.reserve.count, RESERVE);
    }
    assert_int_equal(conn->queue.bufs, 0);
    assert_int_equal(counters(&t)->bufs_dry, segments);
    assert_int_equal(told.received_bytes, 2);
    give_taken();
    net_turn(t.s.net, t.s.now_us);
    talk_give(&t, A | P, 3, 1 + segments * MSS, 100);
    assert_int_equal(told.received_bytes, 102);
    assert_int_equal(told.closed, 0);
    talk_stop(&t);
}

/* Who reads what it gets goes on, though others have all buffers. */
static void run_dry_reader(void **state)
{
    struct talk t;

    start(&t, RESERVE);
    take_until(&t, 0);
    for (uint32_t i = 0; i < 20; i++) {
        net_before_receive(t.s.net);
        talk_give(&t, A, 1 + 100 * i, 1, 100);
        talk_drop_all(&t);
        assert_int_equal(told.received_bytes, 100 + 100 * i);
        net_turn(t.s.net, t.s.now_us);
        assert_int_equal(t.s.net->few.reserve.count, RESERVE);
    }
    give_taken();
    talk_stop(&t);
}

/* Half of the reserve is what those may keep who held nothing before. */
static void run_dry_keepers(void **state)
{
    struct talk t;
    struct talk peers[6];

    start(&t, RESERVE);
    t.keeps = true;
    for (uint16_t i = 0; i < RT_ARRAY_SIZE(peers); i++) {
        talk_accept(&t, 1100 + i);
        peers[i] = t;
    }
    take_until(&t, 0);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(peers); i++) {
        peers[i].s = t.s;
        net_before_receive(t.s.net);
        talk_give(&peers[i], A, 1, 1, 100);
        talk_drop_all(&peers[i]);
        t.s = peers[i].s;
    }
    assert_int_equal(told.received_bytes, 3 * 100);
    assert_int_equal(counters(&t)->tcp_held_dropped, 3);
    assert_true(t.s.net->few.reserve.count >= RESERVE / 2);
    give_taken();
    talk_stop(&t);
}

/* Neither a SYN nor what is out of order is kept then. */
static void run_dry_others(void **state)
{
    struct talk t;

    start(&t, RESERVE);
    take_until(&t, 0);
    net_before_receive(t.s.net);
    talk_give(&t, A, 1001, 1, 100);
    assert_null(told.conn->order);
    talk_new(&t, 1001);
    net_before_receive(t.s.net);
    talk_give(&t, S, 0, 0, 0);
    assert_int_equal(counters(&t)->tcp_syn_dropped, 1);
    assert_int_equal(t.s.net->few.reserve.count, RESERVE);
    assert_int_equal(t.s.sent - t.s.seen, 1); /* an ACK that tells of the hole */
    give_taken();
    talk_stop(&t);
}

/* ---- what others wait for ---- */

/* A FIN is acknowledged though no buffer is free. */
static void run_ack_by_reserve(void **state)
{
    struct talk t;

    start(&t, RESERVE);
    take_until(&t, 0);
    net_before_receive(t.s.net);
    talk_give(&t, F | A, 1, 1, 0);
    assert_int_equal(told.ended, 1);
    talk_expect(&t, A, 1, 2, 0);
    assert_int_equal(counters(&t)->bufs_missing, 0);
    give_taken();
    talk_stop(&t);
}

/* A device that takes nothing does not get all of the reserve: frames still come in. */
static void run_half_of_reserve(void **state)
{
    struct talk t;
    struct frame f;

    start(&t, RESERVE);
    take_until(&t, 0);
    t.s.accepts = 0;
    for (uint32_t i = 0; i < 2 * RESERVE; i++) {
        net_before_receive(t.s.net);
        frame_arp(&f, ARP_REQUEST, peer(), ours());
        station_give(&t.s, &f, 0);
        assert_true(t.s.net->few.reserve.count >= RESERVE / 2);
    }
    assert_true(counters(&t)->bufs_missing >= RESERVE);
    t.s.accepts = UINT32_MAX;
    net_turn(t.s.net, t.s.now_us);
    net_turn(t.s.net, t.s.now_us);
    assert_int_equal(t.s.net->few.reserve.count, RESERVE);
    give_taken();
    talk_stop(&t);
}

/* ---- step by step ---- */

/* Less than a quarter: what was promised is taken, then the window is two packets, and each segment
 * acknowledged at once; the stream never stops. Afterwards it opens again. */
static void run_quarter(void **state)
{
    struct talk t;
    struct heard ack;
    uint32_t seq = 1;

    start(&t, 0);
    t.checks = true;
    leave_less_than(&t, 4);
    for (uint32_t i = 0; i < 150; i++, seq += MSS) {
        talk_give(&t, A, seq, 1, MSS);
        ack = talk_hear(&t);
        assert_int_equal(ack.ack, seq + MSS);
        assert_true(ack.window >= MSS);
        if (i > 45)
            assert_true(ack.window <= 3000);
    }
    assert_int_equal(told.received_bytes, 150 * MSS);
    give_taken();
    net_turn(t.s.net, t.s.now_us);
    for (uint32_t i = 0; i < 2; i++, seq += MSS)
        talk_give(&t, A, seq, 1, MSS);
    assert_int_equal(talk_hear(&t).window, WINDOW);
    talk_stop(&t);
}

static void give_holes(struct talk *t)
{
    for (uint32_t i = 0; i < 3; i++)
        talk_give(t, i == 2 ? F | A : A, 101 + 200 * i, 1, 100); /* 101, 301, 501; 601 is FIN */
    talk_drop_all(t);
}

/* Less than an eighth: what came out of order goes, of the connection first that began to keep
 * some; all of it comes again. A SYN has no answer, and comes again, too. */
static void run_eighth(void **state)
{
    struct talk t, first;
    struct tcp_conn *conns[2];

    start(&t, 0);
    conns[0] = told.conn;
    give_holes(&t);
    first = t;
    conns[1] = talk_accept(&t, 1001);
    give_holes(&t);
    leave_less_than(&t, 8);
    assert_null(conns[0]->order);
    assert_non_null(conns[1]->order);
    assert_int_equal(counters(&t)->tcp_order_dropped, 3);
    leave_less_than(&t, 8);
    assert_null(conns[1]->order);
    assert_int_equal(counters(&t)->tcp_order_dropped, 6);
    talk_new(&t, 1002);
    take_until(&t, t.s.net->few.most / 8 - 1);
    talk_give(&t, S, 0, 0, 0);
    talk_silent(&t);
    assert_int_equal(counters(&t)->tcp_syn_dropped, 1);
    give_taken();
    net_turn(t.s.net, t.s.now_us);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    first.s = t.s;
    talk_give(&first, A, 1, 1, 600); /* as far as the FIN was, which was given up, too */
    assert_int_equal(told.received_bytes, 600);
    assert_int_equal(told.ended, 0);
    talk_give(&first, F | A, 601, 1, 0);
    assert_int_equal(told.ended, 1);
    assert_int_equal(told.closed, 0);
    talk_stop(&first);
}

/* Less than a sixteenth: two segments of each connection, not three. */
static void run_sixteenth(void **state)
{
    struct talk t, first;

    start(&t, 0);
    first = t;
    talk_accept(&t, 1001);
    leave_less_than(&t, 16);
    first.s = t.s;
    first.keeps = t.keeps = true;
    talk_give(&first, A, 1, 1, 100);
    assert_int_equal(told.received_bytes, 100);
    talk_give(&first, A, 101, 1, 100);
    assert_int_equal(told.received_bytes, 200);
    talk_give(&first, A, 201, 1, 100);
    assert_int_equal(told.received_bytes, 200);
    assert_int_equal(counters(&t)->tcp_held_dropped, 1);
    t.s = first.s;
    talk_give(&t, A, 1, 1, 100);
    assert_int_equal(told.received_bytes, 300);
    talk_give_back(&t);
    first.s = t.s;
    talk_give(&first, A, 201, 1, 100);
    assert_int_equal(told.received_bytes, 400);
    give_taken();
    assert_int_equal(told.closed, 0);
    talk_stop(&first);
}

/* Pieces of datagrams go, too. */
static void run_pieces(void **state)
{
    struct talk t;

    start(&t, 0);
    for (uint16_t i = 0; i < 4; i++) {
        static const uint8_t data[64];
        struct frame f;
        struct ipv4_header *ip = frame_ip(&f, peer(), ours(), 253, sizeof(data));

        ip->id = be16_put(i);
        ip->fragment = be16_put(IPV4_MORE_FRAGMENTS);
        frame_ip_sum(ip);
        frame_add(&f, data, sizeof(data));
        station_give(&t.s, &f, 0);
    }
    assert_int_equal(t.s.net->reasm_bufs, 4);
    leave_less_than(&t, 8);
    assert_int_equal(t.s.net->reasm_bufs, 3); /* enough again */
    leave_less_than(&t, 8);
    assert_int_equal(t.s.net->reasm_bufs, 2);
    assert_int_equal(counters(&t)->ip_reasm_evicted, 2);
    give_taken();
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_dry),            cmocka_unit_test(run_dry_others),
        cmocka_unit_test(run_dry_reader),     cmocka_unit_test(run_dry_keepers),
        cmocka_unit_test(run_ack_by_reserve), cmocka_unit_test(run_half_of_reserve),
        cmocka_unit_test(run_quarter),        cmocka_unit_test(run_eighth),
        cmocka_unit_test(run_sixteenth),      cmocka_unit_test(run_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker between fake queues: order, ownership, full rings, held frames, every mode.
 * After each case every buffer is home.
 */
#include "queues.h"
#include "worker.h"

#include <rt/host.h>
#include <string.h>

enum { POOL = 256, RING = 64 };

static struct pool *pool;

static struct fake_rxq rxq;
static struct fake_txq txq;
static struct l2fwd_path path;

/* Which of our own frames this is: the sequence number behind the UDP header. */
static uint64_t sequence_of(const struct buf *b)
{
    const uint8_t *at = buf_data(b) + 42;

    return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
}

static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};

static struct loop_source start(enum l2fwd_mode mode, uint64_t drain_us)
{
    const struct l2fwd_options o = {.tx_size = 60, .tx_flows = 1, .tx_count = 100};
    struct loop_source source = {
        .poll = l2fwd_worker_poll, .disarm = kit_path_disarm, .ctx = &path};

    host_memory_reset();
    host_clock_virtual(1000);
    assert_int_equal(pool_create("test", 0, 1, POOL, &pool), RT_OK);
    fake_rxq_init(&rxq, pool);
    fake_txq_init(&txq);
    if (mode == L2FWD_TXONLY)
        txq.number_of = sequence_of;
    path = (struct l2fwd_path){
        .kit = {.rxq = &rxq.head, .txq = &txq.head, .pool = pool, .batch_max = 32},
        .mode = mode, .drain_us = drain_us, .rewrite = l2fwd_rewrite_make(3, mac),
    };
    l2fwd_txgen_init(&path.txgen, &o, mac, 3);
    l2fwd_worker_source(&path, &source);
    return source;
}

static void finish(void)
{
    l2fwd_worker_leave(&path.kit);
    pool_collect(pool);
    assert_int_equal(pool->free, pool->total);
    assert_true(txq.in_order);
    host_memory_reset();
}

static void forwards_in_order_and_rewrites(void **state)
{
    static const uint8_t wanted[3][12] = {
        [L2FWD_IO] = {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22},
        [L2FWD_MAC] = {2, 0, 0, 0, 0, 3, 0x52, 0x54, 0, 1, 2, 3},
        [L2FWD_MACSWAP] = {0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x11, 0x11, 0x11, 0x11, 0x11,
                           0x11},
    };

    for (enum l2fwd_mode mode = L2FWD_IO; mode <= L2FWD_MACSWAP; mode++) {
        struct loop_source s = start(mode, 0);

        rxq.waiting = 70;
        assert_ptr_equal(s.poll, l2fwd_worker_poll);
        assert_int_equal(s.poll(s.ctx, 0), 32);
        assert_int_equal(s.poll(s.ctx, 0), 32);
        assert_int_equal(s.poll(s.ctx, 0), 6);
        assert_int_equal(s.poll(s.ctx, 0), 0);
        assert_int_equal(txq.sent, 70);
        assert_int_equal(txq.calls, 3); /* one call, so one doorbell, a batch */
        assert_int_equal(path.stats.forwarded, 70);
        assert_int_equal(path.kit.polls[32], 2);
        assert_int_equal(path.kit.polls[6], 1);
        assert_int_equal(path.kit.polls[0], 1);
        assert_true(path.kit.first_cycles != 0);
        assert_memory_equal(txq.last, wanted[mode], 12);
        finish();
    }
}

static void a_ring_that_drains_loses_nothing(void **state)
{
    struct loop_source s = start(L2FWD_MAC, 0);

    rxq.waiting = 32;
    txq.room = 10;
    txq.room_after = 4;
    for (unsigned i = 0; i < 6; i++)
        s.poll(s.ctx, i);
    assert_int_equal(txq.sent, 32);
    assert_int_equal(path.stats.tx_full, 0);
    finish();
}

static void a_full_ring_holds(void **state)
{
    struct loop_source s = start(L2FWD_MAC, 0);

    rxq.waiting = 64;
    txq.room = 10;
    s.poll(s.ctx, 1000);
    assert_int_equal(path.batch.count, 22);
    assert_int_equal(path.stats.forwarded, 10);
    assert_in_range(txq.calls, 2, 20); /* bounded */
    assert_true(s.arm(s.ctx, 1000));   /* no sleep on it */
    s.disarm(s.ctx);
    txq.room = UINT32_MAX / 2;
    assert_int_equal(s.poll(s.ctx, 1100), 10); /* what fits behind the held ones */
    assert_int_equal(path.stats.forwarded, 42);
    assert_int_equal(s.poll(s.ctx, 1101), 22);
    assert_int_equal(txq.sent, 64);
    assert_int_equal(path.stats.tx_full, 0);
    finish();
}

/* The loop's time alone says how old a held frame is, whatever another clock says. */
static void a_held_frame_is_not_old_by_another_clock(void **state)
{
    struct loop_source s = start(L2FWD_MAC, 0);

    host_clock_virtual(999);
    rxq.waiting = 10;
    txq.room = 0;
    s.poll(s.ctx, 1000);
    assert_true(s.arm(s.ctx, 1000));
    assert_int_equal(path.stats.tx_full, 0);
    assert_int_equal(path.batch.count, 10);
    s.disarm(s.ctx);
    finish();
}

static void a_ring_that_stays_full_is_counted(void **state)
{
    struct loop_source s = start(L2FWD_MAC, 0);

    rxq.waiting = 64;
    txq.room = 10;
    s.poll(s.ctx, 1000);
    s.poll(s.ctx, 10999);
    assert_int_equal(path.batch.count, 32);
    assert_int_equal(path.stats.tx_full, 0);
    s.poll(s.ctx, 11000); /* nothing moved for 10 ms */
    assert_int_equal(path.batch.count, 0);
    assert_int_equal(path.stats.tx_full, 32);
    assert_int_equal(path.stats.forwarded, 10);
    txq.room = UINT32_MAX / 2;
    assert_int_equal(s.poll(s.ctx, 11001), 22); /* goes on by itself */
    assert_int_equal(path.stats.forwarded, 32);
    txq.in_order = true; /* the dropped ones are a gap */
    finish();
}

static void holds_until_full_or_old(void **state)
{
    struct loop_source s = start(L2FWD_MAC, 100);

    rxq.waiting = 5;
    s.poll(s.ctx, 1000);
    assert_int_equal(txq.sent, 0);
    assert_int_equal(path.batch.count, 5);
    s.poll(s.ctx, 1099);
    assert_int_equal(txq.sent, 0);
    s.poll(s.ctx, 1100); /* the oldest is 100 us old */
    assert_int_equal(txq.sent, 5);
    rxq.waiting = 20;
    s.poll(s.ctx, 2000);
    rxq.waiting = 20;
    assert_int_equal(s.poll(s.ctx, 2001), 12); /* full: no more is taken than fits */
    assert_int_equal(txq.sent, 5 + 32);
    s.poll(s.ctx, 2002);
    assert_int_equal(path.batch.count, 8);
    assert_false(s.arm(s.ctx, 2003)); /* nothing is held during a halt */
    assert_int_equal(txq.sent, 45);
    s.disarm(s.ctx);
    rxq.waiting = 3;
    s.poll(s.ctx, 3000);
    finish(); /* nor leaks at stop */
}

static void rxonly(void **state)
{
    struct loop_source s = start(L2FWD_RXONLY, 0);

    rxq.waiting = 40;
    assert_int_equal(s.poll(s.ctx, 0), 32);
    assert_int_equal(s.poll(s.ctx, 0), 8);
    assert_int_equal(path.stats.rx_only, 40);
    assert_int_equal(txq.calls, 0);
    finish();
}

static void txonly(void **state)
{
    struct loop_source s = start(L2FWD_TXONLY, 0);
    uint32_t sent;

    rxq.waiting = 3;
    txq.room = 40;
    sent = s.poll(s.ctx, 0) - 3;
    assert_true(sent == 32 || POOL_HOSTILE);
    assert_int_equal(path.stats.rx_only, 3);
    for (unsigned i = 0; i < 20; i++)
        sent += s.poll(s.ctx, 0);
    assert_int_equal(sent, 40); /* the ring is full: the rest stays in the batch */
    assert_true(path.batch.count > 0);
    assert_true(s.arm(s.ctx, 0)); /* frames to send: no halt */
    assert_true(rxq.armed);
    s.disarm(s.ctx);
    txq.room_after = 32;
    for (unsigned i = 0; i < 100; i++)
        s.poll(s.ctx, 0);
    assert_int_equal(txq.sent, 100); /* tx_count, and none lost or twice */
    assert_int_equal(path.stats.forwarded, 100);
    assert_false(s.arm(s.ctx, 0));
    s.disarm(s.ctx);
    finish();
}

static void arm_reclaims_and_tells_pending(void **state)
{
    struct loop_source s = start(L2FWD_MAC, 0);

    assert_false(s.arm(s.ctx, 0));
    assert_true(rxq.armed);
    assert_int_equal(txq.reclaims, 1);
    s.disarm(s.ctx);
    assert_false(rxq.armed);
    rxq.arm_pending = true;
    assert_true(s.arm(s.ctx, 0));
    s.disarm(s.ctx);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwards_in_order_and_rewrites),
        cmocka_unit_test(a_ring_that_drains_loses_nothing),
        cmocka_unit_test(a_full_ring_holds),
        cmocka_unit_test(a_held_frame_is_not_old_by_another_clock),
        cmocka_unit_test(a_ring_that_stays_full_is_counted),
        cmocka_unit_test(holds_until_full_or_old),
        cmocka_unit_test(rxonly),
        cmocka_unit_test(txonly),
        cmocka_unit_test(arm_reclaims_and_tells_pending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

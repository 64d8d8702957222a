/* SPDX-License-Identifier: BSD-2-Clause */
/* Transmit, frame by frame: contents, requests, and every way to go wrong. */
#include "e1000e_port.h"

#include <stdlib.h>
#include <string.h>

#define JUMBO 9018

static struct fake_tx *sent_last;
static uint32_t sent_seed;

static void keep_sent(struct fake_e1000e *f, const struct fake_tx *tx)
{
    memcpy(sent_last, tx, sizeof(*tx));
}

static void check_sent(struct fake_e1000e *f, const struct fake_tx *tx)
{
    assert_true(frame_is(tx->data, tx->bytes, sent_seed));
    sent_seed++;
}

static void run_tx_bursts(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint32_t seed = 0;

    sent_seed = 0;
    port->fake->sent = check_sent;
    for (unsigned round = 0; round < 300; round++) {
        struct buf_batch batch = {.count = 0};
        uint32_t writes;

        for (uint32_t i = 0; i <= round % 60; i++)
            batch.buf[batch.count++] = frame_buf(bench->pool, 60 + seed % 1400, seed + i);
        for (uint32_t i = 0; i < batch.count; i++)
            frame_fill(buf_data(batch.buf[i]), batch.buf[i]->data_len, seed + i);
        seed += batch.count;
        for (unsigned i = 0; i < 20 && batch.count > 0; i++) {
            writes = port->fake->write_count = 0;
            nic_tx(port->txq, &batch);
            assert_int_equal(port->fake->write_count, writes + 1); /* one doorbell a call */
        }
        assert_int_equal(batch.count, 0);
    }
    assert_int_equal(sent_seed, seed);
    assert_int_equal(port->txq->stats.packets, seed);
    /* all descriptors come back without another frame */
    nic_tx_reclaim(port->txq);
    assert_int_equal(nic_tx_ring_of(port->txq)->used, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* The chip sends nothing: what does not fit stays with the caller, in order; it all goes out
 * when the chip goes on. */
static void run_tx_full(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};
    uint32_t seed = 0, fits = port->nic->config.tx_descs - 1u, all = fits + 17;

    port->fake->stuck_tx = true;
    port->fake->sent = check_sent;
    sent_seed = 0;
    while (seed < all) {
        while (batch.count < BUF_BATCH_MAX && seed < all)
            batch.buf[batch.count++] = frame_buf(bench->pool, 60, seed++);
        nic_tx(port->txq, &batch);
    }
    assert_int_equal(batch.count, all - fits);
    assert_in_range(port->txq->stats.ring_full, all - fits, 200);
    assert_true(frame_is(buf_data(batch.buf[0]), 60, fits));
    assert_int_equal(nic_tx_reclaim(port->txq), 0);
    port->fake->stuck_tx = false;
    hal_write32(&port->nic->mmio, E1000E_TDT(0),
                port->fake->reg[E1000E_TDT(0) / 4]);
    for (unsigned i = 0; i < 80 && batch.count > 0; i++)
        nic_tx(port->txq, &batch);
    assert_int_equal(sent_seed, all);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Stopped with frames that were never sent: they come home, too. */
static void run_tx_stop_full(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};

    port->fake->stuck_tx = true;
    for (uint32_t i = 0; i < 40; i++)
        batch.buf[batch.count++] = frame_buf(bench->pool, 60, i);
    nic_tx(port->txq, &batch);
    buf_batch_free(&batch);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_tx_bad_requests(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint64_t *bad = &port->txq->stats.bad_request;
    struct buf *b;

    port_send_one(port, frame_buf(bench->pool, 16, 1));
    assert_int_equal(*bad, 1);
    port_send_one(port, frame_buf(bench->pool, 1519, 1)); /* 1514 + VLAN tag is the most */
    assert_int_equal(*bad, 2);
    assert_true(bench_logged(bench, "nic0 txq=0 error=bad-request reason=too-short bytes=16"));
    assert_true(bench_logged(bench, "reason=too-long bytes=1519 segments=1 flags=0x0 count=2"));
    b = frame_buf(bench->pool, 60, 1);
    b->data_off = BUF_HEADROOM_BYTES + BUF_ROOM_BYTES - 59; /* beyond its room */
    port_send_one(port, b);
    assert_int_equal(*bad, 3);
    b = frame_buf(bench->pool, 60, 1);
    b->flags = BUF_TX_TSO;
    port_send_one(port, b);
    assert_int_equal(*bad, 4);
    assert_true(bench_logged(bench, "reason=requests"));
    assert_false(bench_logged(bench, "reason=outside-of-room")); /* the third: no line */
    b = frame_buf(bench->pool, 60, 1);
    b->segments = 2; /* and there is no second one */
    port_send_one(port, b);
    assert_int_equal(*bad, 5);
    b = frame_buf(bench->pool, 60, 1);
    b->flags = BUF_TX_TCP_CSUM;
    b->l2_bytes = 14;
    b->l3_bytes = 40; /* headers end beyond the data */
    port_send_one(port, b);
    assert_int_equal(*bad, 6);
    b = frame_buf(bench->pool, 60, 1);
    b->segments = 0;
    port_send_one(port, b);
    assert_int_equal(*bad, 7);
    port_send_one(port, frame_buf(bench->pool, 1518, 1));
    port_send_one(port, frame_buf(bench->pool, 17, 1));
    assert_int_equal(*bad, 7);
    assert_int_equal(port->fake->tx_frames, 2);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* gcc sees use after buf_free() at compile time, unless it loses sight of the pointer. */
static struct buf *hidden(struct buf *b)
{
    __asm__("" : "+r"(b));
    return b;
}

/* The same buffer twice in a batch, and once more after it was sent: refused and counted. */
static void run_tx_double_send(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf *b = frame_buf(bench->pool, 60, 1), *again;
    struct buf_batch batch = {.count = 2, .buf = {b, b}};
    uint64_t before = buf_refusals();

    host_clock_advance_us(5000000); /* the line is limited to one a second */
    port->fake->stuck_tx = true;
    nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 0);
    assert_int_equal(buf_refusals(), before + 1);
    port_send_one(port, b);
    assert_int_equal(buf_refusals(), before + 2);
    buf_free(b); /* free after send */
    assert_int_equal(buf_refusals(), before + 3);
    b = frame_buf(bench->pool, 60, 1);
    again = hidden(b);
    buf_free(b);
    port_send_one(port, again); /* send after free */
    assert_int_equal(buf_refusals(), before + 4);
    assert_int_equal(port->txq->stats.packets, 1);
    assert_true(bench_logged(bench, "refused=hand-over"));
    bench_stop_and_check(bench);
    bench_free(bench);
}

static struct buf *chain(struct pool *pool, uint32_t segments, uint32_t each, uint32_t seed)
{
    struct buf *first = NULL, *last = NULL;

    for (uint32_t i = 0; i < segments; i++) {
        struct buf *b = frame_buf(pool, each, seed + i * each);

        if (first == NULL)
            first = b;
        else
            last->next = b;
        last = b;
    }
    first->segments = (uint8_t)segments;
    first->pkt_len = segments * each;
    return first;
}

static void run_tx_chains(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    uint32_t most = RT_MIN(NIC_TX_CHAIN_MAX, port->nic->config.tx_descs - 1u);
    struct buf *b;

    sent_last = calloc(1, sizeof(*sent_last));
    port->fake->sent = keep_sent;
    for (uint32_t segments = 2; segments <= most; segments++) {
        for (uint32_t each = 20; each <= 9018 / segments && each <= 2048; each += 113) {
            port_send_one(port, chain(bench->pool, segments, each, each));
            assert_int_equal(sent_last->bytes, segments * each);
            assert_int_equal(sent_last->descs, segments);
            assert_true(frame_is(sent_last->data, segments * each, each));
        }
    }
    assert_int_equal(port->txq->stats.bad_request, 0);
    port_send_one(port, chain(bench->pool, most + 1, 60, 0));
    assert_int_equal(port->txq->stats.bad_request, 1);
    b = chain(bench->pool, 3, 60, 0);
    b->next->next->next = frame_buf(bench->pool, 60, 0); /* longer than it says */
    port_send_one(port, b);
    assert_int_equal(port->txq->stats.bad_request, 2);
    free(sent_last);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Frames of one, two and three buffers in turn, in batches: in order and whole. */
static void run_tx_mixed(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint32_t seed = 0, calls = 0;

    sent_seed = 0;
    port->fake->sent = check_sent;
    for (uint32_t round = 0; round < 200; round++) {
        struct buf_batch batch = {.count = 0};

        for (uint32_t i = 0; i < 1 + round % 20; i++, seed++)
            batch.buf[batch.count++] =
                chain(bench->pool, 1 + seed * 7 % 5 / 2, 20 + seed % 400, seed);
        for (calls = 0; calls < 40 && batch.count > 0; calls++)
            nic_tx(port->txq, &batch);
        assert_int_equal(batch.count, 0);
    }
    assert_int_equal(sent_seed, seed);
    assert_int_equal(port->txq->stats.packets, seed);
    assert_int_equal(port->txq->stats.bad_request, 0);
    nic_tx_reclaim(port->txq);
    assert_int_equal(nic_tx_ring_of(port->txq)->used, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Two buffers that are not what they say: refused or dropped whole, no buffer is lost. */
static void run_tx_bad_pairs(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint64_t refused = buf_refusals();
    struct buf *b, *last;

    b = chain(bench->pool, 2, 60, 0);
    b->pkt_len--;
    port_send_one(port, b);
    b = chain(bench->pool, 2, 60, 0);
    b->next->data_off = BUF_HEADROOM_BYTES + BUF_ROOM_BYTES - 59;
    port_send_one(port, b);
    b = chain(bench->pool, 2, 60, 0);
    b->next->data_len = 0;
    port_send_one(port, b);
    port_send_one(port, chain(bench->pool, 2, 760, 0)); /* 1514 and a tag is the most */
    assert_int_equal(port->txq->stats.bad_request, 4);
    b = chain(bench->pool, 3, 60, 0); /* says two, has three: the last would be nobody's */
    b->segments = 2;
    b->pkt_len = 120;
    port_send_one(port, b);
    assert_int_equal(port->txq->stats.bad_request, 5);
    assert_int_equal(buf_refusals(), refused);
    b = chain(bench->pool, 2, 60, 0);
    last = b->next;
    *last->owner = BUF_RING; /* travels between cores: not ours */
    port_send_one(port, b);
    assert_int_equal(port->txq->stats.bad_request, 6);
    assert_int_equal(*last->owner, BUF_RING);
    *last->owner = BUF_STACK;
    buf_free(last);
    assert_int_equal(port->fake->tx_frames, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Neither does a frame in two buffers with a context in front, with room for two: the ring would
 * be full, and an index further. */
static void run_tx_context_waits(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct nic_tx_ring *q = nic_tx_ring_of(port->txq);
    struct buf_batch batch = {.count = 1, .buf = {chain(bench->pool, 2, 100, 1)}};

    batch.buf[0]->flags = BUF_TX_IP_CSUM;
    batch.buf[0]->l2_bytes = 14;
    batch.buf[0]->l3_bytes = 20;
    port->fake->stuck_tx = true;
    while (nic_tx_room(q) > 2)
        port_send_one(port, frame_buf(bench->pool, 60, 1));
    nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 1);
    assert_int_equal(nic_tx_room(q), 2);
    buf_batch_free(&batch);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A chain that does not fit now is left whole: no tail write inside a frame. */
static void run_tx_chain_waits(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct nic_tx_ring *q = nic_tx_ring_of(port->txq);
    struct buf_batch batch = {.count = 0};

    port->fake->stuck_tx = true;
    while (nic_tx_room(q) > 2)
        port_send_one(port, frame_buf(bench->pool, 60, 1));
    batch.buf[batch.count++] = chain(bench->pool, 3, 100, 1);
    nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 1);
    assert_int_equal(nic_tx_room(q), 2);
    port->fake->stuck_tx = false;
    hal_write32(&q->mmio, E1000E_TDT(0), port->fake->reg[E1000E_TDT(0) / 4]);
    for (unsigned i = 0; i < 80 && batch.count > 0; i++)
        nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A buffer of another core's pool goes home by ring when the chip is done with it. */
static void run_tx_foreign_pool(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct pool *other;

    assert_int_equal(pool_create("other", 1, 2, 64, &other), RT_OK);
    host_set_core(1);
    struct buf *b = frame_buf(other, 60, 1);
    host_set_core(0);
    port_send_one(port, b);
    nic_tx_reclaim(port->txq);
    assert_int_equal(other->free, 63);
    assert_int_equal(pool_count_owner(other, BUF_RING), 1);
    host_set_core(1);
    assert_int_equal(pool_collect(other), 1);
    host_set_core(0);
    assert_int_equal(other->free, 64);
    assert_int_equal(other->stats.collected, 1);
    bench_stop_and_check(bench);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_tx_bursts),
        cmocka_unit_test(run_tx_full),
        cmocka_unit_test(run_tx_stop_full),
        cmocka_unit_test(run_tx_bad_requests),
        cmocka_unit_test(run_tx_double_send),
        cmocka_unit_test(run_tx_chains),
        cmocka_unit_test(run_tx_mixed),
        cmocka_unit_test(run_tx_bad_pairs),
        cmocka_unit_test(run_tx_context_waits),
        cmocka_unit_test(run_tx_chain_waits),
        cmocka_unit_test(run_tx_foreign_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Receive from a broken or hostile device: dropped, counted, and nothing else. */
#include "e1000e_port.h"

#include <string.h>

#define JUMBO 9018

static void expect_dropped(struct port *port, uint32_t bytes, const struct fake_rx *how,
                           const uint64_t *counter)
{
    struct buf_batch batch = {.count = 0};
    uint64_t before = *counter;

    assert_true(port_receive(port, bytes, 1, how));
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
    assert_int_equal(*counter, before + 1);
    assert_true(port_receive(port, 60, 5, NULL)); /* the next one is unharmed */
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_true(frame_is(buf_data(batch.buf[0]), 60, 5));
    buf_batch_free(&batch);
}

static void run_rx_hostile(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    const struct nic_queue_stats *stats = &port->rxq->stats;
    static const uint16_t lengths[] = {0, 2049, 4096, 0x8000, 0xffff};
    static const uint32_t errors[] = {E1000E_RXD_ERR_CE, E1000E_RXD_ERR_SE, E1000E_RXD_ERR_SEQ,
                                      E1000E_RXD_ERR_CXE, E1000E_RXD_ERR_RXE};

    for (size_t i = 0; i < RT_ARRAY_SIZE(lengths); i++) {
        struct fake_rx how = {.set_length = true, .length = lengths[i]};

        expect_dropped(port, 60, &how, &stats->hostile);
    }
    for (size_t i = 0; i < RT_ARRAY_SIZE(errors); i++) {
        struct fake_rx how = {.status = errors[i]};

        expect_dropped(port, 60, &how, &stats->errors);
    }
    assert_int_equal(stats->hostile, RT_ARRAY_SIZE(lengths));
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A full room is the largest length there may be. */
static void run_rx_full_room(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};

    assert_true(port_receive(port, BUF_ROOM_BYTES, 4, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_int_equal(batch.buf[0]->data_len, BUF_ROOM_BYTES);
    assert_true(frame_is(buf_data(batch.buf[0]), BUF_ROOM_BYTES, 4));
    buf_batch_free(&batch);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* The end of a frame never comes: bounded, counted, and the next frame is seen again. */
static void run_rx_endless(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct fake_rx endless = {.no_eop = true};
    struct buf_batch batch = {.count = 0};
    uint32_t taken = bench->pool->free;

    for (unsigned i = 0; i < 500; i++) {
        assert_true(port_receive(port, 2048, i, &endless));
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
        assert_in_range(bench->pool->free, taken - NIC_RX_CHAIN_MAX, taken);
    }
    assert_in_range(port->rxq->stats.hostile + port->rxq->stats.too_long, 1, 500);
    assert_true(port_receive(port, 100, 1, NULL)); /* ends the endless frame */
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
    assert_true(port_receive(port, 100, 2, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_true(frame_is(buf_data(batch.buf[0]), 100, 2));
    buf_batch_free(&batch);
    assert_int_equal(bench->pool->free, taken);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_rx_too_long(void **state)
{
    struct nic_config c = port_with(1, 3000, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];

    expect_dropped(port, 3005, NULL, &port->rxq->stats.too_long);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Somebody took a buffer out of the ring behind the driver's back. */
static void run_rx_stolen(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct nic_rx_ring *q = nic_rx_ring_of(port->rxq);
    struct buf_batch batch = {.count = 0};
    uint64_t before = buf_refusals();
    uint8_t *stolen = q->shadow[0].owner;

    *stolen = BUF_APP;
    assert_true(port_receive(port, 60, 1, NULL));
    assert_true(port_receive(port, 60, 2, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_true(frame_is(buf_data(batch.buf[0]), 60, 2));
    assert_int_equal(buf_refusals(), before + 1);
    buf_batch_free(&batch);
    nic_stop(port->nic);
    assert_int_equal(bench->pool->free, bench->pool->total - 1);
    assert_int_equal(pool_report(), 1);
    assert_true(bench_logged(bench, "missing_at=app"));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_rx_hostile),
        cmocka_unit_test(run_rx_full_room),
        cmocka_unit_test(run_rx_endless),
        cmocka_unit_test(run_rx_too_long),
        cmocka_unit_test(run_rx_stolen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The link over a card's driver: what it takes from a port below it and gives to it, and a card
 * that has to be reset meanwhile. */
#include "e1000e_port.h"

#include <pmd/link.h>
#include <string.h>

#define DELAY_US 1000
#define FRAMES 5 /* rings of hostile builds have 8 descriptors */

static struct bench *bench;
static struct nic *line;
static struct pool *pool;

static void start(void)
{
    const struct link_config config = {.in.delay_us = DELAY_US, .out.delay_us = DELAY_US};

    bench = bench_new(1, 0x10d3);
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    assert_int_equal(link_over(nic_get(0), &config, &line), RT_OK);
    assert_int_equal(pool_create("application", 0, 1, PORT_POOL, &pool), RT_OK);
    assert_int_equal(nic_configure(line, &port_config), RT_OK);
    assert_int_equal(nic_rxq_setup(line, 0, 0, pool), RT_OK);
    assert_int_equal(nic_txq_setup(line, 0, 0, pool), RT_OK);
    assert_int_equal(nic_start(line), RT_OK);
    nic_poll_link(line);
    assert_true(line->link.up);
}

static void stop(void)
{
    nic_stop(line);
    for (const struct pool *p = pool_first(); p != NULL; p = p->next)
        assert_int_equal(p->free, p->total);
    bench_free(bench);
}

/* Turns, a step of the delay each; how many frames came, each as it was sent to us. */
static uint32_t turns(uint32_t count, uint32_t seed)
{
    uint32_t frames = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct buf_batch batch = {.count = 0};

        hal_delay_us(DELAY_US / 2);
        (void)nic_rx(line->rxq[0], &batch, 32);
        for (uint32_t k = 0; k < batch.count; k++) {
            assert_ptr_equal(batch.buf[k]->pool, pool);
            assert_true(frame_is(buf_data(batch.buf[k]), 100, seed + frames));
            frames++;
        }
        buf_batch_free(&batch);
    }
    return frames;
}

static void send_one(uint32_t seed)
{
    struct buf_batch batch = {.count = 1, .buf = {frame_buf(pool, 100, seed)}};

    nic_tx(line->txq[0], &batch);
    buf_batch_free(&batch);
}

static void run_both_ways(void **state)
{
    struct fake_e1000e *fake;
    uint8_t frame[100];

    start();
    fake = bench->port[0].fake;
    for (uint32_t i = 0; i < FRAMES; i++) {
        frame_fill(frame, sizeof(frame), i);
        assert_true(fake_receive(fake, frame, sizeof(frame), NULL));
    }
    assert_int_equal(turns(1, 0), 0); /* under way */
    assert_int_equal(link_next_us(line), hal_now_us() + DELAY_US);
    assert_true(nic_rx_arm(line->rxq[0]));
    assert_int_equal(turns(6, 0), FRAMES);
    send_one(77);
    assert_int_equal(fake->tx_frames, 0);
    assert_int_equal(turns(6, 0), 0);
    assert_int_equal(fake->tx_frames, 1);
    assert_true(frame_is(fake->tx.data, 100, 77));
    assert_false(nic_rx_arm(line->rxq[0]));
    nic_rx_disarm(line->rxq[0]);
    stop();
}

/* The card's transmit ring stands still: the port below recovers, the line goes on. */
static void run_recovery(void **state)
{
    struct fake_e1000e *fake;

    start();
    fake = bench->port[0].fake;
    fake->stuck_tx = true;
    send_one(1);
    for (uint32_t i = 0; i < 40 && nic_get(0)->rxq[0]->state == NIC_QUEUE_RUNS; i++) {
        (void)turns(200, 0);
        nic_poll_link(line);
    }
    fake->stuck_tx = false;
    for (uint32_t i = 0; i < 1000; i++) {
        (void)turns(2, 0);
        nic_core_poll(0);
        nic_poll_link(line);
    }
    assert_true(bench_logged(bench, "status=recovered"));
    fake->tx_frames = 0;
    send_one(2);
    (void)turns(6, 0);
    assert_int_equal(fake->tx_frames, 1);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_both_ways),
        cmocka_unit_test(run_recovery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

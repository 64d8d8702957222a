/* SPDX-License-Identifier: BSD-2-Clause */
/* The pipe with a thread an end, through recoveries and stops: under the address sanitizer, and
 * under the one for threads. What arrives is whole and in order, and every buffer comes home. */
#include "host_port.h"

#include <pmd/pipe.h>
#include <rt/loop.h>
#include <stdlib.h>

#define RECOVERIES 20
#define STARTS 4
#define FRAMES_BETWEEN 300
#define WAIT_US 20000000 /* of a busy host */

struct end {
    struct host_port port;
    uint32_t sent;
    uint32_t next;     /* the least number that may come */
    uint32_t received; /* written by its core, read by core 0 */
    uint32_t leave;
};

static struct end ends[2];

/* As an application's loop does it. Numbers of frames that a recovery took are missing. */
static void turn(struct end *end)
{
    struct nic *nic = end->port.nic;
    struct buf_batch batch = {.count = 0};
    struct buf *frame = frame_make(end->port.pool, end->sent, 60 + end->sent % 1000);

    if (frame != NULL) {
        batch.buf[batch.count++] = frame;
        nic_tx(nic->txq[0], &batch);
        end->sent += batch.count == 0;
        buf_batch_free(&batch);
    }
    for (uint32_t i = nic_rx(nic->rxq[0], &batch, 32); i > 0; i--) {
        const struct buf *got = batch.buf[batch.count - i];
        uint32_t number = frame_number(got);

        RT_ASSERT_LE(end->next, number);
        frame_check(got, number, 60 + number % 1000);
        end->next = number + 1;
    }
    __atomic_fetch_add(&end->received, batch.count, __ATOMIC_RELAXED);
    buf_batch_free(&batch);
    (void)pool_collect(end->port.pool);
    nic_core_poll(hal_core_id());
}

static void end_main(void *arg)
{
    struct end *end = arg;

    while (__atomic_load_n(&end->leave, __ATOMIC_ACQUIRE) == 0)
        turn(end);
    (void)nic_tx_reclaim(end->port.nic->txq[0]);
}

static uint32_t received_by(const struct end *end)
{
    return __atomic_load_n(&end->received, __ATOMIC_RELAXED);
}

/* Both go on receiving; core 0 looks after the ports meanwhile. */
static void wait_for_frames(void)
{
    uint32_t from[2] = {received_by(&ends[0]), received_by(&ends[1])};
    uint64_t end_us = hal_now_us() + WAIT_US;

    while (received_by(&ends[0]) - from[0] < FRAMES_BETWEEN ||
           received_by(&ends[1]) - from[1] < FRAMES_BETWEEN) {
        assert_true(hal_now_us() < end_us);
        nic_poll_link(ends[0].port.nic);
        nic_poll_link(ends[1].port.nic);
        hal_delay_us(50);
    }
}

static void leave(unsigned core)
{
    uint64_t end_us = hal_now_us() + WAIT_US;

    __atomic_store_n(&ends[core - 1].leave, 1, __ATOMIC_RELEASE);
    while (!hal_core_idle(core))
        assert_true(hal_now_us() < end_us);
}

static void enter(unsigned core)
{
    __atomic_store_n(&ends[core - 1].leave, 0, __ATOMIC_RELEASE);
    assert_int_equal(hal_core_run(core, end_main, &ends[core - 1]), RT_OK);
}

static void collect(void *arg)
{
    (void)pool_collect(arg);
}

static void stop(struct end *end)
{
    struct pool *pool = end->port.pool;
    uint64_t end_us = hal_now_us() + WAIT_US;

    nic_stop(end->port.nic);
    assert_int_equal(hal_core_run(pool->core, collect, pool), RT_OK);
    while (!hal_core_idle(pool->core))
        assert_true(hal_now_us() < end_us);
    assert_int_equal(pool->free, pool->total);
}

static void run_threads(void **state)
{
    struct nic *nic[2];

    host_clock_real();
    host_console_capture(NULL, 0); /* a thread that fails says so there */
    assert_int_equal(host_cores_start(3), RT_OK);
    assert_int_equal(pipe_open(nic), RT_OK);
    for (unsigned i = 0; i < 2; i++) {
        ends[i] = (struct end){.port = {.nic = NULL}};
        host_port_start(&ends[i].port, nic[i], i + 1, 1514);
    }
    enter(1);
    enter(2);
    for (uint32_t i = 0; i < RECOVERIES; i++) {
        wait_for_frames();
        pipe_break(nic[i % 2], "test");
    }
    for (unsigned i = 0; i < STARTS; i++) { /* one stops while the other goes on sending */
        struct end *end = &ends[i % 2];
        uint32_t recoveries;

        wait_for_frames();
        recoveries = (uint32_t)end->port.nic->counters[0].value;
        assert_int_equal(recoveries, i < 2 ? RECOVERIES / 2 : 0); /* since its start */
        leave(i % 2 + 1);
        stop(end);
        host_port_start(&end->port, nic[i % 2], i % 2 + 1, 1514);
        enter(i % 2 + 1);
    }
    wait_for_frames();
    leave(1);
    leave(2);
    stop(&ends[0]);
    stop(&ends[1]);
    assert_int_equal(buf_refusals(), 0);
    host_cores_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {HOST_TEST(run_threads)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

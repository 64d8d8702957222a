/* SPDX-License-Identifier: BSD-2-Clause */
/* What every path and every core does, whatever the application. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "state.h"

#include <rt/host.h>

enum { POOL = 64 };

static struct pool *pool;
static struct nic_rxq rxq;
static struct nic_txq txq;
static uint32_t waiting, reclaims;
static bool armed, arm_pending;

/* In hostile builds single takes fail: ask again. */
static struct buf *take(void)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 1000 && b == NULL; i++)
        b = pool_take(pool);
    assert_non_null(b);
    return b;
}

static uint32_t fake_rx(struct nic_rxq *q, struct buf_batch *out, uint32_t max)
{
    uint32_t n;

    for (n = 0; n < max && waiting > 0; n++, waiting--)
        out->buf[out->count++] = take();
    return n;
}

static bool fake_arm(struct nic_rxq *q)
{
    armed = true;
    return arm_pending;
}

static void fake_disarm(struct nic_rxq *q)
{
    armed = false;
}

static uint32_t fake_reclaim(struct nic_txq *q)
{
    reclaims++;
    return 0;
}

/* What a port that recovers asks of this core. */
uint32_t nic_core_asked[HAL_CORES_MAX];
static uint32_t core_works;

void nic_core_work(unsigned core)
{
    nic_core_asked[core] = 0;
    core_works++;
}

static int fresh(void **state)
{
    host_memory_reset();
    host_set_core_count(2);
    assert_int_equal(pool_create("test", 0, 2, POOL, &pool), RT_OK);
    rxq = (struct nic_rxq){.rx = fake_rx, .arm = fake_arm, .disarm = fake_disarm};
    txq = (struct nic_txq){.reclaim = fake_reclaim};
    waiting = reclaims = core_works = 0;
    armed = arm_pending = false;
    return 0;
}

static int home(void **state)
{
    assert_int_equal(pool->free, pool->total);
    host_memory_reset();
    return 0;
}

static void a_receive_is_counted(void **state)
{
    struct kit_path path = {.rxq = &rxq, .batch_max = 8};
    struct buf_batch batch = {.count = 0};

    assert_int_equal(kit_path_receive(&path, &batch), 0);
    assert_int_equal(path.first_cycles, 0);
    waiting = 11;
    assert_int_equal(kit_path_receive(&path, &batch), 8);
    assert_true(path.first_cycles != 0);
    assert_int_equal(kit_path_receive(&path, &batch), 0); /* the batch is full */
    buf_batch_free(&batch);
    assert_int_equal(kit_path_receive(&path, &batch), 3);
    buf_batch_free(&batch);
    assert_int_equal(path.polls[0], 2);
    assert_int_equal(path.polls[3], 1);
    assert_int_equal(path.polls[8], 1);
}

/* An application may put answers of its own into the batch first, more than batch= too. */
static void a_receive_behind_many_takes_none(void **state)
{
    struct kit_path path = {.rxq = &rxq, .batch_max = 8};
    struct buf_batch batch = {.count = 0};

    while (batch.count < 9)
        batch.buf[batch.count++] = take();
    waiting = 30;
    assert_int_equal(kit_path_receive(&path, &batch), 0);
    assert_int_equal(batch.count, 9);
    buf_batch_free(&batch);
}

static void arm_reclaims_and_tells_pending(void **state)
{
    struct kit_path path = {.rxq = &rxq, .txq = &txq};

    assert_false(kit_path_arm(&path, 0));
    assert_true(armed);
    assert_int_equal(reclaims, 1);
    kit_path_disarm(&path);
    assert_false(armed);
    arm_pending = true;
    assert_true(kit_path_arm(&path, 0));
    kit_path_disarm(&path);
}

/* In every turn, whether the core ever sleeps or not: buffers come home, requests are heard. */
static void other_cores_are_heard(void **state)
{
    struct loop_source others = kit_others_source(pool);
    struct buf *b = take();

    host_set_core(1);
    buf_free(b);
    host_set_core(0);
    assert_int_equal(pool->free, pool->total - 1);
    assert_int_equal(others.poll(others.ctx, 0), 0);
    assert_int_equal(pool->free, pool->total);
    assert_false(others.arm(others.ctx, 0));
    others.disarm(others.ctx);
    nic_core_asked[0] = 1;
    assert_true(others.arm(others.ctx, 0));
    others.disarm(others.ctx);
    others.poll(others.ctx, 0);
    assert_int_equal(core_works, 1);
    assert_false(others.arm(others.ctx, 0));
    others.disarm(others.ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_receive_is_counted, fresh, home),
        cmocka_unit_test_setup_teardown(a_receive_behind_many_takes_none, fresh, home),
        cmocka_unit_test_setup_teardown(arm_reclaims_and_tells_pending, fresh, home),
        cmocka_unit_test_setup_teardown(other_cores_are_heard, fresh, home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What every path and every core does, whatever the application. */
#include "queues.h"
#include "state.h"

#include <rt/host.h>

enum { POOL = 64 };

static struct pool *pool;
static struct fake_rxq rxq;
static struct fake_txq txq;

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
    fake_rxq_init(&rxq, pool);
    fake_txq_init(&txq);
    core_works = 0;
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
    struct kit_path path = {.rxq = &rxq.head, .batch_max = 8};
    struct buf_batch batch = {.count = 0};

    assert_int_equal(kit_path_receive(&path, &batch), 0);
    assert_int_equal(path.first_cycles, 0);
    rxq.waiting = 11;
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
    struct kit_path path = {.rxq = &rxq.head, .batch_max = 8};
    struct buf_batch batch = {.count = 0};

    while (batch.count < 9)
        batch.buf[batch.count++] = take_surely(pool);
    rxq.waiting = 30;
    assert_int_equal(kit_path_receive(&path, &batch), 0);
    assert_int_equal(batch.count, 9);
    buf_batch_free(&batch);
}

static void arm_reclaims_and_tells_pending(void **state)
{
    struct kit_path path = {.rxq = &rxq.head, .txq = &txq.head};

    assert_false(kit_path_arm(&path, 0));
    assert_true(rxq.armed);
    assert_int_equal(txq.reclaims, 1);
    kit_path_disarm(&path);
    assert_false(rxq.armed);
    rxq.arm_pending = true;
    assert_true(kit_path_arm(&path, 0));
    kit_path_disarm(&path);
}

/* In every turn, whether the core ever sleeps or not: buffers come home, requests are heard. */
static void other_cores_are_heard(void **state)
{
    struct loop_source others = kit_others_source(pool);
    struct buf *b = take_surely(pool);

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

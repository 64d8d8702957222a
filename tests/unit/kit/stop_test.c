/* SPDX-License-Identifier: BSD-2-Clause */
/* The stop with two cores: whatever one gives back to the other's pools is home when buffers
 * are counted. Real threads; the ports are never started. */
#include "queues.h"
#include "state.h"

#include <mempool/ext.h>
#include <rt/host.h>

enum { CORES = 2, BUFS = 16 };

/* What a path still holds when it is asked to leave. */
struct holding {
    struct kit_path path;
    struct buf *held;
};

static struct kit kit;
static struct kit_core cores[CORES];
static struct holding paths[CORES];
static struct nic nic;
static uint32_t released;

static void leave(struct kit_path *path)
{
    struct holding *own = RT_CONTAINER_OF(path, struct holding, path);

    if (own->held != NULL)
        buf_free(own->held);
    own->held = NULL;
}

static const struct kit_app app = {.path_leave = leave};

static struct pool *make(unsigned core, uint32_t room_bytes)
{
    const struct pool_config config = {
        .name = "test", .core = core, .cores = CORES, .count = BUFS,
        .headroom_bytes = room_bytes != 0 ? BUF_HEADROOM_BYTES : 0, .room_bytes = room_bytes};
    struct pool *pool;

    assert_int_equal(pool_create_config(&config, &pool), RT_OK);
    return pool;
}

static int fresh(void **state)
{
    host_memory_reset();
    host_set_core(0);
    assert_int_equal(host_cores_start(CORES), RT_OK);
    kit = (struct kit){.app = &app, .core_count = CORES, .plan.count = CORES};
    kit.ports[0] = &nic;
    released = 0;
    for (unsigned i = 0; i < CORES; i++) {
        cores[i] = (struct kit_core){.kit = &kit, .core = i, .pool = make(i, BUF_ROOM_BYTES)};
        rt_loop_init(&cores[i].loop, 32, 0);
        paths[i] = (struct holding){.path.core = (uint16_t)i};
        kit.cores[i] = &cores[i];
        kit.paths[i] = &paths[i].path;
    }
    return 0;
}

static int gone(void **state)
{
    host_cores_stop();
    pool_forget_all();
    host_memory_reset();
    return 0;
}

static void each_path_holds_a_buffer_of_the_other_core(void **state)
{
    paths[1].held = take_surely(cores[0].pool);
    paths[0].held = take_surely(cores[0].pool);
    assert_true(kit_shut_down(&kit));
    assert_int_equal(kit.missing, 0);
}

static void release(struct buf_pin *pin)
{
    released++;
}

struct wire {
    struct pool *headers;
    struct buf_pin pin;
    struct buf *header;
};

/* Core 1: a header that a card holds, and its keeper has let go of. */
static void send_header(void *arg)
{
    static const char value[100];
    struct wire *wire = arg;

    buf_pin_init(&wire->pin, release);
    for (unsigned i = 0; i < 1000 && wire->header == NULL; i++) /* hostile builds */
        wire->header = buf_ext_take(wire->headers, &wire->pin, value, sizeof(value));
    RT_ASSERT(buf_move(wire->header, wire->header->owner, BUF_EXT, BUF_EXT_NIC));
    buf_let_go((struct buf_ref){wire->header, wire->header->owner});
    buf_pin_put(&wire->pin);
}

static void pools_of_the_application_are_collected(void **state)
{
    struct wire wire = {.headers = make(1, 0)};

    assert_int_equal(hal_core_run(1, send_header, &wire), RT_OK);
    for (uint64_t end_us = hal_now_us() + 10000000; !hal_core_idle(1);)
        assert_true(hal_now_us() < end_us);
    /* nic_stop(), on core 0: the card is done with it. */
    buf_sent((struct buf_ref){wire.header, wire.header->owner});
    assert_int_equal(released, 0);
    assert_true(kit_shut_down(&kit));
    assert_int_equal(kit.missing, 0);
    assert_int_equal(released, 1);
}

/* While loops run, too, by a source that only such a core has. */
static void a_turn_collects_them(void **state)
{
    struct pool *pool = make(0, BUF_ROOM_BYTES);
    struct loop_source source = kit_pools_source(&cores[0]);
    struct buf *b = take_surely(pool);

    assert_true(kit_has_more_pools(&cores[0]));
    assert_false(kit_has_more_pools(&cores[1]));
    host_set_core(1);
    buf_free(b);
    host_set_core(0);
    assert_int_equal(pool->free, pool->total - 1);
    assert_int_equal(source.poll(source.ctx, 0), 0);
    assert_int_equal(pool->free, pool->total);
    assert_false(source.arm(source.ctx, 0));
    source.disarm(source.ctx);
}

/* What a path was asked at the end, by its core. */
static uint32_t asked[CORES], asked_last[CORES];

static bool end(struct kit_path *path, uint64_t now_us, bool last)
{
    RT_ASSERT_EQ(hal_core_id(), path->core);
    asked[path->core]++;
    asked_last[path->core] += last;
    return path->core == 0 && asked[0] == 3;
}

/* A path that says that nothing is left is asked no more; one that never says it is told when it
 * was the last time. */
static void paths_end_in_order(void **state)
{
    static const struct kit_app ending = {.path_leave = leave, .path_end = end};

    kit.app = &ending;
    for (unsigned i = 0; i < CORES; i++)
        asked[i] = asked_last[i] = 0;
    assert_true(kit_shut_down(&kit));
    assert_int_equal(asked[0], 3);
    assert_int_equal(asked_last[0], 0);
    assert_true(asked[1] > 3);
    assert_int_equal(asked_last[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_path_holds_a_buffer_of_the_other_core, fresh,
                                        gone),
        cmocka_unit_test_setup_teardown(pools_of_the_application_are_collected, fresh, gone),
        cmocka_unit_test_setup_teardown(a_turn_collects_them, fresh, gone),
        cmocka_unit_test_setup_teardown(paths_end_in_order, fresh, gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

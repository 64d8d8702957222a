/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring: order, bounds, wrap of the indexes, two threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <rt/ring.h>
#include <sched.h>
#include <stdlib.h>

enum { SLOTS = 8, RUN_SLOTS = 64, ITEMS = 2000000 };

static void *item(uintptr_t n)
{
    return (void *)(n + 1);
}

static void fills_and_empties(void **state)
{
    void *slots[SLOTS], *in[SLOTS + 2], *out[SLOTS + 2];
    struct ring r;

    ring_init(&r, slots, SLOTS);
    for (uintptr_t i = 0; i < RT_ARRAY_SIZE(in); i++)
        in[i] = item(i);
    assert_int_equal(ring_get(&r, out, 1), 0);
    assert_int_equal(ring_put(&r, in, SLOTS + 2), SLOTS);
    assert_int_equal(ring_used(&r), SLOTS);
    assert_int_equal(ring_put(&r, in, 1), 0);
    assert_int_equal(ring_get(&r, out, 3), 3);
    assert_int_equal(ring_put(&r, in, SLOTS), 3);
    assert_int_equal(ring_get(&r, out, SLOTS + 2), SLOTS);
    assert_ptr_equal(out[0], item(3));
    assert_ptr_equal(out[5], item(0));
    assert_int_equal(ring_used(&r), 0);
    assert_int_equal(ring_put(&r, in, 0), 0);
    assert_int_equal(ring_get(&r, out, 0), 0);
}

static void against_a_model(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        void *slots[SLOTS], *batch[SLOTS];
        uintptr_t put = 0, got = 0;
        struct ring r;

        srand(seed);
        ring_init(&r, slots, SLOTS);
        /* Just before the free-running indexes wrap. */
        r.prod.tail = r.prod.head_seen = r.cons.head = r.cons.tail_seen = UINT32_MAX - 100;
        for (unsigned step = 0; step < 2000; step++) {
            uint32_t n = (uint32_t)rand() % (SLOTS + 1);
            uint32_t done;

            if (rand() % 2 == 0) {
                for (uint32_t i = 0; i < n; i++)
                    batch[i] = item(put + i);
                done = ring_put(&r, batch, n);
                assert_int_equal(done, RT_MIN(n, SLOTS - (put - got)));
                put += done;
            } else {
                done = ring_get(&r, batch, n);
                assert_int_equal(done, RT_MIN(n, put - got));
                for (uint32_t i = 0; i < done; i++)
                    assert_ptr_equal(batch[i], item(got + i));
                got += done;
            }
            assert_int_equal(ring_used(&r), put - got);
        }
    }
}

/* One run in and out from index `first`: what must be written is, and nothing beside it. */
static void run_from(uint32_t size, uint32_t first, uint32_t count)
{
    void *slots[RUN_SLOTS + 2], *in[RUN_SLOTS], *out[RUN_SLOTS + 2];
    void *const untouched = &slots;
    struct ring r;

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(slots); i++)
        slots[i] = out[i] = untouched;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(in); i++)
        in[i] = item(i);
    ring_init(&r, slots + 1, size);
    r.prod.tail = r.prod.head_seen = r.cons.head = r.cons.tail_seen = first;
    assert_int_equal(ring_put(&r, in, count), count);
    assert_int_equal(ring_used(&r), count);
    for (uint32_t i = 0; i < size; i++)
        assert_ptr_equal(slots[1 + (first + i) % size], i < count ? item(i) : untouched);
    assert_ptr_equal(slots[0], untouched);
    assert_ptr_equal(slots[size + 1], untouched);
    assert_int_equal(ring_get(&r, out + 1, RUN_SLOTS), count);
    for (uint32_t i = 0; i < RUN_SLOTS; i++)
        assert_ptr_equal(out[1 + i], i < count ? item(i) : untouched);
    assert_ptr_equal(out[0], untouched);
    assert_ptr_equal(out[RUN_SLOTS + 1], untouched);
    assert_int_equal(ring_used(&r), 0);
}

/* The slots end inside the run at every place, and with them the index in the second call. */
static void wraps_inside_a_run(void **state)
{
    for (uint32_t size = 1; size <= RUN_SLOTS; size *= 2)
        for (uint32_t at = 0; at < size; at++)
            for (uint32_t count = 0; count <= size; count++) {
                run_from(size, at, count);
                run_from(size, at - size, count);
            }
}

/* The run is cut to the room, or to what is there, in the middle of the wrap. */
static void cut_runs_wrap(void **state)
{
    for (uint32_t at = 0; at < SLOTS; at++)
        for (uint32_t used = 0; used <= SLOTS; used++) {
            void *slots[SLOTS], *in[2 * SLOTS], *out[SLOTS + 1];
            struct ring r;

            for (uint32_t i = 0; i < RT_ARRAY_SIZE(in); i++)
                in[i] = item(i);
            ring_init(&r, slots, SLOTS);
            r.prod.tail = r.prod.head_seen = r.cons.head = r.cons.tail_seen = at - SLOTS;
            assert_int_equal(ring_put(&r, in, used), used);
            assert_int_equal(ring_put(&r, in + used, SLOTS), SLOTS - used);
            assert_int_equal(ring_get(&r, out, used), used);
            assert_int_equal(ring_get(&r, out + used, SLOTS + 1 - used), SLOTS - used);
            for (uint32_t i = 0; i < SLOTS; i++)
                assert_ptr_equal(out[i], item(i));
        }
}

static struct ring shared;

static void *produce(void *arg)
{
    void *batch[5];

    for (uintptr_t n = 0; n < ITEMS;) {
        uint32_t want = (uint32_t)RT_MIN((uintptr_t)(1 + n % 5), ITEMS - n);
        uint32_t done;

        for (uint32_t i = 0; i < want; i++)
            batch[i] = item(n + i);
        done = ring_put(&shared, batch, want);
        n += done;
        if (done == 0)
            sched_yield();
    }
    return NULL;
}

static void two_threads(void **state)
{
    static void *slots[SLOTS];
    uintptr_t next = 0;
    pthread_t producer;
    void *batch[SLOTS];

    ring_init(&shared, slots, SLOTS);
    assert_int_equal(pthread_create(&producer, NULL, produce, NULL), 0);
    while (next < ITEMS) {
        uint32_t n = ring_get(&shared, batch, SLOTS);

        if (n == 0)
            sched_yield();
        for (uint32_t i = 0; i < n; i++, next++) {
            if (batch[i] != item(next))
                fail_msg("item %lu lost, doubled or out of order", (unsigned long)next);
        }
    }
    pthread_join(producer, NULL);
    assert_int_equal(ring_used(&shared), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_and_empties),
        cmocka_unit_test(against_a_model),
        cmocka_unit_test(wraps_inside_a_run),
        cmocka_unit_test(cut_runs_wrap),
        cmocka_unit_test(two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools: taking, giving, refusing, going home by ring, reporting; each checker fires. */
#include "fixture.h"

#include <mempool/poison.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void take_and_free(void **state)
{
    struct pool *pool = make("p", 0, 16);
    struct buf *held[16];

    for (uint32_t i = 0; i < 16; i++) {
        held[i] = take(pool);
        assert_non_null(held[i]);
        assert_int_equal(*held[i]->owner, BUF_STACK);
        assert_int_equal(held[i]->data_off, BUF_HEADROOM_BYTES);
        assert_int_equal(held[i]->segments, 1);
        assert_null(held[i]->next);
        assert_true(pool_contains(pool, held[i]));
        assert_int_equal(buf_index(held[i]), i);
        memset(buf_room(held[i]), 0xaa, BUF_HEADROOM_BYTES + BUF_ROOM_BYTES);
    }
    assert_null(pool_take(pool));
    assert_int_equal(pool->stats.empty, 1);
    buf_free(held[7]);
    assert_ptr_equal(take(pool), held[7]); /* last in, first out */
    for (uint32_t i = 0; i < 16; i++)
        buf_free(held[i]);
    assert_int_equal(pool->free, 16);
    assert_int_equal(pool_report(), 0);
    assert_non_null(strstr(console, "pool name=p core=0 total=16 free=16 missing=0"));
}

static void layout(void **state)
{
    struct pool *pool = make("p", 0, 8);

    for (uint32_t i = 0; i < 8; i++) {
        const char *b = pool->base + (size_t)i * pool->stride_bytes;

        assert_int_equal((uintptr_t)b % RT_CACHE_LINE, 0);
        assert_true(pool_contains(pool, (const struct buf *)(const void *)b));
        assert_false(pool_contains(pool, (const struct buf *)(const void *)(b + 8)));
    }
    assert_false(pool_contains(pool, (const struct buf *)(const void *)(pool->base - 2240)));
    assert_false(pool_has_owner(pool, pool->owners + 8));
    assert_false(pool_has_owner(pool, pool->owners - 1));
    assert_true(pool_has_owner(pool, pool->owners + 7));
}

static void bad_arguments(void **state)
{
    struct pool *pool;

    assert_int_equal(pool_create("p", 0, 1, 0, &pool), RT_INVALID);
    assert_int_equal(pool_create("p", 1, 1, 8, &pool), RT_INVALID);
    assert_int_equal(pool_create("p", 0, HAL_CORES_MAX + 1, 8, &pool), RT_INVALID);
    assert_int_equal(pool_create("p", 0, 1, POOL_COUNT_MAX + 1, &pool), RT_INVALID);
    host_memory_limit(10000);
    assert_int_equal(pool_create("p", 0, 1, 64, &pool), RT_NO_MEMORY);
    assert_null(pool_first());
}

static void double_free(void **state)
{
    struct pool *pool = make("p", 0, 8);
    struct buf *b = take(pool), *again = hidden(b);
    uint64_t before = buf_refusals();

    buf_free(b);
    buf_free(again);
    assert_int_equal(buf_refusals(), before + 1);
    assert_int_equal(pool->free, 8);
    assert_non_null(strstr(console, "pool name=p refused=hand-over buf="));
    assert_non_null(strstr(console, "owner=pool wanted=stack"));
}

/* On another core: into the ring, taken back by the home core only. */
static void free_elsewhere(void **state)
{
    struct pool *pool = make("p", 0, 32);
    struct buf *b, *again;

    for (unsigned round = 0; round < 10; round++) {
        for (unsigned core = 1; core < CORES; core++) {
            struct buf_batch batch = {.count = 0};

            for (uint32_t i = 0; i < 10; i++)
                batch.buf[batch.count++] = take(pool);
            host_set_core(core);
            buf_batch_free(&batch);
            assert_int_equal(batch.count, 0);
            host_set_core(0);
        }
        assert_int_equal(pool->free, 2);
        assert_int_equal(pool_count_owner(pool, BUF_RING), 30);
        assert_int_equal(pool_collect(pool), 30);
        assert_int_equal(pool->free, 32);
    }
    assert_int_equal(pool->stats.collected, 300);
    assert_int_equal(pool->stats.sent_home, 300);
    b = take(pool);
    again = hidden(b);
    host_set_core(1);
    buf_free(b);
    buf_free(again); /* is in the ring already */
    host_set_core(0);
    assert_int_equal(pool_collect(pool), 1);
    assert_int_equal(pool->free, 32);
}

/* The ring home takes the whole pool, from one core. */
static void ring_never_full(void **state)
{
    static struct buf *held[100];
    struct pool *pool = make("p", 2, 100);

    host_set_core(2);
    for (uint32_t i = 0; i < 100; i++)
        held[i] = take(pool);
    host_set_core(3);
    for (uint32_t i = 0; i < 100; i++)
        buf_free(held[i]);
    host_set_core(2);
    assert_int_equal(pool_collect(pool), 100);
    assert_int_equal(pool->free, 100);
}

static void chains(void **state)
{
    struct pool *pool = make("p", 0, 8);
    struct buf *first = take(pool), *second = take(pool);
    uint64_t before = buf_refusals();

    first->next = second;
    first->segments = 2;
    buf_free(first);
    assert_int_equal(pool->free, 8);
    first = take(pool);
    first->next = first; /* a loop: bounded, refused at the second visit */
    buf_free(first);
    assert_int_equal(buf_refusals(), before + 1);
    assert_int_equal(pool->free, 8);
}

static void report_names_the_owner(void **state)
{
    struct pool *pool = make("leaky", 0, 16);
    struct buf *a = take(pool), *b = take(pool), *c = take(pool);

    assert_true(buf_move(a, a->owner, BUF_STACK, BUF_NIC));
    assert_true(buf_move(b, b->owner, BUF_STACK, BUF_APP));
    assert_int_equal(*c->owner, BUF_STACK);
    assert_int_equal(pool_report(), 3);
    assert_non_null(strstr(console, "pool name=leaky core=0 total=16 free=13 missing=3"));
    assert_non_null(strstr(console, "pool name=leaky missing_at=nic owner=2 buffers=1"));
    assert_non_null(strstr(console, "pool name=leaky missing_at=stack owner=254 buffers=1"));
    assert_non_null(strstr(console, "pool name=leaky missing_at=app owner=16 buffers=1"));
}

static void leaves_batch(void *arg)
{
    BUF_BATCH_CHECKED(batch);

    batch->buf[batch->count++] = take(arg);
}

static void empties_batch(void *arg)
{
    BUF_BATCH_CHECKED(batch);

    batch->buf[batch->count++] = take(arg);
    buf_batch_free(batch);
}

static void checked_batch(void **state)
{
    struct pool *pool = make("p", 0, 8);
    char message[256];

    assert_false(host_catch(empties_batch, pool, message, sizeof(message)));
    assert_true(host_catch(leaves_batch, pool, message, sizeof(message)));
    assert_non_null(strstr(message, "a batch went out of scope with 1 packets"));
}

/* Every refusal is counted once, whoever refuses. */
static void moves(void **state)
{
    struct pool *pool = make("p", 0, 8);
    struct buf *b = take(pool);
    uint64_t before = buf_refusals();

    assert_false(buf_move(b, b->owner, BUF_NIC, BUF_STACK));
    host_set_core(3);
    assert_false(buf_move(b, b->owner, BUF_POOL, BUF_STACK));
    host_set_core(0);
    assert_int_equal(buf_refusals(), before + 2);
    assert_true(buf_move(b, b->owner, BUF_STACK, BUF_NVME));
    assert_true(buf_move(b, b->owner, BUF_NVME, BUF_STACK));
    buf_free(b);
    assert_int_equal(pool->free, 8);
}

/* A free buffer whose owner byte was overwritten is never given out. */
static void corrupted_owner(void **state)
{
    struct pool *pool = make("p", 0, 8);
    uint32_t taken = 0;

    pool->owners[3] = BUF_NIC;
    for (unsigned i = 0; i < 1000; i++) {
        struct buf *b = pool_take(pool);

        if (b == NULL)
            continue;
        assert_int_not_equal(buf_index(b), 3);
        taken++;
    }
    assert_int_equal(taken, 7);
}

static void hostile_build(void **state)
{
    struct pool *pool = make("p", 0, 4096);
    struct buf *b;

    assert_int_equal(pool->total, POOL_HOSTILE ? POOL_HOSTILE_BUFS : 4096);
    for (unsigned i = 0; i < 2000; i++) {
        b = pool_take(pool);
        if (b != NULL)
            buf_free(b);
    }
    if (!POOL_HOSTILE) {
        assert_int_equal(pool->stats.failed, 0);
        return;
    }
    assert_in_range(pool->stats.failed, 20, 500);
    b = take(pool);
    buf_room(b)[0] = 1;
    buf_free(b);
    b = take(pool);
    assert_int_equal(buf_room(b)[0], 0x6b);
    buf_free(b);
}

#ifdef MEMPOOL_ASAN
int __asan_address_is_poisoned(void const volatile *addr);

static void poisoned_when_free(void **state)
{
    struct pool *pool = make("p", 0, 8);
    struct buf *b = take(pool), *again = hidden(b);

    assert_false(__asan_address_is_poisoned(buf_data(b)));
    buf_free(b);
    assert_true(__asan_address_is_poisoned((char *)again + 64 + BUF_HEADROOM_BYTES));
    assert_true(__asan_address_is_poisoned(&again->flags));
    assert_false(__asan_address_is_poisoned(&again->owner));
}
#else
static void poisoned_when_free(void **state)
{
    print_message("skip: built without the address sanitizer\n");
    skip();
}
#endif

/* Two real cores: one takes and passes on, the other frees; nothing is lost on the way. */
enum { TRAFFIC = 200000 };
static struct ring passed;
static void *passed_slots[64];

static void *free_them(void *arg)
{
    uint32_t done = 0;

    host_set_core(1);
    while (done < TRAFFIC) {
        void *items[8];
        uint32_t n = ring_get(&passed, items, 8);

        for (uint32_t i = 0; i < n; i++)
            buf_free(items[i]);
        done += n;
    }
    return NULL;
}

static void two_threads(void **state)
{
    struct pool *pool = make("p", 0, 100);
    uint64_t before = buf_refusals();
    uint32_t sent = 0;
    pthread_t thread;

    ring_init(&passed, passed_slots, 64);
    assert_int_equal(pthread_create(&thread, NULL, free_them, NULL), 0);
    while (sent < TRAFFIC) {
        struct buf *b = pool_take(pool);
        void *item = b;

        pool_collect(pool);
        if (b == NULL)
            continue;
        if (ring_put(&passed, &item, 1) == 1)
            sent++;
        else
            buf_free(b);
    }
    pthread_join(thread, NULL);
    pool_collect(pool);
    assert_int_equal(pool->free, pool->total);
    assert_int_equal(buf_refusals(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(take_and_free),  TEST(layout),
        TEST(bad_arguments),  TEST(double_free),
        TEST(free_elsewhere), TEST(ring_never_full),
        TEST(chains),         TEST(report_names_the_owner),
        TEST(checked_batch),  TEST(moves),
        TEST(corrupted_owner), TEST(hostile_build),
        TEST(poisoned_when_free), TEST(two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Many at a time, chains, and the inline forms: the same effect as one call a buffer. */
#include "fixture.h"

#include <mempool/ext.h>
#include <mempool/take.h>
#include <string.h>

/* All of them, without what a hostile build refuses to give at first. */
static uint32_t take_all(struct pool *pool, struct buf_batch *batch, uint32_t count)
{
    uint32_t taken = 0;

    for (unsigned i = 0; i < 1000 && taken < count && pool->free > 0; i++)
        taken += pool_take_batch(pool, batch, count - taken);
    return taken;
}

static void is_empty(const struct buf *b)
{
    assert_int_equal(*b->owner, BUF_STACK);
    assert_null(b->next);
    assert_int_equal(b->segments, 1);
    assert_int_equal(b->data_off, BUF_HEADROOM_BYTES);
    assert_int_equal(b->data_len | b->pkt_len | b->flags | b->rss_type | b->rss_hash, 0);
}

static void take_in_bulk(void **state)
{
    struct pool *pool = make("p", 0, 70);
    struct buf_batch batch = {.count = 0}, rest = {.count = 0};

    for (uint32_t i = 0; i < pool->total; i++) {
        struct buf *b = (struct buf *)(void *)(pool->base + (size_t)i * pool->stride_bytes);

        buf_unpoison(b);
        *b = (struct buf){.owner = b->owner, .pool = pool, .next = b, .segments = 7,
                          .data_len = 3, .pkt_len = 4, .flags = 5, .rss_hash = 6};
        buf_poison(b);
    }
    assert_int_equal(take_all(pool, &batch, 3), 3);
    /* as far as the batch has room */
    assert_int_equal(take_all(pool, &batch, 100), BUF_BATCH_MAX - 3);
    assert_int_equal(batch.count, BUF_BATCH_MAX);
    assert_int_equal(pool_take_batch(pool, &batch, 1), 0);
    for (uint32_t i = 0; i < batch.count; i++) {
        is_empty(batch.buf[i]);
        assert_int_equal(buf_index(batch.buf[i]), i);
    }
    assert_int_equal(pool->stats.empty, 0);
    assert_int_equal(take_all(pool, &rest, 10), 6); /* all there are */
    assert_int_equal(pool_take_batch(pool, &rest, 1), 0);
    assert_in_range(pool->stats.empty, 1, 2);
    assert_int_equal(pool->free, 0);
    buf_batch_free(&batch);
    buf_batch_free(&rest);
    assert_int_equal(pool->free, 70);
    assert_int_equal(pool_count_owner(pool, BUF_POOL), 70);
}

/* Around a free buffer that is not free: it is left out, the others are given. */
static void bulk_around_a_corrupted_one(void **state)
{
    struct pool *pool = make("p", 0, 16);
    struct buf_batch batch = {.count = 0};
    uint64_t before = buf_refusals();

    pool->owners[5] = BUF_NIC;
    assert_int_equal(take_all(pool, &batch, 16), 15);
    assert_int_equal(buf_refusals(), before + 1);
    for (uint32_t i = 0; i < batch.count; i++)
        assert_int_not_equal(buf_index(batch.buf[i]), 5);
    buf_batch_free(&batch);
    assert_int_equal(pool->free, 15);
}

/* Two pools, another core's, a chain, one twice and one of the device's in one batch. */
static void free_a_mixed_batch(void **state)
{
    struct pool *here = make("here", 0, 8), *too = make("too", 0, 8);
    struct pool *there = make("there", 1, 8);
    struct buf_batch batch = {.count = 0};
    uint64_t before = buf_refusals();
    struct buf *chain, *of_nic;

    batch.buf[batch.count++] = take(here);
    batch.buf[batch.count++] = take(here);
    batch.buf[batch.count++] = take(too);
    host_set_core(1);
    batch.buf[batch.count++] = take(there);
    host_set_core(0);
    chain = take(here);
    chain->next = take(too);
    batch.buf[batch.count++] = chain;
    of_nic = take(too);
    assert_true(buf_move(of_nic, of_nic->owner, BUF_STACK, BUF_NIC));
    batch.buf[batch.count++] = of_nic;
    batch.buf[batch.count++] = batch.buf[0];
    batch.buf[batch.count++] = take(here);
    buf_batch_free(&batch);
    assert_int_equal(batch.count, 0);
    assert_int_equal(buf_refusals(), before + 2);
    assert_int_equal(here->free, 8);
    assert_int_equal(too->free, 7);
    assert_int_equal(there->free, 7);
    buf_go_home((struct buf_ref){hidden(of_nic), of_nic->owner}, BUF_NIC);
    host_set_core(1);
    assert_int_equal(pool_collect(there), 1);
    assert_int_equal(pool_report(), 0);
}

/* Whatever its length, from its home core or another: the whole chain. */
static void free_long_chains(void **state)
{
    static const uint32_t lengths[] = {1, 2, 63, 64, 65, 128, 255, 256, 1000};
    struct pool *pool = make("p", 0, 1000);

    for (size_t i = 0; i < 2 * RT_ARRAY_SIZE(lengths); i++) {
        uint32_t length = RT_MIN(lengths[i / 2], pool->total);
        struct buf *first = NULL;

        for (uint32_t n = 0; n < length; n++) {
            struct buf *b = take(pool);

            b->next = first;
            first = b;
        }
        assert_int_equal(pool->free, pool->total - length);
        host_set_core(i % 2 * 3);
        buf_free(first);
        host_set_core(0);
        pool_collect(pool);
        assert_int_equal(pool->free, pool->total);
    }
}

/* The rest of a chain behind a segment that is not the stack's is not touched. */
static void a_chain_stops_at_a_stranger(void **state)
{
    struct pool *pool = make("p", 0, 8);
    struct buf *first = take(pool), *second = take(pool), *third = take(pool);
    uint64_t before = buf_refusals();

    first->next = second;
    second->next = third;
    assert_true(buf_move(second, second->owner, BUF_STACK, BUF_NVME));
    buf_free(first);
    assert_int_equal(buf_refusals(), before + 1);
    assert_int_equal(*second->owner, BUF_NVME);
    assert_int_equal(*third->owner, BUF_STACK);
    assert_true(buf_move(second, second->owner, BUF_NVME, BUF_STACK));
    second->next = NULL;
    buf_free(second);
    buf_free(third);
    assert_int_equal(pool->free, 8);
}

/* A chain that runs in a circle ends, refused once: through its own buffers, through ones that
 * are kept, with a way in of any length. */
static void a_circle_ends(void **state)
{
    for (unsigned way = 1; way < 4; way++) {
        for (unsigned kept = 0; kept < 4; kept++) {
            struct pool *pool = make("p", 0, 8);
            struct buf *b[6];
            uint64_t before = buf_refusals();

            for (unsigned i = 0; i < way + kept; i++)
                b[i] = take(pool);
            for (unsigned i = 0; i < way + kept; i++) {
                b[i]->next = b[i + 1 < way + kept ? i + 1 : way - (kept == 0)];
                if (i >= way)
                    assert_true(buf_move(b[i], b[i]->owner, BUF_STACK, BUF_KEPT));
            }
            buf_free(b[0]);
            assert_int_equal(buf_refusals(), before + 1);
            assert_int_equal(pool->free, pool->total - kept);
            assert_int_equal(pool_count_owner(pool, BUF_KEPT), kept);
            for (unsigned i = way; i < way + kept; i++) {
                b[i]->next = NULL;
                buf_let_go((struct buf_ref){b[i], b[i]->owner});
            }
        }
    }
}

static void inline_forms(void **state)
{
    struct pool *pool = make("p", 0, 8);
    struct buf *b = NULL, *again;
    uint64_t before = buf_refusals();

    for (unsigned i = 0; i < 1000 && b == NULL; i++)
        b = pool_take_inline(pool);
    assert_non_null(b);
    is_empty(b);
    again = hidden(b);
    buf_free_inline(b);
    assert_int_equal(pool->free, 8);
    buf_free_inline(again);
    assert_int_equal(buf_refusals(), before + 1);
    b = take(pool);
    b->next = take(pool);
    buf_free_inline(b); /* a chain */
    assert_int_equal(pool->free, 8);
    b = take(pool);
    host_set_core(2);
    buf_free_inline(b);
    host_set_core(0);
    assert_int_equal(pool->free, 7);
    assert_int_equal(pool_collect(pool), 1);
    for (uint32_t i = 0; i < 8; i++)
        (void)take(pool);
    assert_null(pool_take_inline(pool));
    assert_int_equal(pool->stats.empty, 1);
}

static void takes_elsewhere(void *arg)
{
    struct buf_batch batch = {.count = 0};

    host_set_core(1);
    (void)pool_take_batch(arg, &batch, 1);
}

static void take_on_another_core(void **state)
{
    struct pool *pool = make("p", 0, 8);
    char message[256];

    assert_true(host_catch(takes_elsewhere, pool, message, sizeof(message)));
    assert_non_null(strstr(message, "pool->core == hal_core_id()"));
    host_set_core(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(take_in_bulk),
        TEST(bulk_around_a_corrupted_one),
        TEST(free_a_mixed_batch),
        TEST(free_long_chains),
        TEST(a_chain_stops_at_a_stranger),
        TEST(a_circle_ends),
        TEST(inline_forms),
        TEST(take_on_another_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of mode txonly are what a receiver accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "txgen.h"

#include <rt/host.h>
#include <string.h>

static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};
static struct l2fwd_txgen gen;

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static struct pool *make_pool(uint32_t count)
{
    struct pool *pool = NULL;

    host_memory_reset();
    assert_int_equal(pool_create("test", 0, 1, count, &pool), RT_OK);
    return pool;
}

/* In hostile builds single takes fail: ask again; only an empty pool says no each time. */
static uint32_t fill(struct pool *pool, struct buf_batch *batch, uint32_t max)
{
    for (unsigned i = 0; i < 1000; i++) {
        if (l2fwd_txgen_fill(&gen, pool, batch, max) == 0)
            return 0;
    }
    return 1;
}

static void check_frame(const struct buf *b, uint32_t sequence, uint32_t flows, uint32_t bytes)
{
    const uint8_t *f = buf_data(b), *ip = f + 14, *udp = ip + 20;
    uint32_t sum = 0;

    assert_int_equal(b->data_len, bytes);
    assert_int_equal(b->pkt_len, bytes);
    assert_int_equal(b->segments, 1);
    assert_memory_equal(f, ((const uint8_t[]){2, 0, 0, 0, 0, 1}), 6);
    assert_memory_equal(f + 6, mac, 6);
    assert_int_equal(get16(f + 12), 0x0800);
    for (unsigned i = 0; i < 20; i += 2)
        sum += get16(ip + i);
    assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff); /* RFC 1071: a good header */
    assert_int_equal(get16(ip + 2), bytes - 14);
    assert_int_equal(get16(udp + 4), bytes - 34);
    assert_int_equal(get16(udp), 1024 + sequence % flows);
    assert_int_equal(get16(udp + 8) << 16 | get16(udp + 10), sequence);
}

static void frames(void **state)
{
    struct l2fwd_options o = {.tx_size = 60, .tx_flows = 3};
    struct pool *pool = make_pool(64);
    struct buf_batch batch = {.count = 0};

    for (o.tx_size = 60; o.tx_size <= 1514; o.tx_size += 727) {
        l2fwd_txgen_init(&gen, &o, mac, 1);
        assert_true(l2fwd_txgen_left(&gen));
        assert_int_equal(fill(pool, &batch, 32), 0);
        assert_int_equal(batch.count, 32);
        for (uint32_t i = 0; i < batch.count; i++)
            check_frame(batch.buf[i], i, 3, o.tx_size);
        buf_batch_free(&batch);
    }
    assert_int_equal(pool->free, pool->total);
    host_memory_reset();
}

static void stops_after_the_count(void **state)
{
    struct l2fwd_options o = {.tx_size = 60, .tx_flows = 1, .tx_count = 40};
    struct pool *pool = make_pool(64);
    struct buf_batch batch = {.count = 0};

    l2fwd_txgen_init(&gen, &o, mac, 1);
    fill(pool, &batch, 32);
    assert_int_equal(batch.count, 32);
    buf_batch_free(&batch);
    fill(pool, &batch, 32);
    assert_int_equal(batch.count, 8);
    assert_false(l2fwd_txgen_left(&gen));
    buf_batch_free(&batch);
    fill(pool, &batch, 32);
    assert_int_equal(batch.count, 0);
    host_memory_reset();
}

static void an_empty_pool_is_reported(void **state)
{
    struct l2fwd_options o = {.tx_size = 60, .tx_flows = 1};
    struct pool *pool = make_pool(16);
    struct buf_batch batch = {.count = 0};

    l2fwd_txgen_init(&gen, &o, mac, 1);
    assert_int_equal(fill(pool, &batch, 64), 1);
    assert_int_equal(batch.count, pool->total);
    buf_batch_free(&batch);
    assert_int_equal(pool->free, pool->total);
    host_memory_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),
        cmocka_unit_test(stops_after_the_count),
        cmocka_unit_test(an_empty_pool_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

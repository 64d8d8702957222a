/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools of other shapes: rooms of any size, headers alone, lengths past 64 KiB. */
#include "fixture.h"

#include <mempool/poison.h>
#include <string.h>

static struct pool *make_shape(uint32_t headroom_bytes, uint32_t room_bytes)
{
    const struct pool_config config = {.name = "shape", .cores = CORES, .count = 8,
                                       .headroom_bytes = headroom_bytes,
                                       .room_bytes = room_bytes};
    struct pool *pool = NULL;

    assert_int_equal(pool_create_config(&config, &pool), RT_OK);
    return pool;
}

static void rooms_of_all_sizes(void **state)
{
    static const struct {
        uint32_t headroom_bytes, room_bytes, lines;
    } shapes[] = {
        {BUF_HEADROOM_BYTES, BUF_ROOM_BYTES, 35},
        {0, 0, 1},        /* headers */
        {0, 1, 3},        /* two would do */
        {64, 192, 5},     /* small answers */
        {0, 4096, 65},    /* a block of a drive */
        {128, 4096, 67},
        {128, 128 << 10, 2051},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(shapes); i++) {
        uint32_t room = shapes[i].headroom_bytes + shapes[i].room_bytes;
        struct pool *pool = make_shape(shapes[i].headroom_bytes, shapes[i].room_bytes);
        struct buf *held[8];

        assert_int_equal(pool->stride_bytes, shapes[i].lines * RT_CACHE_LINE);
        assert_int_equal(pool->pins != NULL, room == 0);
        for (uint32_t k = 0; k < 8; k++) {
            held[k] = take(pool);
            /* nothing lies behind a header alone, wherever one looks */
            assert_int_equal(held[k]->data_off,
                             room == 0 ? UINT16_MAX : shapes[i].headroom_bytes);
            assert_true(pool_contains(pool, held[k]));
            memset(buf_room(held[k]), (int)k, room); /* the others keep theirs */
        }
        for (uint32_t k = 0; k < 8; k++) {
            for (uint32_t n = 0; n < room; n++)
                assert_int_equal(buf_room(held[k])[n], k);
            buf_free(held[k]);
        }
        assert_int_equal(pool->free, 8);
    }
}

static void bad_shapes(void **state)
{
    struct pool_config config = {.name = "p", .cores = 1, .count = 8, .headroom_bytes = 1};
    struct pool *pool;

    assert_int_equal(pool_create_config(&config, &pool), RT_INVALID); /* headroom of nothing */
    config.room_bytes = POOL_ROOM_BYTES_MAX + 1;
    assert_int_equal(pool_create_config(&config, &pool), RT_INVALID);
    config.room_bytes = 64;
    config.headroom_bytes = POOL_HEADROOM_BYTES_MAX + 1;
    assert_int_equal(pool_create_config(&config, &pool), RT_INVALID);
    assert_null(pool_first());
}

/* At each size around the limit: what was set is what is read, and 16 bits alone say 0. */
static void lengths_past_64_kib(void **state)
{
    static const uint32_t lengths[] = {0, 1, 2048, 65535, 65536, 65537, 128 << 10, 16 << 20};
    struct pool *pool = make("p", 0, 8);
    struct buf *b = take(pool);

    for (size_t i = 0; i < RT_ARRAY_SIZE(lengths); i++) {
        b->flags = BUF_TX_VLAN;
        buf_set_bytes(b, lengths[i]);
        assert_int_equal(buf_bytes(b), lengths[i]);
        assert_int_equal(b->data_len, lengths[i] <= UINT16_MAX ? lengths[i] : 0);
        assert_int_equal(b->flags & BUF_TX_OFFLOADS, BUF_TX_VLAN);
    }
    buf_set_bytes(b, 60);
    b->rss_hash = 0x12345678; /* the word is free again */
    assert_int_equal(buf_bytes(b), 60);
    buf_free(b);
}

static void inside_its_room(void **state)
{
    struct pool *pool = make_shape(64, 192);
    struct buf *b = take(pool);

    b->data_len = 192;
    assert_true(buf_is_inside(b));
    b->data_len = 193;
    assert_false(buf_is_inside(b));
    b->data_off = 0;
    b->data_len = 256;
    assert_true(buf_is_inside(b));
    buf_set_bytes(b, 1 << 20);
    assert_false(buf_is_inside(b));
    b->flags = 0;
    b->data_len = 0; /* no bytes: nothing to give to a device */
    assert_false(buf_is_inside(b));
    b->data_len = 1;
    b->data_off = UINT16_MAX;
    assert_false(buf_is_inside(b));
    buf_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rooms_of_all_sizes),
        TEST(bad_shapes),
        TEST(lengths_past_64_kib),
        TEST(inside_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

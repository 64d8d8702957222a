/* SPDX-License-Identifier: BSD-2-Clause */
/* One way of a bad line, alone: what each kind of harm does, how often, and that it is the same
 * in each run. Time is a number here. */
#include "../mempool/fixture.h"

#include "link/wire.h"

#include <string.h>

#define FRAME_BYTES 100
#define MS UINT64_C(1000000) /* in ns */

static struct wire wire;

static void begin(struct link_way way)
{
    wire = (struct wire){.count = 0};
    assert_int_equal(wire_check(&way, "test"), RT_OK);
    assert_int_equal(wire_reserve(&wire, &way, FRAME_BYTES), RT_OK);
    wire_reset(&wire, &way);
}

static void put(uint32_t number, uint64_t now_ns)
{
    uint8_t frame[FRAME_BYTES] = {0};

    memcpy(frame, &number, sizeof(number));
    wire_put(&wire, frame, sizeof(frame), now_ns);
}

/* The number of the next frame that is due; -1: none is. */
static int64_t get(uint64_t now_ns)
{
    uint32_t number, bytes = 0;
    const uint8_t *frame = wire_first(&wire, now_ns, &bytes);

    if (frame == NULL)
        return -1;
    assert_int_equal(bytes, FRAME_BYTES);
    memcpy(&number, frame, sizeof(number));
    wire_drop_first(&wire);
    return number;
}

static void run_passes_at_once(void **state)
{
    begin((struct link_way){.seed = 1});
    for (uint32_t i = 0; i < 1000; i++) {
        put(i, i);
        assert_int_equal(get(i), i);
        assert_int_equal(get(i), -1);
    }
    assert_int_equal(wire.counts.frames, 1000);
    assert_int_equal(wire_next_ns(&wire), UINT64_MAX);
}

static void run_delay(void **state)
{
    begin((struct link_way){.delay_us = 5000});
    put(1, 7 * MS);
    assert_int_equal(wire_next_ns(&wire), 12 * MS);
    assert_int_equal(get(12 * MS - 1), -1);
    assert_int_equal(get(12 * MS), 1);
}

/* Later or sooner, but never one before the other. */
static void run_jitter(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;

    begin((struct link_way){.seed = 3, .delay_us = 1000, .jitter_us = 500});
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t now_ns = 10 * MS * i;

        put(i, now_ns);
        least = RT_MIN(least, wire_next_ns(&wire) - now_ns);
        most = RT_MAX(most, wire_next_ns(&wire) - now_ns);
        assert_int_equal(get(now_ns + 2 * MS), i);
    }
    assert_in_range(least, 1 * MS, 1 * MS + MS / 100);
    assert_in_range(most, 3 * MS / 2 - MS / 100, 3 * MS / 2);
    for (uint32_t i = 0; i < 1000; i++)
        put(i, 20000 * MS + i);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(get(30000 * MS), i);
}

/* 1,024 bits of a frame and its 24 bytes at 1 Mbit/s: a frame each 0.992 ms, whenever they
 * came. */
static void run_rate(void **state)
{
    const uint64_t each_ns = (FRAME_BYTES + 24) * 8 * UINT64_C(1000);

    begin((struct link_way){.rate_bps = 1000000});
    for (uint32_t i = 0; i < 10; i++)
        put(i, 5);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(wire_next_ns(&wire), 5 + (i + 1) * each_ns);
        assert_int_equal(get(5 + (i + 1) * each_ns), i);
    }
    put(10, 100 * MS); /* the line was idle meanwhile */
    assert_int_equal(wire_next_ns(&wire), 100 * MS + each_ns);
}

static void run_overflow(void **state)
{
    begin((struct link_way){.delay_us = 1, .frames_max = 8});
    for (uint32_t i = 0; i < 10; i++)
        put(i, 0);
    assert_int_equal(wire.counts.overflowed, 2);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(get(MS), i);
    assert_int_equal(get(MS), -1);
    put(11, MS);
    assert_int_equal(get(2 * MS), 11);
}

static void run_too_long(void **state)
{
    begin((struct link_way){.bytes_max = FRAME_BYTES - 1});
    put(0, 0);
    assert_int_equal(get(0), -1);
    assert_int_equal(wire.counts.too_long, 1);
    begin((struct link_way){.bytes_max = FRAME_BYTES});
    put(0, 0);
    assert_int_equal(get(0), 0);
}

/* One bit, and any of them. */
static void run_corrupt(void **state)
{
    static uint32_t hits[FRAME_BYTES * 8];
    uint8_t frame[FRAME_BYTES] = {0};
    uint32_t untouched = 0;

    begin((struct link_way){.seed = 9, .corrupt_ppm = LINK_PPM});
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t bytes = 0, bits = 0;
        const uint8_t *got;

        wire_put(&wire, frame, sizeof(frame), 0);
        got = wire_first(&wire, 0, &bytes);
        for (uint32_t bit = 0; bit < FRAME_BYTES * 8; bit++) {
            if ((got[bit / 8] >> (bit % 8) & 1) == 0)
                continue;
            hits[bit]++;
            bits++;
        }
        assert_int_equal(bits, 1);
        wire_drop_first(&wire);
    }
    for (uint32_t bit = 0; bit < FRAME_BYTES * 8; bit++)
        untouched += hits[bit] == 0;
    assert_in_range(untouched, 0, 3);
    assert_int_equal(wire.counts.corrupted, 10000);
}

/* The fate of 20,000 frames as a text of a letter each: Lost, Twice, late (R), or fine. */
static void fates(struct link_way way, char *fate, uint32_t frames)
{
    uint32_t expected = 0;

    begin(way);
    for (uint32_t i = 0; i < frames; i++) {
        struct link_counts before = wire.counts;

        put(i, i * MS);
        fate[i] = wire.counts.lost != before.lost               ? 'L'
                  : wire.counts.duplicated != before.duplicated ? 'T'
                  : wire.counts.reordered != before.reordered   ? 'R'
                                                                : '.';
        expected += fate[i] == 'T' ? 2 : fate[i] != 'L';
        if (i % 50 == 49)
            while (get(i * MS) >= 0)
                expected--;
    }
    while (get(UINT64_MAX) >= 0)
        expected--;
    assert_int_equal(expected, 0);
}

static void run_same_seed(void **state)
{
    static char one[20001], two[20001];
    struct link_way way = {.seed = 5, .loss_ppm = 20000, .duplicate_ppm = 10000,
                           .reorder_ppm = 30000, .reorder_us = 5000, .delay_us = 100};
    uint32_t moved = 0;

    fates(way, one, 20000);
    fates(way, two, 20000);
    assert_string_equal(one, two);
    assert_in_range(wire.counts.lost, 300, 500);
    assert_in_range(wire.counts.duplicated, 130, 270);
    assert_in_range(wire.counts.reordered, 480, 720);
    way.delay_us = 9000; /* another delay, and damage besides: the same are lost */
    way.jitter_us = 700;
    way.corrupt_ppm = 500000;
    fates(way, two, 20000);
    assert_string_equal(one, two);
    way.seed = 6;
    fates(way, two, 20000);
    for (uint32_t i = 0; i < 20000; i++)
        moved += (one[i] == 'L') != (two[i] == 'L');
    assert_true(moved > 500);
}

/* Those behind a late one overtake it, and nothing else changes its place. */
static void run_reorder(void **state)
{
    uint32_t late = 0;
    int64_t greatest = -1;

    begin((struct link_way){.seed = 2, .reorder_ppm = 100000, .reorder_us = 3500,
                            .delay_us = 1000});
    for (uint32_t i = 0; i < 1000; i++)
        put(i, i * MS);
    for (uint64_t now_ns = 0; wire.count > 0; now_ns += MS / 10) {
        for (int64_t number = get(now_ns); number >= 0; number = get(now_ns)) {
            if (number < greatest) {
                late++;
                assert_in_range(greatest - number, 1, 3);
            } else {
                assert_true(number <= greatest + 5);
            }
            greatest = RT_MAX(greatest, number);
        }
    }
    assert_in_range(late, wire.counts.reordered - 1, wire.counts.reordered);
    assert_in_range(late, 60, 140);
}

/* Random times against a plain search for the earliest. */
static void run_heap(void **state)
{
    static uint64_t due[64];
    uint32_t count = 0;

    begin((struct link_way){.seed = 8, .reorder_ppm = 500000, .reorder_us = 2000,
                            .jitter_us = 3000, .frames_max = 64});
    for (uint32_t step = 0; step < 100000; step++) {
        uint64_t now_ns = step * MS / 10, least = UINT64_MAX;

        if (rnd(2) == 0 && count < 64) {
            put(0, now_ns);
            due[count++] = wire.heap[0].due_ns; /* replaced below by the one that was added */
            for (uint32_t i = 0; i < wire.count; i++)
                if (wire.heap[i].number == wire.number - 1)
                    due[count - 1] = wire.heap[i].due_ns;
        }
        for (uint32_t i = 0; i < count; i++)
            least = RT_MIN(least, due[i]);
        assert_int_equal(wire_next_ns(&wire), least);
        if (get(now_ns) < 0) {
            assert_true(least > now_ns);
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (due[i] == least) {
                due[i] = due[--count];
                break;
            }
        }
    }
}

static void run_refused(void **state)
{
    struct link_way way = {.loss_ppm = LINK_PPM + 1};

    assert_int_equal(wire_check(&way, "in"), RT_INVALID);
    assert_non_null(strstr(console, "link way=in error=configure"));
    way = (struct link_way){.frames_max = LINK_FRAMES_MAX + 1};
    assert_int_equal(wire_check(&way, "in"), RT_INVALID);
    way = (struct link_way){.rate_bps = 999};
    assert_int_equal(wire_check(&way, "in"), RT_INVALID);
    way = (struct link_way){.jitter_us = UINT32_MAX};
    assert_int_equal(wire_check(&way, "in"), RT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(run_passes_at_once), TEST(run_delay),   TEST(run_jitter),    TEST(run_rate),
        TEST(run_overflow),       TEST(run_too_long), TEST(run_corrupt),  TEST(run_same_seed),
        TEST(run_reorder),        TEST(run_heap),    TEST(run_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

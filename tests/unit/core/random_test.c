/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes: from a generator that works, that does not, and that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <rt/host.h>
#include <stdlib.h>
#include <string.h>

#include "../../../rt/core/random.c"

static enum { WORKS, ABSENT, RUNS_DRY, ONES, STUCK, TWO_VALUES } generator;
static uint64_t asked;

bool hal_random(uint64_t *out)
{
    static uint64_t state = 88172645463325252u;

    asked++;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    switch (generator) {
    case ABSENT:
        return false;
    case RUNS_DRY:
        *out = state;
        return asked % 5 != 0;
    case ONES:
        *out = UINT64_MAX;
        return true;
    case STUCK:
        *out = 0x1234567812345678;
        return true;
    case TWO_VALUES:
        *out = 1 + asked % 2;
        return true;
    case WORKS:
    default:
        *out = state;
        return true;
    }
}

/* Whatever the generator does, and though the clock stands still, no two calls say the same while
 * it works; without it the clock alone makes the difference. */
static void run_sources(void **state)
{
    static const bool good[] = {true, false, false, false, false, false};

    for (uint32_t kind = 0; kind < RT_ARRAY_SIZE(good); kind++) {
        uint8_t seen[20][16];

        generator = kind;
        for (uint32_t i = 0; i < 20; i++) {
            assert_int_equal(rt_random(seen[i], sizeof(seen[i])), good[kind]);
            for (uint32_t j = 0; j < i; j++)
                assert_memory_not_equal(seen[i], seen[j], sizeof(seen[i]));
        }
    }
}

static void run_clock_stands(void **state)
{
    uint8_t a[16], b[16];

    host_clock_virtual(1000);
    generator = WORKS;
    assert_true(rt_random(a, sizeof(a)));
    assert_true(rt_random(b, sizeof(b)));
    assert_memory_not_equal(a, b, sizeof(a));
    generator = STUCK; /* nothing is left: this is what "false" is for */
    assert_false(rt_random(a, sizeof(a)));
    assert_false(rt_random(b, sizeof(b)));
    assert_memory_equal(a, b, sizeof(a));
}

/* Any length, no byte beside, and no bit that is always the same. */
static void run_bytes(void **state)
{
    uint32_t ones[64 * 8] = {0};

    generator = WORKS;
    for (uint32_t bytes = 0; bytes <= 64; bytes++) {
        uint8_t out[66];

        memset(out, 0xa5, sizeof(out));
        assert_true(rt_random(out + 1, bytes));
        assert_int_equal(out[0], 0xa5);
        assert_int_equal(out[1 + bytes], 0xa5);
    }
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t out[64];

        assert_true(rt_random(out, sizeof(out)));
        for (uint32_t bit = 0; bit < RT_ARRAY_SIZE(ones); bit++)
            ones[bit] += out[bit / 8] >> bit % 8 & 1;
    }
    for (uint32_t bit = 0; bit < RT_ARRAY_SIZE(ones); bit++)
        assert_in_range(ones[bit], 60, 140); /* 5.6 sigma */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_sources),
        cmocka_unit_test(run_bytes),
        cmocka_unit_test(run_clock_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

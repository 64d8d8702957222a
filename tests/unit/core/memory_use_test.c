/* SPDX-License-Identifier: BSD-2-Clause */
/* Who took the memory: sums by name, order, and more names than there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/memory_use.h>
#include <stdio.h>
#include <string.h>

static char out[8192];

static int start(void **state)
{
    host_memory_reset();
    host_console_capture(out, sizeof(out));
    return 0;
}

static int finish(void **state)
{
    host_console_capture(NULL, 0);
    host_memory_reset();
    return 0;
}

static void names_add_up(void **state)
{
    char same[] = "rings"; /* another text of the same name */
    struct memory_use use;

    assert_non_null(hal_alloc(128, 64, "rings"));
    assert_non_null(hal_alloc(64, 64, "core stack"));
    assert_non_null(hal_alloc(256, 64, same));
    host_memory_limit(100);
    assert_null(hal_alloc(4096, 64, "rings")); /* not taken */
    assert_true(memory_use_get(0, &use));
    assert_int_equal(use.bytes, 384);
    assert_int_equal(use.pieces, 2);
    hal_seal();
    assert_string_equal(out, "memory used_bytes=448 rings=384 core_stack=64\n");
}

/* Equal sums in the order in which they came; each once. */
static void largest_first(void **state)
{
    memory_use_add("b", 5);
    memory_use_add("a", 5);
    memory_use_add("c", 7);
    memory_use_add("d", 5);
    memory_use_log();
    assert_string_equal(out, "memory used_bytes=22 c=7 b=5 a=5 d=5\n");
}

static void the_last_names_share_an_entry(void **state)
{
    enum { NAMES = 200 };
    static char names[NAMES][80];
    struct memory_use use;
    uint64_t sum = 0;
    uint32_t pieces = 0;

    for (unsigned i = 0; i < NAMES; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%03u %060u", i, i);
        memory_use_add(names[i], i + 1);
    }
    memory_use_add(names[0], 1000);
    for (uint32_t i = 0; i < MEMORY_USES_MAX; i++) {
        assert_true(memory_use_get(i, &use));
        assert_int_equal(use.what == NULL, i == MEMORY_USES_MAX - 1);
        sum += use.bytes;
        pieces += use.pieces;
    }
    assert_false(memory_use_get(MEMORY_USES_MAX, &use));
    assert_int_equal(sum, NAMES * (NAMES + 1) / 2 + 1000);
    assert_int_equal(pieces, NAMES + 1);
    memory_use_log();
    assert_non_null(strstr(out, "memory used_bytes=21100 others="));
    assert_non_null(strstr(out, " 000_0000000000")); /* a long name is cut, its value is there */
    assert_non_null(strstr(out, "=1001"));
    assert_null(strchr(out, '~')); /* no line is cut */
}

static void nothing_was_taken(void **state)
{
    memory_use_log();
    assert_string_equal(out, "memory used_bytes=0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_add_up, start, finish),
        cmocka_unit_test_setup_teardown(largest_first, start, finish),
        cmocka_unit_test_setup_teardown(the_last_names_share_an_entry, start, finish),
        cmocka_unit_test_setup_teardown(nothing_was_taken, start, finish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's input: lines, commands, and an end for lines that come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "input.h"

#include <string.h>

static struct kit_input in;

static int fresh(void **state)
{
    in = (struct kit_input){.app = "l2fwd"};
    return 0;
}

static bool type(const char *text)
{
    bool whole = false;

    for (; *text != '\0'; text++)
        whole = kit_input_take(&in, *text);
    return whole;
}

static void lines(void **state)
{
    char large[3 * KIT_LINE_BYTES];

    assert_false(type("\r\n"));
    assert_false(type("\n"));
    assert_false(type("sta"));
    assert_true(kit_input_within_line(&in));
    assert_true(type("ts\r\n"));
    assert_string_equal(in.line, "stats");
    assert_false(kit_input_within_line(&in));
    memset(large, 'x', sizeof(large));
    large[KIT_LINE_BYTES - 1] = '\0'; /* fits to the byte */
    assert_false(type(large));
    assert_true(type("\n"));
    assert_false(in.overlong);
    assert_int_equal(strlen(in.line), KIT_LINE_BYTES - 1);
    large[KIT_LINE_BYTES - 1] = 'x';
    large[sizeof(large) - 1] = '\0';
    assert_false(type(large));
    assert_true(type("\n"));
    assert_true(in.overlong);
    assert_int_equal(strlen(in.line), KIT_LINE_BYTES - 1);
    assert_true(type("help\n"));
    assert_false(in.overlong);
    assert_string_equal(in.line, "help");
}

static void names(void **state)
{
    assert_string_equal(kit_input_match("set a=1", "set"), "a=1");
    assert_string_equal(kit_input_match("set", "set"), "");
    assert_string_equal(kit_input_match("report {", "report"), "{");
    assert_null(kit_input_match("setting a=1", "set"));
    assert_null(kit_input_match("se", "set"));
    assert_null(kit_input_match("", "set"));
}

static bool complain(const char *text, uint64_t now_us, uint32_t *swallowed)
{
    assert_true(type(text));
    return kit_input_complain(&in, now_us, swallowed);
}

static void our_own_lines_get_no_answer(void **state)
{
    static const char *const own[] = {
        "console error=\"no such command\" text=\"x\" (help prints all)\n",
        "console error=\"line longer than 159 bytes\"\n",
        "stat port=0 link=up\n", "setting spin_us=500\n", "report {\"uptime_us\":1\n",
        "commands: stop | report\n", "  spin_us=200  [0..1 us] live  words\n", "runtime:\n",
        "l2fwd:\n", "kit:\n", "memory used_bytes=1\n", "counter of=port name=rx_packets\n",
        "arg text=\"x\" mistake=\"no such argument\"\n", "nic0 link=up\n",
        "pool name=l2fwd core=0\n", "trace core=0 us=1 event=arm\n",
    };
    uint32_t swallowed = 0;

    for (size_t i = 0; i < RT_ARRAY_SIZE(own); i++) {
        fresh(NULL);
        assert_false(complain(own[i], 1, &swallowed));
    }
    fresh(NULL);
    assert_true(complain("reprot\n", 1, &swallowed));
    assert_true(complain("statz\n", 1, &swallowed));
    assert_true(complain("echo state=running\n", 1, &swallowed)); /* another's name */
}

static void complaints_are_limited(void **state)
{
    uint64_t now_us = 5000000;
    uint32_t swallowed = 77;

    for (unsigned period = 0; period < 3; period++) {
        for (unsigned i = 0; i < 100; i++) {
            assert_int_equal(complain("nonsense\n", now_us, &swallowed),
                             i < KIT_COMPLAINTS_MAX);
            if (i == 0)
                assert_int_equal(swallowed, period == 0 ? 0 : 100 - KIT_COMPLAINTS_MAX);
        }
        now_us += KIT_COMPLAINTS_US;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines, fresh),
        cmocka_unit_test_setup(names, fresh),
        cmocka_unit_test_setup(our_own_lines_get_no_answer, fresh),
        cmocka_unit_test_setup(complaints_are_limited, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

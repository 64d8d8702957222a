/* SPDX-License-Identifier: BSD-2-Clause */
/* The runtime's table: defaults are valid, names are unique, help is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/app.h>
#include <rt/config.h>
#include <rt/hal.h>
#include <string.h>

static const struct arg_table *const tables[] = {&rt_arg_table, NULL};

static void no_line(void *ctx, const char *line)
{
    fail_msg("%s", line);
}

static void defaults(void **state)
{
    struct arg_result r = args_parse(tables, "", no_line, NULL);

    assert_int_equal(r.mistakes, 0);
    assert_int_equal(rt_config.cores, 0);
    assert_int_equal(rt_config.poll.mode, POLL_ADAPTIVE);
    assert_int_equal(rt_config.poll.busy_packets, 1);
    assert_int_equal(rt_config.poll.sleep_max_us, 100000);
    assert_int_equal(rt_config.at_stop, RT_STOP_POWEROFF);
    assert_int_equal(rt_config.at_panic, RT_STOP_RESET);
    assert_string_equal(rt_config.boot_mac, "");
}

static void choices_are_in_the_order_of_their_enums(void **state)
{
    args_parse(tables, "poll=always at_stop=reset", no_line, NULL);
    assert_int_equal(rt_config.poll.mode, POLL_ALWAYS);
    assert_int_equal(rt_config.at_stop, RT_STOP_RESET);
    args_parse(tables, "poll=irq at_stop=halt boot.mac=52:54:00:12:34:56", no_line, NULL);
    assert_int_equal(rt_config.poll.mode, POLL_IRQ);
    assert_int_equal(rt_config.at_stop, RT_STOP_HALT);
    assert_string_equal(rt_config.boot_mac, "52:54:00:12:34:56");
}

static void thresholds_are_live(void **state)
{
    assert_int_equal(args_set_live(tables, "poll=adaptive", no_line, NULL), RT_OK);
    assert_int_equal(args_set_live(tables, "spin_us=7", no_line, NULL), RT_OK);
    assert_int_equal(args_set_live(tables, "empty_polls=8", no_line, NULL), RT_OK);
    assert_int_equal(args_set_live(tables, "busy_packets=9", no_line, NULL), RT_OK);
    assert_int_equal(args_set_live(tables, "sleep_max_us=1k", no_line, NULL), RT_OK);
    assert_int_equal(rt_config.poll.spin_us, 7);
    assert_int_equal(rt_config.poll.empty_polls, 8);
    assert_int_equal(rt_config.poll.busy_packets, 9);
    assert_int_equal(rt_config.poll.sleep_max_us, 1000);
}

static void every_argument_is_complete(void **state)
{
    for (uint32_t i = 0; i < rt_arg_table.count; i++) {
        const struct arg *a = &rt_arg_table.args[i];

        assert_non_null(a->unit);
        assert_non_null(a->dst);
        assert_true(strlen(a->help) > 10);
        for (uint32_t k = 0; k < i; k++)
            assert_string_not_equal(a->name, rt_arg_table.args[k].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(choices_are_in_the_order_of_their_enums),
        cmocka_unit_test(thresholds_are_live),
        cmocka_unit_test(every_argument_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

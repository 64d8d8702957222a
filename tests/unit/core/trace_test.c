/* SPDX-License-Identifier: BSD-2-Clause */
/* Event rings: the last events, oldest first, by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/log.h>
#include <rt/trace.h>
#include <string.h>

static char lines[TRACE_EVENTS_MAX + 8][160];
static unsigned line_count;

static void keep(const char *text)
{
    assert_true(line_count < RT_ARRAY_SIZE(lines));
    rt_snprintf(lines[line_count++], sizeof(lines[0]), "%s", text);
}

static void events_are_named(void **state)
{
    host_clock_virtual(1234);
    host_set_core(3);
    rt_trace(TRACE_LINK, 1, 1000);
    host_clock_advance_us(6);
    rt_trace(TRACE_STOP, 3, 0);
    host_set_core(0);
    line_count = 0;
    rt_trace_dump(3, 16, keep);
    assert_int_equal(line_count, 2);
    assert_string_equal(lines[0], "trace core=3 us=1234 event=link port=1 speed_mbps=1000");
    assert_string_equal(lines[1], "trace core=3 us=1240 event=stop core=3");
    line_count = 0;
    rt_trace_dump(2, 16, keep);
    assert_int_equal(line_count, 0);
}

static void the_last_ones_stay(void **state)
{
    host_clock_virtual(0);
    host_set_core(4);
    for (uint32_t i = 0; i < TRACE_EVENTS_MAX + 10; i++)
        rt_trace(TRACE_WAKE, 0, i);
    line_count = 0;
    rt_trace_dump(4, 100000, keep);
    assert_int_equal(line_count, TRACE_EVENTS_MAX);
    assert_string_equal(lines[0], "trace core=4 us=0 event=wake irqs=0 halt_us=10");
    host_set_core(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_named),
        cmocka_unit_test(the_last_ones_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

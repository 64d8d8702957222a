/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines: one write each, printable, cut with a mark, limited, whole across threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <rt/host.h>
#include <rt/log.h>
#include <string.h>

static char out[1 << 20];

static int capture(void **state)
{
    host_console_capture(out, sizeof(out));
    return 0;
}

static int release(void **state)
{
    host_console_capture(NULL, 0);
    host_clock_real();
    return 0;
}

static void one_line(void **state)
{
    rt_log("nic%u link=%s", 0, "up");
    assert_string_equal(out, "nic0 link=up\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    rt_log("module name=%s", "a\033[2Jb\r\nc\200");
    assert_string_equal(out, "module name=a?[2Jb??c?\n");
}

static void too_long_is_cut_and_marked(void **state)
{
    char text[2 * RT_LOG_LINE_BYTES];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    rt_log("%s", text);
    assert_true(strlen(out) < RT_LOG_LINE_BYTES);
    assert_string_equal(out + strlen(out) - 3, "x~\n");
}

static void finished_lines_have_any_length(void **state)
{
    static char text[100000];

    memset(text, 'x', sizeof(text));
    rt_log_line(text, sizeof(text));
    assert_int_equal(strlen(out), sizeof(text) + 1);
    assert_int_equal(out[sizeof(text)], '\n');
}

static void limited(void **state)
{
    struct rt_log_limit limit = {0};

    host_clock_virtual(5000000);
    for (unsigned i = 0; i < 10; i++)
        rt_log_limited(&limit, "drop n=%u", i);
    assert_string_equal(out, "drop n=0\n");
    host_clock_advance_us(1000000);
    rt_log_limited(&limit, "drop n=%u", 99);
    assert_string_equal(out, "drop n=0\ndrop n=99 swallowed=9\n");
}

static void *write_lines(void *arg)
{
    for (unsigned i = 0; i < 500; i++)
        rt_log("writer=%s line=%u end", (const char *)arg, i);
    return NULL;
}

static void lines_of_two_threads_are_whole(void **state)
{
    static char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static char b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    unsigned lines = 0;
    pthread_t t;

    assert_int_equal(pthread_create(&t, NULL, write_lines, a), 0);
    write_lines(b);
    pthread_join(t, NULL);
    for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        assert_memory_equal(line, "writer=", 7);
        assert_string_equal(line + strlen(line) - 4, " end");
    }
    assert_int_equal(lines, 1000);
}

static void status_names(void **state)
{
    assert_string_equal(rt_status_name(RT_OK), "ok");
    assert_string_equal(rt_status_name(RT_FULL), "full");
    assert_string_equal(rt_status_name((enum rt_status)-77), "unknown");
    assert_string_equal(rt_status_name((enum rt_status)1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_line, capture, release),
        cmocka_unit_test_setup_teardown(control_characters_do_not_reach_the_terminal, capture,
                                        release),
        cmocka_unit_test_setup_teardown(too_long_is_cut_and_marked, capture, release),
        cmocka_unit_test_setup_teardown(finished_lines_have_any_length, capture, release),
        cmocka_unit_test_setup_teardown(limited, capture, release),
        cmocka_unit_test_setup_teardown(lines_of_two_threads_are_whole, capture, release),
        cmocka_unit_test(status_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

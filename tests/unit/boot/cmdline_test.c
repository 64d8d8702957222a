/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct boot_info bi;

static void set(const char *line, enum cmdline_first first)
{
    size_t bytes = strlen(line);
    char *copy = malloc(bytes + 1);

    /* exactly as long as the text: no NUL to rely on */
    memcpy(copy, line, bytes);
    memset(&bi, 0, sizeof(bi));
    cmdline_set(&bi, copy, bytes, first);
    free(copy);
}

static void test_image_name_goes(void **state)
{
    static const struct {
        const char *line, *args;
    } cases[] = {
        {"mode=io cores=2", "mode=io cores=2"},
        {"l2fwd.img mode=io", "mode=io"},
        {"tftp://10.0.2.2/l2fwd mode=io", "mode=io"},
        {"\\EFI\\BOOT\\l2fwd mode=io", "mode=io"},
        {"/boot/l2fwd.img", ""},
        {"help", "help"},
        {"help mode=io", "help mode=io"},
        {"mac=52:54:00:00:00:01 x=1", "mac=52:54:00:00:00:01 x=1"},
        {"BOOT_IMAGE=/l2fwd.img mode=io", "BOOT_IMAGE=/l2fwd.img mode=io"},
        {"  l2fwd.img   mode=io  ", "mode=io"},
        {"mode=io file.bin", "mode=io file.bin"},
        {"", ""},
        {"   ", ""},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        set(cases[i].line, CMDLINE_FIRST_GUESS);
        assert_string_equal(bi.cmdline, cases[i].args);
        assert_string_equal(bi.raw_cmdline, cases[i].line);
        assert_int_equal(bi.flags, 0);
    }
}

static void test_ipxe_name_goes_whatever_it_is(void **state)
{
    set("l2fwd mode=io", CMDLINE_FIRST_NAME);
    assert_string_equal(bi.cmdline, "mode=io");
    set("l2fwd", CMDLINE_FIRST_NAME);
    assert_string_equal(bi.cmdline, "");
    set("", CMDLINE_FIRST_NAME);
    assert_string_equal(bi.cmdline, "");
}

static void test_control_characters_become_spaces(void **state)
{
    set("a=1\tb=2\r\n\x7f", CMDLINE_FIRST_GUESS);
    assert_string_equal(bi.raw_cmdline, "a=1 b=2   ");
    assert_string_equal(bi.cmdline, "a=1 b=2");
}

static void test_ends_at_nul(void **state)
{
    memset(&bi, 0, sizeof(bi));
    cmdline_set(&bi, "a=1\0b=2", 7, CMDLINE_FIRST_GUESS);
    assert_string_equal(bi.cmdline, "a=1");
}

static void test_longest_line_and_one_more(void **state)
{
    char line[BOOT_CMDLINE_BYTES + 1];

    memset(line, 'x', sizeof(line));
    line[BOOT_CMDLINE_BYTES - 1] = '\0';
    set(line, CMDLINE_FIRST_GUESS);
    assert_int_equal(bi.flags, 0);
    assert_int_equal(strlen(bi.cmdline), BOOT_CMDLINE_BYTES - 1);

    line[BOOT_CMDLINE_BYTES - 1] = 'x';
    line[BOOT_CMDLINE_BYTES] = '\0';
    set(line, CMDLINE_FIRST_GUESS);
    assert_int_equal(bi.flags, BOOT_FLAG_CMDLINE_TRUNCATED);
    assert_int_equal(strlen(bi.cmdline), BOOT_CMDLINE_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_name_goes),
        cmocka_unit_test(test_ipxe_name_goes_whatever_it_is),
        cmocka_unit_test(test_control_characters_become_spaces),
        cmocka_unit_test(test_ends_at_nul),
        cmocka_unit_test(test_longest_line_and_one_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

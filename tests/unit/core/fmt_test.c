/* SPDX-License-Identifier: BSD-2-Clause */
/* Our formatting against the C library's, and the cases where they must differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/log.h>
#include <stdio.h>
#include <string.h>

#define SAME(...)                                                                              \
    do {                                                                                       \
        char ours[128], theirs[128];                                                           \
        size_t a = rt_snprintf(ours, sizeof(ours), __VA_ARGS__);                               \
        int b = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                 \
        assert_string_equal(ours, theirs);                                                     \
        assert_int_equal(a, b);                                                                \
    } while (0)

static void numbers(void **state)
{
    static const int64_t values[] = {0,         1,         -1,        9,        10, 255, 4096,
                                     INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < RT_ARRAY_SIZE(values); i++) {
        SAME("%ld", values[i]);
        SAME("%lld", (long long)values[i]);
        SAME("%lu", (uint64_t)values[i]);
        SAME("%lx", (uint64_t)values[i]);
        SAME("%d", (int)values[i]);
        SAME("%u", (unsigned)values[i]);
        SAME("%X", (unsigned)values[i]);
        SAME("%hd", (short)values[i]);
        SAME("%hhu", (unsigned char)values[i]);
        SAME("%zu", (size_t)values[i]);
        SAME("%12ld|%-12ld|%012ld", values[i], values[i], values[i]);
        SAME("%.5ld|%9.5ld|%-9.5ld", values[i], values[i], values[i]);
        SAME("%+ld", values[i]);
        SAME("%*ld|%-*ld", 9, values[i], 9, values[i]);
        SAME("%02x:%02x", (unsigned)values[i] & 0xff, 7u);
    }
    SAME("%.0u|%u", 0u, 0u);
}

static void texts(void **state)
{
    SAME("%s", "");
    SAME("%s and %s", "one", "two");
    SAME("%10s|%-10s|", "right", "left");
    SAME("%.3s|%6.2s|", "abcdef", "abcdef");
    SAME("%.*s", 2, "abc");
    SAME("%c%c%%", 'a', 'b');
}

static void pointers(void **state)
{
    char out[32];

    rt_snprintf(out, sizeof(out), "%p", (void *)(uintptr_t)0x1234);
    assert_string_equal(out, "0x1234");
}

static void truncation(void **state)
{
    char out[8];

    memset(out, 'x', sizeof(out));
    assert_int_equal(rt_snprintf(out, 5, "%s", "abcdefgh"), 8);
    assert_string_equal(out, "abcd");
    assert_int_equal(out[5], 'x');
    assert_int_equal(rt_snprintf(out, 0, "%d", 12345), 5);
    assert_int_equal(rt_snprintf(NULL, 0, "%d", 123), 3);
    assert_int_equal(rt_snprintf(out, 1, "%d", 123), 3);
    assert_string_equal(out, "");
}

/* A null string and an unknown conversion are our mistakes: shown, never a fault. */
static void mistakes(void **state)
{
    const char *volatile unknown = "%q %s";
    char *volatile none = NULL;
    char out[32];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    rt_snprintf(out, sizeof(out), unknown, none);
#pragma GCC diagnostic pop
    assert_string_equal(out, "%q (null)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),    cmocka_unit_test(texts),    cmocka_unit_test(pointers),
        cmocka_unit_test(truncation), cmocka_unit_test(mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

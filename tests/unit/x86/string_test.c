/* SPDX-License-Identifier: BSD-2-Clause */
/* Our own string functions, under other names, against the C library's. */
#include <stdlib.h>
#include <string.h>

#define memcpy our_memcpy
#define memmove our_memmove
#define memset our_memset
#define memcmp our_memcmp
#define memchr our_memchr
#define strlen our_strlen
#define strnlen our_strnlen
#define strcmp our_strcmp
#define strncmp our_strncmp
#define strchr our_strchr
#define strrchr our_strrchr
#include "../../../rt/x86/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

#include "cmocka_all.h"

enum { ROOM = 700, ROUNDS = 30000 };

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void blocks(void **state)
{
    uint8_t a[ROOM], b[ROOM];

    srand(3);
    for (unsigned i = 0; i < ROOM; i++)
        a[i] = b[i] = (uint8_t)rand();
    for (unsigned n = 0; n < ROUNDS; n++) {
        const size_t bytes = (size_t)rand() % 300;
        const size_t from = (size_t)rand() % (ROOM - 300), to = (size_t)rand() % (ROOM - 300);
        const int value = rand();
        uint8_t copy[300];

        switch (n % 3) {
        case 0:
            assert_ptr_equal(our_memmove(a + to, a + from, bytes), a + to);
            memmove(b + to, b + from, bytes);
            break;
        case 1:
            assert_ptr_equal(our_memset(a + to, value, bytes), a + to);
            memset(b + to, value, bytes);
            b[(n * 7) % ROOM] = a[(n * 7) % ROOM] = (uint8_t)n;
            break;
        default:
            assert_ptr_equal(our_memcpy(copy, a + from, bytes), copy);
            assert_int_equal(memcmp(copy, b + from, bytes), 0);
        }
        assert_int_equal(memcmp(a, b, ROOM), 0);
        assert_int_equal(sign(our_memcmp(a + from, a + to, bytes)),
                         sign(memcmp(a + from, a + to, bytes)));
        assert_ptr_equal(our_memchr(a + from, value, bytes),
                         memchr(a + from, value & 0xff, bytes));
    }
}

static void texts(void **state)
{
    static const char *const all[] = {"", "a", "b", "ab", "abc", "abd", "\xff", "a,b,c", ","};

    for (unsigned i = 0; i < RT_ARRAY_SIZE(all); i++) {
        assert_int_equal(our_strlen(all[i]), strlen(all[i]));
        assert_int_equal(our_strnlen(all[i], 2), strnlen(all[i], 2));
        assert_ptr_equal(our_strchr(all[i], ','), strchr(all[i], ','));
        assert_ptr_equal(our_strrchr(all[i], ','), strrchr(all[i], ','));
        assert_ptr_equal(our_strchr(all[i], 0), strchr(all[i], 0));
        for (unsigned j = 0; j < RT_ARRAY_SIZE(all); j++) {
            assert_int_equal(sign(our_strcmp(all[i], all[j])), sign(strcmp(all[i], all[j])));
            assert_int_equal(sign(our_strncmp(all[i], all[j], 2)),
                             sign(strncmp(all[i], all[j], 2)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks),
        cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

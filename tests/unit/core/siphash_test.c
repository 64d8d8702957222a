/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of the SipHash paper, appendix A, and of its reference: key 00..0f, data 00..n-1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <rt/siphash.h>

static void run_vectors(void **state)
{
    static const struct {
        size_t bytes;
        uint64_t hash;
    } vectors[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},
        {1, UINT64_C(0x74f839c593dc67fd)},
        {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)},
    };
    uint8_t key[16], data[16];

    for (uint8_t i = 0; i < 16; i++)
        key[i] = data[i] = i;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        assert_true(rt_siphash(key, data, vectors[i].bytes) == vectors[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_vectors)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

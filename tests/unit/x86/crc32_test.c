/* SPDX-License-Identifier: BSD-2-Clause */
#include "../../../rt/x86/crc32.c"

#include <stdlib.h>

#include "cmocka_all.h"

/* A bit at a time, as the standard writes it. */
static uint32_t slow(const uint8_t *p, size_t bytes)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

static void known_values(void **state)
{
    assert_int_equal(crc32_ieee("", 0), 0);
    assert_int_equal(crc32_ieee("123456789", 9), 0xcbf43926); /* the check value of the CRC */
    assert_int_equal(crc32_ieee("hello", 5), 0x3610a686);
}

static void every_length_and_offset(void **state)
{
    uint8_t data[80];

    srand(1);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)rand();
    for (size_t from = 0; from < 9; from++) {
        for (size_t bytes = 0; bytes <= sizeof(data) - from; bytes++)
            assert_int_equal(crc32_ieee(data + from, bytes), slow(data + from, bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(every_length_and_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

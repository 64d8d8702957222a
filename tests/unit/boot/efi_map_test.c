/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WB UINT64_C(8)
#define STRIDE 48 /* what firmware uses: larger than the structure */

static struct memmap map;
static struct boot_info bi;

struct descriptor {
    uint32_t type, pad;
    uint64_t base, virtual, pages, attribute, tail;
};

static int setup(void **state)
{
    memset(&map, 0, sizeof(map));
    memset(&bi, 0, sizeof(bi));
    return 0;
}

static void test_types(void **state)
{
    static const struct {
        uint32_t efi, ours;
        uint64_t attribute;
    } cases[] = {
        {0, BOOT_MEM_RESERVED, WB},        {1, BOOT_MEM_RAM, WB},
        {2, BOOT_MEM_RAM, WB | 0xf},       {3, BOOT_MEM_RAM, WB},
        {4, BOOT_MEM_RAM, WB},             {5, BOOT_MEM_RESERVED, WB},
        {6, BOOT_MEM_RESERVED, WB},        {7, BOOT_MEM_RAM, WB},
        {8, BOOT_MEM_BAD, WB},             {9, BOOT_MEM_ACPI, WB},
        {10, BOOT_MEM_NVS, WB},            {11, BOOT_MEM_RESERVED, 1},
        {14, BOOT_MEM_RESERVED, WB},       {15, BOOT_MEM_RESERVED, WB},
        {7, BOOT_MEM_RESERVED, 1},         {7, BOOT_MEM_RESERVED, WB | 0x40000},
        {0x80000000u, BOOT_MEM_RESERVED, WB},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct descriptor d = {.type = cases[i].efi, .base = 0x100000, .pages = 3,
                               .attribute = cases[i].attribute};

        setup(NULL);
        assert_int_equal(efi_map_add(&map, &d, STRIDE, STRIDE), RT_OK);
        memmap_finish(&map, &bi);
        assert_int_equal(bi.mem_count, 1);
        assert_int_equal(bi.mem[0].type, cases[i].ours);
        assert_int_equal(bi.mem[0].base, 0x100000);
        assert_int_equal(bi.mem[0].bytes, 0x3000);
    }
}

static void test_neighbours_melt(void **state)
{
    struct descriptor d[300];

    memset(d, 0, sizeof(d));
    for (uint32_t i = 0; i < 300; i++)
        d[i] = (struct descriptor){.type = 3 + i % 2, .base = (1 + i) * RT_PAGE_BYTES,
                                   .pages = 1, .attribute = WB};
    assert_int_equal(efi_map_add(&map, d, sizeof(d), STRIDE), RT_OK);
    assert_int_equal(map.count, 1);
    assert_int_equal(map.ranges[0].bytes, 300 * RT_PAGE_BYTES);
}

static void test_nonsense_strides(void **state)
{
    struct descriptor d[2] = {{.type = 7, .base = 4096, .pages = 1, .attribute = WB}};

    assert_int_equal(efi_map_add(&map, d, sizeof(d), 0), RT_INVALID);
    assert_int_equal(efi_map_add(&map, d, sizeof(d), 39), RT_INVALID);
    assert_int_equal(efi_map_add(&map, d, sizeof(d), 97), RT_INVALID);
    assert_int_equal(efi_map_add(&map, d, sizeof(d), UINT64_MAX), RT_INVALID);
    assert_int_equal(map.count, 0);
    assert_int_equal(efi_map_add(&map, d, 95, STRIDE), RT_OK); /* half a descriptor is none */
    assert_int_equal(map.count, 1);
}

static void test_page_count_does_not_wrap(void **state)
{
    struct descriptor d = {.type = 7, .base = 0x100000, .pages = UINT64_MAX / 2048,
                           .attribute = WB};

    assert_int_equal(efi_map_add(&map, &d, STRIDE, STRIDE), RT_OK);
    assert_int_equal(map.ranges[0].bytes, MEMMAP_ADDRESS_END - 0x100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_types, setup),
        cmocka_unit_test_setup(test_neighbours_melt, setup),
        cmocka_unit_test_setup(test_nonsense_strides, setup),
        cmocka_unit_test_setup(test_page_count_does_not_wrap, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE RT_PAGE_BYTES

static struct memmap map;
static struct boot_info bi;

static int setup(void **state)
{
    memset(&map, 0, sizeof(map));
    memset(&bi, 0, sizeof(bi));
    return 0;
}

static void assert_range(uint32_t index, uint64_t base, uint64_t bytes, uint32_t type)
{
    assert_true(index < bi.mem_count);
    assert_int_equal(bi.mem[index].base, base);
    assert_int_equal(bi.mem[index].bytes, bytes);
    assert_int_equal(bi.mem[index].type, type);
}

static void test_image_and_module_are_carved_out(void **state)
{
    memmap_add(&map, 0x100000, 0x7f00000, BOOT_MEM_RAM);
    memmap_add(&map, 0x200000, 0x40000, BOOT_MEM_IMAGE);
    memmap_add(&map, 0x7000000, 0x1000, BOOT_MEM_MODULE);
    memmap_finish(&map, &bi);
    assert_int_equal(bi.mem_count, 5);
    assert_range(0, 0x100000, 0x100000, BOOT_MEM_RAM);
    assert_range(1, 0x200000, 0x40000, BOOT_MEM_IMAGE);
    assert_range(2, 0x240000, 0x6dc0000, BOOT_MEM_RAM);
    assert_range(3, 0x7000000, 0x1000, BOOT_MEM_MODULE);
    assert_range(4, 0x7001000, 0xfff000, BOOT_MEM_RAM);
}

static void test_ram_is_rounded_inwards_and_never_page_0(void **state)
{
    memmap_add(&map, 0, 0x9fc00, BOOT_MEM_RAM);
    memmap_add(&map, 0x9fc00, 0x400, BOOT_MEM_RESERVED);
    memmap_add(&map, 0x100001, 0xffe, BOOT_MEM_RAM);
    memmap_finish(&map, &bi);
    assert_int_equal(bi.mem_count, 2);
    assert_range(0, PAGE, 0x9e000, BOOT_MEM_RAM);
    assert_range(1, 0x9fc00, 0x400, BOOT_MEM_RESERVED);
}

static void test_forbidden_beats_ram(void **state)
{
    memmap_add(&map, 0x3000, 0x1000, BOOT_MEM_ACPI);
    memmap_add(&map, 0x1000, 0x8000, BOOT_MEM_RAM);
    memmap_add(&map, 0x5000, 0x1000, BOOT_MEM_BAD);
    memmap_add(&map, 0x4800, 0x1000, BOOT_MEM_RESERVED);
    memmap_finish(&map, &bi);
    assert_int_equal(bi.mem_count, 5);
    assert_range(0, 0x1000, 0x2000, BOOT_MEM_RAM);
    assert_range(1, 0x3000, 0x1000, BOOT_MEM_ACPI);
    assert_range(2, 0x4800, 0x800, BOOT_MEM_RESERVED);
    assert_range(3, 0x5000, 0x1000, BOOT_MEM_BAD);
    assert_range(4, 0x6000, 0x3000, BOOT_MEM_RAM);
}

static void test_unsorted_neighbours_merge(void **state)
{
    memmap_add(&map, 0x3000, 0x1000, BOOT_MEM_RAM);
    memmap_add(&map, 0x1000, 0x1000, BOOT_MEM_RAM);
    memmap_add(&map, 0x2000, 0x1000, BOOT_MEM_RAM);
    memmap_finish(&map, &bi);
    assert_int_equal(bi.mem_count, 1);
    assert_range(0, 0x1000, 0x3000, BOOT_MEM_RAM);
}

static void test_unknown_types_are_reserved(void **state)
{
    memmap_add(&map, 0x1000, 0x1000, 0x14);
    memmap_add(&map, 0x2000, 0x1000, 0);
    memmap_add(&map, 0x3000, 0x1000, UINT32_MAX);
    memmap_finish(&map, &bi);
    assert_int_equal(bi.mem_count, 1);
    assert_range(0, 0x1000, 0x3000, BOOT_MEM_RESERVED);
}

static void test_end_of_address_space(void **state)
{
    memmap_add(&map, MEMMAP_ADDRESS_END - PAGE, UINT64_MAX, BOOT_MEM_RAM);
    memmap_add(&map, UINT64_MAX - 10, 100, BOOT_MEM_RAM);
    memmap_add(&map, 0x5000, 0, BOOT_MEM_RAM);
    memmap_finish(&map, &bi);
    assert_int_equal(bi.mem_count, 1);
    assert_range(0, MEMMAP_ADDRESS_END - PAGE, PAGE, BOOT_MEM_RAM);
}

static void test_full_input_loses_ram_only(void **state)
{
    /* downwards, so that neighbours do not melt while they are added */
    for (uint64_t i = 0; i < MEMMAP_RANGES_MAX; i++)
        memmap_add(&map, (512 - i) * 2 * PAGE, i == 7 ? PAGE : 2 * PAGE, BOOT_MEM_RAM);
    assert_false(map.truncated);
    memmap_add(&map, UINT64_C(1) << 40, PAGE, BOOT_MEM_RAM);
    assert_true(map.truncated);
    /* a reservation inside another range takes the place of the smallest, at page 1010 */
    memmap_add(&map, 4 * PAGE, PAGE, BOOT_MEM_RESERVED);
    memmap_finish(&map, &bi);
    assert_true(bi.flags & BOOT_FLAG_MEM_TRUNCATED);
    assert_int_equal(bi.mem_count, 4);
    assert_range(0, 2 * PAGE, 2 * PAGE, BOOT_MEM_RAM);
    assert_range(1, 4 * PAGE, PAGE, BOOT_MEM_RESERVED);
    assert_range(2, 5 * PAGE, 1005 * PAGE, BOOT_MEM_RAM);
    assert_range(3, 1012 * PAGE, 14 * PAGE, BOOT_MEM_RAM);
}

static void test_full_output_keeps_the_largest(void **state)
{
    for (uint64_t i = 0; i < BOOT_MEM_MAX; i++)
        memmap_add(&map, (i + 1) * 4 * PAGE, i == 9 ? PAGE : 2 * PAGE, BOOT_MEM_RAM);
    memmap_add(&map, UINT64_C(1) << 40, UINT64_C(1) << 30, BOOT_MEM_RAM);
    memmap_finish(&map, &bi);
    assert_int_equal(bi.mem_count, BOOT_MEM_MAX);
    assert_true(bi.flags & BOOT_FLAG_MEM_TRUNCATED);
    assert_range(BOOT_MEM_MAX - 1, UINT64_C(1) << 40, UINT64_C(1) << 30, BOOT_MEM_RAM);
    assert_range(9, 11 * 4 * PAGE, 2 * PAGE, BOOT_MEM_RAM);
}

/* ---- against a model: one type for each page of a small address space ---- */

#define MODEL_PAGES 64

static uint32_t model_rank(uint32_t type)
{
    static const uint32_t order[] = {0, BOOT_MEM_RAM, BOOT_MEM_RESERVED, BOOT_MEM_ACPI,
                                     BOOT_MEM_NVS, BOOT_MEM_BOOT, BOOT_MEM_MODULE,
                                     BOOT_MEM_IMAGE, BOOT_MEM_BAD};

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(order); i++) {
        if (order[i] == type)
            return i;
    }
    return 2;
}

static void compare_with_model(uint32_t *seed)
{
    static const uint32_t types[] = {1, 1, 1, 2, 3, 4, 5, 0x100, 0x101, 0x102};
    uint32_t model[MODEL_PAGES] = {0};
    uint32_t ranges = *seed % 20;

    for (uint32_t i = 0; i < ranges; i++) {
        uint32_t type, base, pages;

        *seed = *seed * 1664525u + 1013904223u;
        type = types[(*seed >> 8) % RT_ARRAY_SIZE(types)];
        base = (*seed >> 14) % MODEL_PAGES;
        pages = 1 + (*seed >> 22) % (MODEL_PAGES - base);
        memmap_add(&map, base * PAGE, pages * PAGE, type);
        for (uint32_t p = base; p < base + pages; p++) {
            if (model_rank(type) > model_rank(model[p]))
                model[p] = type;
        }
    }
    if (model[0] == BOOT_MEM_RAM)
        model[0] = 0;
    memmap_finish(&map, &bi);
    for (uint32_t i = 0; i < bi.mem_count; i++) {
        const struct boot_mem *m = &bi.mem[i];

        assert_true(m->bytes > 0);
        if (i > 0)
            assert_true(m[-1].base + m[-1].bytes <= m->base);
        if (i > 0 && m[-1].base + m[-1].bytes == m->base)
            assert_int_not_equal(m[-1].type, m->type);
        for (uint64_t p = m->base / PAGE; p < (m->base + m->bytes) / PAGE; p++) {
            assert_int_equal(model[p], m->type);
            model[p] = 0;
        }
    }
    for (uint32_t p = 0; p < MODEL_PAGES; p++)
        assert_int_equal(model[p], 0);
}

static void test_random_maps_match_the_model(void **state)
{
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t seed = round * 2654435761u;

        map.count = 0;
        map.truncated = false;
        memset(&bi, 0, sizeof(bi));
        compare_with_model(&seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_image_and_module_are_carved_out, setup),
        cmocka_unit_test_setup(test_ram_is_rounded_inwards_and_never_page_0, setup),
        cmocka_unit_test_setup(test_forbidden_beats_ram, setup),
        cmocka_unit_test_setup(test_unsorted_neighbours_merge, setup),
        cmocka_unit_test_setup(test_unknown_types_are_reserved, setup),
        cmocka_unit_test_setup(test_end_of_address_space, setup),
        cmocka_unit_test_setup(test_full_input_loses_ram_only, setup),
        cmocka_unit_test_setup(test_full_output_keeps_the_largest, setup),
        cmocka_unit_test_setup(test_random_maps_match_the_model, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

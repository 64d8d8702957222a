/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct memmap map;
static struct boot_info bi;

static int setup(void **state)
{
    memset(&map, 0, sizeof(map));
    memset(&bi, 0, sizeof(bi));
    bi.image_base = 0x200000;
    bi.image_end = 0x240000;
    return 0;
}

static void test_find(void **state)
{
    char full[BOOT_MODULE_NAME_BYTES];

    memset(full, 'f', sizeof(full));
    full[sizeof(full) - 1] = '\0';
    boot_module_add(&bi, 0x1000, 1, "one", 3);
    boot_module_add(&bi, 0x2000, 2, "one.more", 8);
    boot_module_add(&bi, 0x3000, 3, full, sizeof(full));
    assert_ptr_equal(boot_module_find(&bi, "one"), &bi.module[0]);
    assert_ptr_equal(boot_module_find(&bi, "one.more"), &bi.module[1]);
    assert_ptr_equal(boot_module_find(&bi, full), &bi.module[2]);
    assert_null(boot_module_find(&bi, "on"));
    assert_null(boot_module_find(&bi, "one.m"));
    assert_null(boot_module_find(&bi, "two"));
}

static void test_overlap(void **state)
{
    assert_true(boot_ranges_overlap(0x1000, 0x1000, 0x1fff, 1));
    assert_false(boot_ranges_overlap(0x1000, 0x1000, 0x2000, 1));
    assert_true(boot_ranges_overlap(0x1800, 1, 0x1000, 0x1000));
    assert_false(boot_ranges_overlap(0x1800, 0, 0x1000, 0x1000));
    assert_true(boot_ranges_overlap(UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, 1));
    assert_false(boot_ranges_overlap(0, 1, UINT64_MAX, UINT64_MAX));
}

static void test_module_over_image_is_dropped(void **state)
{
    boot_module_add(&bi, 0x100000, 0x1000, "below", 5);
    boot_module_add(&bi, 0x23ffff, 0x1000, "over", 4);
    boot_module_add(&bi, 0x300000, 0x1000, "above", 5);
    memmap_add(&map, 0x1000, 0x1000000, BOOT_MEM_RAM);
    boot_complete(&bi, &map);
    assert_int_equal(bi.flags, BOOT_FLAG_MODULE_OVERLAP);
    assert_int_equal(bi.module_count, 2);
    assert_string_equal(bi.module[1].name, "above");
    assert_int_equal(bi.magic, BOOT_INFO_MAGIC);
}

static void test_complete_carves_whole_pages(void **state)
{
    boot_module_add(&bi, 0x300078, 0x1000, "m", 1);
    boot_module_add(&bi, 0x500000, 0, "empty", 5);
    memmap_add(&map, 0x200000, 0x400000, BOOT_MEM_RAM);
    boot_complete(&bi, &map);
    assert_int_equal(bi.mem_count, 4);
    assert_int_equal(bi.mem[0].type, BOOT_MEM_IMAGE);
    assert_int_equal(bi.mem[2].type, BOOT_MEM_MODULE);
    assert_int_equal(bi.mem[2].base, 0x300000);
    assert_int_equal(bi.mem[2].bytes, 0x2000);
    assert_int_equal(bi.mem[3].bytes, 0x600000 - 0x302000);
}

static void test_copy_text(void **state)
{
    char out[4];

    assert_int_equal(boot_copy_text(out, sizeof(out), "abcdef", 6), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(boot_copy_text(out, sizeof(out), "a\0b", 3), 1);
    assert_string_equal(out, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_find, setup),
        cmocka_unit_test_setup(test_overlap, setup),
        cmocka_unit_test_setup(test_module_over_image_is_dropped, setup),
        cmocka_unit_test_setup(test_complete_carves_whole_pages, setup),
        cmocka_unit_test_setup(test_copy_text, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

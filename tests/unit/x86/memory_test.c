/* SPDX-License-Identifier: BSD-2-Clause */
#include "../../../rt/core/fmt.c"
#include "../../../rt/core/memory_use.c"
#include "../../../rt/x86/memory.c"

#include <stdlib.h>

#include "cmocka_all.h"

#define MIB (UINT64_C(1) << 20)
#define ARENA_BYTES (16 * MIB)

static struct boot_info bi;
static uint8_t *arena; /* 2 MiB aligned, full of ones */

static void add(uint64_t base, uint64_t bytes, uint32_t type)
{
    bi.mem[bi.mem_count++] = (struct boot_mem){.base = base, .bytes = bytes, .type = type};
}

static int setup(void **state)
{
    fake_reset();
    memset(&bi, 0, sizeof(bi));
    arena = aligned_alloc(2 * MIB, ARENA_BYTES);
    assert_non_null(arena);
    memset(arena, 0xff, ARENA_BYTES);
    return 0;
}

static int teardown(void **state)
{
    free(arena);
    return 0;
}

static bool is_clear(const uint8_t *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

static void small_from_below_big_from_above(void **state)
{
    uint8_t *a, *b, *big;

    add((uintptr_t)arena, ARENA_BYTES, BOOT_MEM_RAM);
    memory_init(&bi, UINT64_MAX);
    a = hal_alloc(100, 64, "a");
    b = hal_alloc(4096, 4096, "b");
    big = hal_alloc(3 * MIB, 64, "big");
    assert_ptr_equal(a, arena);
    assert_ptr_equal(b, arena + 4096);
    assert_int_equal((uintptr_t)big % (2 * MIB), 0);
    assert_ptr_equal(big, arena + ARENA_BYTES - 4 * MIB);
    assert_true(is_clear(a, 100) && is_clear(b, 4096) && is_clear(big, 3 * MIB));
    assert_int_equal(arena[100], 0xff); /* no more than that was touched */
    assert_int_equal(hal_memory_free_bytes(), ARENA_BYTES - 4 * MIB - 8192);
}

/* Whatever is asked for: inside the range, aligned, never overlapping; then NULL. */
static void random_requests(void **state)
{
    static uint8_t used[ARENA_BYTES / 64];
    uint64_t given = 0;

    srand(7);
    add((uintptr_t)arena, ARENA_BYTES, BOOT_MEM_RAM);
    memory_init(&bi, UINT64_MAX);
    for (unsigned n = 0; n < 20000; n++) {
        const size_t bytes = 64u * (1 + (size_t)rand() % (n % 50 == 0 ? 50000 : 20));
        const size_t align = (size_t)64 << rand() % 7;
        uint8_t *p = hal_alloc(bytes, align, "random");

        if (p == NULL)
            continue;
        assert_int_equal((uintptr_t)p % align, 0);
        assert_true(p >= arena && bytes <= (size_t)(arena + ARENA_BYTES - p));
        for (size_t i = 0; i < bytes / 64; i++)
            assert_int_equal(used[(size_t)(p - arena) / 64 + i]++, 0);
        given += bytes;
    }
    assert_true(given > ARENA_BYTES / 4);
    assert_null(hal_alloc(hal_memory_free_bytes() + 64, 64, "more than there is"));
}

static void limit_is_kept(void **state)
{
    add((uintptr_t)arena, ARENA_BYTES, BOOT_MEM_RAM);
    memory_init(&bi, (uintptr_t)arena + MIB);
    assert_null(hal_alloc(2 * MIB, 64, "above"));
    assert_int_equal(hal_memory_free_bytes(), MIB);
    assert_non_null(hal_alloc(MIB, 64, "below"));
    assert_null(hal_alloc(1, 16, "above"));
    memory_set_limit(UINT64_MAX);
    assert_non_null(hal_alloc(1, 16, "mapped now"));
    assert_null(memory_alloc_below(4096, 4096, (uintptr_t)arena + MIB, "x"));
}

static void only_ram_above_1_mib(void **state)
{
    add(0, 0x9f000, BOOT_MEM_RAM);
    add(0xf0000, 0x10000, BOOT_MEM_RESERVED);
    add(0x100000, 0x8000, BOOT_MEM_RAM); /* too small to bother */
    add((uintptr_t)arena, MIB, BOOT_MEM_MODULE);
    add((uintptr_t)arena + MIB + 1, 2 * MIB - 2, BOOT_MEM_RAM); /* rounded inwards */
    memory_init(&bi, UINT64_MAX);
    assert_int_equal(memory.count, 1);
    assert_ptr_equal(hal_alloc(16, 16, "x"), arena + MIB + 4096);
    assert_int_equal(hal_memory_free_bytes(), 2 * MIB - 2 * 4096 - 16);
}

static void ranges_split_at_4_gib_and_huge(void **state)
{
    add(0xc0000000, UINT64_C(0x80000000), BOOT_MEM_RAM);
    add(UINT64_MAX - 0xfffff, UINT64_MAX, BOOT_MEM_RAM); /* its end does not exist */
    memory_init(&bi, UINT64_MAX);
    assert_int_equal(memory.count, 3);
    assert_int_equal(memory.range[0].high, MEMORY_4GIB);
    assert_int_equal(memory.range[1].low, MEMORY_4GIB);
}

/* What did not fit was not taken. */
static void each_piece_is_noted(void **state)
{
    struct memory_use use;

    add((uintptr_t)arena, ARENA_BYTES, BOOT_MEM_RAM);
    memory_init(&bi, UINT64_MAX);
    assert_non_null(hal_alloc(100, 64, "small"));
    assert_non_null(hal_alloc(3 * MIB, 64, "big"));
    assert_null(hal_alloc(ARENA_BYTES, 64, "big"));
    assert_non_null(memory_alloc_below(4096, 4096, UINT64_MAX, "small"));
    assert_true(memory_use_get(0, &use));
    assert_string_equal(use.what, "small");
    assert_int_equal(use.bytes, 4196);
    assert_int_equal(use.pieces, 2);
    assert_true(memory_use_get(1, &use));
    assert_int_equal(use.bytes, 3 * MIB);
    assert_int_equal(use.pieces, 1);
    assert_false(memory_use_get(2, &use));
    hal_seal();
    assert_string_equal(fake.log, "memory used_bytes=3149924 big=3145728 small=4196\n");
}

static void sealed_means_panic(void **state)
{
    add((uintptr_t)arena, ARENA_BYTES, BOOT_MEM_RAM);
    memory_init(&bi, UINT64_MAX);
    hal_seal();
    EXPECT_PANIC(hal_alloc(64, 64, "late"));
    assert_non_null(strstr(fake.panic_text, "after the seal"));
    memory_init(&bi, UINT64_MAX);
    EXPECT_PANIC(hal_alloc(64, 48, "odd alignment"));
}

static void absurd_sizes(void **state)
{
    add((uintptr_t)arena, ARENA_BYTES, BOOT_MEM_RAM);
    memory_init(&bi, UINT64_MAX);
    assert_null(hal_alloc(0, 64, "nothing"));
    assert_null(hal_alloc(SIZE_MAX, 64, "everything"));
    assert_null(hal_alloc(SIZE_MAX - 8192, 64, "almost"));
    assert_null(hal_alloc(64, (size_t)1 << 63, "aligned away"));
    assert_int_equal(hal_memory_free_bytes(), ARENA_BYTES);
}

static void low_page(void **state)
{
    assert_int_equal(memory_low_page(&bi), 0);
    add(0, 0x1000, BOOT_MEM_RAM); /* page 0 is never taken */
    assert_int_equal(memory_low_page(&bi), 0);
    add(0x5000, 0x9a800, BOOT_MEM_RAM);
    assert_int_equal(memory_low_page(&bi), 0x9e000);
    bi.mem[1].type = BOOT_MEM_MODULE;
    add(0x9f800, 0x400, BOOT_MEM_RAM); /* not a whole page */
    assert_int_equal(memory_low_page(&bi), 0);
    add(0x98000, MIB, BOOT_MEM_RAM); /* reaches over the video hole */
    assert_int_equal(memory_low_page(&bi), 0x9f000);
}

static void registers_are_not_ram(void **state)
{
    add(0x100000, MIB, BOOT_MEM_RAM);
    add(0xfee00000, 0x1000, BOOT_MEM_RESERVED);
    assert_false(memory_is_ram(&bi, 0xfee00000, 0x1000));
    assert_false(memory_is_ram(&bi, 0, 0x100000));
    assert_true(memory_is_ram(&bi, 0, 0x100001));
    assert_true(memory_is_ram(&bi, 0x1fffff, 1));
    assert_false(memory_is_ram(&bi, 0x200000, UINT64_MAX - 0x200000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_from_below_big_from_above, setup, teardown),
        cmocka_unit_test_setup_teardown(random_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(limit_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(only_ram_above_1_mib, setup, teardown),
        cmocka_unit_test_setup_teardown(ranges_split_at_4_gib_and_huge, setup, teardown),
        cmocka_unit_test_setup_teardown(each_piece_is_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(sealed_means_panic, setup, teardown),
        cmocka_unit_test_setup_teardown(absurd_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(low_page, setup, teardown),
        cmocka_unit_test_setup_teardown(registers_are_not_ram, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE UINT64_C(0x7f000000)
#define ROOM 65536

struct archive {
    uint8_t *data;
    size_t bytes;
};

static struct boot_info bi;

static int setup(void **state)
{
    struct archive *a = calloc(1, sizeof(*a));

    a->data = calloc(1, ROOM);
    memset(&bi, 0, sizeof(bi));
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    struct archive *a = *state;

    free(a->data);
    free(a);
    return 0;
}

static void pad(struct archive *a, size_t align)
{
    a->bytes = RT_ALIGN_UP(a->bytes, align);
}

static void put_raw(struct archive *a, const void *data, size_t bytes)
{
    assert_true(bytes <= ROOM - a->bytes);
    memcpy(a->data + a->bytes, data, bytes);
    a->bytes += bytes;
}

/* A newc member. `name_bytes` as the header says it: with the NUL (cpio) or without (GRUB). */
static void put(struct archive *a, const char *name, size_t name_bytes, uint32_t mode,
                const void *data, uint32_t bytes)
{
    char header[111];

    snprintf(header, sizeof(header),
             "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
             1u, mode, 0u, 0u, 1u, 0u, bytes, 0u, 0u, 0u, 0u, (unsigned)name_bytes, 0u);
    put_raw(a, header, 110);
    put_raw(a, name, name_bytes);
    pad(a, 4);
    put_raw(a, data, bytes);
}

static void put_file(struct archive *a, const char *name, const char *text)
{
    put(a, name, strlen(name) + 1, 0100644, text, (uint32_t)strlen(text));
    pad(a, 4);
}

static void put_trailer(struct archive *a)
{
    put(a, "TRAILER!!!", 11, 0, "", 0);
}

/* Parses a copy of exactly the right size, so that the sanitizer sees one byte too far. */
static void parse(const struct archive *a)
{
    uint8_t *copy = malloc(a->bytes ? a->bytes : 1);

    memcpy(copy, a->data, a->bytes);
    cpio_add_modules(&bi, copy, a->bytes, BASE);
    free(copy);
}

static void assert_module(const struct archive *a, uint32_t index, const char *name,
                          const char *text)
{
    assert_true(index < bi.module_count);
    assert_string_equal(bi.module[index].name, name);
    assert_int_equal(bi.module[index].bytes, strlen(text));
    assert_memory_equal(a->data + (bi.module[index].base - BASE), text, strlen(text));
}

static void test_two_files(void **state)
{
    struct archive *a = *state;

    put_file(a, "one", "first");
    put_file(a, "dir/two", "second file");
    put_trailer(a);
    parse(a);
    assert_int_equal(bi.module_count, 2);
    assert_module(a, 0, "one", "first");
    assert_module(a, 1, "dir/two", "second file");
    assert_int_equal(bi.flags, 0);
}

static void test_leading_dot_and_slash_go(void **state)
{
    struct archive *a = *state;

    put_file(a, "./one", "1");
    put_file(a, "/two", "22");
    put_file(a, ".hidden", "333");
    parse(a);
    assert_module(a, 0, "one", "1");
    assert_module(a, 1, "two", "22");
    assert_module(a, 2, ".hidden", "333");
}

static void test_directories_and_links_are_no_modules(void **state)
{
    struct archive *a = *state;

    put(a, "dir", 4, 0040755, "", 0);
    put(a, "link", 5, 0120777, "abcd", 4);
    put_file(a, "file", "x");
    parse(a);
    assert_int_equal(bi.module_count, 1);
    assert_module(a, 0, "file", "x");
}

static void test_ipxe_alignment(void **state)
{
    struct archive *a = *state;

    put_file(a, "one", "first");
    pad(a, 4096);
    put_file(a, "two", "second");
    pad(a, 4096);
    parse(a);
    assert_int_equal(bi.module_count, 2);
    assert_module(a, 1, "two", "second");
}

static void test_grub_names_have_no_nul(void **state)
{
    struct archive *a = *state;

    put(a, "abc.bin!!!", 7, 0100777, "data", 4);
    put(a, "TRAILER!!!", 10, 0, "", 0);
    parse(a);
    assert_int_equal(bi.module_count, 1);
    assert_module(a, 0, "abc.bin", "data");
    assert_int_equal(bi.flags, 0);
}

static void test_two_archives_in_a_row(void **state)
{
    struct archive *a = *state;

    put_file(a, "one", "1");
    put_trailer(a);
    pad(a, 512);
    put_file(a, "two", "2");
    put_trailer(a);
    parse(a);
    assert_int_equal(bi.module_count, 2);
    assert_module(a, 1, "two", "2");
}

static void test_nameless_blob_reaches_to_next_header(void **state)
{
    struct archive *a = *state;

    put_raw(a, "blob with 070701 inside", 23);
    pad(a, 4096);
    put_file(a, "named", "n");
    parse(a);
    assert_int_equal(bi.module_count, 2);
    assert_string_equal(bi.module[0].name, "initrd0");
    assert_int_equal(bi.module[0].bytes, 4096);
    assert_module(a, 1, "named", "n");
}

static void test_script_in_front_is_dropped(void **state)
{
    struct archive *a = *state;

    put_raw(a, "#!ipxe\nkernel x\n", 16);
    pad(a, 4096);
    put_file(a, "named", "n");
    parse(a);
    assert_int_equal(bi.module_count, 1);
    assert_module(a, 0, "named", "n");
}

static void test_every_cut_is_noticed_or_harmless(void **state)
{
    struct archive *a = *state;
    size_t whole;

    put_file(a, "one", "first");
    whole = a->bytes;
    put_file(a, "two", "0123456789");
    for (size_t bytes = 0; bytes <= a->bytes; bytes++) {
        struct archive cut = {a->data, bytes};
        bool inside = (bytes >= 6 && bytes < 116 + 5 - 1) || (bytes >= whole + 6 &&
                                                              bytes < whole + 116 + 10);

        memset(&bi, 0, sizeof(bi));
        parse(&cut);
        assert_true(bi.module_count <= 2);
        if (inside)
            assert_int_equal(bi.flags & BOOT_FLAG_MODULE_CUT_SHORT, BOOT_FLAG_MODULE_CUT_SHORT);
        if (bytes >= whole)
            assert_module(a, 0, "one", "first");
    }
}

static void test_bad_numbers(void **state)
{
    struct archive *a = *state;

    put_file(a, "one", "first");
    put_file(a, "two", "second");
    a->data[RT_ALIGN_UP(110 + 4, 4) + 8 + 60] = 'z'; /* second header: file size digits */
    parse(a);
    assert_int_equal(bi.module_count, 1);
    assert_int_equal(bi.flags, BOOT_FLAG_MODULE_CUT_SHORT);
}

static void test_huge_sizes_do_not_wrap(void **state)
{
    struct archive *a = *state;

    put(a, "one", 4, 0100644, "x", 1);
    memcpy(a->data + 54, "ffffffff", 8);
    parse(a);
    assert_int_equal(bi.module_count, 0);
    assert_int_equal(bi.flags, BOOT_FLAG_MODULE_CUT_SHORT);

    memset(&bi, 0, sizeof(bi));
    memcpy(a->data + 54, "00000001", 8);
    memcpy(a->data + 94, "fffffffe", 8);
    parse(a);
    assert_int_equal(bi.module_count, 0);
    assert_int_equal(bi.flags, BOOT_FLAG_MODULE_CUT_SHORT);
}

static void test_too_many_modules(void **state)
{
    struct archive *a = *state;

    for (unsigned i = 0; i < BOOT_MODULE_MAX + 3; i++)
        put_file(a, "x", "y");
    parse(a);
    assert_int_equal(bi.module_count, BOOT_MODULE_MAX);
    assert_int_equal(bi.flags, BOOT_FLAG_MODULES_TRUNCATED);
}

static void test_nameless_blobs_are_numbered(void **state)
{
    struct archive *a = *state;

    for (unsigned i = 0; i < 11; i++)
        put_file(a, "x", "y");
    pad(a, 4096);
    put_raw(a, "blob", 4);
    parse(a);
    assert_int_equal(bi.module_count, 12);
    assert_module(a, 11, "initrd11", "blob");
}

static void test_long_name_is_cut(void **state)
{
    struct archive *a = *state;
    char name[301];

    memset(name, 'n', 300);
    name[300] = '\0';
    put_file(a, name, "x");
    parse(a);
    assert_int_equal(bi.module_count, 1);
    assert_int_equal(strlen(bi.module[0].name), BOOT_MODULE_NAME_BYTES - 1);
}

static void test_empty_and_zeros(void **state)
{
    struct archive *a = *state;

    parse(a);
    a->bytes = 10000;
    parse(a);
    assert_int_equal(bi.module_count, 0);
    assert_int_equal(bi.flags, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_two_files),
        T(test_leading_dot_and_slash_go),
        T(test_directories_and_links_are_no_modules),
        T(test_ipxe_alignment),
        T(test_grub_names_have_no_nul),
        T(test_two_archives_in_a_row),
        T(test_nameless_blob_reaches_to_next_header),
        T(test_script_in_front_is_dropped),
        T(test_every_cut_is_noticed_or_harmless),
        T(test_bad_numbers),
        T(test_huge_sizes_do_not_wrap),
        T(test_too_many_modules),
        T(test_nameless_blobs_are_numbered),
        T(test_long_name_is_cut),
        T(test_empty_and_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* FADT, the values of S5, host bridges, SPCR; and a machine whose memory ends anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../rt/bus/acpi.c"

#include "acpi_tables.h"

/* FADT of `bytes` with PM1a 0x604, PM timer 0x608, the reset register and this DSDT. */
static void list_fadt(uint32_t bytes, uint64_t dsdt)
{
    uint8_t t[276] = {0};
    uint32_t at = HEADER_BYTES;
    uint32_t flags = RT_BIT(8) | RT_BIT(10);
    memcpy(t + 40, &(uint32_t){(uint32_t)dsdt}, 4);
    memcpy(t + 46, &(uint16_t){9}, 2);
    memcpy(t + 48, &(uint32_t){0xb2}, 4);
    t[52] = 0xf1;
    memcpy(t + 64, &(uint32_t){0x604}, 4);
    memcpy(t + 76, &(uint32_t){0x608}, 4);
    memcpy(t + 109, &(uint16_t){ACPI_ARCH_8042 | ACPI_ARCH_NO_ASPM}, 2);
    memcpy(t + 112, &flags, 4);
    t[116] = ACPI_SPACE_IO;
    memcpy(t + 120, &(uint64_t){0xcf9}, 8);
    t[128] = 0x0f;
    listed("FACP", t + at, bytes - at);
}

static const uint8_t s5_zero[] = {0x10, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 0, 0, 0};
static const uint8_t s5_bytes[] = {0x08, '\\', '_',  'S', '5',  '_',  0x12, 0x0a,
                                   0x04, 0x0a, 0x05, 1,   0x0a, 0x00, 0x0a, 0x00};
static const uint8_t s5_word[] = {0x08, '_',  'S', '5', '_',  0x12, 0x4a,
                                  0x00, 0x02, 0x0b, 7, 0, 0x0c, 3, 0, 0, 0};

static void test_fadt_and_s5(void **state)
{
    (void)state;
    list_fadt(276, table("DSDT", s5_zero, sizeof(s5_zero)));
    assert_int_equal(parse(), RT_OK);
    const struct acpi_fadt *f = &info.fadt;
    assert_true(f->present && f->pm_timer_32bit && f->reset_supported);
    assert_false(f->hardware_reduced);
    assert_int_equal(f->pm1a_control.address, 0x604);
    assert_int_equal(f->pm1a_control.space, ACPI_SPACE_IO);
    assert_int_equal(f->pm1b_control.address, 0);
    assert_int_equal(f->pm_timer.address, 0x608);
    assert_int_equal(f->reset.address, 0xcf9);
    assert_int_equal(f->reset_value, 0x0f);
    assert_int_equal(f->smi_command, 0xb2);
    assert_int_equal(f->acpi_enable, 0xf1);
    assert_int_equal(f->sci_irq, 9);
    assert_int_equal(f->boot_arch, ACPI_ARCH_8042 | ACPI_ARCH_NO_ASPM);
    assert_true(f->s5_found);
    assert_int_equal(f->s5_type_a, 0);
}

/* ACPI 1.0: 116 bytes, no reset register, no 64-bit blocks. */
static void test_fadt_short(void **state)
{
    (void)state;
    list_fadt(116, table("DSDT", s5_bytes, sizeof(s5_bytes)));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.fadt.pm1a_control.address, 0x604);
    assert_false(info.fadt.reset_supported);
    assert_true(info.fadt.s5_found);
    assert_int_equal(info.fadt.s5_type_a, 5);
    assert_int_equal(info.fadt.s5_type_b, 1);
}

static void test_s5_word_and_boundary(void **state)
{
    static uint8_t aml[3 * CHUNK_BYTES];
    (void)state;
    for (uint32_t at = CHUNK_BYTES - 12; at < CHUNK_BYTES + 12; at++) {
        memset(aml, 0xa5, sizeof(aml));
        memcpy(aml + at, s5_word, sizeof(s5_word));
        root_count = 0;
        next_at = TABLES_AT;
        list_fadt(244, table("DSDT", aml, sizeof(aml)));
        assert_int_equal(parse(), RT_OK);
        assert_true(info.fadt.s5_found);
        assert_int_equal(info.fadt.s5_type_a, 7);
        assert_int_equal(info.fadt.s5_type_b, 3);
    }
}

static void test_s5_not_found(void **state)
{
    static const uint8_t mention[] = {0x70, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 0, 0, 0};
    static const uint8_t method[] = {0x08, '_', 'S', '5', '_', 0x14, 0x06, 0x04, 0, 0};
    static const uint8_t big[] = {0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 9, 0, 0};
    static const uint8_t empty[] = {0x08, '_', 'S', '5', '_', 0x12, 0x02, 0x00};
    static const uint8_t cut[] = {0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a};
    static const uint8_t cut_length[] = {0x08, '_', 'S', '5', '_', 0x12, 0xc6};
    const struct {
        const uint8_t *aml;
        uint32_t bytes;
    } bad[] = {{mention, sizeof(mention)}, {method, sizeof(method)}, {big, sizeof(big)},
               {empty, sizeof(empty)},     {cut, sizeof(cut)},       {s5_zero, 6},
               {cut_length, sizeof(cut_length)}, {NULL, 0}};
    (void)state;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(bad); i++) {
        root_count = 0;
        list_fadt(244, table("DSDT", bad[i].aml, bad[i].bytes));
        assert_int_equal(parse(), RT_OK);
        assert_true(info.fadt.present);
        assert_false(info.fadt.s5_found);
    }
}

static void test_s5_in_ssdt(void **state)
{
    (void)state;
    listed("SSDT", s5_bytes, sizeof(s5_bytes)); /* before the FADT */
    list_fadt(244, table("DSDT", "none", 4));
    listed("SSDT", s5_zero, sizeof(s5_zero)); /* later ones do not count */
    assert_int_equal(parse(), RT_OK);
    assert_true(info.fadt.s5_found);
    assert_int_equal(info.fadt.s5_type_a, 5);
}

static void test_host_bridges(void **state)
{
    static const uint8_t pcie[] = {0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x08,
                                   0x08, '_', 'C', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x03};
    (void)state;
    list_fadt(244, table("DSDT", pcie, sizeof(pcie)));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.host_bridges, 1);
    listed("SSDT", pcie + 10, 10); /* a second root */
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.host_bridges, 2);
    root_count = 0;
    list_fadt(244, table("DSDT", "none", 4));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.host_bridges, 0);
}

/* The clock is there from revision 3 on, a speed in figures from revision 4 on. */
static void test_spcr_revisions(void **state)
{
    static const struct {
        uint8_t revision;
        uint32_t clock_hz, baud, clock_wanted_hz, baud_wanted;
        bool bad_sum;
    } cases[] = {
        {2, 48000000, 0, 0, 115200, false},
        {3, 0, 0, 0, 115200, false},
        {3, 1843200, 0, 1843200, 115200, false},
        {3, 24000000, 921600, 24000000, 115200, false},
        {4, 48000000, 921600, 48000000, 921600, false},
        {4, 48000000, 921600, 0, 0, true},
    };

    for (unsigned i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        uint8_t spcr[52] = {0x12, 0, 0, 0, ACPI_SPACE_MEMORY, 32, 0, 3};
        uint64_t at;

        next_at = TABLES_AT;
        root_count = 0;
        memcpy(spcr + 8, &(uint64_t){0xfe030000}, 8);
        spcr[22] = 7;
        memcpy(spcr + 40, &cases[i].clock_hz, 4);
        memcpy(spcr + 44, &cases[i].baud, 4);
        at = listed("SPCR", spcr, sizeof(spcr));
        memory[at + 8] = cases[i].revision;
        fix_sum(at, HEADER_BYTES + sizeof(spcr), 9);
        memory[at + 9] = (uint8_t)(memory[at + 9] + cases[i].bad_sum);
        assert_int_equal(parse(), RT_OK);
        assert_int_equal(info.spcr.present, !cases[i].bad_sum);
        assert_int_equal(info.spcr.clock_hz, cases[i].clock_wanted_hz);
        assert_int_equal(info.spcr.baud, cases[i].baud_wanted);
        assert_int_equal(info.spcr.base.access, cases[i].bad_sum ? 0 : 3);
        assert_int_equal(info.spcr.interface_type, cases[i].bad_sum ? 0 : 0x12);
    }
}

/* Memory that ends anywhere: nothing is read behind the end, nothing hangs. */
static void test_every_limit(void **state)
{
    static const uint8_t madt[] = {0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0};
    (void)state;
    listed("APIC", madt, sizeof(madt));
    list_fadt(276, table("DSDT", s5_zero, sizeof(s5_zero)));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.core_count, 1);
    uint64_t end = next_at;
    uint8_t *whole = memory;
    for (limit = RSDP_AT; limit < end; limit += limit < TABLES_AT - 1 ? 1021 : 1) {
        memory = malloc(limit); /* exact, so that ASan sees one byte too many */
        assert_non_null(memory);
        memcpy(memory, whole, limit);
        enum rt_status st = acpi_parse(&reader, RSDP_AT, &info);
        assert_true(st == RT_OK || !info.valid);
        free(memory);
    }
    memory = whole;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fadt_and_s5),
        TEST(test_fadt_short),
        TEST(test_s5_word_and_boundary),
        TEST(test_s5_not_found),
        TEST(test_s5_in_ssdt),
        TEST(test_host_bridges),
        TEST(test_every_limit),
        TEST(test_spcr_revisions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

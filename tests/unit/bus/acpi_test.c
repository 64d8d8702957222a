/* SPDX-License-Identifier: BSD-2-Clause */
/* acpi.c on tables built here: root tables, cores, memory, units for DMA; cut off or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../rt/bus/acpi.c"

#include "acpi_tables.h"

static uint64_t make_rsdt(void)
{
    return table("RSDT", roots, root_count * 4);
}

static void test_madt(void **state)
{
    static const uint8_t body[] = {
        0x00, 0x00, 0xe0, 0xfe, 1, 0, 0, 0,                   /* LAPIC address, PCAT_COMPAT */
        0, 8, 0, 0, 1, 0, 0, 0,                               /* core 0 */
        0, 8, 1, 2, 1, 0, 0, 0,                               /* core with APIC id 2 */
        0, 8, 2, 4, 0, 0, 0, 0,                               /* disabled */
        0, 8, 3, 0xff, 1, 0, 0, 0,                            /* broadcast id: no core */
        9, 16, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0,      /* APIC id 2 once more */
        9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0,      /* x2APIC id 0x100 */
        1, 12, 3, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0,           /* IO-APIC */
        2, 10, 0, 0, 2, 0, 0, 0, 0, 0,                        /* IRQ 0 -> 2, conforms */
        2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0,                     /* IRQ 9 low, level */
        0x42, 2,                                              /* unknown, shortest */
        5, 12, 0, 0, 0, 0, 0xa0, 0xfe, 1, 0, 0, 0,            /* LAPIC at 0x1_fea00000 */
    };
    (void)state;
    listed("APIC", body, sizeof(body));
    assert_int_equal(parse(), RT_OK);
    assert_true(info.valid);
    assert_string_equal(info.oem, "MILRAC");
    assert_int_equal(info.table_count, 1);
    assert_int_equal(info.core_count, 3);
    assert_int_equal(info.core[1].apic_id, 2);
    assert_int_equal(info.core[1].acpi_uid, 1);
    assert_int_equal(info.core[2].apic_id, 0x100);
    assert_int_equal(info.core[2].node, ACPI_NODE_NONE);
    assert_int_equal(info.cores_disabled, 1);
    assert_int_equal(info.node_count, 0);
    assert_true(info.has_8259);
    assert_int_equal(info.lapic_base, UINT64_C(0x1fea00000));
    assert_int_equal(info.ioapic_count, 1);
    assert_int_equal(info.ioapic[0].address, 0xfec00000);
    assert_int_equal(info.ioapic[0].gsi_base, 24);

    bool low, level;
    assert_int_equal(acpi_isa_gsi(&info, 0, &low, &level), 2);
    assert_false(low || level);
    assert_int_equal(acpi_isa_gsi(&info, 9, &low, &level), 9);
    assert_true(low && level);
    assert_int_equal(acpi_isa_gsi(&info, 4, &low, &level), 4);
    assert_false(low || level);
}

static void test_madt_bad_lengths(void **state)
{
    static const uint8_t bad_lengths[] = {0, 1, 7, 200};
    (void)state;
    for (uint32_t i = 0; i < sizeof(bad_lengths); i++) {
        uint8_t body[] = {0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0,
                          0, 8, 1, 1, 1, 0, 0, 0, 0, 8, 2, 2, 1, 0, 0, 0};
        body[17] = bad_lengths[i];
        root_count = 0;
        listed("APIC", body, sizeof(body));
        assert_int_equal(parse(), RT_OK);
        /* 7: too short for a core and out of step, the rest is not trusted as a core */
        assert_int_equal(info.core_count, 1);
    }
}

static void test_madt_too_many(void **state)
{
    static uint8_t body[8 + 16 * (ACPI_CORES_MAX + 44)];
    (void)state;
    for (uint32_t i = 0; i < ACPI_CORES_MAX + 44; i++) {
        uint8_t *e = body + 8 + (size_t)i * 16;
        e[0] = 9;
        e[1] = 16;
        memcpy(e + 4, &i, 4);
        e[8] = 1;
    }
    listed("APIC", body, sizeof(body));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.core_count, ACPI_CORES_MAX);
    assert_int_equal(info.cores_dropped, 44);
}

static void test_srat(void **state)
{
    static const uint8_t madt[] = {0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0,
                                   0, 8, 1,    1,    1, 0, 0, 0, 0, 8, 2, 2, 1, 0, 0, 0};
    uint8_t srat[12 + 16 + 16 + 24] = {0};
    (void)state;
    memcpy(srat + 12, (const uint8_t[]){0, 16, 5, 0, 1}, 5);          /* core 0: node 5 */
    memcpy(srat + 28, (const uint8_t[]){0, 16, 9, 1, 0}, 5);          /* not enabled */
    memcpy(srat + 44, (const uint8_t[]){2, 24, 0, 0, 7, 0, 0, 0, 2}, 9); /* core 2: node 7 */
    srat[44 + 12] = 1;
    listed("SRAT", srat, sizeof(srat)); /* before MADT: order must not matter */
    listed("APIC", madt, sizeof(madt));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.core[0].node, 5);
    assert_int_equal(info.core[1].node, ACPI_NODE_NONE);
    assert_int_equal(info.core[2].node, 7);
    assert_int_equal(info.node_count, 2);
}

static void test_mcfg(void **state)
{
    uint8_t body[8 + 4 * 16] = {0};
    (void)state;
    memcpy(body + 8, &(uint64_t){0xb0000000}, 8);
    body[8 + 11] = 0x3f;
    memcpy(body + 24, &(uint64_t){0xc0000000}, 8); /* segment 1 */
    body[24 + 8] = 1;
    body[24 + 11] = 0xff;
    memcpy(body + 40, &(uint64_t){0xd0000001}, 8); /* not aligned */
    memcpy(body + 56, &(uint64_t){0xe0000000}, 8); /* buses 9..3 */
    body[56 + 10] = 9;
    body[56 + 11] = 3;
    listed("MCFG", body, sizeof(body));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.ecam_count, 2);
    assert_int_equal(info.ecam[0].end_bus, 0x3f);
    assert_int_equal(info.ecam[1].segment, 1);
    assert_int_equal(info.ecam_dropped, 0);
}

/* A machine of 16 sockets; what does not fit is counted. */
static void test_mcfg_many_segments(void **state)
{
    static uint8_t body[8 + (ACPI_ECAMS_MAX + 2) * 16];
    (void)state;
    for (uint32_t i = 0; i < ACPI_ECAMS_MAX + 2; i++) {
        uint64_t base = UINT64_C(0x80000000000) + ((uint64_t)i << 28);
        memcpy(body + 8 + i * 16, &base, 8);
        body[8 + i * 16 + 8] = (uint8_t)i;
        body[8 + i * 16 + 11] = 0xff;
    }
    listed("MCFG", body, sizeof(body));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.ecam_count, ACPI_ECAMS_MAX);
    assert_int_equal(info.ecam_dropped, 2);
    assert_int_equal(info.ecam[ACPI_ECAMS_MAX - 1].segment, ACPI_ECAMS_MAX - 1);
}

static void test_hpet_spcr_dmar(void **state)
{
    uint8_t hpet[20] = {0x01, 0xa2, 0x86, 0x80, ACPI_SPACE_MEMORY, 64};
    uint8_t spcr[52] = {0};
    static const uint8_t dmar[12] = {38, RT_BIT(2)};
    (void)state;
    memcpy(hpet + 8, &(uint64_t){0xfed00000}, 8);
    hpet[17] = 0x80;
    spcr[0] = 1;
    spcr[4] = ACPI_SPACE_IO;
    memcpy(spcr + 8, &(uint64_t){0x2f8}, 8);
    memcpy(spcr + 18, &(uint32_t){3}, 4);
    spcr[22] = 7;
    listed("HPET", hpet, sizeof(hpet));
    listed("SPCR", spcr, sizeof(spcr));
    listed("DMAR", dmar, sizeof(dmar));
    assert_int_equal(parse(), RT_OK);
    assert_true(info.hpet.present);
    assert_int_equal(info.hpet.base, 0xfed00000);
    assert_int_equal(info.hpet.min_tick, 0x80);
    assert_true(info.spcr.present);
    assert_int_equal(info.spcr.interface_type, 1);
    assert_int_equal(info.spcr.base.address, 0x2f8);
    assert_int_equal(info.spcr.irq_gsi, 3);
    assert_int_equal(info.spcr.baud, 115200);
    assert_true(info.dmar && info.dmar_dma_opt_in);
}

/* Appends an entry of DMAR or IVRS whose length field says `told`; returns the new end. */
static uint32_t put_entry(uint8_t *body, uint32_t at, uint16_t type, uint16_t told,
                          uint32_t base_at, uint64_t base)
{
    memcpy(body + at, &type, 2);
    memcpy(body + at + 2, &told, 2);
    memcpy(body + at + base_at, &base, 8);
    return at + base_at + 8;
}

static void test_dmar_units(void **state)
{
    uint8_t body[12 + 16 * 80] = {38};
    uint32_t at = 12;
    (void)state;
    at = put_entry(body, at, 0, 16, 8, 0xfed90000);
    at = put_entry(body, at, 1, 16, 8, 0xfed80000); /* RMRR: no unit */
    at = put_entry(body, at, 0, 16, 8, 0xfed90000); /* twice */
    at = put_entry(body, at, 0, 16, 8, 0xfed91004); /* not aligned */
    at = put_entry(body, at, 0, 16, 8, 0);
    at = put_entry(body, at, 0, 16, 8, UINT64_C(0x4fed92000));
    body[at - 16 + 6] = 7; /* segment */
    listed("DMAR", body, at);
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.iommu_count, 2);
    assert_int_equal(info.iommu[0].base, 0xfed90000);
    assert_int_equal(info.iommu[0].kind, ACPI_IOMMU_VTD);
    assert_int_equal(info.iommu[1].base, UINT64_C(0x4fed92000));
    assert_int_equal(info.iommu[1].segment, 7);
    root_count = 0;
    at = 12;
    for (uint64_t i = 0; i < 70; i++)
        at = put_entry(body, at, 0, 16, 8, 0xfed90000 + i * 4096);
    listed("DMAR", body, at);
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.iommu_count, ACPI_IOMMUS_MAX);
    assert_int_equal(info.iommus_dropped, 6);
}

/* Lengths that lie: the walk ends there, whatever is behind. */
static void test_iommu_lengths(void **state)
{
    static const uint16_t told[] = {0, 1, 3, 15, 17, 33, 0xffff};
    (void)state;
    for (size_t i = 0; i < RT_ARRAY_SIZE(told); i++) {
        uint8_t body[12 + 48] = {38};
        uint32_t at = put_entry(body, 12, 0, 16, 8, 0xfed90000);
        root_count = 0;
        at = put_entry(body, at, 0, told[i], 8, 0xfed91000);
        listed("DMAR", body, at);
        assert_int_equal(parse(), RT_OK);
        assert_int_equal(info.iommu_count, 1);
    }
    for (uint32_t bytes = 0; bytes <= 28; bytes++) { /* cut short anywhere */
        uint8_t body[64] = {38};
        root_count = 0;
        (void)put_entry(body, 12, 0, 16, 8, 0xfed90000);
        listed("DMAR", body, bytes);
        assert_int_equal(parse(), RT_OK);
        assert_int_equal(info.iommu_count, bytes == 28);
    }
}

static void test_ivrs(void **state)
{
    uint8_t body[12 + 24 * 3] = {0};
    (void)state;
    (void)put_entry(body, 12, 0x0010, 24, 8, 0xfd200000);
    (void)put_entry(body, 36, 0x3011, 24, 8, 0xfd200000); /* the same, with flags */
    (void)put_entry(body, 60, 0x0040, 24, 8, 0xfd300000);
    listed("IVRS", body, sizeof(body));
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.iommu_count, 2);
    assert_int_equal(info.iommu[0].kind, ACPI_IOMMU_AMD);
    assert_int_equal(info.iommu[1].base, 0xfd300000);
}

static void test_root_choice(void **state)
{
    static const uint8_t madt[] = {0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0};
    (void)state;
    listed("APIC", madt, sizeof(madt));
    uint64_t rsdt = make_rsdt();
    rsdp_at(RSDP_AT, 0, 0, (uint32_t)rsdt); /* version 1 */
    assert_int_equal(acpi_parse(&reader, RSDP_AT, &info), RT_OK);
    assert_int_equal(info.core_count, 1);

    uint64_t xsdt = make_xsdt();
    memory[xsdt + 20]++; /* wrong checksum: the RSDT must do */
    rsdp_at(RSDP_AT, 2, xsdt, (uint32_t)rsdt);
    assert_int_equal(acpi_parse(&reader, RSDP_AT, &info), RT_OK);
    assert_int_equal(info.core_count, 1);

    memory[RSDP_AT + 33]++; /* extended checksum wrong, first 20 bytes right */
    assert_int_equal(acpi_parse(&reader, RSDP_AT, &info), RT_OK);

    memory[RSDP_AT + 9]++;
    assert_int_equal(acpi_parse(&reader, RSDP_AT, &info), RT_NOT_FOUND);
    assert_false(info.valid);
    assert_int_equal(acpi_parse(&reader, 0, &info), RT_NOT_FOUND);
    assert_int_equal(acpi_parse(&reader, UINT64_MAX - 3, &info), RT_NOT_FOUND);
}

static void test_bad_tables_are_skipped(void **state)
{
    static const uint8_t madt[] = {0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0};
    (void)state;
    memory[listed("APIC", madt, sizeof(madt)) + 50]++; /* checksum */
    put(listed("HPET", madt, sizeof(madt)) + 4, 35, 4); /* shorter than its header */
    put(listed("MCFG", madt, sizeof(madt)) + 4, UINT32_MAX, 4);
    roots[root_count++] = MEMORY_BYTES - 8; /* outside */
    listed("SPCR", madt, 4);                /* too short to say anything */
    assert_int_equal(parse(), RT_OK);
    assert_int_equal(info.core_count, 0);
    assert_int_equal(info.table_bad, 4);
    assert_int_equal(info.table_count, 1);
    assert_false(info.spcr.present);
}

static void test_find_rsdp(void **state)
{
    (void)state;
    assert_int_equal(acpi_find_rsdp(&reader), 0);
    rsdp_at(0xf5ab0, 0, 0, 0x1000);
    assert_int_equal(acpi_find_rsdp(&reader), 0xf5ab0);
    put(0x40e, 0x9fc0, 2);
    rsdp_at(0x9fc00 + 1008, 0, 0, 0x1000); /* last place of the first KiB */
    assert_int_equal(acpi_find_rsdp(&reader), 0x9fc00 + 1008);
    memory[0x9fc00 + 1008]++;
    assert_int_equal(acpi_find_rsdp(&reader), 0xf5ab0);
    memory[0xf5ab0 + 19]++; /* the last byte of the checksum */
    assert_int_equal(acpi_find_rsdp(&reader), 0);
    memory[0xf5ab0 + 19]--;
    memmove(memory + 0xf5ab8, memory + 0xf5ab0, 20); /* not on 16 bytes */
    memset(memory + 0xf5ab0, 0, 8);
    assert_int_equal(acpi_find_rsdp(&reader), 0);
    memmove(memory + 0xf5ab0, memory + 0xf5ab8, 20);
    limit = 0xf0000; /* the BIOS area cannot be read */
    assert_int_equal(acpi_find_rsdp(&reader), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_madt),
        TEST(test_madt_bad_lengths),
        TEST(test_madt_too_many),
        TEST(test_srat),
        TEST(test_mcfg),
        TEST(test_mcfg_many_segments),
        TEST(test_hpet_spcr_dmar),
        TEST(test_dmar_units),
        TEST(test_iommu_lengths),
        TEST(test_ivrs),
        TEST(test_root_choice),
        TEST(test_bad_tables_are_skipped),
        TEST(test_find_rsdp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

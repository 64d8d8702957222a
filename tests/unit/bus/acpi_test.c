/* SPDX-License-Identifier: BSD-2-Clause */
/* acpi.c on tables built here: every table kind, every way to be cut off or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../rt/bus/acpi.c"

enum { MEMORY_BYTES = 0x100000, TABLES_AT = 0x10000, RSDP_AT = 0x8000 };

/* A small machine: memory, and where the next table goes. */
static uint8_t *memory;
static uint64_t limit; /* first address that may not be read */
static uint64_t next_at;
static uint32_t roots[64];
static uint32_t root_count;
static struct acpi_info info;

static bool read_memory(void *ctx, uint64_t phys, void *out, size_t bytes)
{
    (void)ctx;
    if (phys >= limit || bytes > limit - phys)
        return false;
    memcpy(out, memory + phys, bytes);
    return true;
}

static const struct acpi_reader reader = {read_memory, NULL};

static void put(uint64_t at, uint64_t value, uint32_t bytes)
{
    memcpy(memory + at, &value, bytes);
}

static void fix_sum(uint64_t at, uint32_t bytes, uint32_t sum_at)
{
    memory[at + sum_at] = 0;
    memory[at + sum_at] = (uint8_t)(0 - sum(memory + at, bytes));
}

/* A table with `body` behind its header; returns its address. */
static uint64_t table(const char *signature, const void *body, uint32_t bytes)
{
    uint64_t at = next_at;
    memcpy(memory + at, signature, 4);
    put(at + 4, HEADER_BYTES + bytes, 4);
    memory[at + 8] = 5;
    memcpy(memory + at + 10, "MILRAC", 6);
    if (bytes != 0)
        memcpy(memory + at + HEADER_BYTES, body, bytes);
    fix_sum(at, HEADER_BYTES + bytes, 9);
    next_at = RT_ALIGN_UP(at + HEADER_BYTES + bytes + 1, UINT64_C(16));
    return at;
}

static uint64_t listed(const char *signature, const void *body, uint32_t bytes)
{
    uint64_t at = table(signature, body, bytes);
    roots[root_count++] = (uint32_t)at;
    return at;
}

static void rsdp_at(uint64_t at, uint8_t revision, uint64_t xsdt, uint32_t rsdt)
{
    memcpy(memory + at, "RSD PTR ", 8);
    memory[at + 15] = revision;
    put(at + 16, rsdt, 4);
    put(at + 20, RSDP_V2_BYTES, 4);
    put(at + 24, xsdt, 8);
    memory[at + 32] = 0;
    fix_sum(at, RSDP_V1_BYTES, 8);
    fix_sum(at, RSDP_V2_BYTES, 32);
}

static uint64_t make_rsdt(void)
{
    return table("RSDT", roots, root_count * 4);
}

static uint64_t make_xsdt(void)
{
    uint64_t wide[64];
    for (uint32_t i = 0; i < root_count; i++)
        wide[i] = roots[i];
    return table("XSDT", wide, root_count * 8);
}

/* Root table over what was listed, then a parse. */
static enum rt_status parse(void)
{
    rsdp_at(RSDP_AT, 2, make_xsdt(), 0);
    return acpi_parse(&reader, RSDP_AT, &info);
}

static int setup(void **state)
{
    (void)state;
    memory = calloc(1, MEMORY_BYTES);
    limit = MEMORY_BYTES;
    next_at = TABLES_AT;
    root_count = 0;
    return memory == NULL;
}

static int teardown(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

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

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_madt),           TEST(test_madt_bad_lengths), TEST(test_madt_too_many),
        TEST(test_srat),           TEST(test_mcfg), TEST(test_mcfg_many_segments),
                  TEST(test_fadt_and_s5),
        TEST(test_fadt_short),     TEST(test_s5_word_and_boundary),
        TEST(test_s5_not_found),   TEST(test_s5_in_ssdt),       TEST(test_hpet_spcr_dmar),
        TEST(test_dmar_units),     TEST(test_iommu_lengths),    TEST(test_ivrs),
        TEST(test_root_choice),    TEST(test_host_bridges), TEST(test_bad_tables_are_skipped),
        TEST(test_find_rsdp),      TEST(test_every_limit),       TEST(test_spcr_revisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

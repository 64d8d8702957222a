/* SPDX-License-Identifier: BSD-2-Clause */
/* IOMMUs that somebody left on, as registers that keep the rules of the real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rt/host.h>
#include <rt/iommu.h>

#define VTD_BASE UINT64_C(0xfed90000)
#define AMD_BASE UINT64_C(0xfd200000)
#define TE RT_BIT(31)
#define QIE RT_BIT(26)
#define IRE RT_BIT(25)
#define ONE_SHOT (RT_BIT(30) | RT_BIT(29) | RT_BIT(27) | RT_BIT(24))

static struct {
    uint32_t version, cap, gsts, pmen, iqh, iqt;
    uint32_t stuck;       /* bits that do not go off */
    uint32_t late;        /* reads until a command shows */
    uint32_t pending, reads_left;
    uint32_t writes, order[8]; /* what each command took off */
    bool two_at_once, while_busy, one_shot, queue_with_work;
} vtd;

static struct {
    uint32_t control, writes;
    bool stuck, enable_before_logs;
} amd;

static char console[8192];

static uint32_t vtd_status(void)
{
    if (vtd.pending != 0 && vtd.reads_left-- == 0) {
        vtd.gsts &= ~(vtd.pending & ~vtd.stuck);
        vtd.pending = 0;
    }
    return vtd.gsts;
}

static uint32_t vtd_read(void *ctx, uint32_t offset)
{
    switch (offset) {
    case 0x00:
        return vtd.version;
    case 0x08:
        return vtd.cap;
    case 0x1c:
        return vtd_status();
    case 0x64:
        return vtd.pmen;
    case 0x80:
        if (vtd.iqh != vtd.iqt)
            vtd.iqh += 0x10;
        return vtd.iqh;
    case 0x88:
        return vtd.iqt;
    default:
        return 0;
    }
}

static void vtd_command(uint32_t value)
{
    uint32_t off = vtd.gsts & ~value & ~ONE_SHOT;

    vtd.while_busy |= vtd.pending != 0;
    vtd.one_shot |= (value & ONE_SHOT) != 0;
    vtd.two_at_once |= !RT_IS_POW2(off);
    vtd.queue_with_work |= off == QIE && vtd.iqh != vtd.iqt;
    if (vtd.writes < RT_ARRAY_SIZE(vtd.order))
        vtd.order[vtd.writes] = off;
    vtd.writes++;
    vtd.pending = off;
    vtd.reads_left = vtd.late;
}

static void vtd_write(void *ctx, uint32_t offset, uint32_t value)
{
    if (offset == 0x18)
        vtd_command(value);
    if (offset == 0x64 && (vtd.stuck & 1) == 0)
        vtd.pmen = (value & RT_BIT(31)) | value >> 31;
}

static uint32_t amd_read(void *ctx, uint32_t offset)
{
    return offset == 0x18 ? amd.control : 0;
}

static void amd_write(void *ctx, uint32_t offset, uint32_t value)
{
    if (offset != 0x18)
        return;
    amd.writes++;
    amd.enable_before_logs |= (value & 1) == 0 && (amd.control & 0xf00c) != 0;
    amd.control = amd.stuck ? value | 1 : value;
}

static int setup(void **state)
{
    static const struct hal_mmio_ops vtd_ops = {vtd_read, vtd_write};
    static const struct hal_mmio_ops amd_ops = {amd_read, amd_write};

    memset(&vtd, 0, sizeof(vtd));
    memset(&amd, 0, sizeof(amd));
    vtd.version = 0x10;
    vtd.cap = 0x60;
    vtd.late = 3;
    host_clock_virtual(0);
    memset(console, 0, sizeof(console));
    host_console_capture(console, sizeof(console));
    assert_int_equal(host_mmio_add(VTD_BASE, 0x1000, &vtd_ops, NULL), RT_OK);
    assert_int_equal(host_mmio_add(AMD_BASE, 0x4000, &amd_ops, NULL), RT_OK);
    return 0;
}

static int teardown(void **state)
{
    host_console_capture(NULL, 0);
    host_mmio_reset();
    host_clock_real();
    return 0;
}

static void run(enum acpi_iommu_kind kind, uint64_t base)
{
    static struct acpi_info acpi;

    memset(&acpi, 0, sizeof(acpi));
    acpi.iommu_count = 1;
    acpi.iommu[0] = (struct acpi_iommu){.kind = kind, .base = base};
    iommu_off(&acpi);
    assert_false(vtd.two_at_once || vtd.while_busy || vtd.one_shot || vtd.queue_with_work);
    assert_false(amd.enable_before_logs);
}

static bool said(const char *text)
{
    return strstr(console, text) != NULL;
}

/* Nothing on: nothing written, nothing said. */
static void test_off(void **state)
{
    vtd.gsts = RT_BIT(30) | RT_BIT(24); /* tables were set once */
    run(ACPI_IOMMU_VTD, VTD_BASE);
    run(ACPI_IOMMU_AMD, AMD_BASE);
    assert_int_equal(vtd.writes, 0);
    assert_int_equal(amd.writes, 0);
    assert_string_equal(console, "");
}

static void test_all_on(void **state)
{
    vtd.gsts = TE | QIE | IRE | ONE_SHOT | RT_BIT(23);
    vtd.iqt = 0x40;
    run(ACPI_IOMMU_VTD, VTD_BASE);
    assert_int_equal(vtd.gsts, ONE_SHOT | RT_BIT(23));
    assert_int_equal(vtd.writes, 3);
    assert_int_equal(vtd.order[0], IRE);
    assert_int_equal(vtd.order[1], TE);
    assert_int_equal(vtd.order[2], QIE);
    assert_true(said("iommu kind=vt-d address=0xfed90000 segment=0 dma_remapping=1"
                     " interrupt_remapping=1 protected_memory=0 found=on action=off status=ok"));
    assert_false(said("remedy"));
}

/* What kexec leaves on. */
static void test_interrupts_only(void **state)
{
    vtd.gsts = QIE | IRE;
    run(ACPI_IOMMU_VTD, VTD_BASE);
    assert_int_equal(vtd.gsts, 0);
    assert_true(said("dma_remapping=0 interrupt_remapping=1"));
}

/* What firmware with DMA protection leaves on. */
static void test_protected_memory(void **state)
{
    vtd.pmen = RT_BIT(31) | 1;
    run(ACPI_IOMMU_VTD, VTD_BASE);
    assert_int_equal(vtd.pmen, 0);
    assert_int_equal(vtd.writes, 0);
    assert_true(said("protected_memory=1 found=on action=off status=ok"));
    vtd.pmen = RT_BIT(31) | 1;
    vtd.cap = 0; /* the register is not there: what it reads is nothing */
    memset(console, 0, sizeof(console));
    host_console_capture(console, sizeof(console));
    run(ACPI_IOMMU_VTD, VTD_BASE);
    assert_string_equal(console, "");
}

/* It does not go off: a line that names it and what to do, in bounded time; the queue stays. */
static void test_refuses(void **state)
{
    static const uint32_t stuck[] = {TE, IRE, QIE, TE | IRE | QIE};

    for (size_t i = 0; i < RT_ARRAY_SIZE(stuck); i++) {
        uint64_t begin_us = hal_now_us();

        vtd.gsts = TE | IRE | QIE;
        vtd.stuck = stuck[i];
        vtd.writes = 0;
        memset(console, 0, sizeof(console));
        host_console_capture(console, sizeof(console));
        run(ACPI_IOMMU_VTD, VTD_BASE);
        assert_int_equal(vtd.gsts, stuck[i] == QIE ? QIE : stuck[i] | QIE);
        assert_int_equal(vtd.writes, stuck[i] == QIE ? 3 : 2);
        assert_true(said("found=on action=off status=timeout"));
        assert_true(said("iommu address=0xfed90000 state=on reason="));
        assert_true(said("remedy="));
        assert_true(hal_now_us() - begin_us < 500000);
    }
    vtd.gsts = 0;
    vtd.stuck = 1;
    vtd.pmen = RT_BIT(31) | 1;
    memset(console, 0, sizeof(console));
    host_console_capture(console, sizeof(console));
    run(ACPI_IOMMU_VTD, VTD_BASE);
    assert_true(said("protected_memory=1 found=on action=off status=timeout"));
}

static void test_amd(void **state)
{
    amd.control = 0xf00d;
    run(ACPI_IOMMU_AMD, AMD_BASE);
    assert_int_equal(amd.control, 0);
    assert_true(said("iommu kind=amd address=0xfd200000 segment=0 found=on action=off status=ok"));
    amd.control = 1;
    amd.stuck = true;
    run(ACPI_IOMMU_AMD, AMD_BASE);
    assert_true(said("found=on action=off status=timeout"));
    assert_true(said("remedy="));
}

/* A table that lies: no unit there, or something else. Nothing is written. */
static void test_no_unit(void **state)
{
    vtd.gsts = TE;
    vtd.version = UINT32_MAX;
    run(ACPI_IOMMU_VTD, VTD_BASE);
    assert_true(said("iommu address=0xfed90000 state=unknown status=io"));
    vtd.version = 0;
    run(ACPI_IOMMU_VTD, VTD_BASE);
    amd.control = UINT32_MAX;
    run(ACPI_IOMMU_AMD, AMD_BASE);
    run(ACPI_IOMMU_VTD, 0x1000);
    assert_int_equal(vtd.writes, 0);
    assert_int_equal(amd.writes, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_off),     TEST(test_all_on), TEST(test_interrupts_only),
        TEST(test_protected_memory), TEST(test_refuses), TEST(test_amd), TEST(test_no_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One function: command, addresses, capabilities, messages; and one that is pulled out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../rt/bus/pci.c"

#include <rt/assert.h>
#include <rt/log.h>

#include "pci_fake.h"

static void set_bar(struct fake *f, uint32_t bar, uint32_t low_bits, uint64_t base,
                    uint64_t bytes)
{
    bool wide = (low_bits & 6) == 4;
    f->reg[BARS_BASE + bar] = (uint32_t)base | low_bits;
    f->writable[BARS_BASE + bar] = (uint32_t)~(bytes - 1) & PCI_BAR_MEMORY_MASK;
    if (!wide)
        return;
    f->reg[BARS_BASE + bar + 1] = (uint32_t)(base >> 32);
    f->writable[BARS_BASE + bar + 1] = (uint32_t)(~(bytes - 1) >> 32);
}

static void add_cap(struct fake *f, uint32_t at, uint32_t id, uint32_t next)
{
    f->reg[1] |= PCI_STATUS_CAP_LIST;
    if (f->reg[13] == 0)
        f->reg[13] = at;
    f->reg[at / 4] |= id | next << 8;
}

static void test_command(void **state)
{
    (void)state;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    f->reg[1] = UINT32_C(0xf9000000);
    pci_bus_master(&dev, true);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000006));
    pci_intx(&dev, false);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000406));
    pci_intx(&dev, true);
    pci_bus_master(&dev, false);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000002));
    pci_write16(&dev, PCI_COMMAND, 0x0107);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000107));
    f->reg[15] = 0xaabbccdd;
    f->writable[15] = UINT32_MAX;
    pci_write16(&dev, 0x3e, 0x1122);
    assert_int_equal(f->reg[15], 0x1122ccdd);
    pci_write16(&dev, 0x3c, 0x3344);
    assert_int_equal(f->reg[15], 0x11223344);
    assert_int_equal(pci_read16(&dev, 0x3e), 0x1122);
}

static void test_bars(void **state)
{
    (void)state;
    phys_t base = {0};
    size_t bytes = 0;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    set_bar(f, 0, 0, 0xfeb80000, 0x20000);
    set_bar(f, 1, 4, UINT64_C(0x4080000000), UINT64_C(0x80000000)); /* 64 bits, BARs 1 and 2 */
    f->reg[BARS_BASE + 3] = 0xc001;                                 /* I/O */
    set_bar(f, 4, 0, 0, 0x1000);                                    /* no address */
    assert_int_equal(pci_bar(&dev, 0, &base, &bytes), RT_OK);
    assert_int_equal(base.v, 0xfeb80000);
    assert_int_equal(bytes, 0x20000);
    assert_int_equal(pci_bar(&dev, 1, &base, &bytes), RT_OK);
    assert_int_equal(base.v, UINT64_C(0x4080000000));
    assert_int_equal(bytes, UINT64_C(0x80000000));
    assert_int_equal(f->reg[BARS_BASE + 2], 0x40); /* put back */
    assert_int_equal(pci_bar(&dev, 3, &base, &bytes), RT_UNSUPPORTED);
    assert_int_equal(pci_bar(&dev, 4, &base, &bytes), RT_NOT_FOUND);
    assert_int_equal(pci_bar(&dev, 5, &base, &bytes), RT_NOT_FOUND);
    assert_int_equal(pci_bar(&dev, 6, &base, &bytes), RT_INVALID);
    assert_int_equal(sized_while_decoding, 0);
    assert_int_equal(f->reg[1] & 7, 6); /* decode is back on */
}

static void test_bar_nonsense(void **state)
{
    (void)state;
    phys_t base;
    size_t bytes;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    set_bar(f, 1, 0, 0xfeb00000, 0x1000);
    f->writable[BARS_BASE + 1] = 0xfff0f000; /* holes in the size */
    assert_int_equal(pci_bar(&dev, 1, &base, &bytes), RT_IO);
    f->reg[BARS_BASE + 5] = 4; /* the upper half would be outside */
    assert_int_equal(pci_bar(&dev, 5, &base, &bytes), RT_IO);
    set_bar(f, 3, 4, UINT64_C(0x100000000), 0x4000); /* 64 bits wide, low half of base zero */
    assert_int_equal(pci_bar(&dev, 3, &base, &bytes), RT_OK);
    assert_int_equal(base.v, UINT64_C(0x100000000));
    f->reg[3] = (uint32_t)PCI_HEADER_BRIDGE << 16;
    assert_int_equal(pci_bar(&dev, 2, &base, &bytes), RT_INVALID);
}

static void test_caps(void **state)
{
    (void)state;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    assert_int_equal(pci_find_cap(&dev, 0x10), 0);
    add_cap(f, 0xc8, 0x01, 0xd3); /* low bits of a pointer do not count */
    add_cap(f, 0xd0, 0x05, 0xe0);
    add_cap(f, 0xe0, 0x10, 0);
    assert_int_equal(pci_find_cap(&dev, 0x01), 0xc8);
    assert_int_equal(pci_find_cap(&dev, 0x10), 0xe0);
    assert_int_equal(pci_find_cap(&dev, 0x11), 0);
    add_cap(f, 0xe0, 0, 0xc8); /* now it is a loop */
    reads = 0;
    assert_int_equal(pci_find_cap(&dev, 0x11), 0);
    assert_true(reads <= PCI_CAPS_MAX + 3);
    f->reg[13] = 0x10; /* points into the header */
    assert_int_equal(pci_find_cap(&dev, 0x10), 0);
    f->reg[1] &= ~PCI_STATUS_CAP_LIST;
    f->reg[13] = 0xc8;
    assert_int_equal(pci_find_cap(&dev, 0x10), 0);
}

static void test_aspm(void **state)
{
    (void)state;
    struct fake *port = add_bridge(0x08, 1, 1);
    struct fake *nic = add(0x100, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x100, .parent_bdf = 0x08};
    struct fake *both[] = {port, nic};
    for (uint32_t i = 0; i < 2; i++) {
        add_cap(both[i], 0xe0, PCI_CAP_EXPRESS, 0);
        both[i]->reg[0xf0 / 4] = UINT32_C(0xc0110043); /* L0s and L1, status bits set */
        both[i]->writable[0xf0 / 4] = 0xffff;
        both[i]->clears[0xf0 / 4] = UINT32_C(0xc0000000);
    }
    pci_aspm_off(&dev);
    assert_int_equal(port->reg[0xf0 / 4], UINT32_C(0xc0110040));
    assert_int_equal(nic->reg[0xf0 / 4], UINT32_C(0xc0110040));
    writes = 0;
    pci_aspm_off(&(struct pci_dev){.bdf = 0x100, .parent_bdf = UINT32_MAX});
    assert_int_equal(writes, 0);
}

static struct fake *add_msix(uint32_t entries, uint32_t offset, uint64_t bar_bytes)
{
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    set_bar(f, 3, 0, 0xfebd0000, bar_bytes);
    add_cap(f, 0xa0, PCI_CAP_MSIX, 0);
    f->reg[0xa0 / 4] |= (entries - 1) << 16;
    f->writable[0xa0 / 4] = PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL;
    f->reg[0xa4 / 4] = offset | 3;
    return f;
}

static uint32_t table_word(uint32_t at)
{
    uint32_t v;
    memcpy(&v, bar_memory + at, 4);
    return v;
}

static void test_msix(void **state)
{
    (void)state;
    struct fake *f = add_msix(5, 0x800, 0x1000);
    struct pci_dev dev = {.bdf = 0x10};
    const struct hal_irq irq = {.msi_address = UINT64_C(0x1fee01000), .msi_data = 0x41};
    assert_int_equal(pci_msix_count(&dev), 5);
    assert_int_equal(pci_msix_enable(&dev), RT_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(table_word(0x800 + i * 16 + 12), PCI_MSIX_ENTRY_MASKED);
    assert_int_equal(table_word(0x7fc), 0xeeeeeeee); /* nothing before or behind */
    assert_int_equal(table_word(0x850), 0xeeeeeeee);
    assert_int_equal(f->reg[0xa0 / 4] >> 30, 2); /* on, not masked as a whole */
    assert_int_equal(f->reg[1] & PCI_COMMAND_INTX_OFF, PCI_COMMAND_INTX_OFF);
    pci_msix_set(&dev, 4, &irq);
    assert_int_equal(table_word(0x840), 0xfee01000);
    assert_int_equal(table_word(0x844), 1);
    assert_int_equal(table_word(0x848), 0x41);
    assert_int_equal(table_word(0x84c), 0);
    pci_msix_set(&dev, 4, NULL);
    assert_int_equal(table_word(0x84c), PCI_MSIX_ENTRY_MASKED);
    expect_assert_failure(pci_msix_set(&dev, 5, &irq));
    pci_msix_disable(&dev);
    assert_int_equal(f->reg[0xa0 / 4] >> 31, 0);
    expect_assert_failure(pci_msix_set(&dev, 0, &irq));
}

static void test_msix_bad_table(void **state)
{
    (void)state;
    struct pci_dev dev = {.bdf = 0x10};
    add_msix(5, 0xfc0, 0x1000); /* 80 bytes at 64 before the end */
    assert_int_equal(pci_msix_enable(&dev), RT_IO);
    fake_count = 0;
    add_msix(5, 0x80000000, 0x1000);
    assert_int_equal(pci_msix_enable(&dev), RT_IO);
    fake_count = 0;
    add_msix(5, 0, 0x1000)->reg[0xa4 / 4] = 7; /* no such BAR */
    assert_int_equal(pci_msix_enable(&dev), RT_INVALID);
    assert_int_equal(dev.msix_entries, 0);
    fake_count = 0;
    add_msix(2048, 0, 0x2000); /* more than we use, inside its BAR */
    assert_int_equal(pci_msix_count(&dev), PCI_MSIX_VECTORS_MAX);
    add(0x20, 0x10d38086, 0x020000);
    dev.bdf = 0x20;
    assert_int_equal(pci_msix_enable(&dev), RT_UNSUPPORTED);
}

static void test_msi(void **state)
{
    (void)state;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    struct hal_irq irq = {.msi_address = UINT64_C(0x2fee00000), .msi_data = 0x4031};
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_UNSUPPORTED);
    add_cap(f, 0xd0, PCI_CAP_MSI, 0);
    f->reg[0xd0 / 4] |= PCI_MSI_64BIT | PCI_MSI_MASKABLE | FIELD_PUT(PCI_MSI_VECTORS, 3);
    for (uint32_t i = 0xd0 / 4; i <= 0xe0 / 4; i++)
        f->writable[i] = i == 0xd0 / 4 ? PCI_MSI_ENABLE | PCI_MSI_VECTORS : UINT32_MAX;
    f->reg[0xe0 / 4] = 1; /* masked by a loader */
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_OK);
    assert_int_equal(f->reg[0xd4 / 4], 0xfee00000);
    assert_int_equal(f->reg[0xd8 / 4], 2);
    assert_int_equal(f->reg[0xdc / 4], 0x4031);
    assert_int_equal(f->reg[0xe0 / 4], 0);
    assert_int_equal(f->reg[0xd0 / 4] & (PCI_MSI_ENABLE | PCI_MSI_VECTORS), PCI_MSI_ENABLE);
    pci_msi_disable(&dev);
    assert_int_equal(f->reg[0xd0 / 4] & PCI_MSI_ENABLE, 0);

    f->reg[0xd0 / 4] &= ~(PCI_MSI_64BIT | PCI_MSI_MASKABLE);
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_UNSUPPORTED); /* address needs 64 bits */
    irq.msi_address = 0xfee00000;
    f->reg[0xdc / 4] = 0x55;
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_OK);
    assert_int_equal(f->reg[0xd8 / 4], 0x4031);
    assert_int_equal(f->reg[0xdc / 4], 0x55); /* belongs to nobody without a mask register */
}

/* Pulled out: everything reads all ones, nothing is written, every call comes back. */
static void test_gone(void **state)
{
    (void)state;
    phys_t base;
    size_t bytes;
    struct hal_mmio mmio;
    struct pci_dev dev = {.bdf = 0x10, .parent_bdf = 0x08};
    const struct hal_irq irq = {.msi_address = 0xfee00000};
    add_msix(5, 0x800, 0x1000)->gone = true;
    pci_bus_master(&dev, true);
    pci_intx(&dev, false);
    pci_aspm_off(&dev);
    assert_int_equal(pci_find_cap(&dev, 0xff), 0);
    assert_int_equal(pci_bar(&dev, 0, &base, &bytes), RT_IO);
    assert_int_equal(pci_map_bar(&dev, 0, &mmio), RT_IO);
    assert_int_equal(pci_msix_count(&dev), 0);
    assert_int_equal(pci_msix_enable(&dev), RT_UNSUPPORTED);
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_UNSUPPORTED);
    pci_msix_disable(&dev);
    pci_msi_disable(&dev);
    assert_int_equal(writes, 0);
}

#define TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_command),
        TEST(test_bars),
        TEST(test_bar_nonsense),
        TEST(test_caps),
        TEST(test_aspm),
        TEST(test_msix),
        TEST(test_msix_bad_table),
        TEST(test_msi),
        TEST(test_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

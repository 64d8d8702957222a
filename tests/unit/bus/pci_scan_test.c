/* SPDX-License-Identifier: BSD-2-Clause */
/* What is found on a machine's buses, and made quiet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../rt/bus/pci.c"

#include <rt/assert.h>
#include <rt/log.h>

#include "pci_fake.h"

static void set_multi(struct fake *f)
{
    f->reg[3] |= PCI_HEADER_MULTI;
}

/* q35 in small: host bridge, root port with a NIC behind it, function 3 of a multi device. */
static void build_machine(void)
{
    add(0x0000, 0x29c08086, 0x060000);
    add_bridge(0x0008, 1, 1);
    struct fake *nic = add(0x0100, 0x10d38086, 0x020000);
    nic->reg[11] = 0xa01f8086;
    set_multi(add(0x00f8, 0x29188086, 0x060100));
    add(0x00fb, 0x29308086, 0x0c0500);
    add(0x00fa, 0x29228086, 0x010601);
    add(0x0018, 0x00101b36, 0x010802); /* NVMe */
    add(0x0011, 0x12345678, 0xff0000); /* function 1 without function 0: not there */
}

static void test_scan(void **state)
{
    (void)state;
    build_machine();
    pci_scan();
    assert_int_equal(pci_table.count, 2); /* what no driver wants is counted only */
    assert_string_equal(log_text,
                        "pci functions=7 buses=2 bridges=1 network_nvme=2 quieted=2\n");
    const struct pci_dev *nic = NULL;
    for (uint32_t i = 0; i < pci_table.count; i++)
        if (pci_table.dev[i].device == 0x10d3)
            nic = &pci_table.dev[i];
    assert_non_null(nic);
    assert_int_equal(nic->bdf, 0x100);
    assert_int_equal(nic->parent_bdf, 0x0008);
    assert_int_equal(nic->vendor, 0x8086);
    assert_int_equal(nic->subvendor, 0x8086);
    assert_int_equal(nic->subdevice, 0xa01f);
    assert_int_equal(nic->class_code, 2);
    assert_int_equal(pci_table.dev[0].parent_bdf, UINT32_MAX);
}

/* Bridges that point at themselves, at each other, at bus 0, and at nothing. */
static void test_scan_loops(void **state)
{
    (void)state;
    add_bridge(0x0008, 1, 255);
    add_bridge(0x0010, 0, 0);
    add_bridge(0x0018, 1, 1);
    add_bridge(0x0100, 2, 255);
    add_bridge(0x0200, 1, 255);
    add_bridge(0x0208, 2, 255);
    pci_scan();
    assert_string_equal(log_text,
                        "pci functions=6 buses=3 bridges=6 network_nvme=0 quieted=0\n");
    assert_true(reads < 3 * 32 * 8 * 4);
}

static void test_scan_overflow(void **state)
{
    (void)state;
    set_multi(add_bridge(0, 1, 1));
    for (uint32_t fn = 1; fn < 300; fn++)
        set_multi(add(fn, 0x10d38086, 0x020000));
    pci_scan();
    assert_int_equal(pci_table.count, PCI_DEVICES_MAX);
    assert_string_equal(log_text,
                        "pci functions=300 buses=2 bridges=1 network_nvme=256 quieted=299\n"
                        "pci warning=\"more than 256 network and NVMe functions: the last 43"
                        " are not used\"\n");
}

static void test_scan_peer_root(void **state)
{
    (void)state;
    build_machine();
    add_bridge(0x8008, 0x81, 0x81);
    struct fake *nic = add(0x8100, 0x10fb8086, 0x020000);
    assert_int_equal(pci_quiet(), 2); /* tables not read yet: only what is below bus 0 */
    ranges[0].last_bus = 0x90;
    pci_scan();
    assert_int_equal(pci_table.count, 3);
    assert_string_equal(log_text,
                        "pci functions=9 buses=4 bridges=2 network_nvme=3 quieted=1\n");
    assert_int_equal(nic->reg[1], PCI_COMMAND_MEMORY);
    ranges[0].last_bus = 0x7f;
    pci_scan();
    assert_int_equal(pci_table.count, 2);
}

/* The uncore of a Xeon E5 v3: 78 functions that no driver wants, on the socket's last bus. */
static void add_uncore(uint32_t bus)
{
    for (uint32_t i = 0; i < 78; i++)
        set_multi(add(bus << 8 | (8 + i / 4) << 3 | i % 4, 0x2f808086 + (i << 16), 0x088000));
}

static void add_nic(uint32_t bdf)
{
    set_multi(add(bdf, 0x10fb8086, 0x020000));
}

/* FD.io's UCS C240: 218 functions, a dual 82599 on each socket; the second socket's are far
 * behind place 128. */
static void test_scan_two_sockets(void **state)
{
    (void)state;
    const uint32_t nics[] = {0x0a00, 0x0a01, 0x8500, 0x8501};
    for (uint32_t fn = 0; fn < 40; fn++) /* chipset, DMA engines, two root ports */
        if (fn == 8)
            set_multi(add_bridge(fn, 0x0a, 0x0a));
        else
            set_multi(add(fn, 0x2f208086, 0x088000));
    add_uncore(0x7f);
    for (uint32_t fn = 0; fn < 18; fn++)
        if (fn == 16)
            set_multi(add_bridge(0x8000 | fn, 0x85, 0x85));
        else
            set_multi(add(0x8000 | fn, 0x2f208086, 0x088000));
    add_uncore(0xff);
    for (uint32_t i = 0; i < 4; i++)
        add_nic(nics[i]);
    assert_int_equal(fake_count, 218);
    ranges[0].last_bus = 0xff;
    pci_scan();
    assert_string_equal(log_text,
                        "pci functions=218 buses=6 bridges=2 network_nvme=4 quieted=4\n");
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(pci_table.dev[i].bdf, nics[i]);
    assert_int_equal(pci_table.dev[3].parent_bdf, 0x8010);
}

/* A segment has buses of its own: the same numbers again, and other functions there. */
static void test_scan_segments(void **state)
{
    (void)state;
    build_machine();
    add(0x10000, 0x20208086, 0x060000);
    add_bridge(0x10008, 1, 1);
    add_nic(0x10100);
    add_bridge(0x18008, 0x81, 0x81); /* another host bridge of segment 1 */
    add_nic(0x18100);
    add(0x34000, 0x20208086, 0x060000);
    add_nic(0x34008);
    range_count = 3;
    ranges[1] = (struct hal_pci_range){.segment = 1, .last_bus = 0xff};
    ranges[2] = (struct hal_pci_range){.segment = 3, .first_bus = 0x40, .last_bus = 0x5f};
    pci_scan();
    assert_string_equal(log_text,
                        "pci functions=14 buses=7 bridges=3 network_nvme=5 quieted=5\n");
    assert_int_equal(pci_table.dev[1].bdf, 0x0100);
    assert_int_equal(pci_table.dev[1].parent_bdf, 0x0008);
    assert_int_equal(pci_table.dev[2].bdf, 0x10100);
    assert_int_equal(pci_table.dev[2].parent_bdf, 0x10008);
    assert_int_equal(pci_table.dev[3].bdf, 0x18100);
    assert_int_equal(pci_table.dev[4].bdf, 0x34008);
    assert_int_equal(pci_table.dev[4].parent_bdf, UINT32_MAX);
}

static void test_quiet(void **state)
{
    (void)state;
    build_machine();
    find(0x100)->reg[1] |= UINT32_C(0xf9000000); /* error bits that must not be cleared */
    assert_int_equal(pci_quiet(), 2);
    assert_int_equal(find(0x100)->reg[1], UINT32_C(0xf9000000) | PCI_COMMAND_MEMORY);
    assert_int_equal(find(0x0018)->reg[1], PCI_COMMAND_MEMORY);
    assert_int_equal(find(0x00fa)->reg[1] & 4, 4); /* AHCI keeps it */
    assert_int_equal(find(0x0008)->reg[1] & 4, 4); /* bridges must */
    assert_int_equal(pci_quiet(), 0);
}

/* The end of the machine: DMA of all that drivers may have taken, and of nothing else. */
static void test_silence(void **state)
{
    (void)state;
    build_machine();
    pci_scan();
    find(0x100)->reg[1] |= UINT32_C(0xf9000000) | PCI_COMMAND_BUS_MASTER;
    find(0x018)->gone = true;
    pci_silence();
    assert_int_equal(find(0x100)->reg[1], UINT32_C(0xf9000000) | PCI_COMMAND_MEMORY);
    assert_int_equal(find(0x008)->reg[1] & PCI_COMMAND_BUS_MASTER, PCI_COMMAND_BUS_MASTER);
}

/* Firmware had raised the payload to 256 bytes, as the port above still has it. */
static void test_restore(void **state)
{
    struct fake *nic = add(0x0010, 0x10fb8086, 0x020000);

    nic->reg[1] |= PCI_STATUS_CAP_LIST;
    nic->reg[13] = 0xc0;
    nic->reg[0xc0 / 4] = PCI_CAP_EXPRESS | 2 << 16;
    nic->reg[BARS_BASE] = 0xfe000000;
    nic->reg[0xc8 / 4] = 0x2830;
    nic->reg[0xd0 / 4] = 0x0043; /* ASPM on, common clock */
    nic->reg[0xe8 / 4] = 0x0006;
    nic->writable[BARS_BASE] = 0xfffe0000;
    nic->writable[0xc8 / 4] = nic->writable[0xd0 / 4] = nic->writable[0xe8 / 4] = 0xffff;
    nic->clears[0xc8 / 4] = 0x000f0000;
    pci_scan();
    assert_int_equal(pci_table.count, 1);
    nic->reg[BARS_BASE] = 0;
    nic->reg[0xc8 / 4] = 0x000f2810; /* payload of 128 bytes; status that one clears by ones */
    nic->reg[0xd0 / 4] = nic->reg[0xe8 / 4] = 0;
    pci_restore(&pci_table.dev[0]);
    assert_int_equal(nic->reg[BARS_BASE], 0xfe000000);
    assert_int_equal(nic->reg[0xc8 / 4], 0x000f2830);
    assert_int_equal(nic->reg[0xd0 / 4], 0x0040);
    assert_int_equal(nic->reg[0xe8 / 4], 0x0006);
    writes = 0;
    pci_restore(&pci_table.dev[0]);
    assert_int_equal(writes, 0); /* nothing was lost */
}

#define TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scan),
        TEST(test_scan_loops),
        TEST(test_scan_overflow),
        TEST(test_scan_peer_root),
        TEST(test_scan_two_sockets),
        TEST(test_scan_segments),
        TEST(test_quiet),
        TEST(test_silence),
        TEST(test_restore),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

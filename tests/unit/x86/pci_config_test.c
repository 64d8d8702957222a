/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space by ports and by windows, in one segment and in several. */
#include "../../../rt/core/status.c"
#include "../../../rt/x86/pci_config.c"

#include <string.h>

#include "cmocka_all.h"

enum { WINDOWS_AT = 0x10000000, WINDOW_BUSES = 2 };

static struct acpi_info acpi;
static uint32_t address; /* last written to port 0xcf8 */
static uint32_t port_writes;
static uint32_t space[3][WINDOW_BUSES * ECAM_BUS_BYTES / 4]; /* of three windows */

static uint32_t port_in(uint16_t port)
{
    assert_int_equal(port, CONFIG_DATA);
    return address; /* every register of every function holds its own address */
}

static void port_out(uint16_t port, uint32_t value)
{
    if (port == CONFIG_ADDRESS)
        address = value;
    else
        port_writes++;
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    const uint64_t i = (phys.v - WINDOWS_AT) >> 28;

    if (i >= RT_ARRAY_SIZE(space))
        return RT_UNSUPPORTED;
    assert_true(bytes <= sizeof(space[i]));
    mmio->base = (volatile uint8_t *)space[i];
    mmio->bytes = bytes;
    return RT_OK;
}

static int setup(void **state)
{
    fake_reset();
    fake.in = port_in;
    fake.out = port_out;
    memset(&acpi, 0, sizeof(acpi));
    memset(space, 0, sizeof(space));
    port_writes = 0;
    return 0;
}

static void add(uint32_t place, uint16_t segment, uint8_t start, uint8_t end)
{
    acpi.ecam[acpi.ecam_count++] = (struct acpi_ecam){
        .base = WINDOWS_AT + ((uint64_t)place << 28) - (uint64_t)start * ECAM_BUS_BYTES,
        .segment = segment,
        .start_bus = start,
        .end_bus = end,
    };
}

static struct hal_pci_range range_of(uint32_t index)
{
    struct hal_pci_range r;

    assert_true(hal_pci_range(index, &r));
    return r;
}

static void ports_only(void **state)
{
    struct hal_pci_range r;

    pci_config_init(&acpi);
    assert_string_equal(pci_config_method(), "ports");
    assert_int_equal(hal_pci_read32(0x1234, 0x10), CONFIG_ENABLE | 0x123410);
    assert_int_equal(hal_pci_read32(0x1234, 0x100), UINT32_MAX);
    assert_int_equal(range_of(0).last_bus, 255);
    assert_false(hal_pci_range(1, &r));
    acpi.host_bridges = 1;
    pci_config_init(&acpi);
    assert_int_equal(range_of(0).last_bus, 0);
}

/* The ports know segment 0 only: another one's bus 1 must not show segment 0's. */
static void ports_are_segment_0(void **state)
{
    pci_config_init(&acpi);
    assert_int_equal(hal_pci_read32(0x10100, 0), UINT32_MAX);
    hal_pci_write32(0x10100, 4, 0x107);
    assert_int_equal(port_writes, 0);
    hal_pci_write32(0x00100, 4, 0x107);
    assert_int_equal(port_writes, 1);
}

static void segments(void **state)
{
    struct hal_pci_range r;

    space[0][0] = CONFIG_ENABLE; /* as the ports say */
    space[0][(1 << 20) / 4] = 0x10d38086;
    space[1][(1 << 20) / 4] = 0x10fb8086;
    space[2][0x8000 / 4] = 0x15638086;
    add(0, 0, 0, 1);
    add(1, 1, 0, 1);
    add(2, 0x102, 0x80, 0x81);
    pci_config_init(&acpi);
    assert_string_equal(pci_config_method(), "ecam");
    assert_int_equal(hal_pci_read32(0x00100, 0), 0x10d38086);
    assert_int_equal(hal_pci_read32(0x10100, 0), 0x10fb8086);
    assert_int_equal(hal_pci_read32(0x1028008, 0), 0x15638086);
    assert_int_equal(hal_pci_read32(0x10200, 0), UINT32_MAX); /* behind the window */
    assert_int_equal(hal_pci_read32(0x1020008, 0), UINT32_MAX);
    assert_int_equal(hal_pci_read32(0x00200, 0), CONFIG_ENABLE | 0x20000); /* by the ports */
    hal_pci_write32(0x10100, 4, 0x107);
    assert_int_equal(space[1][(1 << 20) / 4 + 1], 0x107);
    assert_int_equal(port_writes, 0);
    assert_int_equal(range_of(1).segment, 1);
    assert_int_equal(range_of(1).last_bus, 1);
    assert_int_equal(range_of(2).segment, 0x102);
    assert_int_equal(range_of(2).first_bus, 0x80);
    assert_false(hal_pci_range(3, &r));
}

/* Two windows of one segment are one range; one that cannot be mapped is named. */
static void windows(void **state)
{
    struct hal_pci_range r;

    add(0, 1, 0x40, 0x41);
    add(1, 1, 0x80, 0x80);
    add(9, 2, 0, 1);
    acpi.ecam_dropped = 3;
    pci_config_init(&acpi);
    assert_int_equal(range_of(1).first_bus, 0x40);
    assert_int_equal(range_of(1).last_bus, 0x80);
    assert_false(hal_pci_range(2, &r));
    assert_non_null(strstr(fake.log, "segment=2 state=unused"));
    assert_non_null(strstr(fake.log, "3 more windows"));
}

/* Segment 0's window shows another host bridge than the ports: not used. */
static void window_that_lies(void **state)
{
    space[0][0] = 0x12345678;
    add(0, 0, 0, 1);
    pci_config_init(&acpi);
    assert_string_equal(pci_config_method(), "ports");
    assert_non_null(strstr(fake.log, "disagrees_with_ports"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ports_only, setup),
        cmocka_unit_test_setup(ports_are_segment_0, setup),
        cmocka_unit_test_setup(segments, setup),
        cmocka_unit_test_setup(windows, setup),
        cmocka_unit_test_setup(window_that_lies, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

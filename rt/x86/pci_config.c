/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration access: memory mapped (ECAM, PCI Express 4.0 7.2.2) where MCFG gives a
 * window for the bus, else mechanism 1 through ports 0xCF8/0xCFC (PCI Local Bus 3.0 3.2.2.3.2).
 *
 * The ports are two accesses that belong together, so only core 0 may use them, which is what
 * <rt/pci.h> asks for anyway. They reach 256 bytes a function; beyond reads all ones.
 */
#include <rt/hal.h>
#include <rt/log.h>

#include "pci_config.h"
#include "x86.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE RT_BIT(31)

enum {
    BUSES = 256,
    PORT_CONFIG_BYTES = 256,
    ECAM_CONFIG_BYTES = 4096,
    ECAM_BUS_BYTES = 1 << 20,
};

/* Window of each bus, of one mapping each; bytes 0: ports. */
static struct hal_mmio window[ACPI_ECAMS_MAX];
static uint8_t window_start[ACPI_ECAMS_MAX], window_end[ACPI_ECAMS_MAX];
static uint32_t window_count;
/* Looking for roots of other host bridges costs thousands of accesses, which are slow in a
 * virtual machine: not before the tables are read, and not when they name just one. */
static uint32_t last_bus;

static uint32_t port_read32(uint32_t bdf, uint32_t offset)
{
    if (offset >= PORT_CONFIG_BYTES)
        return UINT32_MAX;
    x86_out32(CONFIG_ADDRESS, CONFIG_ENABLE | bdf << 8 | offset);
    return x86_in32(CONFIG_DATA);
}

static void port_write32(uint32_t bdf, uint32_t offset, uint32_t value)
{
    if (offset >= PORT_CONFIG_BYTES)
        return;
    x86_out32(CONFIG_ADDRESS, CONFIG_ENABLE | bdf << 8 | offset);
    x86_out32(CONFIG_DATA, value);
}

/* Window that holds the bus, and the function's place in it. NULL: use the ports. */
static const struct hal_mmio *ecam_of(uint32_t bdf, uint32_t *place)
{
    uint32_t bus = bdf >> 8;
    for (uint32_t i = 0; i < window_count; i++) {
        if (bus < window_start[i] || bus > window_end[i])
            continue;
        *place = (bdf - ((uint32_t)window_start[i] << 8)) * ECAM_CONFIG_BYTES;
        return &window[i];
    }
    return NULL;
}

uint32_t hal_pci_read32(uint32_t bdf, uint32_t offset)
{
    uint32_t place;
    offset &= ~UINT32_C(3);
    if (bdf >= BUSES << 8 || offset >= ECAM_CONFIG_BYTES)
        return UINT32_MAX;
    const struct hal_mmio *ecam = ecam_of(bdf, &place);
    return ecam != NULL ? hal_read32(ecam, place + offset) : port_read32(bdf, offset);
}

void hal_pci_write32(uint32_t bdf, uint32_t offset, uint32_t value)
{
    uint32_t place;
    offset &= ~UINT32_C(3);
    if (bdf >= BUSES << 8 || offset >= ECAM_CONFIG_BYTES)
        return;
    const struct hal_mmio *ecam = ecam_of(bdf, &place);
    if (ecam != NULL)
        hal_write32(ecam, place + offset, value);
    else
        port_write32(bdf, offset, value);
}

uint32_t hal_pci_last_bus(void)
{
    return last_bus;
}

const char *pci_config_method(void)
{
    return window_count != 0 ? "ecam" : "ports";
}

/* A window that does not show the same host bridge as the ports is not what it claims to be. */
static bool window_agrees(const struct hal_mmio *mmio, uint8_t start_bus)
{
    return start_bus != 0 || hal_read32(mmio, 0) == port_read32(0, 0);
}

static void add_window(const struct acpi_ecam *ecam)
{
    uint64_t base = ecam->base + (uint64_t)ecam->start_bus * ECAM_BUS_BYTES;
    size_t bytes = ((size_t)ecam->end_bus - ecam->start_bus + 1) * ECAM_BUS_BYTES;
    struct hal_mmio *mmio = &window[window_count];
    enum rt_status st = hal_map_mmio((phys_t){base}, bytes, mmio);
    if (st != RT_OK || !window_agrees(mmio, ecam->start_bus)) {
        rt_log("pci ecam=0x%lx state=unused reason=%s remedy=ports", base,
               st != RT_OK ? rt_status_name(st) : "disagrees_with_ports");
        return;
    }
    window_start[window_count] = ecam->start_bus;
    window_end[window_count] = ecam->end_bus;
    window_count++;
}

void pci_config_init(const struct acpi_info *info)
{
    last_bus = info->host_bridges == 1 ? 0 : BUSES - 1;
    for (uint32_t i = 0; i < info->ecam_count && window_count < ACPI_ECAMS_MAX; i++)
        if (info->ecam[i].segment == 0)
            add_window(&info->ecam[i]);
}

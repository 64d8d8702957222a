/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration access: memory mapped (ECAM, PCI Express 4.0 7.2.2) where MCFG gives a
 * window for the bus, else mechanism 1 through ports 0xCF8/0xCFC (PCI Local Bus 3.0 3.2.2.3.2).
 *
 * The ports are two accesses that belong together, so only core 0 may use them, which is what
 * <rt/pci.h> asks for anyway. They reach 256 bytes a function of segment 0; beyond reads all
 * ones. Large machines have a segment a socket or more, each with buses 0 to 255 of its own.
 */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/log.h>

#include "pci_config.h"
#include "x86.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE RT_BIT(31)

enum {
    BUSES = 256,
    SEGMENT_BDFS = BUSES << 8,
    PORT_CONFIG_BYTES = 256,
    ECAM_CONFIG_BYTES = 4096,
    ECAM_BUS_BYTES = 1 << 20,
};

/* What the firmware's tables give: one mapping each. Where none is, the ports are used. */
static struct window {
    struct hal_mmio mmio;
    struct hal_pci_range buses;
} window[ACPI_ECAMS_MAX];
static uint32_t window_count;
/* [0] is segment 0. Looking for roots of other host bridges costs thousands of accesses, which
 * are slow in a virtual machine: not before the tables are read, and not when they name one. */
static struct hal_pci_range range[HAL_PCI_RANGES_MAX];
static uint32_t range_count = 1;
_Static_assert(ACPI_ECAMS_MAX < HAL_PCI_RANGES_MAX, "segment 0 and one a window");

static uint32_t port_read32(uint32_t bdf, uint32_t offset)
{
    if (bdf >= SEGMENT_BDFS || offset >= PORT_CONFIG_BYTES)
        return UINT32_MAX;
    x86_out32(CONFIG_ADDRESS, CONFIG_ENABLE | bdf << 8 | offset);
    return x86_in32(CONFIG_DATA);
}

static void port_write32(uint32_t bdf, uint32_t offset, uint32_t value)
{
    if (bdf >= SEGMENT_BDFS || offset >= PORT_CONFIG_BYTES)
        return;
    x86_out32(CONFIG_ADDRESS, CONFIG_ENABLE | bdf << 8 | offset);
    x86_out32(CONFIG_DATA, value);
}

/* Window that holds the bus, and the function's place in it. NULL: use the ports. */
static const struct hal_mmio *ecam_of(uint32_t bdf, uint32_t *place)
{
    const uint32_t segment = bdf / SEGMENT_BDFS;
    const uint32_t bus = bdf >> 8 & (BUSES - 1);

    for (uint32_t i = 0; i < window_count; i++) {
        const struct window *w = &window[i];

        if (segment != w->buses.segment || bus < w->buses.first_bus || bus > w->buses.last_bus)
            continue;
        *place = (bdf % SEGMENT_BDFS - ((uint32_t)w->buses.first_bus << 8)) * ECAM_CONFIG_BYTES;
        RT_ASSERT_LT((size_t)*place, w->mmio.bytes);
        return &w->mmio;
    }
    return NULL;
}

uint32_t hal_pci_read32(uint32_t bdf, uint32_t offset)
{
    const struct hal_mmio *ecam;
    uint32_t place;

    offset &= ~UINT32_C(3);
    if (offset >= ECAM_CONFIG_BYTES)
        return UINT32_MAX;
    ecam = ecam_of(bdf, &place);
    return ecam != NULL ? hal_read32(ecam, place + offset) : port_read32(bdf, offset);
}

void hal_pci_write32(uint32_t bdf, uint32_t offset, uint32_t value)
{
    const struct hal_mmio *ecam;
    uint32_t place;

    offset &= ~UINT32_C(3);
    if (offset >= ECAM_CONFIG_BYTES)
        return;
    ecam = ecam_of(bdf, &place);
    if (ecam != NULL)
        hal_write32(ecam, place + offset, value);
    else
        port_write32(bdf, offset, value);
}

bool hal_pci_range(uint32_t index, struct hal_pci_range *out)
{
    if (index >= range_count)
        return false;
    *out = range[index];
    return true;
}

const char *pci_config_method(void)
{
    return window_count != 0 ? "ecam" : "ports";
}

/* A window that does not show the same host bridge as the ports is not what it claims to be.
 * The ports show segment 0 only. */
static bool window_agrees(const struct window *w)
{
    return w->buses.segment != 0 || w->buses.first_bus != 0 ||
           hal_read32(&w->mmio, 0) == port_read32(0, 0);
}

/* A segment may have several windows; its range spans them. Segment 0's is set already. */
static void add_range(const struct hal_pci_range *buses)
{
    for (uint32_t i = 0; i < range_count; i++) {
        struct hal_pci_range *r = &range[i];

        if (r->segment != buses->segment)
            continue;
        if (i == 0)
            return;
        r->first_bus = RT_MIN(r->first_bus, buses->first_bus);
        r->last_bus = RT_MAX(r->last_bus, buses->last_bus);
        return;
    }
    RT_ASSERT_LT(range_count, (uint32_t)HAL_PCI_RANGES_MAX);
    range[range_count++] = *buses;
}

static void add_window(const struct acpi_ecam *ecam)
{
    uint64_t base = ecam->base + (uint64_t)ecam->start_bus * ECAM_BUS_BYTES;
    size_t bytes = ((size_t)ecam->end_bus - ecam->start_bus + 1) * ECAM_BUS_BYTES;
    struct window *w = &window[window_count];
    enum rt_status st = hal_map_mmio((phys_t){base}, bytes, &w->mmio);

    w->buses = (struct hal_pci_range){ecam->segment, ecam->start_bus, ecam->end_bus};
    RT_ASSERT_LE(ecam->start_bus, ecam->end_bus); /* the parser leaves others out */
    RT_ASSERT_LT(window_count, (uint32_t)ACPI_ECAMS_MAX);
    if (st != RT_OK || !window_agrees(w)) {
        rt_log("pci ecam=0x%lx segment=%u state=unused reason=%s remedy=%s", base,
               ecam->segment, st != RT_OK ? rt_status_name(st) : "disagrees_with_ports",
               ecam->segment == 0 ? "ports" : "none");
        return;
    }
    window_count++;
    add_range(&w->buses);
}

void pci_config_init(const struct acpi_info *info)
{
    window_count = 0;
    range_count = 1;
    range[0] = (struct hal_pci_range){.last_bus = info->host_bridges == 1 ? 0 : BUSES - 1};
    for (uint32_t i = 0; i < info->ecam_count && i < ACPI_ECAMS_MAX; i++)
        add_window(&info->ecam[i]);
    if (info->ecam_dropped != 0)
        rt_log("pci warning=\"firmware lists %u more windows of configuration space than we"
               " hold: what is behind them is not found\"", info->ecam_dropped);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over all buses, before drivers and before the seal. Bridges may claim anything: each
 * bus is visited once.
 */
#include "pci_function.h"

#include <rt/assert.h>
#include <rt/log.h>

enum {
    BUSES = 256,
    DEVICES_PER_BUS = 32,
    FUNCTIONS_PER_DEVICE = 8,
};

struct pci_table pci_table;

/* One walk: in a segment, buses still to visit, with the bridge above each. */
struct walk {
    void (*found)(struct walk *walk, const struct pci_dev *dev);
    uint32_t segment_bdf; /* of its bus 0 */
    uint32_t bus_count;   /* buses in `bus`; each enters once */
    uint8_t bus[BUSES];
    uint32_t parent_bdf[BUSES];
    bool seen[BUSES];
    /* Of all segments: */
    uint32_t functions;
    uint32_t buses;
    uint32_t bridges;
    uint32_t dropped; /* functions that found no room in pci_table */
    uint32_t quieted;
};

static void walk_add_bus(struct walk *walk, uint32_t bus, uint32_t parent_bdf)
{
    if (bus >= BUSES || walk->seen[bus])
        return;
    RT_ASSERT_LT(walk->bus_count, (uint32_t)BUSES);
    walk->seen[bus] = true;
    walk->bus[walk->bus_count] = (uint8_t)bus;
    walk->parent_bdf[walk->bus_count] = parent_bdf;
    walk->bus_count++;
}

static void walk_function(struct walk *walk, uint32_t bdf, uint32_t parent_bdf, uint32_t id,
                          uint32_t header)
{
    uint32_t class = hal_pci_read32(bdf, PCI_CLASS);
    struct pci_dev dev = {
        .bdf = bdf,
        .vendor = (uint16_t)id,
        .device = (uint16_t)(id >> 16),
        .class_code = (uint8_t)FIELD_GET(PCI_CLASS_BASE, class),
        .subclass = (uint8_t)FIELD_GET(PCI_CLASS_SUB, class),
        .prog_if = (uint8_t)FIELD_GET(PCI_CLASS_PROG_IF, class),
        .revision = (uint8_t)FIELD_GET(PCI_CLASS_REVISION, class),
        .parent_bdf = parent_bdf,
    };

    if (FIELD_GET(PCI_HEADER_TYPE, header) == PCI_HEADER_BRIDGE) {
        uint32_t buses = hal_pci_read32(bdf, PCI_BRIDGE_BUSES);
        uint32_t secondary = FIELD_GET(PCI_BRIDGE_SECONDARY, buses);

        walk->bridges++;
        if (buses != PCI_NOTHING && secondary != 0) /* 0: firmware did not set it up */
            walk_add_bus(walk, secondary, bdf);
    } else {
        uint32_t subsystem = hal_pci_read32(bdf, PCI_SUBSYSTEM);

        dev.subvendor = (uint16_t)subsystem;
        dev.subdevice = (uint16_t)(subsystem >> 16);
    }
    walk->functions++;
    walk->found(walk, &dev);
}

static void walk_device(struct walk *walk, uint32_t bdf, uint32_t parent_bdf)
{
    uint32_t functions = 1;

    RT_ASSERT_EQ(bdf % FUNCTIONS_PER_DEVICE, 0u);
    for (uint32_t fn = 0; fn < functions; fn++) {
        uint32_t id = hal_pci_read32(bdf + fn, PCI_ID);
        uint32_t header;

        if (id == PCI_NOTHING || (id & 0xffff) == 0)
            continue; /* LB 6.1: function 0 is there or there is no device */
        header = hal_pci_read32(bdf + fn, PCI_HEADER);
        if (header == PCI_NOTHING)
            continue;
        if (fn == 0 && (header & PCI_HEADER_MULTI) != 0)
            functions = FUNCTIONS_PER_DEVICE;
        walk_function(walk, bdf + fn, parent_bdf, id, header);
    }
}

static void walk_buses(struct walk *walk, uint32_t first)
{
    RT_ASSERT_LE(first, walk->bus_count);
    RT_ASSERT(walk->found != NULL);
    for (uint32_t i = first; i < walk->bus_count; i++) {
        for (uint32_t device = 0; device < DEVICES_PER_BUS; device++)
            walk_device(walk, walk->segment_bdf | (uint32_t)walk->bus[i] << 8 | device << 3,
                        walk->parent_bdf[i]);
    }
}

static bool bus_answers(uint32_t bus_bdf)
{
    for (uint32_t device = 0; device < DEVICES_PER_BUS; device++) {
        if (hal_pci_read32(bus_bdf | device << 3, PCI_ID) != PCI_NOTHING)
            return true;
    }
    return false;
}

/* The first bus and what is below; then root buses of other host bridges: servers have
 * several. */
static void walk_segment(struct walk *walk, const struct hal_pci_range *range)
{
    RT_ASSERT_LE(range->first_bus, range->last_bus);
    walk->segment_bdf = (uint32_t)range->segment << 16;
    walk->bus_count = 0;
    __builtin_memset(walk->seen, 0, sizeof(walk->seen));
    walk_add_bus(walk, range->first_bus, UINT32_MAX);
    walk_buses(walk, 0);
    for (uint32_t bus = range->first_bus + 1U; bus <= range->last_bus; bus++) {
        const uint32_t first = walk->bus_count;

        if (walk->seen[bus] || !bus_answers(walk->segment_bdf | bus << 8))
            continue;
        walk_add_bus(walk, bus, UINT32_MAX);
        walk_buses(walk, first);
    }
    walk->buses += walk->bus_count;
}

static void walk_run(struct walk *walk)
{
    struct hal_pci_range range;

    for (uint32_t i = 0; i < HAL_PCI_RANGES_MAX && hal_pci_range(i, &range); i++)
        walk_segment(walk, &range);
}

static bool driver_may_want(const struct pci_dev *dev)
{
    bool nvme = dev->class_code == PCI_CLASS_STORAGE && dev->subclass == PCI_SUBCLASS_NVME;

    return nvme || dev->class_code == PCI_CLASS_NETWORK;
}

static void found_quiet(struct walk *walk, const struct pci_dev *dev)
{
    uint32_t command;

    if (!driver_may_want(dev))
        return;
    command = pci_read32(dev, PCI_COMMAND);
    if (command == PCI_NOTHING || (command & PCI_COMMAND_BUS_MASTER) == 0)
        return;
    pci_command_update(dev, PCI_COMMAND_BUS_MASTER, 0);
    walk->quieted++;
}

static void found_keep(struct walk *walk, const struct pci_dev *dev)
{
    struct pci_dev *kept;

    if (!driver_may_want(dev))
        return;
    found_quiet(walk, dev); /* pci_quiet() did not know of other roots yet */
    if (pci_table.count == PCI_DEVICES_MAX) {
        walk->dropped++;
        return;
    }
    kept = &pci_table.dev[pci_table.count++];
    *kept = *dev;
    pci_keep(kept);
}

void pci_scan(void)
{
    static struct walk walk; /* too big for a stack */

    walk = (struct walk){.found = found_keep};
    pci_table = (struct pci_table){0};
    walk_run(&walk);
    rt_log("pci functions=%u buses=%u bridges=%u network_nvme=%u quieted=%u", walk.functions,
           walk.buses, walk.bridges, pci_table.count, walk.quieted);
    if (walk.dropped != 0)
        rt_log("pci warning=\"more than %u network and NVMe functions: the last %u are not"
               " used\"", PCI_DEVICES_MAX, walk.dropped);
}

uint32_t pci_quiet(void)
{
    static struct walk walk;

    walk = (struct walk){.found = found_quiet};
    walk_run(&walk);
    return walk.quieted;
}

void pci_silence(void)
{
    for (uint32_t i = 0; i < pci_table.count && i < PCI_DEVICES_MAX; i++)
        pci_bus_master(&pci_table.dev[i], false);
}

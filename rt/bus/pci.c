/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI over hal_pci_read32/write32 alone. Only core 0 calls this, before the seal.
 *
 * A device may be broken, hostile or pulled out at any moment: then every read gives all ones.
 * So each walk has a bound, each bus is visited once whatever bridges claim, and nothing
 * is written to a function whose command register reads all ones.
 */
#include <rt/assert.h>
#include <rt/log.h>
#include <rt/pci.h>

#include "pci_reg.h"

enum {
    BUSES = 256,
    DEVICES_PER_BUS = 32,
    FUNCTIONS_PER_DEVICE = 8,
    BARS_NORMAL = 6,
    BARS_BRIDGE = 2,
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

uint32_t pci_read32(const struct pci_dev *dev, uint32_t offset)
{
    return hal_pci_read32(dev->bdf, offset);
}

void pci_write32(const struct pci_dev *dev, uint32_t offset, uint32_t value)
{
    hal_pci_write32(dev->bdf, offset, value);
}

uint16_t pci_read16(const struct pci_dev *dev, uint32_t offset)
{
    return (uint16_t)(pci_read32(dev, offset & ~UINT32_C(3)) >> (offset & 2) * 8);
}

void pci_write16(const struct pci_dev *dev, uint32_t offset, uint16_t value)
{
    uint32_t dword = offset & ~UINT32_C(3);
    uint32_t shift = (offset & 2) * 8;
    uint32_t old = pci_read32(dev, dword);
    if (offset == PCI_COMMAND)
        old = 0; /* what the status half reads would clear itself when written back */
    pci_write32(dev, dword, (old & ~(UINT32_C(0xffff) << shift)) | (uint32_t)value << shift);
}

static bool is_gone(const struct pci_dev *dev)
{
    return pci_read32(dev, PCI_ID) == PCI_NOTHING;
}

/* Changes bits of the command register; nothing when the device is gone. */
static void command_update(const struct pci_dev *dev, uint32_t clear, uint32_t set)
{
    uint32_t old = pci_read32(dev, PCI_COMMAND);
    if (old == PCI_NOTHING)
        return;
    uint32_t command = old & PCI_COMMAND_MASK;
    command = (command & ~clear) | set;
    if (command == (old & PCI_COMMAND_MASK))
        return;
    pci_write32(dev, PCI_COMMAND, command);
    (void)pci_read32(dev, PCI_COMMAND); /* has arrived before we go on */
}

/* ---- walk ---- */

static void walk_add_bus(struct walk *walk, uint32_t bus, uint32_t parent_bdf)
{
    if (bus >= BUSES || walk->seen[bus])
        return;
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
    for (uint32_t fn = 0; fn < functions; fn++) {
        uint32_t id = hal_pci_read32(bdf + fn, PCI_ID);
        if (id == PCI_NOTHING || (id & 0xffff) == 0)
            continue; /* LB 6.1: function 0 is there or there is no device */
        uint32_t header = hal_pci_read32(bdf + fn, PCI_HEADER);
        if (header == PCI_NOTHING)
            continue;
        if (fn == 0 && (header & PCI_HEADER_MULTI) != 0)
            functions = FUNCTIONS_PER_DEVICE;
        walk_function(walk, bdf + fn, parent_bdf, id, header);
    }
}

static void walk_buses(struct walk *walk, uint32_t first)
{
    for (uint32_t i = first; i < walk->bus_count; i++)
        for (uint32_t device = 0; device < DEVICES_PER_BUS; device++)
            walk_device(walk, walk->segment_bdf | (uint32_t)walk->bus[i] << 8 | device << 3,
                        walk->parent_bdf[i]);
}

static bool bus_answers(uint32_t bus_bdf)
{
    for (uint32_t device = 0; device < DEVICES_PER_BUS; device++)
        if (hal_pci_read32(bus_bdf | device << 3, PCI_ID) != PCI_NOTHING)
            return true;
    return false;
}

/* The first bus and what is below; then root buses of other host bridges: servers have
 * several. */
static void walk_segment(struct walk *walk, const struct hal_pci_range *range)
{
    walk->segment_bdf = (uint32_t)range->segment << 16;
    walk->bus_count = 0;
    __builtin_memset(walk->seen, 0, sizeof(walk->seen));
    walk_add_bus(walk, range->first_bus, UINT32_MAX);
    walk_buses(walk, 0);
    for (uint32_t bus = range->first_bus + 1U; bus <= range->last_bus; bus++) {
        if (walk->seen[bus] || !bus_answers(walk->segment_bdf | bus << 8))
            continue;
        uint32_t first = walk->bus_count;
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
    if (!driver_may_want(dev))
        return;
    uint32_t command = pci_read32(dev, PCI_COMMAND);
    if (command == PCI_NOTHING || (command & PCI_COMMAND_BUS_MASTER) == 0)
        return;
    command_update(dev, PCI_COMMAND_BUS_MASTER, 0);
    walk->quieted++;
}

static void found_keep(struct walk *walk, const struct pci_dev *dev)
{
    if (!driver_may_want(dev))
        return;
    found_quiet(walk, dev); /* pci_quiet() did not know of other roots yet */
    if (pci_table.count == PCI_DEVICES_MAX) {
        walk->dropped++;
        return;
    }
    struct pci_dev *kept = &pci_table.dev[pci_table.count++];
    *kept = *dev;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(kept->bar); i++)
        kept->bar[i] = pci_read32(kept, PCI_BAR0 + 4 * i);
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

/* ---- one function ---- */

uint32_t pci_find_cap(const struct pci_dev *dev, uint8_t id)
{
    uint32_t command = pci_read32(dev, PCI_COMMAND);
    if (command == PCI_NOTHING || (command & PCI_STATUS_CAP_LIST) == 0)
        return 0;
    uint32_t at = pci_read32(dev, PCI_CAP_POINTER) & PCI_CAP_POINTER_MASK;
    for (uint32_t i = 0; i < PCI_CAPS_MAX && at >= PCI_CAP_FIRST; i++) {
        uint32_t cap = pci_read32(dev, at);
        if (cap == PCI_NOTHING)
            return 0;
        if (FIELD_GET(PCI_CAP_ID, cap) == id)
            return at;
        at = FIELD_GET(PCI_CAP_NEXT, cap) << 2;
    }
    return 0;
}

void pci_bus_master(const struct pci_dev *dev, bool on)
{
    if (on)
        command_update(dev, 0, PCI_COMMAND_BUS_MASTER | PCI_COMMAND_MEMORY);
    else
        command_update(dev, PCI_COMMAND_BUS_MASTER, 0);
}

void pci_intx(const struct pci_dev *dev, bool on)
{
    command_update(dev, on ? PCI_COMMAND_INTX_OFF : 0, on ? 0 : PCI_COMMAND_INTX_OFF);
}

/* Writes all ones and sees which bits stay, LB 6.2.5.1. Decode is off meanwhile, so that the
 * device never answers at the wrong address. */
static uint64_t bar_probe(const struct pci_dev *dev, uint32_t offset, bool wide, uint64_t bar)
{
    uint32_t command = pci_read32(dev, PCI_COMMAND) & PCI_COMMAND_MASK;
    pci_write32(dev, PCI_COMMAND, command & ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO));
    pci_write32(dev, offset, UINT32_MAX);
    if (wide)
        pci_write32(dev, offset + 4, UINT32_MAX);
    uint64_t mask = pci_read32(dev, offset) & PCI_BAR_MEMORY_MASK;
    mask |= wide ? (uint64_t)pci_read32(dev, offset + 4) << 32 : UINT64_MAX << 32;
    pci_write32(dev, offset, (uint32_t)bar);
    if (wide)
        pci_write32(dev, offset + 4, (uint32_t)(bar >> 32));
    pci_write32(dev, PCI_COMMAND, command);
    return mask;
}

enum rt_status pci_bar(const struct pci_dev *dev, unsigned bar, phys_t *base, size_t *bytes)
{
    uint32_t type = FIELD_GET(PCI_HEADER_TYPE, pci_read32(dev, PCI_HEADER));
    unsigned bars = type == PCI_HEADER_BRIDGE ? BARS_BRIDGE : BARS_NORMAL;
    if (bar >= bars)
        return RT_INVALID;
    if (is_gone(dev))
        return RT_IO;
    uint32_t offset = PCI_BAR0 + bar * 4;
    uint64_t value = pci_read32(dev, offset);
    if ((value & PCI_BAR_IO) != 0)
        return RT_UNSUPPORTED;
    bool wide = FIELD_GET(PCI_BAR_TYPE, value) == PCI_BAR_TYPE_64;
    if (wide && bar + 1 >= bars)
        return RT_IO;
    if (wide)
        value |= (uint64_t)pci_read32(dev, offset + 4) << 32;
    uint64_t mask = bar_probe(dev, offset, wide, value);
    uint64_t address = value & ~UINT64_C(0xf);
    uint64_t size = ~mask + 1;
    if ((mask & UINT32_MAX) == 0 && (!wide || mask == 0))
        return RT_NOT_FOUND; /* not implemented */
    if (address == 0)
        return RT_NOT_FOUND; /* firmware gave it no address */
    if (!RT_IS_POW2(size) || (address & (size - 1)) != 0 || is_gone(dev))
        return RT_IO; /* a device that answers nonsense is not mapped */
    *base = (phys_t){address};
    *bytes = (size_t)size;
    return RT_OK;
}

enum rt_status pci_map_bar(const struct pci_dev *dev, unsigned bar, struct hal_mmio *mmio)
{
    phys_t base;
    size_t bytes;
    enum rt_status st = pci_bar(dev, bar, &base, &bytes);
    if (st != RT_OK)
        return st;
    command_update(dev, 0, PCI_COMMAND_MEMORY);
    return hal_map_mmio(base, bytes, mmio);
}

static void aspm_clear(const struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_EXPRESS);
    if (cap == 0)
        return;
    uint32_t link = pci_read32(dev, cap + PCI_EXPRESS_LINK);
    if (link == PCI_NOTHING || (link & PCI_EXPRESS_LINK_ASPM) == 0)
        return;
    /* The status half is written as zero: it clears what is written as one. */
    pci_write32(dev, cap + PCI_EXPRESS_LINK,
                link & PCI_EXPRESS_LINK_CONTROL & ~PCI_EXPRESS_LINK_ASPM);
}

void pci_restore(const struct pci_dev *dev)
{
    if (pci_read32(dev, PCI_ID) != ((uint32_t)dev->device << 16 | dev->vendor))
        return;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(dev->bar); i++)
        if (pci_read32(dev, PCI_BAR0 + 4 * i) != dev->bar[i])
            pci_write32(dev, PCI_BAR0 + 4 * i, dev->bar[i]);
    command_update(dev, 0, PCI_COMMAND_MEMORY);
}

void pci_aspm_off(const struct pci_dev *dev)
{
    aspm_clear(dev); /* downstream end first, PE 5.4.1.3 */
    if (dev->parent_bdf != UINT32_MAX)
        aspm_clear(&(struct pci_dev){.bdf = dev->parent_bdf});
}

/* ---- MSI-X ---- */

uint32_t pci_msix_count(const struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSIX);
    if (cap == 0)
        return 0;
    uint32_t count = FIELD_GET(PCI_MSIX_SIZE, pci_read32(dev, cap)) + 1;
    return RT_MIN(count, (uint32_t)PCI_MSIX_VECTORS_MAX);
}

/* Bits of a capability's first dword; the id and next bytes below are read-only. */
static void cap_update(const struct pci_dev *dev, uint32_t cap, uint32_t clear, uint32_t set)
{
    uint32_t value = pci_read32(dev, cap);
    if (value != PCI_NOTHING)
        pci_write32(dev, cap, (value & ~clear) | set);
}

/* Maps the BAR that holds the table, after checking that the table is inside it. */
static enum rt_status msix_map(struct pci_dev *dev, uint32_t cap, uint32_t count)
{
    phys_t base;
    size_t bytes;
    uint32_t table = pci_read32(dev, cap + PCI_MSIX_TABLE);
    unsigned bar = FIELD_GET(PCI_MSIX_TABLE_BAR, table);
    uint32_t offset = table & PCI_MSIX_TABLE_OFFSET;
    enum rt_status st = pci_bar(dev, bar, &base, &bytes);
    if (st != RT_OK)
        return st;
    if (offset > bytes || (uint64_t)count * PCI_MSIX_ENTRY_BYTES > bytes - offset)
        return RT_IO;
    command_update(dev, 0, PCI_COMMAND_MEMORY);
    st = hal_map_mmio(base, bytes, &dev->msix);
    if (st != RT_OK)
        return st;
    dev->msix_offset = offset;
    dev->msix_entries = count;
    return RT_OK;
}

enum rt_status pci_msix_enable(struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSIX);
    if (cap == 0)
        return RT_UNSUPPORTED;
    enum rt_status st = msix_map(dev, cap, pci_msix_count(dev));
    if (st != RT_OK)
        return st;
    /* Masked as a whole until each entry is: entries keep what a loader left in them. */
    cap_update(dev, cap, 0, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    for (uint32_t i = 0; i < dev->msix_entries; i++)
        pci_msix_set(dev, i, NULL);
    command_update(dev, 0, PCI_COMMAND_INTX_OFF);
    cap_update(dev, cap, PCI_MSIX_MASK_ALL, 0);
    return RT_OK;
}

void pci_msix_set(const struct pci_dev *dev, uint32_t entry, const struct hal_irq *irq)
{
    RT_ASSERT_LT(entry, dev->msix_entries);
    uint32_t at = dev->msix_offset + entry * PCI_MSIX_ENTRY_BYTES;
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_CONTROL, PCI_MSIX_ENTRY_MASKED);
    if (irq == NULL)
        return;
    /* LB 6.8.2: address and data change only while the entry is masked. */
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_ADDRESS, (uint32_t)irq->msi_address);
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_ADDRESS_HIGH,
                (uint32_t)(irq->msi_address >> 32));
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_DATA, irq->msi_data);
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_CONTROL, 0);
    (void)hal_read32(&dev->msix, at + PCI_MSIX_ENTRY_CONTROL);
}

void pci_msix_disable(struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSIX);
    if (cap != 0)
        cap_update(dev, cap, PCI_MSIX_ENABLE, 0);
    dev->msix_entries = 0;
}

/* ---- MSI ---- */

enum rt_status pci_msi_enable(const struct pci_dev *dev, const struct hal_irq *irq)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSI);
    if (cap == 0)
        return RT_UNSUPPORTED;
    uint32_t control = pci_read32(dev, cap);
    bool wide = (control & PCI_MSI_64BIT) != 0;
    if (!wide && irq->msi_address >> 32 != 0)
        return RT_UNSUPPORTED;
    cap_update(dev, cap, PCI_MSI_ENABLE | PCI_MSI_VECTORS, 0); /* off, one vector */
    pci_write32(dev, cap + PCI_MSI_ADDRESS, (uint32_t)irq->msi_address);
    if (wide)
        pci_write32(dev, cap + PCI_MSI_ADDRESS_HIGH, (uint32_t)(irq->msi_address >> 32));
    pci_write32(dev, cap + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), irq->msi_data & 0xffff);
    if ((control & PCI_MSI_MASKABLE) != 0)
        pci_write32(dev, cap + (wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32), 0);
    command_update(dev, 0, PCI_COMMAND_INTX_OFF);
    cap_update(dev, cap, 0, PCI_MSI_ENABLE);
    return is_gone(dev) ? RT_IO : RT_OK;
}

void pci_msi_disable(const struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSI);
    if (cap != 0)
        cap_update(dev, cap, PCI_MSI_ENABLE, 0);
}

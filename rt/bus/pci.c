/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One PCI function over hal_pci_read32/write32 alone. Only core 0 calls this.
 *
 * A device may be broken, hostile or pulled out at any moment: then every read gives all ones.
 * So each walk has a bound, and nothing is written to a function whose command register reads
 * all ones.
 */
#include <rt/assert.h>
#include "pci_function.h"

enum {
    BARS_NORMAL = 6,
    BARS_BRIDGE = 2,
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
    RT_ASSERT_EQ(offset % 2, 0u);
    return (uint16_t)(pci_read32(dev, offset & ~UINT32_C(3)) >> (offset & 2) * 8);
}

void pci_write16(const struct pci_dev *dev, uint32_t offset, uint16_t value)
{
    uint32_t dword = offset & ~UINT32_C(3);
    uint32_t shift = (offset & 2) * 8;
    uint32_t old = pci_read32(dev, dword);

    RT_ASSERT_EQ(offset % 2, 0u);
    if (offset == PCI_COMMAND)
        old = 0; /* what the status half reads would clear itself when written back */
    pci_write32(dev, dword, (old & ~(UINT32_C(0xffff) << shift)) | (uint32_t)value << shift);
}

bool pci_is_gone(const struct pci_dev *dev)
{
    return pci_read32(dev, PCI_ID) == PCI_NOTHING;
}

void pci_command_update(const struct pci_dev *dev, uint32_t clear, uint32_t set)
{
    uint32_t old = pci_read32(dev, PCI_COMMAND);
    uint32_t command = (old & PCI_COMMAND_MASK & ~clear) | set;

    RT_ASSERT_EQ(clear & set, 0u);
    RT_ASSERT_EQ(set & ~PCI_COMMAND_MASK, 0u); /* the upper half is status */
    if (old == PCI_NOTHING)
        return;
    if (command == (old & PCI_COMMAND_MASK))
        return;
    pci_write32(dev, PCI_COMMAND, command);
    (void)pci_read32(dev, PCI_COMMAND); /* has arrived before we go on */
}

uint32_t pci_find_cap(const struct pci_dev *dev, uint8_t id)
{
    uint32_t command = pci_read32(dev, PCI_COMMAND);
    uint32_t at;

    if (command == PCI_NOTHING || (command & PCI_STATUS_CAP_LIST) == 0)
        return 0;
    at = pci_read32(dev, PCI_CAP_POINTER) & PCI_CAP_POINTER_MASK;
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
        pci_command_update(dev, 0, PCI_COMMAND_BUS_MASTER | PCI_COMMAND_MEMORY);
    else
        pci_command_update(dev, PCI_COMMAND_BUS_MASTER, 0);
}

void pci_intx(const struct pci_dev *dev, bool on)
{
    pci_command_update(dev, on ? PCI_COMMAND_INTX_OFF : 0, on ? 0 : PCI_COMMAND_INTX_OFF);
}

/* Writes all ones and sees which bits stay, LB 6.2.5.1. Decode is off meanwhile, so that the
 * device never answers at the wrong address. */
static uint64_t bar_probe(const struct pci_dev *dev, uint32_t offset, bool wide, uint64_t bar)
{
    uint32_t command = pci_read32(dev, PCI_COMMAND) & PCI_COMMAND_MASK;
    uint64_t mask;

    RT_ASSERT_LT(offset, PCI_BAR0 + 4u * (uint32_t)(BARS_NORMAL - wide));
    pci_write32(dev, PCI_COMMAND, command & ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO));
    pci_write32(dev, offset, UINT32_MAX);
    if (wide)
        pci_write32(dev, offset + 4, UINT32_MAX);
    mask = pci_read32(dev, offset) & PCI_BAR_MEMORY_MASK;
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
    uint32_t offset = PCI_BAR0 + bar * 4;
    uint64_t value, mask, address, size;
    bool wide;

    if (bar >= bars)
        return RT_INVALID;
    if (pci_is_gone(dev))
        return RT_IO;
    value = pci_read32(dev, offset);
    if ((value & PCI_BAR_IO) != 0)
        return RT_UNSUPPORTED;
    wide = FIELD_GET(PCI_BAR_TYPE, value) == PCI_BAR_TYPE_64;
    if (wide && bar + 1 >= bars)
        return RT_IO;
    if (wide)
        value |= (uint64_t)pci_read32(dev, offset + 4) << 32;
    mask = bar_probe(dev, offset, wide, value);
    address = value & ~UINT64_C(0xf);
    size = ~mask + 1;
    if ((mask & UINT32_MAX) == 0 && (!wide || mask == 0))
        return RT_NOT_FOUND; /* not implemented */
    if (address == 0)
        return RT_NOT_FOUND; /* firmware gave it no address */
    if (!RT_IS_POW2(size) || (address & (size - 1)) != 0 || pci_is_gone(dev))
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
    pci_command_update(dev, 0, PCI_COMMAND_MEMORY);
    return hal_map_mmio(base, bytes, mmio);
}

static void aspm_clear(const struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_EXPRESS);
    uint32_t link;

    if (cap == 0)
        return;
    link = pci_read32(dev, cap + PCI_EXPRESS_LINK);
    if (link == PCI_NOTHING || (link & PCI_EXPRESS_LINK_ASPM) == 0)
        return;
    /* The status half is written as zero: it clears what is written as one. */
    pci_write32(dev, cap + PCI_EXPRESS_LINK,
                link & PCI_EXPRESS_LINK_CONTROL & ~PCI_EXPRESS_LINK_ASPM);
}

/* Offset of control `i` of struct pci_dev's in configuration space; 0: it has none. */
static uint32_t express_at(const struct pci_dev *dev, uint32_t i)
{
    static const uint8_t offset[] = {PCI_EXPRESS_DEVICE, PCI_EXPRESS_LINK, PCI_EXPRESS_DEVICE2};
    const uint32_t cap = pci_find_cap(dev, PCI_CAP_EXPRESS);
    const uint32_t version = FIELD_GET(PCI_EXPRESS_VERSION, pci_read32(dev, cap));

    _Static_assert(RT_ARRAY_SIZE(offset) == RT_ARRAY_SIZE(dev->express), "one each");
    if (cap == 0 || (offset[i] == PCI_EXPRESS_DEVICE2 && version < 2))
        return 0;
    return cap + offset[i];
}

void pci_keep(struct pci_dev *dev)
{
    RT_ASSERT(!dev->owned); /* a driver may have changed it */
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(dev->bar); i++)
        dev->bar[i] = pci_read32(dev, PCI_BAR0 + 4 * i);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(dev->express); i++) {
        const uint32_t at = express_at(dev, i);

        dev->express[i] = at != 0 ? pci_read16(dev, at) : 0;
    }
}

/* Payload and request sizes, ordering, timeouts: a function whose limit is below that of the
 * port above takes its next completion for a malformed one. */
static void restore_express(const struct pci_dev *dev)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(dev->express); i++) {
        const uint32_t at = express_at(dev, i);
        uint32_t wanted = dev->express[i];

        if (at == 0)
            continue;
        if (i == 1) /* a driver may have switched it off, and it starts as off */
            wanted &= ~PCI_EXPRESS_LINK_ASPM;
        if (pci_read16(dev, at) != wanted)
            pci_write32(dev, at, wanted); /* status: what is written as zero stays */
    }
}

void pci_restore(const struct pci_dev *dev)
{
    if (pci_read32(dev, PCI_ID) != ((uint32_t)dev->device << 16 | dev->vendor))
        return;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(dev->bar); i++) {
        if (pci_read32(dev, PCI_BAR0 + 4 * i) != dev->bar[i])
            pci_write32(dev, PCI_BAR0 + 4 * i, dev->bar[i]);
    }
    restore_express(dev);
    pci_command_update(dev, 0, PCI_COMMAND_MEMORY);
}

void pci_aspm_off(const struct pci_dev *dev)
{
    aspm_clear(dev); /* downstream end first, PE 5.4.1.3 */
    if (dev->parent_bdf != UINT32_MAX)
        aspm_clear(&(struct pci_dev){.bdf = dev->parent_bdf});
}

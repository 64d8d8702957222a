/* SPDX-License-Identifier: BSD-2-Clause */
/* The 82599 as any device is seen by a bus or a server. */
#include "bus/pci_space.h"
#include "x82599_state.h"

#define CAP_DSN 0x100u
#define CLASS_ETHERNET 0x02000001u /* and revision 1 */
#define SUBSYSTEM 0x000c8086u

/* PCIe 2.0 sections 7.8 and 7.12. */
static void capabilities(const struct x82599 *dev, struct pci_space *s)
{
    const uint8_t *mac = dev->config.mac;

    pci_space_set(s, PCI_SPACE_PCIE, 0x00020010, 0); /* version 2 endpoint, last in the chain */
    pci_space_set(s, PCI_SPACE_PCIE + 4, 0x10008cc2, 0);
    pci_space_set(s, PCI_SPACE_PCIE + 8, 0x00002810, 0x00007fef);
    pci_space_set(s, PCI_SPACE_PCIE + 12, 0x00035c82, 0); /* x8, 5 GT/s */
    pci_space_set(s, PCI_SPACE_PCIE + 16, 0x10820000, 0x000000c3);
    pci_space_set(s, PCI_SPACE_PCIE + 0x24, 0x0000001f, 0);
    pci_space_set(s, PCI_SPACE_PCIE + 0x28, 0, 0x0000001f);
    pci_space_set(s, PCI_SPACE_PCIE + 0x30, 2, 0);
    pci_space_set(s, CAP_DSN, 0x00010003, 0);
    /* the MAC with ffff in its middle, read as one 64 bit number */
    pci_space_set(s, CAP_DSN + 4, 0xff000000u | (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 |
                                      mac[5], 0);
    pci_space_set(s, CAP_DSN + 8, (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 |
                                      (uint32_t)mac[2] << 8 | 0xff, 0);
}

static void ops_space(const void *dev, struct pci_space *space)
{
    const struct x82599 *card = dev;

    RT_ASSERT_NE(card->config.device_id, 0);
    pci_space_set(space, PCI_SPACE_IDS, (uint32_t)card->config.device_id << 16 | 0x8086, 0);
    pci_space_set(space, PCI_SPACE_CLASS, CLASS_ETHERNET, 0);
    pci_space_set(space, PCI_SPACE_SUBSYSTEM, SUBSYSTEM, 0);
    capabilities(card, space);
}

static void ops_power_on(void *dev)
{
    x82599_power_on(dev);
}

static void ops_replug(void *dev)
{
    x82599_replug(dev);
}

static void ops_destroy(void *dev)
{
    x82599_destroy(dev);
}

static uint32_t ops_read32(void *dev, uint32_t offset)
{
    return x82599_read32(dev, offset);
}

static void ops_write32(void *dev, uint32_t offset, uint32_t value)
{
    x82599_write32(dev, offset, value);
}

static void ops_irq_mode(void *dev, enum model_irq mode)
{
    x82599_irq_mode(dev, mode);
}

static void ops_irq_again(void *dev)
{
    x82599_irq_again(dev);
}

static bool ops_irq_line(const void *dev)
{
    return x82599_irq_line(dev);
}

static void ops_clock(void *dev, uint64_t now_ns)
{
    x82599_clock(dev, now_ns);
}

static void ops_step(void *dev, uint64_t now_ns)
{
    x82599_step(dev, now_ns);
}

static uint64_t ops_next_ns(const void *dev)
{
    return x82599_next_ns(dev);
}

_Static_assert(X82599_VECTORS <= MODEL_VECTORS_MAX, "ports and servers have room for them");
const struct model_ops x82599_ops = {
    .register_bytes = X82599_BAR_BYTES, .io_bytes = 32, .vectors = X82599_VECTORS,
    .space = ops_space, .power_on = ops_power_on, .replug = ops_replug, .destroy = ops_destroy,
    .read32 = ops_read32, .write32 = ops_write32,
    .irq_mode = ops_irq_mode, .irq_again = ops_irq_again, .irq_line = ops_irq_line,
    .clock = ops_clock, .step = ops_step, .next_ns = ops_next_ns,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include "pci_space.h"

#include <string.h>

#define CAP_PM    0x40u
#define CAP_PCIE  0xa0u
#define CAP_DSN   0x100u

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void set(struct pci_space *s, uint32_t offset, uint32_t value, uint32_t writable)
{
    put(s->value + offset, value, 4);
    put(s->writable + offset, writable, 4);
}

/* PCI 3.0 section 6.7, PCIe 2.0 section 7.8: a chain that Linux, DPDK and iPXE expect. */
static void capabilities(struct pci_space *s, const uint8_t mac[6])
{
    set(s, CAP_PM, 0x00035001, 0);
    set(s, CAP_PM + 4, 0x00002008, 0x00000103);
    set(s, PCI_SPACE_MSI, 0x01807005, 0x00710000); /* 64 bit, maskable */
    set(s, PCI_SPACE_MSI + 4, 0, 0xfffffffc);
    set(s, PCI_SPACE_MSI + 8, 0, 0xffffffff);
    set(s, PCI_SPACE_MSI + 12, 0, 0x0000ffff);
    set(s, PCI_SPACE_MSI + 16, 0, 0x00000001);
    set(s, PCI_SPACE_MSIX, (X82599_VECTORS - 1) << 16 | CAP_PCIE << 8 | 0x11, 0xc0000000);
    set(s, PCI_SPACE_MSIX + 4, 4, 0);
    set(s, PCI_SPACE_MSIX + 8, PCI_MSIX_PBA | 4, 0);
    set(s, CAP_PCIE, 0x00020010, 0);            /* version 2 endpoint, last in the chain */
    set(s, CAP_PCIE + 4, 0x10008cc2, 0);
    set(s, CAP_PCIE + 8, 0x00002810, 0x00007fef);
    set(s, CAP_PCIE + 12, 0x00035c82, 0);       /* x8, 5 GT/s */
    set(s, CAP_PCIE + 16, 0x10820000, 0x000000c3);
    set(s, CAP_PCIE + 0x24, 0x0000001f, 0);
    set(s, CAP_PCIE + 0x28, 0, 0x0000001f);
    set(s, CAP_PCIE + 0x30, 2, 0);
    set(s, CAP_DSN, 0x00010003, 0);
    /* 7.12: the MAC with ffff in its middle, read as one 64 bit number */
    set(s, CAP_DSN + 4, 0xff000000u | (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5], 0);
    set(s, CAP_DSN + 8,
        (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | 0xff, 0);
}

void pci_space_init(struct pci_space *space, uint16_t device_id, const uint8_t mac[6])
{
    memset(space, 0, sizeof(*space));
    set(space, 0x00, (uint32_t)device_id << 16 | 0x8086, 0);
    set(space, PCI_SPACE_COMMAND, 0x00100000, 0x00000547);
    set(space, 0x08, 0x02000001, 0);
    set(space, 0x0c, 0x00000010, 0x000000ff);
    set(space, PCI_SPACE_BAR0, 0xc, ~(X82599_BAR_BYTES - 1)); /* 64 bit, prefetchable */
    set(space, PCI_SPACE_BAR0 + 4, 0, UINT32_MAX);
    set(space, PCI_SPACE_BAR2, 0x1, ~(PCI_BAR2_BYTES - 1));
    set(space, PCI_SPACE_BAR4, 0xc, ~(PCI_BAR4_BYTES - 1));
    set(space, PCI_SPACE_BAR4 + 4, 0, UINT32_MAX);
    set(space, 0x2c, 0x000c8086, 0);
    set(space, PCI_SPACE_CAPS, CAP_PM, 0);
    set(space, 0x3c, 0x00000100, 0x000000ff); /* INTA */
    capabilities(space, mac);
}

void pci_space_reset(struct pci_space *space)
{
    uint8_t zero[4] = {0};

    pci_space_write(space, PCI_SPACE_COMMAND, zero, 2);
    pci_space_write(space, PCI_SPACE_MSI, zero, 4);
    pci_space_write(space, PCI_SPACE_MSIX, zero, 4);
}

uint32_t pci_space_get32(const struct pci_space *space, uint32_t offset)
{
    uint32_t value = UINT32_MAX;

    if (offset <= PCI_SPACE_BYTES - sizeof(value)) /* asked for with every DMA: short */
        memcpy(&value, space->value + offset, sizeof(value));
    return value;
}

void pci_space_read(const struct pci_space *space, uint32_t offset, void *out, uint32_t bytes)
{
    memset(out, 0xff, bytes);
    if (offset < PCI_SPACE_BYTES)
        memcpy(out, space->value + offset, RT_MIN(bytes, PCI_SPACE_BYTES - offset));
}

void pci_space_write(struct pci_space *space, uint32_t offset, const void *in, uint32_t bytes)
{
    const uint8_t *p = in;

    for (uint32_t i = 0; i < bytes && offset < PCI_SPACE_BYTES; i++, offset++)
        space->value[offset] =
            (uint8_t)((space->value[offset] & ~space->writable[offset]) |
                      (p[i] & space->writable[offset]));
}

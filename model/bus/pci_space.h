/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space of a device: bytes, and which of their bits can be written. What all
 * devices here have in the same place is named; the device fills in the rest (model_ops.space).
 */
#ifndef MODEL_BUS_PCI_SPACE_H
#define MODEL_BUS_PCI_SPACE_H

#include <model/model.h>
#include <rt/base.h>

#define PCI_SPACE_BYTES      4096u
#define PCI_SPACE_IDS        0x00u
#define PCI_SPACE_COMMAND    0x04u
#define PCI_SPACE_STATUS     0x06u
#define PCI_SPACE_CLASS      0x08u
#define PCI_SPACE_CACHE_LINE 0x0cu
#define PCI_SPACE_BAR0       0x10u /* registers, 64 bit */
#define PCI_SPACE_BAR2       0x18u /* I/O window */
#define PCI_SPACE_BAR4       0x20u /* MSI-X table and pending bits, 64 bit */
#define PCI_SPACE_SUBSYSTEM  0x2cu
#define PCI_SPACE_CAPS       0x34u
#define PCI_SPACE_LINE       0x3cu
#define PCI_SPACE_PM         0x40u /* the chain: power, MSI, MSI-X, PCI Express (the device's) */
#define PCI_SPACE_MSI        0x50u
#define PCI_SPACE_MSIX       0x70u
#define PCI_SPACE_PCIE       0xa0u
#define PCI_COMMAND_MEMORY   RT_BIT(1)
#define PCI_COMMAND_MASTER   RT_BIT(2)
#define PCI_COMMAND_NO_INTX  RT_BIT(10)
#define PCI_STATUS_INTX      0x08u
#define PCI_MSI_ENABLE       RT_BIT(16) /* in the capability's first word */
#define PCI_MSIX_ENABLE      RT_BIT(31)
#define PCI_MSIX_MASK_ALL    RT_BIT(30)
#define PCI_BAR4_BYTES       0x4000u
#define PCI_MSIX_PBA         0x2000u

struct pci_space {
    uint8_t value[PCI_SPACE_BYTES];
    uint8_t writable[PCI_SPACE_BYTES];
};

/* One word, and which of its bits can be written. */
void pci_space_set(struct pci_space *space, uint32_t offset, uint32_t value, uint32_t writable);
/* Everything of a device as after power-on: what all have in common, then ops->space(). */
void pci_space_init(struct pci_space *space, const struct model_ops *ops, const void *dev);
/* Function reset: what a driver had written. */
void pci_space_reset(struct pci_space *space);
uint32_t pci_space_get32(const struct pci_space *space, uint32_t offset);
/* `bytes` up to 8; what lies outside reads as ones and is not written. */
void pci_space_read(const struct pci_space *space, uint32_t offset, void *out, uint32_t bytes);
void pci_space_write(struct pci_space *space, uint32_t offset, const void *in, uint32_t bytes);
/* What the command register allows. */
bool pci_space_may_dma(const struct pci_space *space);
/* How the machine wants interrupts now. */
enum model_irq pci_space_irq(const struct pci_space *space);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions: find, name, map, quiet, route interrupts. Core 0 only, before the seal.
 * Built on hal_pci_read32/write32 alone, so that it runs on fakes.
 * Sources: PCI Local Bus 3.0 chapter 6 (header, MSI 6.8.1, MSI-X 6.8.2), PCIe 4.0 7.5.3 (ASPM).
 */
#ifndef RT_PCI_H
#define RT_PCI_H

#include <rt/base.h>
#include <rt/hal.h>

#define PCI_DEVICES_MAX 256
#define PCI_MSIX_VECTORS_MAX 64

struct pci_dev {
    uint32_t bdf;
    uint16_t vendor, device, subvendor, subdevice;
    uint8_t class_code, subclass, prog_if, revision;
    uint32_t parent_bdf;  /* bridge above; UINT32_MAX on a root bus */
    bool owned;           /* a driver has it */
    uint32_t bar[6];      /* as firmware left them */
    uint16_t express[3];  /* so, too: Device, Link and Device 2 Control; 0: there is none */
    struct hal_mmio msix; /* BAR that holds the MSI-X table, mapped by pci_msix_enable */
    uint32_t msix_offset; /* of the table in it */
    uint32_t msix_entries; /* usable; 0 while MSI-X is off */
};

/* Functions that a driver may want: network and NVMe. A large server has hundreds of others
 * (the uncore of a Xeon alone is 78 a socket), which are counted only. */
struct pci_table {
    uint32_t count;
    struct pci_dev dev[PCI_DEVICES_MAX];
};
extern struct pci_table pci_table;

/* Fills pci_table: in each of hal_pci_range() the buses of every host bridge and of all bridges
 * below. Bounded. Quiets what pci_quiet() could not see yet: before drivers. */
void pci_scan(void);
/* Clears bus mastering of every network and NVMe function: loaders leave their DMA on.
 * Returns how many had it on. May run before ACPI is read. */
uint32_t pci_quiet(void);
/* Clears bus mastering of every function of pci_table: neither DMA nor messages any more. For
 * whoever ends the machine: any core, no lock, nothing waits for a device. */
void pci_silence(void);
/* "Intel Corporation", "82574L Gigabit Network Connection", "Ethernet controller"; "" when the
 * table (network, NVMe and bridge part of the PCI ID database) lacks it. Valid until the next
 * call of the same function. */
const char *pci_vendor_name(uint16_t vendor);
const char *pci_device_name(uint16_t vendor, uint16_t device);
const char *pci_class_name(uint8_t class_code, uint8_t subclass);

/* Configuration space; `offset` in bytes, a multiple of the width. All ones: it is gone.
 * Writing 16 bits writes the other half of the dword back, but for the command register. */
uint16_t pci_read16(const struct pci_dev *dev, uint32_t offset);
uint32_t pci_read32(const struct pci_dev *dev, uint32_t offset);
void pci_write16(const struct pci_dev *dev, uint32_t offset, uint16_t value);
void pci_write32(const struct pci_dev *dev, uint32_t offset, uint32_t value);
/* Offset of a capability, 0 when there is none. The walk is bounded. */
uint32_t pci_find_cap(const struct pci_dev *dev, uint8_t id);

/* DMA and messages of the function on or off; has arrived when it returns. */
void pci_bus_master(const struct pci_dev *dev, bool on);
/* Physical base and size of a memory BAR (size probing with decode off). RT_UNSUPPORTED: an
 * I/O BAR; RT_NOT_FOUND: not there, or no address; RT_IO: gone, or it answers nonsense. */
RT_NODISCARD enum rt_status pci_bar(const struct pci_dev *dev, unsigned bar, phys_t *base,
                                    size_t *bytes);
/* The same, mapped; errors are those of pci_bar() and hal_map_mmio(). Memory decoding is on
 * then. */
RT_NODISCARD enum rt_status pci_map_bar(const struct pci_dev *dev, unsigned bar,
                                        struct hal_mmio *mmio);
/* A function that was off the bus comes back without addresses, and with other limits than the
 * port above it has: it gets its own again (ASPM stays off), and decodes them. Nothing when it
 * is not there. */
void pci_restore(const struct pci_dev *dev);
/* Clears ASPM L0s and L1 of the device and of the port above it. */
void pci_aspm_off(const struct pci_dev *dev);

uint32_t pci_msix_count(const struct pci_dev *dev); /* 0: no MSI-X */
/* Enables MSI-X with all entries masked, INTx off. RT_UNSUPPORTED without the capability; RT_IO
 * when its table is not inside its BAR. */
RT_NODISCARD enum rt_status pci_msix_enable(struct pci_dev *dev);
/* Entry below msix_entries: points it at `irq` and unmasks it; NULL masks it. */
void pci_msix_set(const struct pci_dev *dev, uint32_t entry, const struct hal_irq *irq);
void pci_msix_disable(struct pci_dev *dev); /* enable it again before another set */
/* One message for all causes, INTx off. RT_UNSUPPORTED: without the capability, or the address
 * does not fit; RT_IO: the function is gone. */
RT_NODISCARD enum rt_status pci_msi_enable(const struct pci_dev *dev,
                                           const struct hal_irq *irq);
void pci_msi_disable(const struct pci_dev *dev);
void pci_intx(const struct pci_dev *dev, bool on); /* whether it may pull its line */

#endif

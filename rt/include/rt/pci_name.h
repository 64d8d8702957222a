/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed name table that tools/pciids.py makes; see there for the packing. */
#ifndef RT_PCI_NAME_H
#define RT_PCI_NAME_H

#include <rt/base.h>

#define PCI_NAME_BYTES 121 /* the longest name with its NUL */
#define PCI_SUBCLASS_ANY 0xff

struct pci_vendor_row {
    uint16_t vendor;
    uint16_t name;         /* place in pci_name_text */
    uint16_t first_device; /* row in pci_device_rows; the next vendor's ends the list */
};
struct pci_device_row {
    uint16_t device;
    uint16_t name;
};
struct pci_class_row {
    uint8_t class_code;
    uint8_t subclass;
    uint16_t name;
};

extern const uint8_t pci_name_text[];
extern const uint8_t pci_name_pairs[][2];
extern const struct pci_vendor_row pci_vendor_rows[]; /* sorted, one more to end the last */
extern const struct pci_device_row pci_device_rows[]; /* sorted within a vendor */
extern const struct pci_class_row pci_class_rows[];
extern const uint32_t pci_vendor_count, pci_class_count, pci_name_pair_count;
extern const uint32_t pci_name_text_bytes;

#endif

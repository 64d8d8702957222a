/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration access of the bare machine (hal_pci_read32 and its kin, <rt/hal.h>). */
#ifndef RT_X86_PCI_CONFIG_H
#define RT_X86_PCI_CONFIG_H

#include <rt/acpi.h>

/* Ports 0xCF8/0xCFC work before any call, for the first 256 bytes of each function. With ECAM
 * windows in `info` accesses go there from now on; windows must be inside the identity
 * map, or become so by hal_map_mmio, which this calls. Core 0, after the page tables. */
void pci_config_init(const struct acpi_info *info);

/* "ecam" or "ports", for the boot log. */
const char *pci_config_method(void);

#endif

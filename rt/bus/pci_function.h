/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside rt/bus: what the parts of PCI share. */
#ifndef PCI_FUNCTION_H
#define PCI_FUNCTION_H

#include <rt/pci.h>

#include "pci_reg.h"

/* It answers no more. */
bool pci_is_gone(const struct pci_dev *dev);
/* Changes bits of the command register; nothing when the device is gone. */
void pci_command_update(const struct pci_dev *dev, uint32_t clear, uint32_t set);

/* Keeps what firmware has set and pci_restore() gives back: addresses, PCI Express controls. */
void pci_keep(struct pci_dev *dev);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IOMMUs that a previous kernel (kexec) or firmware left on. We give devices physical addresses
 * and interrupts in the compatibility format: a unit that still translates DMA sends them
 * nowhere, and one that still remaps interrupts blocks them. Both are silent, so each unit that
 * the tables describe is looked at, and switched off when it is on.
 *
 * Core 0, before drivers, with DMA of network and NVMe functions off (pci_scan does that): what
 * goes through a translation now would go to the same numbers in memory afterwards.
 * Sources: Intel VT-d 4.1 chapter 11.4, AMD IOMMU 3.08 section 3.4.
 */
#ifndef RT_IOMMU_H
#define RT_IOMMU_H

#include <rt/acpi.h>

/* Every unit; a line for each that was on, with a remedy when it does not go off. */
void iommu_off(const struct acpi_info *acpi);
/* One unit. RT_TIMEOUT: it stays on; RT_IO: nothing that looks like one is there. */
RT_NODISCARD enum rt_status iommu_unit_off(const struct acpi_iommu *unit);

#endif

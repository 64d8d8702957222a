/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel: which of a driver's models a function is. */
#include "intel.h"

const void *intel_model_of(const struct pci_dev *pci, const void *models, size_t count,
                           size_t bytes)
{
    RT_ASSERT_LE(sizeof(pci->device), bytes);
    if (pci->vendor != INTEL_VENDOR)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const void *row = (const char *)models + i * bytes;
        uint16_t device;

        __builtin_memcpy(&device, row, sizeof(device));
        if (device == pci->device)
            return row;
    }
    return NULL;
}

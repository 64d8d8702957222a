/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every software device is to those who hold it: the PCI bus of rt/host (bus/), a
 * vfio-user server (vfio/). They know these functions and no device; a device knows none of them.
 *
 * All devices have the same outline: BAR 0 is the registers, BAR 2 an I/O window to them where
 * the device has one, BAR 4 the MSI-X table and its pending bits (kept by who holds the device).
 * A device has no thread and acts in these calls only, one at a time. Time is an argument.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_VECTORS_MAX 64u /* MSI-X, of any device */

struct pci_space;

enum model_irq { MODEL_IRQ_NONE, MODEL_IRQ_INTX, MODEL_IRQ_MSI, MODEL_IRQ_MSIX };

struct model_ops {
    uint32_t register_bytes; /* BAR 0, a power of two */
    uint32_t io_bytes;       /* BAR 2, 0: there is none; its first words are address and data */
    unsigned vectors;        /* MSI-X, at most MODEL_VECTORS_MAX */

    /* Writes the configuration space of a device that nobody has driven yet. */
    void (*space)(const void *dev, struct pci_space *space);
    /* PCI or power-on reset. */
    void (*power_on)(void *dev);
    /* A removed device is plugged in again, and is reset. */
    void (*replug)(void *dev);
    void (*destroy)(void *dev);

    /* Registers, at multiples of 4; elsewhere reads give all ones, writes do nothing. */
    uint32_t (*read32)(void *dev, uint32_t offset);
    void (*write32)(void *dev, uint32_t offset, uint32_t value);

    /* As the machine enables interrupts in configuration space. */
    void (*irq_mode)(void *dev, enum model_irq mode);
    /* INTx is level triggered: sent again when a cause is still pending. */
    void (*irq_again)(void *dev);
    bool (*irq_line)(const void *dev);

    /* Time moves, nothing happens. */
    void (*clock)(void *dev, uint64_t now_ns);
    /* Time moves, and what was due happens. */
    void (*step)(void *dev, uint64_t now_ns);
    /* When step() next has something to do; UINT64_MAX: nothing is waiting. */
    uint64_t (*next_ns)(const void *dev);
};

#endif

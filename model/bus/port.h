/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device on the PCI bus of rt/host: pci_scan() finds it like any other, its messages arrive
 * through host_msi(), its INTx through host_line(). The bus is the process's, as rt/host is, and
 * so is the list of ports. One thread.
 */
#ifndef MODEL_BUS_PORT_H
#define MODEL_BUS_PORT_H

#include "bus/pci_space.h"

/* First member of what a device's own port is; allocated with malloc, freed by
 * model_port_reset_all(). */
struct model_port {
    const struct model_ops *ops;
    void *dev;
    struct pci_space space;
    uint32_t bdf;
    uint32_t bar4[PCI_BAR4_BYTES / 4]; /* MSI-X table, then pending bits */
    uint64_t messages[MODEL_VECTORS_MAX];
};

/* True: function 00:slot.0 is free, slot 0 to 7. */
bool model_port_free(unsigned slot);
/*
 * Puts `dev` on the bus as 00:slot.0, and owns it from then on. `registers`: plain memory of
 * ops->register_bytes that the driver uses as BAR 0; NULL: each access is a call. False: no room
 * in the host's map; the caller still owns port and device.
 */
bool model_port_plug(struct model_port *port, unsigned slot, const struct model_ops *ops,
                     void *dev, void *registers);
/* Plugged in again: no address, nothing decoded, no interrupt enabled. */
void model_port_replug(struct model_port *port);
/* What a device's `interrupt` comes to. */
void model_port_interrupt(struct model_port *port, unsigned vector);
/* Takes all ports off the bus, destroys their devices and frees them. Calls host_mmio_reset(). */
void model_port_reset_all(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An 82599 plugged into the PCI bus of rt/host: pci_scan() and nic_probe_all() find it like any
 * other card, its messages arrive through host_msi(), its INTx through host_line(). BARs have
 * addresses. For unit tests and native benchmarks; the bus is the process's, as rt/host is.
 */
#ifndef MODEL_X82599_PORT_H
#define MODEL_X82599_PORT_H

#include <model/x82599.h>
#include <rt/hal.h>

struct x82599_port;

enum x82599_access {
    X82599_CALLS, /* every register access is a call into the model */
    X82599_PLAIN, /* registers are plain memory: see x82599_look() */
};

/*
 * Adds function 00:slot.0, slot 0 to 7. `config` is copied; its `interrupt` and `bar` are
 * ignored, and without a `dma` the device refuses to move data while bus mastering is off
 * and trusts addresses. NULL: no memory, or the slot is taken.
 */
struct x82599_port *x82599_port_add(unsigned slot, const struct x82599_config *config,
                                    enum x82599_access access);
struct x82599 *x82599_port_device(struct x82599_port *port);
uint32_t x82599_port_bdf(const struct x82599_port *port);
/* The MSI-X capability is hidden from the next pci_scan() on: MSI, or with both no interrupt. */
void x82599_port_hide(struct x82599_port *port, bool msix, bool msi);
/* The MSI-X table is said to be in a BAR that does not exist. */
void x82599_port_break_msix(struct x82599_port *port, bool broken);
/* A removed device is plugged in again, at the end of a link that was down: no address, nothing
 * decoded, no interrupt enabled. */
void x82599_port_replug(struct x82599_port *port);
/* MSI-X messages sent, by vector. MSI and INTx count in 0. */
uint64_t x82599_port_messages(const struct x82599_port *port, unsigned vector);
/* Takes all ports off the bus and frees them. Calls host_mmio_reset(). */
void x82599_port_reset_all(void);

/* The registers as a hal_mmio, without PCI. */
struct hal_mmio x82599_mmio(struct x82599 *dev, enum x82599_access access);

#endif

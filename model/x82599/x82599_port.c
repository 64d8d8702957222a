/* SPDX-License-Identifier: BSD-2-Clause */
#include <model/x82599_port.h>

#include "bus/port.h"
#include "x82599_state.h"

#include <stdlib.h>

struct x82599_port {
    struct model_port port;    /* first: model_port_reset_all() frees it */
    struct x82599_config user; /* the caller's callbacks */
};

/* ---- what the device asks of its bus ---- */

static void *on_dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    struct x82599_port *port = ctx;

    if (!pci_space_may_dma(&port->port.space))
        return NULL;
    if (port->user.dma != NULL)
        return port->user.dma(port->user.ctx, phys, bytes, device_writes);
    return (void *)(uintptr_t)phys;
}

static void on_transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct x82599_port *port = ctx;

    port->user.transmit(port->user.ctx, queue, frame, bytes);
}

static void on_wrote(void *ctx, void *p, uint32_t bytes)
{
    struct x82599_port *port = ctx;

    port->user.wrote(port->user.ctx, p, bytes);
}

static void on_interrupt(void *ctx, unsigned vector)
{
    model_port_interrupt(ctx, vector);
}

/* ---- registers without PCI ---- */

static uint32_t mmio_read(void *ctx, uint32_t offset)
{
    x82599_clock(ctx, hal_now_us() * 1000);
    return x82599_read32(ctx, offset);
}

static void mmio_write(void *ctx, uint32_t offset, uint32_t value)
{
    x82599_clock(ctx, hal_now_us() * 1000);
    x82599_write32(ctx, offset, value);
}

struct hal_mmio x82599_mmio(struct x82599 *dev, enum x82599_access access)
{
    static const struct hal_mmio_ops calls = {mmio_read, mmio_write};

    if (access == X82599_PLAIN)
        return (struct hal_mmio){x82599_bar(dev), X82599_BAR_BYTES, NULL, NULL};
    return (struct hal_mmio){NULL, X82599_BAR_BYTES, &calls, dev};
}

/* ---- life ---- */

static struct x82599 *create(struct x82599_port *port)
{
    struct x82599_config mine = port->user;

    mine.ctx = port;
    mine.bar = NULL;
    mine.dma = on_dma;
    mine.interrupt = on_interrupt;
    mine.transmit = port->user.transmit != NULL ? on_transmit : NULL;
    mine.wrote = port->user.wrote != NULL ? on_wrote : NULL;
    return x82599_create(&mine);
}

struct x82599_port *x82599_port_add(unsigned slot, const struct x82599_config *config,
                                    enum x82599_access access)
{
    struct x82599_port *port = model_port_free(slot) ? calloc(1, sizeof(*port)) : NULL;
    struct x82599 *dev;
    void *registers;

    if (port == NULL)
        return NULL;
    port->user = *config;
    dev = create(port);
    if (dev == NULL) {
        free(port);
        return NULL;
    }
    registers = access == X82599_PLAIN ? dev->reg : NULL;
    if (!model_port_plug(&port->port, slot, &x82599_ops, dev, registers)) {
        x82599_destroy(dev);
        free(port);
        return NULL;
    }
    return port;
}

struct x82599 *x82599_port_device(struct x82599_port *port)
{
    RT_ASSERT(port->port.dev != NULL);
    return port->port.dev;
}

uint32_t x82599_port_bdf(const struct x82599_port *port)
{
    return port->port.bdf;
}

void x82599_port_hide(struct x82599_port *port, bool msix, bool msi)
{
    struct pci_space *space = &port->port.space;
    uint8_t next = msix ? PCI_SPACE_PCIE : PCI_SPACE_MSIX;

    space->value[PCI_SPACE_MSI + 1] = next;
    space->value[PCI_SPACE_PM + 1] = msi ? next : PCI_SPACE_MSI;
}

void x82599_port_break_msix(struct x82599_port *port, bool broken)
{
    /* the BAR that holds the table */
    port->port.space.value[PCI_SPACE_MSIX + 4] = broken ? 7 : 4;
}

void x82599_port_replug(struct x82599_port *port)
{
    model_port_replug(&port->port);
}

uint64_t x82599_port_messages(const struct x82599_port *port, unsigned vector)
{
    return vector < X82599_VECTORS ? port->port.messages[vector] : 0;
}

void x82599_port_reset_all(void)
{
    model_port_reset_all();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The list is file scope because the bus of rt/host is, too. */
#include "bus/port.h"

#include <rt/assert.h>
#include <rt/host.h>

#include <stdlib.h>

#define SLOTS 8u
#define FUNCTIONS 8u /* of a slot */
#define BUS_ADDRESS 0xe0000000u
#define SLOT_BYTES 0x100000u
#define ENTRY_WORDS 4u /* of the MSI-X table: address, data, control */
#define ENTRY_CONTROL 3u
#define ENTRY_MASKED 1u

static struct model_port *ports[SLOTS];

/* ---- interrupts ---- */

static void send_msix(struct model_port *port, unsigned vector)
{
    const uint32_t *entry = port->bar4 + (size_t)vector * ENTRY_WORDS;
    uint32_t msix = pci_space_get32(&port->space, PCI_SPACE_MSIX);

    RT_ASSERT_LT(vector, port->ops->vectors);
    if ((msix & PCI_MSIX_MASK_ALL) != 0 || (entry[ENTRY_CONTROL] & ENTRY_MASKED) != 0) {
        port->bar4[PCI_MSIX_PBA / 4 + vector / 32] |= RT_BIT(vector % 32);
        return;
    }
    if (!pci_space_may_dma(&port->space))
        return; /* a message is a write to memory */
    port->messages[vector]++;
    host_msi((uint64_t)entry[1] << 32 | entry[0], entry[2]);
}

static void send_msi(struct model_port *port)
{
    const struct pci_space *space = &port->space;

    if (!pci_space_may_dma(space))
        return;
    port->messages[0]++;
    host_msi((uint64_t)pci_space_get32(space, PCI_SPACE_MSI + 8) << 32 |
                 pci_space_get32(space, PCI_SPACE_MSI + 4),
             pci_space_get32(space, PCI_SPACE_MSI + 12));
}

static void raise_line(struct model_port *port)
{
    if ((pci_space_get32(&port->space, PCI_SPACE_COMMAND) & PCI_COMMAND_NO_INTX) != 0)
        return;
    port->messages[0]++;
    host_line(pci_space_get32(&port->space, PCI_SPACE_LINE) & 0xff);
}

void model_port_interrupt(struct model_port *port, unsigned vector)
{
    switch (pci_space_irq(&port->space)) {
    case MODEL_IRQ_MSIX:
        send_msix(port, vector);
        return;
    case MODEL_IRQ_MSI:
        send_msi(port);
        return;
    case MODEL_IRQ_INTX:
    case MODEL_IRQ_NONE:
    default:
        raise_line(port);
        return;
    }
}

/* ---- configuration space ---- */

static struct model_port *port_at(uint32_t bdf)
{
    return bdf % FUNCTIONS == 0 && bdf / FUNCTIONS < SLOTS ? ports[bdf / FUNCTIONS] : NULL;
}

static uint32_t config_read(void *ctx, uint32_t bdf, uint32_t offset)
{
    const struct model_port *port = port_at(bdf);

    return port == NULL ? UINT32_MAX : pci_space_get32(&port->space, offset);
}

static void config_write(void *ctx, uint32_t bdf, uint32_t offset, uint32_t value)
{
    struct model_port *port = port_at(bdf);

    if (port == NULL)
        return;
    pci_space_write(&port->space, offset, &value, sizeof(value));
    port->ops->irq_mode(port->dev, pci_space_irq(&port->space));
}

/* ---- registers ---- */

/* Behind its BAR, when the function has an address and decodes it. */
static bool decodes(const struct model_port *port)
{
    return (pci_space_get32(&port->space, PCI_SPACE_COMMAND) & PCI_COMMAND_MEMORY) != 0 &&
           (pci_space_get32(&port->space, PCI_SPACE_BAR0) & ~0xfu) != 0;
}

static uint32_t port_read(void *ctx, uint32_t offset)
{
    const struct model_port *port = ctx;

    if (!decodes(port))
        return UINT32_MAX;
    port->ops->clock(port->dev, hal_now_us() * 1000);
    return port->ops->read32(port->dev, offset);
}

static void port_write(void *ctx, uint32_t offset, uint32_t value)
{
    const struct model_port *port = ctx;

    if (!decodes(port))
        return;
    port->ops->clock(port->dev, hal_now_us() * 1000);
    port->ops->write32(port->dev, offset, value);
}

static const struct hal_mmio_ops port_calls = {port_read, port_write};

/* ---- life ---- */

static void mask_all(struct model_port *port)
{
    for (unsigned i = 0; i < port->ops->vectors; i++)
        port->bar4[i * ENTRY_WORDS + ENTRY_CONTROL] = ENTRY_MASKED;
}

bool model_port_free(unsigned slot)
{
    return slot < SLOTS && ports[slot] == NULL;
}

bool model_port_plug(struct model_port *port, unsigned slot, const struct model_ops *ops,
                     void *dev, void *registers)
{
    static const struct host_pci_ops pci = {config_read, config_write};
    uint32_t bar0 = BUS_ADDRESS + slot * SLOT_BYTES, bar4 = bar0 + SLOT_BYTES / 2;

    RT_ASSERT(model_port_free(slot));
    RT_ASSERT_LE(ops->vectors, MODEL_VECTORS_MAX);
    port->ops = ops;
    port->dev = dev;
    port->bdf = slot * FUNCTIONS;
    pci_space_init(&port->space, ops, dev);
    pci_space_write(&port->space, PCI_SPACE_BAR0, &bar0, sizeof(bar0));
    pci_space_write(&port->space, PCI_SPACE_BAR4, &bar4, sizeof(bar4));
    mask_all(port);
    host_pci(&pci, NULL, 0);
    if (host_mmio_add(bar0, ops->register_bytes, registers != NULL ? NULL : &port_calls,
                      registers != NULL ? registers : port) != RT_OK ||
        host_mmio_add(bar4, PCI_BAR4_BYTES, NULL, port->bar4) != RT_OK)
        return false;
    ports[slot] = port;
    return true;
}

void model_port_replug(struct model_port *port)
{
    uint32_t zero = 0;

    pci_space_reset(&port->space);
    pci_space_write(&port->space, PCI_SPACE_LINE, &zero, sizeof(zero));
    pci_space_write(&port->space, PCI_SPACE_BAR0, &zero, sizeof(zero));
    pci_space_write(&port->space, PCI_SPACE_BAR4, &zero, sizeof(zero));
    mask_all(port);
    port->ops->replug(port->dev);
}

void model_port_reset_all(void)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (ports[slot] == NULL)
            continue;
        ports[slot]->ops->destroy(ports[slot]->dev);
        free(ports[slot]);
        ports[slot] = NULL;
    }
    host_mmio_reset();
}

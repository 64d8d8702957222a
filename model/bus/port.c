/* SPDX-License-Identifier: BSD-2-Clause */
/* Models on the PCI bus of rt/host. The list is file scope because that bus is, too. */
#include <model/port.h>

#include "pci_space.h"

#include <rt/host.h>

#include <stdlib.h>
#include <string.h>

#define SLOTS 8u
#define BUS_ADDRESS 0xe0000000u
#define SLOT_BYTES 0x100000u


struct x82599_port {
    struct x82599 *dev;
    struct pci_space space;
    struct x82599_config user; /* the caller's callbacks */
    uint32_t bdf;
    uint32_t bar4[PCI_BAR4_BYTES / 4]; /* MSI-X table, then pending bits */
    uint64_t messages[X82599_VECTORS];
};

static struct x82599_port *ports[SLOTS];

/* ---- what the device asks of its bus ---- */

static void *port_dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    struct x82599_port *port = ctx;

    if ((pci_space_get32(&port->space, PCI_SPACE_COMMAND) & PCI_COMMAND_MASTER) == 0)
        return NULL;
    if (port->user.dma != NULL)
        return port->user.dma(port->user.ctx, phys, bytes, device_writes);
    return (void *)(uintptr_t)phys;
}

static void port_transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct x82599_port *port = ctx;

    port->user.transmit(port->user.ctx, queue, frame, bytes);
}

static void port_wrote(void *ctx, void *p, uint32_t bytes)
{
    struct x82599_port *port = ctx;

    port->user.wrote(port->user.ctx, p, bytes);
}

static void port_interrupt(void *ctx, unsigned vector)
{
    struct x82599_port *port = ctx;
    const uint32_t *entry = port->bar4 + (size_t)vector * 4;
    uint32_t msix = pci_space_get32(&port->space, PCI_SPACE_MSIX);
    uint32_t msi = pci_space_get32(&port->space, PCI_SPACE_MSI);
    uint32_t command = pci_space_get32(&port->space, PCI_SPACE_COMMAND);

    if ((msix & PCI_MSIX_ENABLE) != 0) {
        if ((msix & PCI_MSIX_MASK_ALL) != 0 || (entry[3] & 1) != 0) {
            port->bar4[PCI_MSIX_PBA / 4 + vector / 32] |= RT_BIT(vector % 32);
            return;
        }
        if ((command & PCI_COMMAND_MASTER) == 0)
            return; /* a message is a write to memory */
        port->messages[vector]++;
        host_msi((uint64_t)entry[1] << 32 | entry[0], entry[2]);
    } else if ((msi & PCI_MSI_ENABLE) != 0) {
        if ((command & PCI_COMMAND_MASTER) == 0)
            return;
        port->messages[0]++;
        host_msi((uint64_t)pci_space_get32(&port->space, PCI_SPACE_MSI + 8) << 32 |
                     pci_space_get32(&port->space, PCI_SPACE_MSI + 4),
                 pci_space_get32(&port->space, PCI_SPACE_MSI + 12));
    } else if ((command & PCI_COMMAND_NO_INTX) == 0) {
        port->messages[0]++;
        host_line(pci_space_get32(&port->space, PCI_SPACE_LINE) & 0xff);
    }
}

/* ---- configuration space ---- */

static struct x82599_port *port_at(uint32_t bdf)
{
    return bdf % 8 == 0 && bdf / 8 < SLOTS ? ports[bdf / 8] : NULL;
}

static uint32_t config_read(void *ctx, uint32_t bdf, uint32_t offset)
{
    const struct x82599_port *port = port_at(bdf);

    return port == NULL ? UINT32_MAX : pci_space_get32(&port->space, offset);
}

static void config_write(void *ctx, uint32_t bdf, uint32_t offset, uint32_t value)
{
    struct x82599_port *port = port_at(bdf);
    enum x82599_irq_mode mode = X82599_IRQ_INTX;

    if (port == NULL)
        return;
    pci_space_write(&port->space, offset, &value, sizeof(value));
    if ((pci_space_get32(&port->space, PCI_SPACE_MSIX) & PCI_MSIX_ENABLE) != 0)
        mode = X82599_IRQ_MSIX;
    else if ((pci_space_get32(&port->space, PCI_SPACE_MSI) & PCI_MSI_ENABLE) != 0)
        mode = X82599_IRQ_MSI;
    x82599_irq_mode(port->dev, mode);
}

/* ---- registers ---- */

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

static const struct hal_mmio_ops mmio_calls = {mmio_read, mmio_write};

struct hal_mmio x82599_mmio(struct x82599 *dev, enum x82599_access access)
{
    if (access == X82599_PLAIN)
        return (struct hal_mmio){x82599_bar(dev), X82599_BAR_BYTES, NULL, NULL};
    return (struct hal_mmio){NULL, X82599_BAR_BYTES, &mmio_calls, dev};
}

/* Behind its BAR, when the function has an address and decodes it. */
static bool decodes(const struct x82599_port *port)
{
    return (pci_space_get32(&port->space, PCI_SPACE_COMMAND) & PCI_COMMAND_MEMORY) != 0 &&
           (pci_space_get32(&port->space, PCI_SPACE_BAR0) & ~0xfu) != 0;
}

static uint32_t port_read(void *ctx, uint32_t offset)
{
    const struct x82599_port *port = ctx;

    return decodes(port) ? mmio_read(port->dev, offset) : UINT32_MAX;
}

static void port_write(void *ctx, uint32_t offset, uint32_t value)
{
    const struct x82599_port *port = ctx;

    if (decodes(port))
        mmio_write(port->dev, offset, value);
}

static const struct hal_mmio_ops port_calls = {port_read, port_write};

/* ---- life ---- */

static bool plug(struct x82599_port *port, unsigned slot, enum x82599_access access)
{
    static const struct host_pci_ops pci = {config_read, config_write};
    uint32_t bar0 = BUS_ADDRESS + slot * SLOT_BYTES, bar4 = bar0 + SLOT_BYTES / 2;
    struct hal_mmio mmio = x82599_mmio(port->dev, access);

    pci_space_write(&port->space, PCI_SPACE_BAR0, &bar0, sizeof(bar0));
    pci_space_write(&port->space, PCI_SPACE_BAR4, &bar4, sizeof(bar4));
    for (unsigned i = 0; i < X82599_VECTORS; i++)
        port->bar4[i * 4 + 3] = 1; /* masked after reset */
    host_pci(&pci, NULL, 0);
    return host_mmio_add(bar0, X82599_BAR_BYTES, mmio.ops != NULL ? &port_calls : NULL,
                         mmio.ops != NULL ? port : (void *)(uintptr_t)mmio.base) == RT_OK &&
           host_mmio_add(bar4, PCI_BAR4_BYTES, NULL, port->bar4) == RT_OK;
}

struct x82599_port *x82599_port_add(unsigned slot, const struct x82599_config *config,
                                    enum x82599_access access)
{
    struct x82599_port *port;
    struct x82599_config mine = *config;
    uint8_t mac[6];

    if (slot >= SLOTS || ports[slot] != NULL)
        return NULL;
    port = calloc(1, sizeof(*port));
    if (port == NULL)
        return NULL;
    port->user = *config;
    port->bdf = slot * 8;
    mine.ctx = port;
    mine.bar = NULL;
    mine.dma = port_dma;
    mine.interrupt = port_interrupt;
    mine.transmit = config->transmit != NULL ? port_transmit : NULL;
    mine.wrote = config->wrote != NULL ? port_wrote : NULL;
    port->dev = x82599_create(&mine);
    if (port->dev == NULL) {
        free(port);
        return NULL;
    }
    x82599_mac(port->dev, mac);
    pci_space_init(&port->space, mine.device_id != 0 ? mine.device_id : X82599_ID_SFP, mac);
    if (!plug(port, slot, access)) {
        x82599_destroy(port->dev);
        free(port);
        return NULL;
    }
    ports[slot] = port;
    return port;
}

struct x82599 *x82599_port_device(struct x82599_port *port)
{
    return port->dev;
}

uint32_t x82599_port_bdf(const struct x82599_port *port)
{
    return port->bdf;
}

void x82599_port_hide(struct x82599_port *port, bool msix, bool msi)
{
    uint8_t next = msix ? 0xa0 : PCI_SPACE_MSIX;

    port->space.value[PCI_SPACE_MSI + 1] = next;
    port->space.value[0x41] = msi ? next : PCI_SPACE_MSI;
}

void x82599_port_break_msix(struct x82599_port *port, bool broken)
{
    port->space.value[PCI_SPACE_MSIX + 4] = broken ? 7 : 4; /* the BAR that holds the table */
}

void x82599_port_replug(struct x82599_port *port)
{
    uint32_t zero = 0;

    pci_space_reset(&port->space);
    pci_space_write(&port->space, PCI_SPACE_LINE, &zero, sizeof(zero));
    pci_space_write(&port->space, PCI_SPACE_BAR0, &zero, sizeof(zero));
    pci_space_write(&port->space, PCI_SPACE_BAR4, &zero, sizeof(zero));
    for (unsigned i = 0; i < X82599_VECTORS; i++)
        port->bar4[i * 4 + 3] = 1;
    x82599_replug(port->dev);
}

uint64_t x82599_port_messages(const struct x82599_port *port, unsigned vector)
{
    return vector < X82599_VECTORS ? port->messages[vector] : 0;
}

void x82599_port_reset_all(void)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (ports[slot] == NULL)
            continue;
        x82599_destroy(ports[slot]->dev);
        free(ports[slot]);
        ports[slot] = NULL;
    }
    host_mmio_reset();
}

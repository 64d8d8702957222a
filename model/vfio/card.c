/* SPDX-License-Identifier: BSD-2-Clause */
#include "vfio/card.h"

#include <rt/assert.h>
#include <string.h>

#define IO_DATA 4u /* in BAR 2, behind the address */

/* ---- interrupts ---- */

static enum vfu_irq kind_of(const struct card *card)
{
    static const enum vfu_irq kind[] = {
        [MODEL_IRQ_NONE] = VFU_INTX, [MODEL_IRQ_INTX] = VFU_INTX, [MODEL_IRQ_MSI] = VFU_MSI,
        [MODEL_IRQ_MSIX] = VFU_MSIX};

    return kind[pci_space_irq(&card->space)];
}

static bool intx_off(const struct card *card)
{
    return (pci_space_get32(&card->space, PCI_SPACE_COMMAND) & PCI_COMMAND_NO_INTX) != 0;
}

/* A vector that QEMU has given no eventfd is masked: its message waits, as in the PBA. */
void card_interrupt(struct card *card, unsigned vector)
{
    enum vfu_irq kind = kind_of(card);

    RT_ASSERT_LT(vector, card->ops->vectors);
    if (kind == VFU_INTX && intx_off(card))
        return; /* the line stays up: see on_write */
    if (!vfu_signal(&card->vfu, kind, vector))
        card->pending[kind] |= UINT64_C(1) << vector;
}

static void on_irqs_changed(void *ctx)
{
    struct card *card = ctx;

    for (unsigned kind = VFU_INTX; kind <= VFU_MSIX; kind++)
        for (unsigned vector = 0; vector < card->ops->vectors; vector++)
            if ((card->pending[kind] >> vector & 1) != 0 &&
                vfu_signal(&card->vfu, (enum vfu_irq)kind, vector))
                card->pending[kind] &= ~(UINT64_C(1) << vector);
}

static void on_unmasked(void *ctx)
{
    struct card *card = ctx;

    if (!intx_off(card))
        card->ops->irq_again(card->dev);
}

/* ---- regions ---- */

/* Accesses of 1, 2, 4 and 8 bytes as the 32 bit registers they touch. */
static void bar0_read(struct card *card, uint64_t offset, uint8_t *out, uint32_t bytes)
{
    RT_ASSERT_LT(offset, (uint64_t)card->ops->register_bytes);
    for (uint32_t i = 0; i < bytes;) { /* by at least one byte a turn */
        uint32_t at = (uint32_t)(offset + i) & 3, now = RT_MIN(bytes - i, 4 - at);
        uint32_t value = card->ops->read32(card->dev, (uint32_t)(offset + i) & ~3u);

        memcpy(out + i, (const uint8_t *)&value + at, now);
        i += now;
    }
}

/* Writes are of whole registers. */
static void bar0_write(struct card *card, uint64_t offset, const uint8_t *in, uint32_t bytes)
{
    uint32_t value;

    RT_ASSERT_LT(offset, (uint64_t)card->ops->register_bytes);
    for (uint32_t i = 0; i + 4 <= bytes && (offset & 3) == 0; i += 4) {
        memcpy(&value, in + i, 4);
        card->ops->write32(card->dev, (uint32_t)(offset + i), value);
    }
}

/* The address chooses a register, the data is it. */
static void io_read(struct card *card, uint64_t offset, uint8_t *out, uint32_t bytes)
{
    uint32_t value = offset == 0 ? card->io_address : UINT32_MAX;

    if (offset == IO_DATA)
        value = card->ops->read32(card->dev, card->io_address);
    memcpy(out, &value, RT_MIN(bytes, 4u));
}

static void io_write(struct card *card, uint64_t offset, const uint8_t *in, uint32_t bytes)
{
    uint32_t value;

    if (bytes != 4)
        return;
    memcpy(&value, in, 4);
    if (offset == 0)
        card->io_address = value;
    else if (offset == IO_DATA)
        card->ops->write32(card->dev, card->io_address, value);
}

static void config_read(struct card *card, uint64_t offset, void *out, uint32_t bytes)
{
    RT_ASSERT_LT(offset, (uint64_t)PCI_SPACE_BYTES);
    card->space.value[PCI_SPACE_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
    if (card->ops->irq_line(card->dev))
        card->space.value[PCI_SPACE_STATUS] |= PCI_STATUS_INTX;
    pci_space_read(&card->space, (uint32_t)offset, out, bytes);
}

static void config_write(struct card *card, uint64_t offset, const void *in, uint32_t bytes)
{
    bool was_off = intx_off(card);

    RT_ASSERT_LT(offset, (uint64_t)PCI_SPACE_BYTES);
    pci_space_write(&card->space, (uint32_t)offset, in, bytes);
    card->ops->irq_mode(card->dev, pci_space_irq(&card->space));
    if (was_off && !intx_off(card))
        card->ops->irq_again(card->dev);
}

static void on_read(void *ctx, unsigned region, uint64_t offset, void *out, uint32_t bytes)
{
    struct card *card = ctx;

    if (region == VFU_CONFIG && offset < PCI_SPACE_BYTES)
        config_read(card, offset, out, bytes);
    else if (region == VFU_BAR0 && offset < card->ops->register_bytes)
        bar0_read(card, offset, out, bytes);
    else if (region == VFU_BAR2 && card->ops->io_bytes > 0)
        io_read(card, offset, out, bytes);
    else if (region == VFU_BAR4) /* QEMU keeps the table; these are the pending bits */
        memcpy(out, &card->pending[VFU_MSIX], RT_MIN(bytes, 8u));
}

static void on_write(void *ctx, unsigned region, uint64_t offset, const void *in,
                     uint32_t bytes)
{
    struct card *card = ctx;

    if (region == VFU_CONFIG && offset < PCI_SPACE_BYTES)
        config_write(card, offset, in, bytes);
    else if (region == VFU_BAR0 && offset < card->ops->register_bytes)
        bar0_write(card, offset, in, bytes);
    else if (region == VFU_BAR2 && card->ops->io_bytes > 0)
        io_write(card, offset, in, bytes);
}

static void on_reset(void *ctx)
{
    struct card *card = ctx;

    memset(card->pending, 0, sizeof(card->pending));
    pci_space_reset(&card->space);
    card->ops->power_on(card->dev);
    card->ops->irq_mode(card->dev, pci_space_irq(&card->space));
}

/* ---- memory ---- */

void *card_dma(struct card *card, uint64_t phys, uint32_t bytes, bool device_writes)
{
    if (!pci_space_may_dma(&card->space))
        return NULL;
    return vfu_dma(&card->vfu, phys, bytes, device_writes);
}

/* ---- life ---- */

void card_init(struct card *card)
{
    memset(card, 0, sizeof(*card));
    card->vfu.share_fd = card->vfu.fd = card->vfu.listen_fd = -1;
}

bool card_listen(struct card *card, const struct model_ops *ops, void *dev, const char *socket)
{
    static const struct vfu_ops calls = {on_read, on_write, on_reset, on_irqs_changed,
                                         on_unmasked};

    RT_ASSERT_LE(ops->vectors, VFU_VECTORS);
    card->ops = ops;
    card->dev = dev;
    pci_space_init(&card->space, ops, dev);
    ops->irq_mode(dev, pci_space_irq(&card->space));
    card->vfu.ops = &calls;
    card->vfu.ctx = card;
    card->vfu.region_bytes[VFU_BAR0] = ops->register_bytes;
    card->vfu.region_bytes[VFU_BAR2] = ops->io_bytes;
    card->vfu.region_bytes[VFU_BAR4] = PCI_BAR4_BYTES;
    card->vfu.region_bytes[VFU_CONFIG] = PCI_SPACE_BYTES;
    card->vfu.irq_count[VFU_INTX] = 1;
    card->vfu.irq_count[VFU_MSI] = 1;
    card->vfu.irq_count[VFU_MSIX] = ops->vectors;
    card->vfu.irq_count[VFU_ERR] = 1; /* never sent; QEMU warns without it */
    return vfu_listen(&card->vfu, socket);
}

void card_client(struct card *card)
{
    if (card->vfu.fd < 0)
        (void)vfu_accept(&card->vfu);
    else if (!vfu_process(&card->vfu))
        on_reset(card); /* the machine is gone: the next one finds a fresh card */
}

void card_close(struct card *card)
{
    vfu_close(&card->vfu);
}

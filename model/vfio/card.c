/* SPDX-License-Identifier: BSD-2-Clause */
#include "card.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- interrupts ---- */

static enum vfu_irq kind_of(const struct card *card)
{
    if ((pci_space_get32(&card->space, PCI_SPACE_MSIX) & PCI_MSIX_ENABLE) != 0)
        return VFU_MSIX;
    if ((pci_space_get32(&card->space, PCI_SPACE_MSI) & PCI_MSI_ENABLE) != 0)
        return VFU_MSI;
    return VFU_INTX;
}

static bool intx_off(const struct card *card)
{
    return (pci_space_get32(&card->space, PCI_SPACE_COMMAND) & PCI_COMMAND_NO_INTX) != 0;
}

/* A vector that QEMU has given no eventfd is masked: its message waits, as in the PBA. */
static void on_interrupt(void *ctx, unsigned vector)
{
    struct card *card = ctx;
    enum vfu_irq kind = kind_of(card);

    if (kind == VFU_INTX && intx_off(card))
        return; /* the line stays up: see on_write */
    if (!vfu_signal(&card->vfu, kind, vector))
        card->pending[kind] |= UINT64_C(1) << vector;
}

static void on_irqs_changed(void *ctx)
{
    struct card *card = ctx;

    for (unsigned kind = VFU_INTX; kind <= VFU_MSIX; kind++)
        for (unsigned vector = 0; vector < X82599_VECTORS; vector++)
            if ((card->pending[kind] >> vector & 1) != 0 &&
                vfu_signal(&card->vfu, (enum vfu_irq)kind, vector))
                card->pending[kind] &= ~(UINT64_C(1) << vector);
}

static void on_unmasked(void *ctx)
{
    struct card *card = ctx;

    if (!intx_off(card))
        x82599_irq_again(card->dev);
}

static void follow_irq_mode(struct card *card)
{
    static const enum x82599_irq_mode mode[] = {
        [VFU_INTX] = X82599_IRQ_INTX, [VFU_MSI] = X82599_IRQ_MSI, [VFU_MSIX] = X82599_IRQ_MSIX};

    x82599_irq_mode(card->dev, mode[kind_of(card)]);
}

/* ---- regions ---- */

/* Accesses of 1, 2, 4 and 8 bytes as the 32 bit registers they touch. */
static void bar0_read(struct card *card, uint64_t offset, uint8_t *out, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes;) { /* by at least one byte a turn */
        uint32_t at = (uint32_t)(offset + i) & 3, now = RT_MIN(bytes - i, 4 - at);
        uint32_t value = x82599_read32(card->dev, (uint32_t)(offset + i) & ~3u);

        memcpy(out + i, (const uint8_t *)&value + at, now);
        i += now;
    }
}

static void bar0_write(struct card *card, uint64_t offset, const uint8_t *in, uint32_t bytes)
{
    uint32_t value;

    for (uint32_t i = 0; i + 4 <= bytes && (offset & 3) == 0; i += 4) {
        memcpy(&value, in + i, 4); /* 8.1.2: writes are of whole registers */
        x82599_write32(card->dev, (uint32_t)(offset + i), value);
    }
}

/* 8.1.2.2: IOADDR chooses a register, IODATA is it. */
static void io_read(struct card *card, uint64_t offset, uint8_t *out, uint32_t bytes)
{
    uint32_t value = offset == 0 ? card->io_address : UINT32_MAX;

    if (offset == 4)
        value = x82599_read32(card->dev, card->io_address);
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
    else if (offset == 4)
        x82599_write32(card->dev, card->io_address, value);
}

static void on_read(void *ctx, unsigned region, uint64_t offset, void *out, uint32_t bytes)
{
    struct card *card = ctx;

    if (region == VFU_CONFIG && offset < PCI_SPACE_BYTES) {
        card->space.value[PCI_SPACE_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
        if (x82599_irq_line(card->dev))
            card->space.value[PCI_SPACE_STATUS] |= PCI_STATUS_INTX;
        pci_space_read(&card->space, (uint32_t)offset, out, bytes);
    } else if (region == VFU_BAR0 && offset < X82599_BAR_BYTES) {
        bar0_read(card, offset, out, bytes);
    } else if (region == VFU_BAR2) {
        io_read(card, offset, out, bytes);
    } else if (region == VFU_BAR4) { /* QEMU keeps the table; these are the pending bits */
        memcpy(out, &card->pending[VFU_MSIX], RT_MIN(bytes, 8u));
    }
}

static void on_write(void *ctx, unsigned region, uint64_t offset, const void *in,
                     uint32_t bytes)
{
    struct card *card = ctx;

    if (region == VFU_CONFIG && offset < PCI_SPACE_BYTES) {
        bool was_off = intx_off(card);

        pci_space_write(&card->space, (uint32_t)offset, in, bytes);
        follow_irq_mode(card);
        if (was_off && !intx_off(card))
            x82599_irq_again(card->dev);
    } else if (region == VFU_BAR0 && offset < X82599_BAR_BYTES) {
        bar0_write(card, offset, in, bytes);
    } else if (region == VFU_BAR2) {
        io_write(card, offset, in, bytes);
    }
}

static void on_reset(void *ctx)
{
    struct card *card = ctx;

    memset(card->pending, 0, sizeof(card->pending));
    pci_space_reset(&card->space);
    x82599_power_on(card->dev);
    follow_irq_mode(card);
}

/* ---- frames ---- */

static void *on_dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    struct card *card = ctx;

    if ((pci_space_get32(&card->space, PCI_SPACE_COMMAND) & PCI_COMMAND_MASTER) == 0)
        return NULL;
    return vfu_dma(&card->vfu, phys, bytes, device_writes);
}

static void on_transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct card *card = ctx;

    card->backend->ops->transmit(card->backend, frame, bytes);
}

unsigned card_feed(struct card *card, unsigned budget)
{
    unsigned moved = 0;

    while (moved < budget) {
        if (card->held == NULL) {
            if (card->backend->always && !x82599_rx_room(card->dev) && !card->options.lossy)
                break; /* a generator makes frames for descriptors, not for the bin */
            card->held = card->backend->ops->receive(card->backend, &card->held_bytes);
        }
        if (card->held == NULL)
            break;
        if (x82599_receive(card->dev, card->held, card->held_bytes) == X82599_RX_NO_DESCRIPTOR) {
            if (!card->options.lossy)
                break;
            x82599_missed(card->dev, card->held, card->held_bytes);
        }
        card->held = NULL;
        moved++;
    }
    return moved;
}

void card_report(const struct card *card, unsigned number)
{
    const struct x82599_counters *c = x82599_counters(card->dev);
    const struct backend *b = card->backend;
    char more[256] = "";

    if (b->ops->report != NULL)
        b->ops->report(b, more, sizeof(more));
    printf("{\"card\":%u,\"rx_frames\":%llu,\"rx_dropped\":%llu,\"rx_missed\":%llu,"
           "\"tx_frames\":%llu,\"tx_descs\":%llu,\"tx_contexts\":%llu,\"interrupts\":%llu,"
           "\"mmio_reads\":%llu,\"mmio_writes\":%llu,\"resets\":%llu,\"dma_errors\":%llu,"
           "\"bad_descs\":%llu,\"bad_tails\":%llu,\"unshared_maps\":%llu,\"messages\":%llu,"
           "\"backend_in\":%llu,\"backend_out\":%llu,\"backend_lost\":%llu%s}\n",
           number, (unsigned long long)c->rx_frames, (unsigned long long)c->rx_dropped,
           (unsigned long long)c->rx_missed, (unsigned long long)c->tx_frames,
           (unsigned long long)c->tx_descs, (unsigned long long)c->tx_contexts,
           (unsigned long long)c->interrupts, (unsigned long long)c->reads,
           (unsigned long long)c->writes, (unsigned long long)c->resets,
           (unsigned long long)c->dma_errors, (unsigned long long)c->bad_descs,
           (unsigned long long)c->bad_tails, (unsigned long long)card->vfu.unmapped,
           (unsigned long long)card->vfu.messages,
           (unsigned long long)b->received, (unsigned long long)b->sent,
           (unsigned long long)b->lost, more);
    (void)fflush(stdout);
}

/* ---- life ---- */

/* Pages of the rings of queues 0 to 63: registers there have no side effects that matter. */
static bool share_bar(struct card *card, struct x82599_config *config)
{
    int fd = memfd_create("nic82599", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, X82599_BAR_BYTES) != 0)
        return false;
    config->bar = mmap(NULL, X82599_BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    card->vfu.share_fd = fd;
    card->vfu.area_count = 2;
    card->vfu.area[0].offset = 0x1000;
    card->vfu.area[0].bytes = 0x1000;
    card->vfu.area[1].offset = 0x6000;
    card->vfu.area[1].bytes = 0x1000;
    return config->bar != MAP_FAILED;
}

static void describe(struct card *card)
{
    static const struct vfu_ops ops = {on_read, on_write, on_reset, on_irqs_changed,
                                       on_unmasked};

    card->vfu.ops = &ops;
    card->vfu.ctx = card;
    card->vfu.region_bytes[VFU_BAR0] = X82599_BAR_BYTES;
    card->vfu.region_bytes[VFU_BAR2] = PCI_BAR2_BYTES;
    card->vfu.region_bytes[VFU_BAR4] = PCI_BAR4_BYTES;
    card->vfu.region_bytes[VFU_CONFIG] = PCI_SPACE_BYTES;
    card->vfu.irq_count[VFU_INTX] = 1;
    card->vfu.irq_count[VFU_MSI] = 1;
    card->vfu.irq_count[VFU_MSIX] = X82599_VECTORS;
    card->vfu.irq_count[VFU_ERR] = 1; /* never sent; QEMU warns without it */
}

bool card_open(struct card *card, const struct card_options *options)
{
    struct x82599_config config = {.device_id = options->device_id, .seed = options->seed,
                                   .link_up_ns = options->link_up_ns, .ctx = card,
                                   .dma = on_dma, .transmit = on_transmit,
                                   .interrupt = on_interrupt};
    char error[256];
    uint8_t mac[6];

    memset(card, 0, sizeof(*card));
    card->options = *options;
    card->vfu.share_fd = -1;
    memcpy(config.mac, options->mac, 6);
    if (options->share && !share_bar(card, &config)) {
        perror("shared registers");
        return false;
    }
    card->dev = x82599_create(&config);
    if (card->dev == NULL) {
        fprintf(stderr, "no memory for a card\n");
        return false;
    }
    x82599_mac(card->dev, mac);
    pci_space_init(&card->space, options->device_id, mac);
    follow_irq_mode(card);
    describe(card);
    card->backend = backend_open(options->backend, mac, error, sizeof(error));
    if (card->backend == NULL) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    if (!vfu_listen(&card->vfu, options->socket)) {
        perror(options->socket);
        return false;
    }
    return true;
}

void card_close(struct card *card)
{
    vfu_close(&card->vfu);
    backend_close(card->backend);
    x82599_destroy(card->dev);
}

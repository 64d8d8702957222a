/* SPDX-License-Identifier: BSD-2-Clause */
/* A device on QEMU's bus: its registers, configuration space and interrupts over vfio-user. */
#ifndef MODEL_VFIO_CARD_H
#define MODEL_VFIO_CARD_H

#include "bus/pci_space.h"
#include "vfio/vfu.h"

struct card {
    const struct model_ops *ops;
    void *dev;
    struct vfu vfu;
    struct pci_space space;
    uint32_t io_address; /* BAR 2: the register that its data word is */
    uint64_t pending[3]; /* a kind of interrupt: messages nobody could take yet */
};

/* Before card_listen(); what is shared of BAR 0 may be set in `vfu` in between. */
void card_init(struct card *card);
/* The device is the caller's, and stays so. False: errno says why. */
bool card_listen(struct card *card, const struct model_ops *ops, void *dev, const char *socket);
void card_close(struct card *card);
/* Takes the client, or what it sent. */
void card_client(struct card *card);
/* What a device's `dma` and `interrupt` come to. */
void *card_dma(struct card *card, uint64_t phys, uint32_t bytes, bool device_writes);
void card_interrupt(struct card *card, unsigned vector);

#endif

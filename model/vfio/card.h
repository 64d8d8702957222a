/* SPDX-License-Identifier: BSD-2-Clause */
/* One card of the server: a model, its place on QEMU's bus, and the cable's other end. */
#ifndef MODEL_CARD_H
#define MODEL_CARD_H

#include "wire/backend.h"
#include "bus/pci_space.h"
#include "vfu.h"

#include <model/x82599.h>

struct card_options {
    const char *socket, *backend;
    uint16_t device_id;
    uint8_t mac[6];
    uint64_t seed, link_up_ns;
    bool share; /* ring pages are mapped into the guest */
    bool lossy; /* a frame without a descriptor is lost instead of waiting */
};

struct card {
    struct card_options options;
    struct x82599 *dev;
    struct vfu vfu;
    struct pci_space space;
    struct backend *backend;
    uint32_t io_address;     /* BAR 2: IOADDR */
    uint64_t pending[3];     /* per kind of interrupt: messages nobody could take yet */
    const uint8_t *held;     /* a frame without a descriptor */
    uint32_t held_bytes;
    uint64_t irq_lost;
};

/* False: a message is printed. */
bool card_open(struct card *card, const struct card_options *options);
void card_close(struct card *card);
/* Frames from the back end to the device, at most `budget`. Returns how many moved. */
unsigned card_feed(struct card *card, unsigned budget);
/* One line of JSON. */
void card_report(const struct card *card, unsigned number);

#endif

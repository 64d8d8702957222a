/* SPDX-License-Identifier: BSD-2-Clause */
/* Four cores and a card whose interrupts a test follows. */
#ifndef TESTS_IRQ_MACHINE_H
#define TESTS_IRQ_MACHINE_H

#include "ixgbe_port.h"

#define CORES 4
#define MSI_BASE 0xfee00000u
#define MSI_CAP 0x50u  /* of the model */
#define MSIX_CAP 0x70u
#define ON_MSI RT_BIT(16)
#define ON_MSIX RT_BIT(31)
#define INTX_OFF RT_BIT(10)
#define EICS_OFFSET 0x808u
#define EIMS_OFFSET 0x880u

struct step {
    uint16_t queues;
    uint32_t mode;
    unsigned first_core; /* queue q is on core (first_core + q) % CORES */
    uint32_t moderation_us;
};

extern struct pool *irq_pools[CORES];

/* A card with a pool for each core; nothing is started. */
struct card *irq_machine(void);
/* Starts it as a step says. */
void irq_start(struct card *card, const struct step *step);
/* Stops it; every buffer is home. */
void irq_stop(struct card *card);
/* Armed, and raised by hand: the count of the queue's own core moves. */
void irq_raise_arrives(struct card *card, uint16_t q, uint32_t bit);
/* It interrupts in the mode it says, and only in that. */
void irq_check(struct card *card, const struct step *step);

#endif

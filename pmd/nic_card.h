/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A card that comes up and goes down by tables of steps (nic_steps.h) and has rings
 * (ring/ring.h): functions of struct nic_ops for every driver of such cards. Core 0.
 */
#ifndef PMD_NIC_CARD_H
#define PMD_NIC_CARD_H

#include "nic_driver.h"

/* Constants of a driver, nic->ops->card. Steps of nic->model_flags (nic_steps_begin). */
struct nic_card {
    const struct nic_step_table *up;      /* from a fresh device to a started one */
    const struct nic_step_table *down;    /* from any state to a fresh one, without DMA */
    const struct nic_step_table *off_bus; /* ... when no register answers */
    const struct nic_step_table *reset;   /* from one without DMA to one that settles ... */
    uint32_t reset_settle_us;             /* ... so long, and is fresh then */
    uint32_t status_reg;           /* reads as all ones when the card is gone, and else never */
    uint32_t pause_reg;            /* statistics: pause frames received */
    /* Before steps: what others left off half-way hold, such as a semaphore, goes back; not to
     * the card when it is not there. */
    void (*let_go)(struct nic *nic, bool there);
    void (*forget)(struct nic *nic);    /* it is gone: it may come back as another one */
    void (*unload)(struct nic *nic);    /* stopped: the firmware has the card */
    void (*irq_raise)(struct nic *nic); /* these two: see nic_irq_try() */
    void (*irq_lower)(struct nic *nic);
};

/* The first part of a driver's attach: nic->ops and nic->priv, and BAR 0 mapped. RT_IO, and a
 * line: it is smaller than `bytes_min`, or nobody answers. */
RT_NODISCARD enum rt_status nic_card_attach(struct nic *nic, const struct nic_ops *ops,
                                            void *priv, size_t bytes_min);
/* Takes all steps of a table, with plain waits. */
RT_NODISCARD enum rt_status nic_card_steps(struct nic *nic,
                                           const struct nic_step_table *table);

/* Functions of struct nic_ops. */
RT_NODISCARD enum rt_status nic_card_start(struct nic *nic);
void nic_card_stop(struct nic *nic);
void nic_card_begin(struct nic *nic, enum nic_way way, struct nic_steps *steps);
bool nic_card_gone(struct nic *nic);
uint64_t nic_card_pauses(struct nic *nic);

/* Steps of every driver. */
RT_NODISCARD enum rt_status nic_card_bus_master_off(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status nic_card_irqs_free(struct nic *nic, struct nic_steps *steps);

#endif

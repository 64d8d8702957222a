/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt causes (x82599_irq.c). */
#ifndef MODEL_X82599_IRQ_H
#define MODEL_X82599_IRQ_H

#include "x82599_state.h"

/* Registers of the interrupt block: true when it took the access. */
bool x82599_irq_read(struct x82599 *dev, uint32_t offset, uint32_t *value);
bool x82599_irq_write(struct x82599 *dev, uint32_t offset, uint32_t value);
void x82599_irq_reset(struct x82599 *dev);
void x82599_cause_queue(struct x82599 *dev, unsigned queue, bool transmit);
void x82599_cause_other(struct x82599 *dev, uint32_t bits);
void x82599_irq_deliver(struct x82599 *dev); /* sends what is due and not throttled */
uint64_t x82599_irq_next_ns(const struct x82599 *dev);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the software 82574 share: registers and interrupts (fake_e1000e.c), frames
 * (fake_e1000e_rxtx.c). */
#ifndef TESTS_FAKE_E1000E_PART_H
#define TESTS_FAKE_E1000E_PART_H

#include "fake_e1000e.h"

void *fake_at(uint64_t address);
uint32_t *fake_reg(struct fake_e1000e *f, uint32_t offset);
/* False, and counted: bus mastering is off. */
bool fake_may_dma(struct fake_e1000e *f);
bool fake_msix_on(const struct fake_e1000e *f);
void fake_raise(struct fake_e1000e *f, uint32_t causes);
/* The tail of a transmit queue was written: sends what lies before it. */
void fake_tx_run(struct fake_e1000e *f, uint32_t queue);
/* Descriptors of the frames that were sent say so, where they were asked to. */
void fake_tx_report(struct fake_e1000e *f, uint32_t queue);

#endif

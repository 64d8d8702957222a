/* SPDX-License-Identifier: BSD-2-Clause */
/* Write-backs that come late, and faults of the whole device (x82599_fault.c). */
#ifndef MODEL_X82599_LATE_H
#define MODEL_X82599_LATE_H

#include "x82599_state.h"

/* True: the write-back is held back; the caller must not do it. */
bool x82599_late(struct x82599 *dev, const struct late *what);
void x82599_late_forget(struct x82599 *dev, unsigned queue); /* UINT_MAX: all */
void x82599_late_flush(struct x82599 *dev);
void x82599_fault_step(struct x82599 *dev);

#endif

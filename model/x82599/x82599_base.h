/* SPDX-License-Identifier: BSD-2-Clause */
/* What every part stands on: guest memory, statistics, chance. It calls none of them. */
#ifndef MODEL_X82599_BASE_H
#define MODEL_X82599_BASE_H

#include "x82599_state.h"

/* [phys, phys + bytes) of the guest; NULL, and counted: not all of it is the guest's. */
void *x82599_dma(struct x82599 *dev, uint64_t phys, uint32_t bytes, bool device_writes);
void x82599_wrote(struct x82599 *dev, void *p, uint32_t bytes);

void x82599_count(struct x82599 *dev, uint32_t offset, uint32_t by);
void x82599_count_wide(struct x82599 *dev, uint32_t offset_low, uint32_t by);
void x82599_count_size(struct x82599 *dev, uint32_t offset_first, uint32_t bytes_with_crc);

/* Of the seed, so that a run can be repeated. */
uint64_t x82599_random(struct x82599 *dev);
/* True, and counted: it happens this time. */
bool x82599_fault_hits(struct x82599 *dev, enum x82599_fault kind);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Cable, module and LINKS (x82599_link.c). */
#ifndef MODEL_X82599_LINK_H
#define MODEL_X82599_LINK_H

#include "x82599_state.h"

void x82599_link_restart(struct x82599 *dev);
void x82599_autoc_write(struct x82599 *dev, uint32_t value);
void x82599_esdp_write(struct x82599 *dev, uint32_t value);
void x82599_link_step(struct x82599 *dev);
uint64_t x82599_link_next_ns(const struct x82599 *dev);

#endif

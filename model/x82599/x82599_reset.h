/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets (x82599.c), for the register that asks for one. */
#ifndef MODEL_X82599_RESET_H
#define MODEL_X82599_RESET_H

#include "x82599_state.h"

void x82599_reset(struct x82599 *dev, bool power_on);
void x82599_queue_disabled(struct x82599 *dev, bool transmit, unsigned queue);

#endif

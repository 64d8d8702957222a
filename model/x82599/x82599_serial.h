/* SPDX-License-Identifier: BSD-2-Clause */
/* EEPROM, SFP module and PHY (x82599_nvm.c), and the registers that lead to them
 * (x82599_serial.c). */
#ifndef MODEL_X82599_SERIAL_H
#define MODEL_X82599_SERIAL_H

#include "x82599_state.h"

void x82599_nvm_init(struct x82599 *dev);
void x82599_nvm_reset(struct x82599 *dev);
void x82599_eec_write(struct x82599 *dev, uint32_t value);
void x82599_eerd_write(struct x82599 *dev, uint32_t value);
void x82599_i2c_write(struct x82599 *dev, uint32_t value);
void x82599_msca_write(struct x82599 *dev, uint32_t value);

#endif

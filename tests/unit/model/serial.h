/* SPDX-License-Identifier: BSD-2-Clause */
/* Serial registers as drivers use them. */
#ifndef TESTS_MODEL_SERIAL_H
#define TESTS_MODEL_SERIAL_H

#include "guest.h"

#define EERD 0x10014

/* A word of the EEPROM. */
uint16_t serial_eerd(struct guest *g, uint32_t word);

/* The module's EEPROM, bit by bit. */
void serial_i2c_start(struct guest *g);
void serial_i2c_stop(struct guest *g);
bool serial_i2c_send(struct guest *g, uint8_t byte); /* true: acknowledged */
uint8_t serial_i2c_receive(struct guest *g, bool more);

#endif

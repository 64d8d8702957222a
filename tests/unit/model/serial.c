/* SPDX-License-Identifier: BSD-2-Clause */
#include "serial.h"

#define I2CCTL 0x28

uint16_t serial_eerd(struct guest *g, uint32_t word)
{
    guest_write(g, EERD, word << 2 | 1);
    assert_int_equal(guest_read(g, EERD) & 2, 2);
    return (uint16_t)(guest_read(g, EERD) >> 16);
}

/* ---- I2C, as drivers bang it ---- */

static void i2c_lines(struct guest *g, bool scl, bool sda)
{
    guest_write(g, I2CCTL, (uint32_t)scl << 1 | (uint32_t)sda << 3);
}

static bool i2c_bit(struct guest *g, bool out)
{
    bool in;

    i2c_lines(g, false, out);
    i2c_lines(g, true, out);
    in = (guest_read(g, I2CCTL) & 4) != 0;
    i2c_lines(g, false, out);
    return in;
}

void serial_i2c_start(struct guest *g)
{
    i2c_lines(g, false, true);
    i2c_lines(g, true, true);
    i2c_lines(g, true, false);
    i2c_lines(g, false, false);
}

void serial_i2c_stop(struct guest *g)
{
    i2c_lines(g, false, false);
    i2c_lines(g, true, false);
    i2c_lines(g, true, true);
}

bool serial_i2c_send(struct guest *g, uint8_t byte)
{
    for (unsigned i = 8; i-- > 0;)
        (void)i2c_bit(g, (byte >> i & 1) != 0);
    return !i2c_bit(g, true); /* acknowledged */
}

uint8_t serial_i2c_receive(struct guest *g, bool more)
{
    unsigned byte = 0;

    for (unsigned i = 0; i < 8; i++)
        byte = byte << 1 | i2c_bit(g, true);
    (void)i2c_bit(g, !more);
    return (uint8_t)byte;
}

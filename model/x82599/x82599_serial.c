/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial registers: the EEPROM by words (EERD) and bit by bit (EEC), the SFP+ module bit by
 * bit (I2CCTL), the PHY (MSCA). What they lead to is filled in by x82599_nvm.c.
 */
#include "x82599_serial.h"

#include <string.h>

/* ---- EERD, 8.2.3.2.2 ---- */

void x82599_eerd_write(struct x82599 *dev, uint32_t value)
{
    uint32_t address = FIELD_GET(EERD_ADDR, value);
    uint32_t word = address < NVM_WORDS ? dev->nvm[address] : 0xffff;

    if ((value & EERD_START) == 0) {
        x82599_put(dev, R_EERD, value & EERD_ADDR);
        return;
    }
    x82599_put(dev, R_EERD, word << 16 | (value & EERD_ADDR) | EERD_DONE);
}

/* ---- EEC, 8.2.3.2.1: an SPI EEPROM that knows READ (03) ---- */

#define SPI_READ       3u
#define SPI_OP_BITS    8u
#define SPI_ADDR_BITS  24u

static bool spi_data_bit(const struct x82599 *dev)
{
    unsigned bit = dev->spi.bits - SPI_ADDR_BITS;
    uint32_t word = dev->nvm[(dev->spi.address / 2 + bit / 16) % NVM_WORDS];
    unsigned in_word = bit % 16;

    RT_ASSERT_LE(SPI_ADDR_BITS, dev->spi.bits);
    /* bytes leave low one first, each with its top bit first */
    return (word >> (in_word < 8 ? 7 - in_word : 23 - in_word) & 1) != 0;
}

static uint32_t spi_clock(struct x82599 *dev, bool in)
{
    struct spi_slave *spi = &dev->spi;
    uint32_t out = 0;

    RT_ASSERT_LT(spi->bits, SPI_ADDR_BITS + 16 * NVM_WORDS);
    if (spi->bits < SPI_ADDR_BITS)
        spi->in = spi->in << 1 | in;
    if (spi->bits + 1 == SPI_OP_BITS)
        spi->op = (uint8_t)spi->in;
    if (spi->bits + 1 == SPI_ADDR_BITS)
        spi->address = spi->in & 0xffff;
    if (spi->bits >= SPI_ADDR_BITS && (spi->op & 7) == SPI_READ)
        out = spi_data_bit(dev) ? EEC_DO : 0;
    /* wraps around the whole part, as the address counter does */
    if (++spi->bits == SPI_ADDR_BITS + 16 * NVM_WORDS)
        spi->bits = SPI_ADDR_BITS;
    return out;
}

void x82599_eec_write(struct x82599 *dev, uint32_t value)
{
    uint32_t driven = EEC_SK | EEC_CS | EEC_DI | EEC_FWE | EEC_REQ;
    uint32_t now = x82599_get(dev, R_EEC), out = now & EEC_DO;
    bool selected = (value & EEC_CS) == 0, sk = (value & EEC_SK) != 0;

    if (!selected) {
        memset(&dev->spi, 0, sizeof(dev->spi));
        out = 0;
    } else if (sk && !dev->spi.sk) {
        out = spi_clock(dev, (value & EEC_DI) != 0);
    }
    dev->spi.sk = sk;
    now &= ~(driven | EEC_DO | EEC_GNT);
    x82599_put(dev, R_EEC, now | (value & driven) | out | ((value & EEC_REQ) != 0 ? EEC_GNT : 0));
}

/* ---- I2CCTL, 8.2.3.1.7: the module's EEPROM at a0 ---- */

#define I2C_ACK_BIT 8u

static void i2c_start(struct i2c_slave *i2c)
{
    i2c->state = I2C_ADDRESS;
    i2c->bit = 0;
    i2c->shift = 0;
    i2c->out = true;
}

static void i2c_stop(struct i2c_slave *i2c)
{
    i2c->state = I2C_IDLE;
    i2c->out = true;
}

/* Clock rises: the slave samples, as the receiver of a byte or of an acknowledge. */
static void i2c_rise(struct i2c_slave *i2c, bool sda)
{
    RT_ASSERT_LE(i2c->bit, I2C_ACK_BIT);
    if (i2c->bit < I2C_ACK_BIT)
        i2c->shift = (uint8_t)(i2c->shift << 1 | sda);
    else if (i2c->state == I2C_READ && i2c->bit == I2C_ACK_BIT && sda)
        i2c->state = I2C_IDLE; /* the reader has enough */
    i2c->bit++;
}

/* Eight bits are in: what the slave answers in the ninth. */
static void i2c_byte(struct x82599 *dev, struct i2c_slave *i2c)
{
    RT_ASSERT_EQ(i2c->bit, I2C_ACK_BIT);
    i2c->out = false; /* acknowledge */
    switch (i2c->state) {
    case I2C_ADDRESS:
        if ((i2c->shift & 0xfe) != 0xa0 || dev->module == X82599_MODULE_NONE)
            i2c_stop(i2c);
        break;
    case I2C_POINTER:
        i2c->pointer = i2c->shift;
        break;
    case I2C_WRITE:
        dev->sfp[i2c->pointer++] = i2c->shift;
        break;
    case I2C_READ:
        i2c->out = true; /* the master's turn */
        break;
    case I2C_IDLE:
    default:
        i2c->out = true;
        break;
    }
}

/* The ninth bit is over: what comes next. */
static void i2c_next(struct i2c_slave *i2c)
{
    RT_ASSERT_LT(I2C_ACK_BIT, i2c->bit);
    switch (i2c->state) {
    case I2C_ADDRESS:
        i2c->state = (i2c->shift & 1) != 0 ? I2C_READ : I2C_POINTER;
        break;
    case I2C_POINTER:
        i2c->state = I2C_WRITE;
        break;
    case I2C_READ:
        i2c->pointer++;
        break;
    case I2C_WRITE:
    case I2C_IDLE:
    default:
        break;
    }
    i2c->bit = 0;
    i2c->shift = 0;
    i2c->out = true;
}

/* Clock falls: the slave changes what it puts on the line. */
static void i2c_fall(struct x82599 *dev, struct i2c_slave *i2c)
{
    if (i2c->bit == I2C_ACK_BIT)
        i2c_byte(dev, i2c);
    else if (i2c->bit > I2C_ACK_BIT)
        i2c_next(i2c);
    if (i2c->state == I2C_READ && i2c->bit < I2C_ACK_BIT)
        i2c->out = (dev->sfp[i2c->pointer] >> (7 - i2c->bit) & 1) != 0;
}

void x82599_i2c_write(struct x82599 *dev, uint32_t value)
{
    struct i2c_slave *i2c = &dev->i2c;
    bool scl = (value & I2C_CLK_OUT) != 0, sda = (value & I2C_DATA_OUT) != 0;

    if (i2c->scl && scl && i2c->sda != sda) {
        if (sda)
            i2c_stop(i2c);
        else
            i2c_start(i2c);
    } else if (i2c->state != I2C_IDLE && scl && !i2c->scl) {
        i2c_rise(i2c, sda);
    } else if (i2c->state != I2C_IDLE && !scl && i2c->scl) {
        i2c_fall(dev, i2c);
    }
    if (i2c->state == I2C_IDLE)
        i2c->out = true;
    i2c->scl = scl;
    i2c->sda = sda;
    x82599_put(dev, R_I2CCTL, (value & (I2C_CLK_OUT | I2C_DATA_OUT)) | (scl ? I2C_CLK_IN : 0) |
                                  (sda && i2c->out ? I2C_DATA_IN : 0));
}

/* ---- MSCA, 8.2.3.22.11: clause 45 MDIO, PHY 0 exists on the X540 ---- */

void x82599_msca_write(struct x82599 *dev, uint32_t value)
{
    uint32_t device = FIELD_GET(MSCA_DEVICE, value), op = FIELD_GET(MSCA_OP, value);
    uint32_t data = x82599_get(dev, R_MSRWD) & 0xffff;
    bool present = dev->config.device_id == X82599_ID_X540 && FIELD_GET(MSCA_PHY, value) == 0;
    uint16_t *cell = NULL, answer;

    RT_ASSERT_LT(device, (uint32_t)RT_ARRAY_SIZE(dev->phy));
    x82599_put(dev, R_MSCA, value & ~MSCA_COMMAND);
    if ((value & MSCA_COMMAND) == 0)
        return;
    if (op == MSCA_OP_ADDRESS) {
        dev->phy_address = (uint16_t)FIELD_GET(MSCA_REG, value);
        return;
    }
    if (present && dev->phy_address < RT_ARRAY_SIZE(dev->phy[0]))
        cell = &dev->phy[device][dev->phy_address];
    if (op == MSCA_OP_WRITE) {
        if (cell != NULL && dev->phy_address > 8)
            *cell = (uint16_t)data;
        return;
    }
    /* an absent PHY leaves the line high; a register that we do not have reads as zero */
    answer = cell != NULL ? *cell : present ? 0 : 0xffff;
    x82599_put(dev, R_MSRWD, data | (uint32_t)answer << 16);
    if (op == MSCA_OP_READ_NEXT)
        dev->phy_address++;
}

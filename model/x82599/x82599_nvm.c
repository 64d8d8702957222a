/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hangs behind the serial registers: the EEPROM (word reads through EERD, bit by bit through
 * EEC), the SFP+ module (I2C, bit by bit) and the copper PHY of the X540 (MDIO).
 */
#include "x82599_int.h"

#include <string.h>

/* ---- contents ---- */

#define NVM_FIRMWARE      0x0100u
#define NVM_PASS_THROUGH  0x0120u
#define NVM_SFP_LIST      0x0060u
#define NVM_SFP_VALUES    0x0090u
#define NVM_SECTIONS      0x0180u
#define NVM_CHECKSUM      0x003fu
#define NVM_SUM           0xbabau
#define SECTION_FIRST     0x03u /* words that point to sections under the checksum */
#define SECTION_LAST      0x0eu
#define SECTION_PHY       0x04u /* X540: firmware of the PHY */
#define SECTION_ROM       0x05u /* X540: option ROM */
#define SECTION_WORDS_MAX 12u
#define PHY_WORDS         200u
/* What cards list: passive cable and SR/LR, for either port. Active cables and 1G modules are not
 * there, drivers use the words of SR/LR for them. */
#define SFP_IDS_FIRST     3u
#define SFP_IDS_LAST      6u

/* Contents that differ from card to card, the same for one seed; faults have their own sequence. */
static uint32_t nvm_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* A section counts its words in the first one. */
static unsigned nvm_section(uint16_t *nvm, unsigned at, unsigned words, uint64_t *random)
{
    nvm[at++] = (uint16_t)words;
    for (unsigned i = 0; i < words; i++)
        nvm[at++] = (uint16_t)nvm_random(random);
    return at;
}

/* 6.2: sections of random length, some absent, in the place where the one before ends. An X540 has
 * its PHY's firmware, and an option ROM whose length leads out of the part. */
static void nvm_sections(struct x82599 *dev)
{
    uint64_t random = dev->config.seed;
    uint16_t *nvm = dev->nvm;
    unsigned at = NVM_SECTIONS;

    for (unsigned pointer = SECTION_FIRST; pointer <= SECTION_LAST; pointer++) {
        unsigned words = 1 + nvm_random(&random) % SECTION_WORDS_MAX;

        if (nvm_random(&random) % 4 == 0)
            continue;
        nvm[pointer] = (uint16_t)at;
        at = nvm_section(nvm, at, words, &random);
    }
    if (dev->config.device_id != X82599_ID_X540)
        return;
    nvm[SECTION_PHY] = (uint16_t)at;
    at = nvm_section(nvm, at, PHY_WORDS, &random);
    nvm[SECTION_ROM] = (uint16_t)at;
    nvm[at] = (uint16_t)NVM_WORDS;
}

/* 6.3: pointers to sections are ffff (no section) unless set here. */
static void nvm_fill(struct x82599 *dev)
{
    uint16_t *nvm = dev->nvm;
    unsigned word = NVM_SFP_LIST;

    for (unsigned i = 0; i < NVM_WORDS; i++)
        nvm[i] = 0xffff;
    nvm[0x00] = nvm[0x01] = nvm[0x02] = 0;
    nvm[0x15] = 0xe661; /* 6.2.5.5: part number E66100-000 */
    nvm[0x16] = 0x9000;
    nvm[0x18] = 0x0050; /* image version */
    nvm[0x2c] = 0x0001; /* device capabilities: any module */
    nvm[0x2d] = 0x8000; /* image id */
    nvm[0x2e] = 0x61c1;
    /* 6.3.12, firmware section: pass-through block, whose version must be above 5 */
    nvm[0x0f] = NVM_FIRMWARE;
    nvm[NVM_FIRMWARE + 4] = NVM_PASS_THROUGH;
    nvm[NVM_FIRMWARE + 7] = NVM_PASS_THROUGH;
    for (unsigned i = 0; i < 16; i++)
        nvm[NVM_PASS_THROUGH + i] = 9;
    /* 6.3.11: per module kind a list of words for CORECTL, up to ffff */
    nvm[0x2b] = NVM_SFP_LIST;
    nvm[word++] = 0;
    for (unsigned id = SFP_IDS_FIRST; id <= SFP_IDS_LAST; id++) {
        unsigned values = NVM_SFP_VALUES + 4 * (id - SFP_IDS_FIRST);

        nvm[word++] = (uint16_t)id;
        nvm[word++] = (uint16_t)values;
        nvm[values] = 1;
        nvm[values + 1] = (uint16_t)X82599_CORECTL_OF(id);
        nvm[values + 2] = 0xffff;
    }
    nvm[word] = 0xffff;
    nvm_sections(dev);
}

/* What the section of `pointer` adds. None when pointer or length lead out of the part; the X540's
 * checksum leaves out the PHY's firmware and the option ROM, which are updated by themselves. */
static uint32_t section_sum(const struct x82599 *dev, unsigned pointer)
{
    uint32_t at = dev->nvm[pointer], words, sum = 0;

    if (dev->config.device_id == X82599_ID_X540 &&
        (pointer == SECTION_PHY || pointer == SECTION_ROM))
        return 0;
    if (at == 0 || at >= NVM_WORDS)
        return 0;
    words = dev->nvm[at];
    for (uint32_t i = 1; i <= words && at + words < NVM_WORDS; i++)
        sum += dev->nvm[at + i];
    return sum;
}

/* Words 0 to 3e and the sections that 03 to 0e point to add up to baba. */
void x82599_nvm_seal(struct x82599 *dev)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < NVM_CHECKSUM; i++)
        sum += dev->nvm[i];
    for (unsigned i = SECTION_FIRST; i <= SECTION_LAST; i++)
        sum += section_sum(dev, i);
    dev->nvm[NVM_CHECKSUM] = (uint16_t)(NVM_SUM - sum);
}

uint16_t *x82599_nvm(struct x82599 *dev)
{
    return dev->nvm;
}

/* SFF-8472 (and 8419 for the cables), with the vendor id that every driver takes. */
static void sfp_fill(struct x82599 *dev)
{
    static const struct {
        uint8_t codes_10g, codes_1g, cable, cable_spec;
    } kinds[] = {
        [X82599_MODULE_SR] = {.codes_10g = 0x10},
        [X82599_MODULE_LR] = {.codes_10g = 0x20},
        [X82599_MODULE_CABLE] = {.cable = 0x04},
        [X82599_MODULE_CABLE_ACTIVE] = {.cable = 0x08, .cable_spec = 0x04},
        [X82599_MODULE_CABLE_LINEAR] = {.cable = 0x08, .cable_spec = 0x01},
        [X82599_MODULE_1G_SX] = {.codes_1g = 0x01},
        [X82599_MODULE_1G_LX] = {.codes_1g = 0x02},
        [X82599_MODULE_1G_T] = {.codes_1g = 0x08},
        [X82599_MODULE_DUAL_SR] = {.codes_10g = 0x10, .codes_1g = 0x01},
        [X82599_MODULE_NONE] = {0},
    };

    memset(dev->sfp, 0, sizeof(dev->sfp));
    dev->sfp[0x00] = 3; /* SFP */
    dev->sfp[0x02] = 7; /* LC */
    dev->sfp[0x03] = kinds[dev->module].codes_10g;
    dev->sfp[0x06] = kinds[dev->module].codes_1g;
    dev->sfp[0x08] = kinds[dev->module].cable;
    dev->sfp[0x3c] = kinds[dev->module].cable_spec;
    dev->sfp[0x0c] = 103; /* x 100 Mb/s */
    memcpy(dev->sfp + 0x14, "Intel Corp      ", 16);
    dev->sfp[0x25] = 0x00; /* vendor id 00:1b:21 */
    dev->sfp[0x26] = 0x1b;
    dev->sfp[0x27] = 0x21;
    memcpy(dev->sfp + 0x28, "software SR     ", 16);
}

/* 802.3 clause 45: device 1 PMA, 3 PCS, 7 negotiation; the id is the X540's. */
static void phy_fill(struct x82599 *dev)
{
    memset(dev->phy, 0, sizeof(dev->phy));
    for (unsigned device = 1; device < 32; device++) {
        if (device != 1 && device != 3 && device != 4 && device != 7 && device != 30)
            continue;
        dev->phy[device][2] = 0x0154;
        dev->phy[device][3] = 0x0200;
        dev->phy[device][5] = 0x009a; /* devices in the package: 1, 3, 4, 7 */
        dev->phy[device][8] = 0x8000; /* there is something at this device */
    }
    dev->phy[1][1] = 0x0004;  /* link */
    dev->phy[1][4] = 0x0031;  /* 10G, 1G and 100M */
    dev->phy[7][0] = 0x1000;  /* negotiation on */
    dev->phy[7][1] = 0x0024;  /* done, link */
    dev->phy[7][32] = 0x1000; /* 10GBASE-T offered */
    dev->phy[7][33] = 0x0800; /* and by the partner */
}

void x82599_nvm_init(struct x82599 *dev)
{
    nvm_fill(dev);
    x82599_nvm_seal(dev);
    sfp_fill(dev);
}

void x82599_module(struct x82599 *dev, enum x82599_module kind)
{
    dev->module = kind;
    sfp_fill(dev);
    x82599_link_restart(dev);
}

void x82599_nvm_reset(struct x82599 *dev)
{
    memset(&dev->spi, 0, sizeof(dev->spi));
    memset(&dev->i2c, 0, sizeof(dev->i2c));
    dev->i2c.scl = dev->i2c.sda = dev->i2c.out = true;
    dev->phy_address = 0;
    phy_fill(dev);
    x82599_put(dev, R_I2CCTL, I2C_CLK_IN | I2C_CLK_OUT | I2C_DATA_IN | I2C_DATA_OUT);
    /* 2^(4+6) words */
    x82599_put(dev, R_EEC, EEC_PRESENT | EEC_AUTO_RD | FIELD_PUT(EEC_SIZE, 4));
    x82599_put(dev, R_MSRWD, MSRWD_READ);
}

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

    /* bytes leave low one first, each with its top bit first */
    return (word >> (in_word < 8 ? 7 - in_word : 23 - in_word) & 1) != 0;
}

static uint32_t spi_clock(struct x82599 *dev, bool in)
{
    struct spi_slave *spi = &dev->spi;
    uint32_t out = 0;

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
    if (i2c->bit < I2C_ACK_BIT)
        i2c->shift = (uint8_t)(i2c->shift << 1 | sda);
    else if (i2c->state == I2C_READ && i2c->bit == I2C_ACK_BIT && sda)
        i2c->state = I2C_IDLE; /* the reader has enough */
    i2c->bit++;
}

/* Eight bits are in: what the slave answers in the ninth. */
static void i2c_byte(struct x82599 *dev, struct i2c_slave *i2c)
{
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

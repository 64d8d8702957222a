/* SPDX-License-Identifier: BSD-2-Clause */
/* What hangs behind the serial registers: the EEPROM, the SFP+ module, the X540's copper PHY. */
#include "x82599_link.h"
#include "x82599_serial.h"

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
    RT_ASSERT_LT(at + words, NVM_WORDS);
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

    RT_ASSERT_LT(at, NVM_WORDS);
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

    RT_ASSERT_LT(pointer, NVM_CHECKSUM);
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

    RT_ASSERT_LT((size_t)dev->module, RT_ARRAY_SIZE(kinds));
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

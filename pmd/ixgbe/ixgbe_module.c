/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe: the module in the SFP+ cage, read by I2C. Core 0.
 *
 * The EEPROM lists, for a kind of module, words for the analog core (DS 6.4.9). Cards list
 * passive cables and SR/LR optics, for either port; limiting active cables and 1G modules take
 * the words of the optics, as in Intel's drivers. An absent module is no error: the port starts
 * without link. So it does with one that the chip cannot drive, and says which would do.
 */
#include "ixgbe.h"

#include <rt/log.h>

#define I2C_HALF_BIT_US 5 /* 100 kHz */
#define I2C_MODULE 0xa0
#define I2C_BITS 8
#define SFP_IS_SFP 3
#define SFP_LIST_MAX 64
#define SFP_VALUES_MAX 64
#define CORECTL_MARK 0xffff

/* Bytes of the module's EEPROM, SFF-8472 table 4-1, in the order of sfp_byte. */
enum { SFP_IDENTIFIER, SFP_10G, SFP_1G, SFP_CABLE, SFP_CABLE_SPEC, SFP_BYTES };
static const uint8_t sfp_byte[SFP_BYTES] = {0x00, 0x03, 0x06, 0x08, 0x3c};

/* Kinds in the EEPROM's list for port 0; port 1 has the next number. */
enum { LIST_CABLE = 3, LIST_OPTIC = 5 };

/* The first row whose bits are set: `in` at `byte`, and for an active cable that it is
 * limiting. */
static const struct sfp_kind {
    const char *name;
    uint8_t byte, in;
    uint8_t cable_spec;
    uint8_t list;
    bool gigabit;
} kinds[] = {
    {"passive cable", SFP_CABLE, RT_BIT(2), 0, LIST_CABLE, false},
    {"active cable", SFP_CABLE, RT_BIT(3), RT_BIT(2), LIST_OPTIC, false},
    {"10GBASE-SR", SFP_10G, RT_BIT(4), 0, LIST_OPTIC, false},
    {"10GBASE-LR", SFP_10G, RT_BIT(5), 0, LIST_OPTIC, false},
    {"1000BASE-T", SFP_1G, RT_BIT(3), 0, LIST_OPTIC, true},
    {"1000BASE-SX", SFP_1G, RT_BIT(0), 0, LIST_OPTIC, true},
    {"1000BASE-LX", SFP_1G, RT_BIT(1), 0, LIST_OPTIC, true},
};

/* ---- I2C, bit by bit: both lines are open-drain ---- */

static void i2c_lines(struct ixgbe *dev, bool clock, bool data)
{
    ixgbe_write(dev, IXGBE_I2CCTL,
                (clock ? IXGBE_I2CCTL_CLK_OUT : 0) | (data ? IXGBE_I2CCTL_DATA_OUT : 0));
    (void)ixgbe_read(dev, IXGBE_I2CCTL);
    hal_delay_us(I2C_HALF_BIT_US);
}

static bool i2c_bit(struct ixgbe *dev, bool out)
{
    bool in;

    i2c_lines(dev, false, out);
    i2c_lines(dev, true, out);
    in = (ixgbe_read(dev, IXGBE_I2CCTL) & IXGBE_I2CCTL_DATA_IN) != 0;
    i2c_lines(dev, false, out);
    return in;
}

static void i2c_start(struct ixgbe *dev)
{
    i2c_lines(dev, false, true);
    i2c_lines(dev, true, true);
    i2c_lines(dev, true, false);
    i2c_lines(dev, false, false);
}

static void i2c_stop(struct ixgbe *dev)
{
    i2c_lines(dev, false, false);
    i2c_lines(dev, true, false);
    i2c_lines(dev, true, true);
}

static bool i2c_send(struct ixgbe *dev, uint8_t byte)
{
    for (int bit = I2C_BITS - 1; bit >= 0; bit--)
        (void)i2c_bit(dev, (byte >> bit & 1) != 0);
    return !i2c_bit(dev, true); /* acknowledged */
}

static uint8_t i2c_receive_last(struct ixgbe *dev)
{
    uint32_t byte = 0;

    for (int bit = 0; bit < I2C_BITS; bit++)
        byte = byte << 1 | i2c_bit(dev, true);
    (void)i2c_bit(dev, true); /* no more */
    return (uint8_t)byte;
}

static enum rt_status module_read(struct ixgbe *dev, uint8_t address, uint8_t *value)
{
    bool answered;

    RT_ASSERT((dev->synced & IXGBE_SYNC_PHY(dev->lan)) != 0);
    i2c_start(dev);
    answered = i2c_send(dev, I2C_MODULE) && i2c_send(dev, address);
    if (answered) {
        i2c_start(dev);
        answered = i2c_send(dev, I2C_MODULE | 1);
    }
    *value = answered ? i2c_receive_last(dev) : 0;
    i2c_stop(dev);
    return answered ? RT_OK : RT_NOT_FOUND;
}

static const struct sfp_kind *kind_of(const uint8_t bytes[SFP_BYTES])
{
    if (bytes[SFP_IDENTIFIER] != SFP_IS_SFP)
        return NULL;
    for (size_t i = 0; i < RT_ARRAY_SIZE(kinds); i++)
        if ((bytes[kinds[i].byte] & kinds[i].in) != 0)
            return (bytes[SFP_CABLE_SPEC] & kinds[i].cable_spec) == kinds[i].cable_spec
                       ? &kinds[i]
                       : NULL;
    return NULL;
}

/* NULL: none there, or none that the chip can drive; both are said. */
static const struct sfp_kind *module_kind(struct ixgbe *dev)
{
    const char *name = dev->nic->name;
    const struct sfp_kind *kind;
    uint8_t bytes[SFP_BYTES];

    for (unsigned i = 0; i < SFP_BYTES; i++) {
        if (module_read(dev, sfp_byte[i], &bytes[i]) != RT_OK) {
            rt_log("%s module=none", name);
            return NULL;
        }
    }
    kind = kind_of(bytes);
    if (kind != NULL)
        rt_log("%s module=\"%s\"", name, kind->name);
    else
        rt_log(
            "%s error=module identifier=0x%02x codes_10g=0x%02x codes_1g=0x%02x cable=0x%02x "
            "cable_spec=0x%02x remedy=\"10GBASE-SR or LR, 1000BASE-SX, LX or T, a passive or "
            "limiting active cable\"",
            name, bytes[SFP_IDENTIFIER], bytes[SFP_10G], bytes[SFP_1G], bytes[SFP_CABLE],
            bytes[SFP_CABLE_SPEC]);
    return kind;
}

/* Where the words for this kind begin; 0: the EEPROM does not know it. */
static uint16_t module_section(struct ixgbe *dev, uint16_t kind)
{
    uint16_t list = 0, id = 0, section = 0;

    RT_ASSERT((dev->synced & IXGBE_SYNC_NVM) != 0);
    if (ixgbe_nvm_read(dev, IXGBE_NVM_SFP_LIST, &list) != RT_OK || list == 0 ||
        list == UINT16_MAX)
        return 0;
    for (uint32_t i = 0; i < SFP_LIST_MAX; i++) {
        if (ixgbe_nvm_read(dev, list + 1u + 2 * i, &id) != RT_OK || id == UINT16_MAX ||
            ixgbe_nvm_read(dev, list + 2u + 2 * i, &section) != RT_OK)
            return 0;
        if (id == kind)
            return section == UINT16_MAX ? 0 : section;
    }
    return 0;
}

/* The words for this kind go to the analog core; they count after the pipeline's reset. */
static enum rt_status module_tune(struct ixgbe *dev, const struct sfp_kind *kind)
{
    uint16_t section, value = 0;
    enum rt_status st = ixgbe_sync_take(dev, IXGBE_SYNC_MAC_CSR | IXGBE_SYNC_NVM);

    RT_ASSERT(kind != NULL);
    if (st != RT_OK)
        return st;
    section = module_section(dev, (uint16_t)(kind->list + dev->lan));
    if (section == 0)
        rt_log("%s module_kind=%u reason=\"the EEPROM has no settings for it\"",
               dev->nic->name, kind->list + dev->lan);
    for (uint32_t i = 1; section != 0 && i < SFP_VALUES_MAX; i++) {
        if (ixgbe_nvm_read(dev, section + i, &value) != RT_OK || value == CORECTL_MARK)
            break;
        ixgbe_write(dev, IXGBE_CORECTL, value);
        (void)ixgbe_read(dev, IXGBE_STATUS);
    }
    ixgbe_sync_give(dev, IXGBE_SYNC_MAC_CSR | IXGBE_SYNC_NVM);
    return RT_OK;
}

/* Analog settings outlive a reset, so that a recovery leaves the module alone. */
enum rt_status ixgbe_serial_module(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    const struct sfp_kind *kind;
    enum rt_status st;

    if (dev->link_known)
        return RT_OK;
    st = ixgbe_sync_take(dev, IXGBE_SYNC_PHY(dev->lan));
    if (st != RT_OK)
        return st;
    kind = module_kind(dev);
    ixgbe_sync_give(dev, IXGBE_SYNC_PHY(dev->lan));
    dev->module_1g = kind != NULL && kind->gigabit;
    if (kind != NULL)
        st = module_tune(dev, kind);
    dev->link_known = kind != NULL && st == RT_OK;
    return st;
}

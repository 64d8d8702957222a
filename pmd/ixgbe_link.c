/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe: what hangs on the port (an SFP+ module read by I2C, or a copper PHY behind MDIO), and
 * the link. Core 0.
 *
 * An SFP+ port needs to know its module: the EEPROM lists, for each kind, words for the analog
 * core (DS 6.4.9). An absent or unknown module is no error: the port starts without link.
 */
#include "ixgbe.h"

#include <rt/log.h>
#include <rt/trace.h>

#define I2C_HALF_BIT_US 5 /* 100 kHz */
#define I2C_MODULE 0xa0
#define I2C_BITS 8
#define SFP_IDENTIFIER 0x00
#define SFP_IS_SFP 3
#define SFP_10G_CODES 0x03
#define SFP_10G_SR RT_BIT(4)
#define SFP_10G_LR RT_BIT(5)
#define SFP_CABLE_CODES 0x08
#define SFP_CABLE_PASSIVE RT_BIT(2)
#define SFP_CABLE_ACTIVE RT_BIT(3)
/* Module kinds of the EEPROM's list, by port (DS 6.4.9: the numbers of Intel's drivers) */
enum { MODULE_CABLE = 3, MODULE_OPTIC = 5, MODULE_ACTIVE = 9 };
#define SFP_LIST_MAX 64
#define SFP_VALUES_MAX 64
#define CORECTL_MARK 0xffff
#define AN_STATE_TIMEOUT_US 40000
#define AN_STATE_STEP_US 4000
#define MDIO_TIMEOUT_US 10000
#define MDIO_PHYS 32
#define MDIO_DEVICE_PMA 1
#define MDIO_DEVICE_AN 7
#define MDIO_ID1 2
#define MDIO_AN_CONTROL 0
#define AN_CONTROL_ENABLE 0x1000
#define AN_CONTROL_RESTART 0x0200
#define MDIO_PMA_CONTROL 0
#define PMA_CONTROL_LOW_POWER 0x0800
#define XON_BYTES_BELOW 0x10000
#define PACKET_HEADROOM_BYTES 0x8000 /* on the wire while a pause frame travels, DS 3.7.7.3.2 */

/* ---- I2C, bit by bit: both lines are open-drain ---- */

static void i2c_lines(struct ixgbe *dev, bool clock, bool data)
{
    ixgbe_write(dev, IXGBE_I2CCTL,
                (clock ? I2CCTL_CLK_OUT : 0) | (data ? I2CCTL_DATA_OUT : 0));
    (void)ixgbe_read(dev, IXGBE_I2CCTL);
    hal_delay_us(I2C_HALF_BIT_US);
}

static bool i2c_bit(struct ixgbe *dev, bool out)
{
    bool in;

    i2c_lines(dev, false, out);
    i2c_lines(dev, true, out);
    in = (ixgbe_read(dev, IXGBE_I2CCTL) & I2CCTL_DATA_IN) != 0;
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

/* The kind of module for the EEPROM's list; 0: none or unknown. */
static uint16_t module_kind(struct ixgbe *dev)
{
    uint8_t identifier = 0, codes = 0, cable = 0;

    if (module_read(dev, SFP_IDENTIFIER, &identifier) != RT_OK) {
        rt_log("%s module=none", dev->nic->name);
        return 0;
    }
    if (module_read(dev, SFP_10G_CODES, &codes) != RT_OK ||
        module_read(dev, SFP_CABLE_CODES, &cable) != RT_OK)
        return 0;
    rt_log("%s module=0x%02x codes=0x%02x cable=0x%02x", dev->nic->name, identifier, codes,
           cable);
    if (identifier != SFP_IS_SFP)
        return 0;
    if ((cable & SFP_CABLE_PASSIVE) != 0)
        return (uint16_t)(MODULE_CABLE + dev->lan);
    if ((cable & SFP_CABLE_ACTIVE) != 0)
        return (uint16_t)(MODULE_ACTIVE + dev->lan);
    if ((codes & (SFP_10G_SR | SFP_10G_LR)) != 0)
        return (uint16_t)(MODULE_OPTIC + dev->lan);
    return 0;
}

/* Where the words for this kind begin; 0: the EEPROM does not know it. */
static uint16_t module_section(struct ixgbe *dev, uint16_t kind)
{
    uint16_t list = 0, id = 0, section = 0;

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

static enum rt_status module_setup(struct ixgbe *dev)
{
    uint16_t kind, section, value = 0;
    enum rt_status st = ixgbe_sync_take(dev, SYNC_PHY(dev->lan));

    if (st != RT_OK)
        return st;
    kind = module_kind(dev);
    ixgbe_sync_give(dev, SYNC_PHY(dev->lan));
    if (kind == 0)
        return RT_OK;
    st = ixgbe_sync_take(dev, SYNC_MAC_CSR | SYNC_NVM);
    if (st != RT_OK)
        return st;
    section = module_section(dev, kind);
    if (section == 0)
        rt_log("%s module_kind=%u reason=\"the EEPROM has no settings for it\"",
               dev->nic->name, kind);
    for (uint32_t i = 1; section != 0 && i < SFP_VALUES_MAX; i++) {
        if (ixgbe_nvm_read(dev, section + i, &value) != RT_OK || value == CORECTL_MARK)
            break;
        ixgbe_write(dev, IXGBE_CORECTL, value);
        (void)ixgbe_read(dev, IXGBE_STATUS);
    }
    ixgbe_sync_give(dev, SYNC_MAC_CSR | SYNC_NVM);
    return RT_OK;
}

/* The analog settings outlive a reset, so that a recovery leaves the module alone. */
enum rt_status ixgbe_serial_module(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    enum rt_status st = dev->link_known ? RT_OK : module_setup(dev);

    dev->link_known = st == RT_OK;
    return st;
}

/* DS 4.6.4.2: 10G serial (SFI), then restart. */
enum rt_status ixgbe_serial_begin(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    uint32_t autoc, autoc2;
    enum rt_status st = ixgbe_sync_step(dev, steps, SYNC_MAC_CSR);

    if (st != RT_OK)
        return st;
    autoc2 = ixgbe_read(dev, IXGBE_AUTOC2) & ~AUTOC2_10G_SERIAL_PMA;
    ixgbe_write(dev, IXGBE_AUTOC2, autoc2 | FIELD_PUT(AUTOC2_10G_SERIAL_PMA, AUTOC2_PMA_SFI));
    autoc = ixgbe_read(dev, IXGBE_AUTOC) & ~AUTOC_LMS;
    ixgbe_write(dev, IXGBE_AUTOC,
                autoc | FIELD_PUT(AUTOC_LMS, AUTOC_LMS_10G_SERIAL) | AUTOC_RESTART_AN);
    return RT_OK;
}

/* The pipeline has reset when the state machine of negotiation has left its first state. */
enum rt_status ixgbe_serial_wait(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    uint32_t value = ixgbe_read(dev, IXGBE_ANLP1);

    if ((value & ANLP1_AN_STATE) == 0) {
        steps->wait_us = AN_STATE_STEP_US;
        if (nic_step_us(steps) < AN_STATE_TIMEOUT_US)
            return RT_BUSY;
        ixgbe_complain(dev, "pipeline-reset", "anlp1", value); /* the link may still come */
    }
    ixgbe_sync_give(dev, SYNC_MAC_CSR);
    return RT_OK;
}

/* A backplane port keeps the mode that its EEPROM chose. */
enum rt_status ixgbe_backplane_begin(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    enum rt_status st = ixgbe_sync_step(dev, steps, SYNC_MAC_CSR);

    if (st != RT_OK)
        return st;
    ixgbe_write(dev, IXGBE_AUTOC, ixgbe_read(dev, IXGBE_AUTOC) | AUTOC_RESTART_AN);
    ixgbe_sync_give(dev, SYNC_MAC_CSR);
    return RT_OK;
}

/* ---- MDIO, IEEE 802.3 clause 45: an address cycle, then the access ---- */

static enum rt_status mdio(struct ixgbe *dev, uint32_t phy, uint32_t device, uint32_t reg,
                           uint32_t op)
{
    uint32_t where = ixgbe_field(MSCA_PHY, phy) | ixgbe_field(MSCA_DEVICE, device) |
                     ixgbe_field(MSCA_REG, reg) | MSCA_COMMAND;
    uint32_t value = 0;
    enum rt_status st;

    ixgbe_write(dev, IXGBE_MSCA, where | FIELD_PUT(MSCA_OP, MSCA_OP_ADDRESS));
    st = hal_wait_reg(&dev->mmio, IXGBE_MSCA, MSCA_COMMAND, 0, MDIO_TIMEOUT_US, &value);
    if (st == RT_OK) {
        ixgbe_write(dev, IXGBE_MSCA, where | ixgbe_field(MSCA_OP, op));
        st = hal_wait_reg(&dev->mmio, IXGBE_MSCA, MSCA_COMMAND, 0, MDIO_TIMEOUT_US, &value);
    }
    if (st != RT_OK)
        ixgbe_complain(dev, "phy-timeout", "msca", value);
    return st;
}

static enum rt_status phy_read(struct ixgbe *dev, uint32_t phy, uint32_t device, uint32_t reg,
                               uint16_t *value)
{
    enum rt_status st = mdio(dev, phy, device, reg, MSCA_OP_READ);

    *value = (uint16_t)FIELD_GET(MSRWD_READ, ixgbe_read(dev, IXGBE_MSRWD));
    return st;
}

static enum rt_status phy_write(struct ixgbe *dev, uint32_t phy, uint32_t device, uint32_t reg,
                                uint16_t value)
{
    ixgbe_write(dev, IXGBE_MSRWD, value);
    return mdio(dev, phy, device, reg, MSCA_OP_WRITE);
}

/* Sets dev->phy; none is no error. The address stays through a reset. */
static enum rt_status phy_find(struct ixgbe *dev)
{
    uint16_t id = 0;

    for (dev->phy = 0; dev->phy < MDIO_PHYS; dev->phy++) {
        enum rt_status st = phy_read(dev, dev->phy, MDIO_DEVICE_PMA, MDIO_ID1, &id);

        if (st != RT_OK)
            return st;
        if (id != 0 && id != UINT16_MAX) {
            rt_log("%s phy=%u id1=0x%04x", dev->nic->name, (unsigned)dev->phy, id);
            return RT_OK;
        }
    }
    rt_log("%s phy=none action=\"link left to the firmware\"", dev->nic->name);
    return RT_OK;
}

/* The PHY negotiates by itself after power-on: woken, and restarted only when it does not. */
static enum rt_status phy_begin(struct ixgbe *dev)
{
    uint16_t pma = 0, an = 0;
    uint32_t phy = dev->phy;
    enum rt_status st = phy_read(dev, phy, MDIO_DEVICE_PMA, MDIO_PMA_CONTROL, &pma);

    if (st == RT_OK && (pma & PMA_CONTROL_LOW_POWER) != 0)
        st = phy_write(dev, phy, MDIO_DEVICE_PMA, MDIO_PMA_CONTROL,
                       (uint16_t)(pma & ~PMA_CONTROL_LOW_POWER));
    if (st == RT_OK)
        st = phy_read(dev, phy, MDIO_DEVICE_AN, MDIO_AN_CONTROL, &an);
    if (st == RT_OK && ((an & AN_CONTROL_ENABLE) == 0 || (pma & PMA_CONTROL_LOW_POWER) != 0))
        st = phy_write(dev, phy, MDIO_DEVICE_AN, MDIO_AN_CONTROL,
                       (uint16_t)(an | AN_CONTROL_ENABLE | AN_CONTROL_RESTART));
    return st;
}

enum rt_status ixgbe_copper_begin(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    enum rt_status st = ixgbe_sync_step(dev, steps, SYNC_PHY(dev->lan));

    if (st != RT_OK)
        return st;
    if (!dev->link_known)
        st = phy_find(dev);
    dev->link_known = st == RT_OK;
    if (st == RT_OK && dev->phy < MDIO_PHYS)
        st = phy_begin(dev);
    ixgbe_sync_give(dev, SYNC_PHY(dev->lan));
    return st;
}

/* DS 4.6.4.4, 3.7.7.3: pause both ways; sent when the packet buffer is all but full. SFP+ has
 * no negotiation of it, so it is what both ends are set to by custom. */
enum rt_status ixgbe_flow_control(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t buffer = dev->model->rx_buffer_kib * 1024u;
    uint32_t frame = (uint32_t)dev->nic->config.frame_max_bytes + IXGBE_VLAN_BYTES +
                     IXGBE_CRC_BYTES;
    uint32_t high = (buffer - PACKET_HEADROOM_BYTES - 2 * frame) & ~31u;

    ixgbe_write(dev, IXGBE_MFLCN, MFLCN_DPF | MFLCN_RFCE);
    ixgbe_write(dev, IXGBE_FCCFG, FIELD_PUT(FCCFG_TFCE, FCCFG_TFCE_LINK));
    ixgbe_write(dev, IXGBE_FCRTL(0), (high - XON_BYTES_BELOW) | FCRTL_XONE);
    ixgbe_write(dev, IXGBE_FCRTH(0), high | FCRTH_FCEN);
    for (unsigned i = 1; i < IXGBE_PACKET_BUFFERS; i++) {
        ixgbe_write(dev, IXGBE_FCRTL(i), 0);
        ixgbe_write(dev, IXGBE_FCRTH(i), 0);
    }
    ixgbe_write(dev, IXGBE_FCTTV(0), 0x06800680);
    ixgbe_write(dev, IXGBE_FCRTV, 0x0340);
    return RT_OK;
}

static uint32_t speed_mbps(uint32_t links)
{
    switch (FIELD_GET(LINKS_SPEED, links)) {
    case LINKS_SPEED_10G:
        return 10000;
    case LINKS_SPEED_1G:
        return 1000;
    case LINKS_SPEED_100M:
        return 100;
    default:
        return 0;
    }
}

/* LINKS latches a loss: the second read is the state now (DS 8.2.3.22.19). */
void ixgbe_link_look(struct ixgbe *dev)
{
    struct nic *nic = dev->nic;
    uint32_t links = ixgbe_read(dev, IXGBE_LINKS);
    bool up;

    links = ixgbe_read(dev, IXGBE_LINKS);
    if (links == UINT32_MAX || dev->state == IXGBE_GONE)
        links = 0; /* removed: no link */
    up = (links & LINKS_UP) != 0;
    if (up == nic->link.up)
        return;
    nic->link.up = up;
    nic->link.changes++;
    nic->link.full_duplex = up;
    nic->link.speed_mbps = up ? speed_mbps(links) : 0;
    rt_trace(TRACE_LINK, nic->port, nic->link.speed_mbps);
    rt_log("%s link=%s speed_mbps=%u changes=%u", nic->name, up ? "up" : "down",
           (unsigned)nic->link.speed_mbps, (unsigned)nic->link.changes);
}

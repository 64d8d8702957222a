/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe: the link of each kind of port (SFP+ cage, 10GBASE-T behind MDIO, backplane). Core
 * 0. */
#include "ixgbe.h"

#include <rt/log.h>
#include <rt/trace.h>

#define LASER_ON_US 100000
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

/* SDP3 is the TX_DISABLE of the cage. A system that had the card before us may have left it
 * high, and neither a reset nor a warm start brings it back (DS 8.2.3.1.4): our optics would
 * stay dark. Which way the pin works is the board's affair, its EEPROM says so. Left on at
 * stop. */
enum rt_status ixgbe_laser_on(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    uint32_t esdp = ixgbe_read(dev, IXGBE_ESDP);

    if ((esdp & IXGBE_ESDP_SDP3_OUT) == 0 || (esdp & IXGBE_ESDP_SDP3) == 0)
        return RT_OK;
    ixgbe_write(dev, IXGBE_ESDP, esdp & ~IXGBE_ESDP_SDP3);
    (void)ixgbe_read(dev, IXGBE_STATUS);
    rt_log("%s laser=on reason=\"it was left off\"", nic->name);
    steps->wait_us = LASER_ON_US;
    return RT_OK;
}

/* The mode of the module's speed: 10G serial, or 1G with the negotiation of 1000BASE-X. */
static uint32_t serial_autoc(const struct ixgbe *dev)
{
    uint32_t autoc = ixgbe_read(dev, IXGBE_AUTOC) & ~(IXGBE_AUTOC_LMS | IXGBE_AUTOC_1G_KX);

    return autoc | IXGBE_AUTOC_RESTART_AN |
           (dev->module_1g ? FIELD_PUT(IXGBE_AUTOC_LMS, IXGBE_AUTOC_LMS_1G_AN)
                           : FIELD_PUT(IXGBE_AUTOC_LMS, IXGBE_AUTOC_LMS_10G_SERIAL));
}

/* DS 4.6.4.2. New settings of the analog core count after the pipeline was reset: by a mode
 * with the other value of LMS bit 2, which starts the state machine of negotiation. */
enum rt_status ixgbe_serial_begin(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    uint32_t autoc2;
    enum rt_status st = ixgbe_sync_step(dev, steps, IXGBE_SYNC_MAC_CSR);

    if (st != RT_OK)
        return st;
    autoc2 =
        ixgbe_read(dev, IXGBE_AUTOC2) & ~(IXGBE_AUTOC2_10G_SERIAL_PMA | IXGBE_AUTOC2_LINK_OFF);
    ixgbe_write(dev, IXGBE_AUTOC2,
                autoc2 | FIELD_PUT(IXGBE_AUTOC2_10G_SERIAL_PMA, IXGBE_AUTOC2_PMA_SFI));
    ixgbe_write(dev, IXGBE_AUTOC, serial_autoc(dev) ^ IXGBE_AUTOC_LMS_BIT2);
    return RT_OK;
}

/* The pipeline has reset when that state machine has left its first state; then the mode that
 * is wanted. */
enum rt_status ixgbe_serial_wait(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    uint32_t value = ixgbe_read(dev, IXGBE_ANLP1);

    RT_ASSERT((dev->synced & IXGBE_SYNC_MAC_CSR) != 0);
    if ((value & IXGBE_ANLP1_AN_STATE) == 0) {
        steps->wait_us = AN_STATE_STEP_US;
        if (nic_step_us(steps) < AN_STATE_TIMEOUT_US)
            return RT_BUSY;
        nic_complain(dev->nic, "pipeline-reset", "anlp1", value); /* the link may still come */
    }
    steps->wait_us = 0;
    ixgbe_write(dev, IXGBE_AUTOC, serial_autoc(dev));
    (void)ixgbe_read(dev, IXGBE_STATUS);
    ixgbe_sync_give(dev, IXGBE_SYNC_MAC_CSR);
    return RT_OK;
}

/* A backplane port keeps the mode that its EEPROM chose. */
enum rt_status ixgbe_backplane_begin(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    enum rt_status st = ixgbe_sync_step(dev, steps, IXGBE_SYNC_MAC_CSR);

    if (st != RT_OK)
        return st;
    ixgbe_write(dev, IXGBE_AUTOC, ixgbe_read(dev, IXGBE_AUTOC) | IXGBE_AUTOC_RESTART_AN);
    ixgbe_sync_give(dev, IXGBE_SYNC_MAC_CSR);
    return RT_OK;
}

/* ---- MDIO, IEEE 802.3 clause 45: an address cycle, then the access ---- */

static enum rt_status mdio(struct ixgbe *dev, uint32_t phy, uint32_t device, uint32_t reg,
                           uint32_t op)
{
    uint32_t where = FIELD_PUT(IXGBE_MSCA_PHY, phy) | FIELD_PUT(IXGBE_MSCA_DEVICE, device) |
                     FIELD_PUT(IXGBE_MSCA_REG, reg) | IXGBE_MSCA_COMMAND;
    uint32_t value = 0;
    enum rt_status st;

    RT_ASSERT_LT(phy, (uint32_t)MDIO_PHYS);
    RT_ASSERT((dev->synced & IXGBE_SYNC_PHY(dev->lan)) != 0);
    ixgbe_write(dev, IXGBE_MSCA, where | FIELD_PUT(IXGBE_MSCA_OP, IXGBE_MSCA_OP_ADDRESS));
    st = hal_wait_reg(&dev->nic->mmio, IXGBE_MSCA, IXGBE_MSCA_COMMAND, 0, MDIO_TIMEOUT_US,
                      &value);
    if (st == RT_OK) {
        ixgbe_write(dev, IXGBE_MSCA, where | FIELD_PUT(IXGBE_MSCA_OP, op));
        st = hal_wait_reg(&dev->nic->mmio, IXGBE_MSCA, IXGBE_MSCA_COMMAND, 0, MDIO_TIMEOUT_US,
                          &value);
    }
    if (st != RT_OK)
        nic_complain(dev->nic, "phy-timeout", "msca", value);
    return st;
}

static enum rt_status phy_read(struct ixgbe *dev, uint32_t phy, uint32_t device, uint32_t reg,
                               uint16_t *value)
{
    enum rt_status st = mdio(dev, phy, device, reg, IXGBE_MSCA_OP_READ);

    *value = (uint16_t)FIELD_GET(IXGBE_MSRWD_READ, ixgbe_read(dev, IXGBE_MSRWD));
    return st;
}

static enum rt_status phy_write(struct ixgbe *dev, uint32_t phy, uint32_t device, uint32_t reg,
                                uint16_t value)
{
    ixgbe_write(dev, IXGBE_MSRWD, value);
    return mdio(dev, phy, device, reg, IXGBE_MSCA_OP_WRITE);
}

/* Sets dev->phy; none is no error. The address stays through a reset. */
static enum rt_status phy_find(struct ixgbe *dev)
{
    uint16_t id = 0;

    RT_ASSERT((dev->synced & IXGBE_SYNC_PHY(dev->lan)) != 0);
    for (dev->phy = 0; dev->phy < MDIO_PHYS; dev->phy++) {
        enum rt_status st = phy_read(dev, dev->phy, MDIO_DEVICE_PMA, MDIO_ID1, &id);

        if (st != RT_OK)
            return st;
        if (id != 0 && id != UINT16_MAX) {
            rt_log("%s phy=%u id1=0x%04x", dev->nic->name, dev->phy, id);
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

    RT_ASSERT_LT(dev->phy, (uint32_t)MDIO_PHYS);
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
    enum rt_status st = ixgbe_sync_step(dev, steps, IXGBE_SYNC_PHY(dev->lan));

    if (st != RT_OK)
        return st;
    if (!dev->link_known)
        st = phy_find(dev);
    dev->link_known = st == RT_OK;
    if (st == RT_OK && dev->phy < MDIO_PHYS)
        st = phy_begin(dev);
    ixgbe_sync_give(dev, IXGBE_SYNC_PHY(dev->lan));
    return st;
}

/* DS 4.6.4.4, 3.7.7.3: pause both ways; sent when the packet buffer is all but full. SFP+ has
 * no negotiation of it, so it is what both ends are set to by custom. */
enum rt_status ixgbe_flow_control(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t buffer = dev->model->rx_buffer_kib * 1024u;
    uint32_t frame = (uint32_t)dev->nic->config.frame_max_bytes + IXGBE_VLAN_BYTES +
                     INTEL_CRC_BYTES;
    uint32_t high = (buffer - PACKET_HEADROOM_BYTES - 2 * frame) & ~31u;

    RT_ASSERT_LT(PACKET_HEADROOM_BYTES + 2 * frame + XON_BYTES_BELOW, buffer);
    ixgbe_write(dev, IXGBE_MFLCN, IXGBE_MFLCN_DPF | IXGBE_MFLCN_RFCE);
    ixgbe_write(dev, IXGBE_FCCFG, FIELD_PUT(IXGBE_FCCFG_TFCE, IXGBE_FCCFG_TFCE_LINK));
    ixgbe_write(dev, IXGBE_FCRTL(0), (high - XON_BYTES_BELOW) | IXGBE_FCRTL_XONE);
    ixgbe_write(dev, IXGBE_FCRTH(0), high | IXGBE_FCRTH_FCEN);
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
    switch (FIELD_GET(IXGBE_LINKS_SPEED, links)) {
    case IXGBE_LINKS_SPEED_10G:
        return 10000;
    case IXGBE_LINKS_SPEED_1G:
        return 1000;
    case IXGBE_LINKS_SPEED_100M:
        return 100;
    default:
        return 0;
    }
}

/* LINKS latches a loss: the second read is the state now (DS 8.2.3.22.19). */
void ixgbe_poll_link(struct nic *nic)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t links;
    bool up;

    (void)ixgbe_read(dev, IXGBE_LINKS);
    links = ixgbe_read(dev, IXGBE_LINKS);
    if (links == UINT32_MAX)
        links = 0; /* removed: no link */
    up = (links & IXGBE_LINKS_UP) != 0;
    if (up == nic->link.up)
        return;
    nic->link.up = up;
    nic->link.changes++;
    nic->link.full_duplex = up;
    nic->link.speed_mbps = up ? speed_mbps(links) : 0;
    rt_trace(TRACE_LINK, nic->port, nic->link.speed_mbps);
    rt_log("%s link=%s speed_mbps=%u changes=%u", nic->name, up ? "up" : "down",
           nic->link.speed_mbps, nic->link.changes);
}

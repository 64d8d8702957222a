/* SPDX-License-Identifier: BSD-2-Clause */
/* e1000e: semaphore, NVM, PHY registers, link. Core 0. */
#include "e1000e.h"

#include <rt/log.h>
#include <rt/trace.h>

#define SEMAPHORE_TRIES 10
#define SEMAPHORE_STEP_US 2000
#define NVM_CHECKSUM_WORDS 0x40
#define MDIC_TIMEOUT_US 100000
#define PHY_CHECK_EVERY_US 2000000
#define PHY_HANGS_BEFORE_RESET 2
#define PHY_RX_ERRORS_STUCK 0xffff
#define PHY_IDLE_ERRORS_STUCK 0xff

/* The firmware shares NVM and PHY with us; who sets the bit and reads it back set owns them. */
static enum rt_status semaphore_try(struct e1000e *dev)
{
    uint32_t value;

    RT_ASSERT(!dev->semaphore);
    e1000e_write(dev, E1000E_EXTCNF_CTRL,
                 e1000e_read(dev, E1000E_EXTCNF_CTRL) | E1000E_EXTCNF_CTRL_MDIO_SW);
    value = e1000e_read(dev, E1000E_EXTCNF_CTRL);
    if (value == UINT32_MAX)
        return RT_TIMEOUT; /* the device is gone */
    dev->semaphore = (value & E1000E_EXTCNF_CTRL_MDIO_SW) != 0;
    return dev->semaphore ? RT_OK : RT_BUSY;
}

static enum rt_status semaphore_timeout(const struct e1000e *dev)
{
    nic_complain(dev->nic, "semaphore-timeout", "extcnf_ctrl",
                 e1000e_read(dev, E1000E_EXTCNF_CTRL));
    return RT_TIMEOUT;
}

enum rt_status e1000e_semaphore_step(struct nic *nic, struct nic_steps *steps)
{
    enum rt_status st = semaphore_try(nic->priv);

    if (st == RT_TIMEOUT || (st == RT_BUSY &&
                             nic_step_us(steps) >= SEMAPHORE_TRIES * SEMAPHORE_STEP_US))
        return semaphore_timeout(nic->priv);
    steps->wait_us = st == RT_BUSY ? SEMAPHORE_STEP_US : 0;
    return st;
}

enum rt_status e1000e_semaphore_take(struct e1000e *dev)
{
    for (unsigned i = 0; i < SEMAPHORE_TRIES; i++) {
        enum rt_status st = semaphore_try(dev);

        if (st == RT_OK)
            return RT_OK;
        if (st == RT_TIMEOUT)
            break;
        hal_delay_us(SEMAPHORE_STEP_US);
    }
    return semaphore_timeout(dev);
}

void e1000e_semaphore_give(struct e1000e *dev)
{
    if (!dev->semaphore)
        return;
    dev->semaphore = false;
    e1000e_write(dev, E1000E_EXTCNF_CTRL,
                 e1000e_read(dev, E1000E_EXTCNF_CTRL) & ~E1000E_EXTCNF_CTRL_MDIO_SW);
}

/* Words 0..2 are the MAC address; all of them add up to 0xbaba. */
enum rt_status e1000e_nvm_check(struct e1000e *dev, uint8_t mac[6])
{
    uint16_t sum = 0;

    RT_ASSERT(dev->semaphore);
    for (uint32_t word = 0; word < NVM_CHECKSUM_WORDS; word++) {
        uint16_t value;
        enum rt_status st = intel_nvm_read(dev->nic, E1000E_EERD, word, &value);

        if (st != RT_OK)
            return st;
        sum = (uint16_t)(sum + value);
        if (word < 3) {
            mac[2 * word] = (uint8_t)value;
            mac[2 * word + 1] = (uint8_t)(value >> 8);
        }
    }
    return intel_nvm_check_sum(dev->nic, sum);
}

static enum rt_status mdic(struct e1000e *dev, uint32_t command, uint16_t *value)
{
    uint32_t reg = 0;
    enum rt_status st;

    RT_ASSERT(dev->semaphore);
    e1000e_write(dev, E1000E_MDIC, command | FIELD_PUT(E1000E_MDIC_PHY, E1000E_PHY_ADDRESS));
    st = hal_wait_reg(&dev->nic->mmio, E1000E_MDIC, E1000E_MDIC_READY, E1000E_MDIC_READY,
                      MDIC_TIMEOUT_US, &reg);
    if (st != RT_OK) {
        nic_complain(dev->nic, "phy-timeout", "mdic", reg);
        return st;
    }
    if ((reg & E1000E_MDIC_ERROR) != 0) {
        nic_complain(dev->nic, "phy-error", "mdic", reg);
        return RT_IO;
    }
    *value = (uint16_t)FIELD_GET(E1000E_MDIC_DATA, reg);
    return RT_OK;
}

enum rt_status e1000e_phy_read(struct e1000e *dev, uint32_t reg, uint16_t *value)
{
    RT_ASSERT_LE(reg, FIELD_GET(E1000E_MDIC_REG, UINT32_MAX));
    *value = 0;
    return mdic(
        dev, FIELD_PUT(E1000E_MDIC_OP, E1000E_MDIC_OP_READ) | FIELD_PUT(E1000E_MDIC_REG, reg),
        value);
}

enum rt_status e1000e_phy_write(struct e1000e *dev, uint32_t reg, uint16_t value)
{
    uint16_t ignored;

    RT_ASSERT_LE(reg, FIELD_GET(E1000E_MDIC_REG, UINT32_MAX));
    return mdic(dev,
                FIELD_PUT(E1000E_MDIC_OP, E1000E_MDIC_OP_WRITE) |
                    FIELD_PUT(E1000E_MDIC_REG, reg) | FIELD_PUT(E1000E_MDIC_DATA, value),
                &ignored);
}

/* Lets the PHY negotiate. It does so by itself after power-on, and a restart costs seconds of
 * link: it is restarted only when it is asleep, isolated, or offers less than we can do. */
static enum rt_status phy_negotiate(struct e1000e *dev)
{
    const uint16_t off = E1000E_BMCR_POWER_DOWN | E1000E_BMCR_ISOLATE,
                   pause = E1000E_AN_PAUSE | E1000E_AN_ASYM_PAUSE;
    uint16_t id1, id2, bmcr, offer;
    enum rt_status st = e1000e_phy_read(dev, E1000E_PHY_ID1, &id1);

    if (st == RT_OK)
        st = e1000e_phy_read(dev, E1000E_PHY_ID2, &id2);
    if (st == RT_OK)
        st = e1000e_phy_read(dev, E1000E_PHY_BMCR, &bmcr);
    if (st == RT_OK)
        st = e1000e_phy_read(dev, E1000E_PHY_ANAR, &offer);
    if (st != RT_OK)
        return st;
    rt_log("%s phy=0x%04x:0x%04x bmcr=0x%04x offer=0x%04x", dev->nic->name, id1, id2, bmcr,
           offer);
    if ((offer & pause) == pause && (bmcr & off) == 0 && (bmcr & E1000E_BMCR_AN_ENABLE) != 0)
        return RT_OK;
    if ((e1000e_read(dev, E1000E_STATUS) & E1000E_STATUS_LU) != 0 && (bmcr & off) == 0)
        return RT_OK; /* the link is there: less flow control is no reason to drop it */
    st = e1000e_phy_write(dev, E1000E_PHY_ANAR, offer | pause);
    if (st != RT_OK)
        return st;
    bmcr = (uint16_t)((bmcr & (uint16_t)~off) | E1000E_BMCR_AN_ENABLE | E1000E_BMCR_RESTART_AN);
    return e1000e_phy_write(dev, E1000E_PHY_BMCR, bmcr);
}

/* With the semaphore, which goes back. What the PHY was told outlives a reset of the MAC. */
enum rt_status e1000e_link_begin(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;
    uint32_t ctrl = e1000e_read(dev, E1000E_CTRL);
    enum rt_status st = dev->phy_known ? RT_OK : phy_negotiate(dev);

    e1000e_semaphore_give(dev);
    dev->phy_known = st == RT_OK;
    if (st != RT_OK)
        return st;
    ctrl = (ctrl | E1000E_CTRL_SLU) & ~(E1000E_CTRL_FRCSPD | E1000E_CTRL_FRCDPX);
    e1000e_write(dev, E1000E_CTRL, ctrl);
    return RT_OK;
}

/* Who may send pause frames, from both offers (IEEE 802.3 table 28B-3). The chip does not
 * take it from the PHY by itself. */
static void resolve_pause(struct e1000e *dev)
{
    uint32_t ctrl = e1000e_read(dev, E1000E_CTRL) & ~(E1000E_CTRL_RFCE | E1000E_CTRL_TFCE);
    uint16_t ours = 0, theirs = 0;

    if (e1000e_semaphore_take(dev) != RT_OK)
        return;
    if (e1000e_phy_read(dev, E1000E_PHY_ANAR, &ours) == RT_OK &&
        e1000e_phy_read(dev, E1000E_PHY_ANLPAR, &theirs) == RT_OK) {
        bool asym = (ours & theirs & E1000E_AN_ASYM_PAUSE) != 0;

        if ((ours & theirs & E1000E_AN_PAUSE) != 0)
            ctrl |= E1000E_CTRL_RFCE | E1000E_CTRL_TFCE;
        else if (asym && (ours & E1000E_AN_PAUSE) != 0)
            ctrl |= E1000E_CTRL_RFCE;
        else if (asym && (theirs & E1000E_AN_PAUSE) != 0)
            ctrl |= E1000E_CTRL_TFCE;
        e1000e_write(dev, E1000E_CTRL, ctrl);
    }
    e1000e_semaphore_give(dev);
}

/* 82574: the PHY can hang with its error counters at all ones, link lost or not. A PHY reset
 * leaves the rings alone; it costs a negotiation. */
static void check_phy(struct e1000e *dev, uint64_t now_us)
{
    uint16_t errors = 0, idle = 0;

    RT_ASSERT_LT(dev->phy_hangs, (uint32_t)PHY_HANGS_BEFORE_RESET);
    if ((dev->model->flags & E1000E_PHY_HANGS) == 0 ||
        now_us - dev->phy_checked_us < PHY_CHECK_EVERY_US)
        return;
    dev->phy_checked_us = now_us;
    if (e1000e_semaphore_take(dev) != RT_OK)
        return;
    if (e1000e_phy_read(dev, E1000E_PHY_RX_ERRORS, &errors) == RT_OK &&
        errors == PHY_RX_ERRORS_STUCK &&
        e1000e_phy_read(dev, E1000E_PHY_1000T_STATUS, &idle) == RT_OK &&
        FIELD_GET(E1000E_PHY_1000T_IDLE_ERRORS, idle) == PHY_IDLE_ERRORS_STUCK)
        dev->phy_hangs++;
    else
        dev->phy_hangs = 0;
    if (dev->phy_hangs == PHY_HANGS_BEFORE_RESET) {
        dev->phy_hangs = 0;
        rt_log("%s phy=hung action=reset", dev->nic->name);
        rt_trace(TRACE_NIC_RESET, dev->nic->port, E1000E_PHY_RX_ERRORS);
        if (e1000e_phy_write(dev, E1000E_PHY_BMCR, E1000E_BMCR_RESET | E1000E_BMCR_AN_ENABLE) !=
            RT_OK)
            rt_log("%s phy=hung action=none reason=\"no answer\"", dev->nic->name);
    }
    e1000e_semaphore_give(dev);
}

static uint32_t speed_mbps(uint32_t status)
{
    switch (FIELD_GET(E1000E_STATUS_SPEED, status)) {
    case E1000E_STATUS_SPEED_10:
        return 10;
    case E1000E_STATUS_SPEED_100:
        return 100;
    default:
        return 1000;
    }
}

void e1000e_poll_link(struct nic *nic)
{
    struct e1000e *dev = nic->priv;
    uint32_t status;
    bool up;

    /* Clears our two causes without reading the register: a read would swallow the causes of
     * the queues. A change after this line raises the interrupt again. In every mode: INTx is a
     * level, and ends each halt at once as long as a cause stands. */
    e1000e_write(dev, E1000E_ICR, E1000E_INT_LSC | E1000E_INT_OTHER);
    status = e1000e_read(dev, E1000E_STATUS);
    if (status == UINT32_MAX) {
        status = 0; /* removed: no link */
    } else {
        check_phy(dev, hal_now_us());
    }
    up = (status & E1000E_STATUS_LU) != 0;
    if (up == nic->link.up)
        return;
    nic->link.up = up;
    nic->link.changes++;
    nic->link.full_duplex = up && (status & E1000E_STATUS_FD) != 0;
    nic->link.speed_mbps = up ? speed_mbps(status) : 0;
    rt_trace(TRACE_LINK, nic->port, nic->link.speed_mbps);
    if (up)
        resolve_pause(dev);
    rt_log("%s link=%s speed_mbps=%u duplex=%s changes=%u", nic->name, up ? "up" : "down",
           nic->link.speed_mbps, nic->link.full_duplex ? "full" : "half",
           nic->link.changes);
}

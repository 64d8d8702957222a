/* SPDX-License-Identifier: BSD-2-Clause */
/* e1000e: semaphore, NVM, PHY registers and what the PHY is told at the bring-up. Core 0. */
#include "e1000e.h"

#include <rt/log.h>

#define SEMAPHORE_TRIES 10
#define SEMAPHORE_STEP_US 2000
#define NVM_CHECKSUM_WORDS 0x40
#define MDIC_TIMEOUT_US 100000

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

/* ---- PHY registers: asked for in a step, one after the other, never waited for ---- */

void e1000e_phy_forget(struct e1000e *dev)
{
    dev->phy.count = dev->phy.at = 0;
    dev->phy.begun = false;
}

static void phy_add(struct e1000e *dev, uint32_t op, uint32_t reg, uint16_t value)
{
    struct e1000e_phy_list *list = &dev->phy;

    RT_ASSERT_EQ(list->at, 0u);
    RT_ASSERT_LT(list->count, (uint32_t)E1000E_PHY_LIST_MAX);
    RT_ASSERT_LE(reg, FIELD_GET(E1000E_MDIC_REG, UINT32_MAX));
    list->command[list->count++] =
        FIELD_PUT(E1000E_MDIC_PHY, E1000E_PHY_ADDRESS) | FIELD_PUT(E1000E_MDIC_OP, op) |
        FIELD_PUT(E1000E_MDIC_REG, reg) | FIELD_PUT(E1000E_MDIC_DATA, value);
}

void e1000e_phy_read(struct e1000e *dev, uint32_t reg)
{
    phy_add(dev, E1000E_MDIC_OP_READ, reg, 0);
}

void e1000e_phy_write(struct e1000e *dev, uint32_t reg, uint16_t value)
{
    phy_add(dev, E1000E_MDIC_OP_WRITE, reg, value);
}

/* One access: begun with the first call, over when the chip says so. */
static enum rt_status phy_access(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait ready = {E1000E_MDIC, E1000E_MDIC_READY,
                                               E1000E_MDIC_READY, MDIC_TIMEOUT_US};
    struct e1000e *dev = nic->priv;
    uint32_t reg;
    enum rt_status st;

    RT_ASSERT(dev->semaphore);
    if (!dev->phy.begun)
        e1000e_write(dev, E1000E_MDIC, dev->phy.command[dev->phy.at]);
    dev->phy.begun = true;
    st = nic_step_await(nic, steps, ready, "phy-timeout", "mdic");
    if (st != RT_OK)
        return st;
    reg = e1000e_read(dev, E1000E_MDIC);
    dev->phy.begun = false;
    dev->phy.value[dev->phy.at++] = (uint16_t)FIELD_GET(E1000E_MDIC_DATA, reg);
    if ((reg & E1000E_MDIC_ERROR) == 0)
        return RT_OK;
    nic_complain(nic, "phy-error", "mdic", reg);
    return RT_IO;
}

/* With the semaphore, which goes back when an access fails. */
enum rt_status e1000e_phy_step(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;
    enum rt_status st = RT_OK;

    while (dev->phy.at < dev->phy.count && st == RT_OK) /* at most E1000E_PHY_LIST_MAX */
        st = phy_access(nic, steps);
    if (st == RT_BUSY)
        return st;
    e1000e_phy_forget(dev);
    if (st != RT_OK)
        e1000e_semaphore_give(dev);
    return st;
}

/* ---- link: steps of the bring-up ---- */

/* What the PHY was told outlives a reset of the MAC. */
enum rt_status e1000e_phy_ask(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;

    if (dev->phy_known)
        return RT_OK;
    e1000e_phy_read(dev, E1000E_PHY_ID1);
    e1000e_phy_read(dev, E1000E_PHY_ID2);
    e1000e_phy_read(dev, E1000E_PHY_BMCR);
    e1000e_phy_read(dev, E1000E_PHY_ANAR);
    return RT_OK;
}

/* Lets the PHY negotiate. It does so by itself after power-on, and a restart costs seconds of
 * link: it is restarted only when it is asleep, isolated, or offers less than we can do. */
enum rt_status e1000e_phy_negotiate(struct nic *nic, struct nic_steps *steps)
{
    const uint16_t off = E1000E_BMCR_POWER_DOWN | E1000E_BMCR_ISOLATE,
                   pause = E1000E_AN_PAUSE | E1000E_AN_ASYM_PAUSE;
    struct e1000e *dev = nic->priv;
    const uint16_t *value = dev->phy.value; /* as asked for */
    uint16_t bmcr = value[2], offer = value[3];

    if (dev->phy_known)
        return RT_OK;
    rt_log("%s phy=0x%04x:0x%04x bmcr=0x%04x offer=0x%04x", nic->name, value[0], value[1], bmcr,
           offer);
    if ((offer & pause) == pause && (bmcr & off) == 0 && (bmcr & E1000E_BMCR_AN_ENABLE) != 0)
        return RT_OK;
    if ((e1000e_read(dev, E1000E_STATUS) & E1000E_STATUS_LU) != 0 && (bmcr & off) == 0)
        return RT_OK; /* the link is there: less flow control is no reason to drop it */
    e1000e_phy_write(dev, E1000E_PHY_ANAR, offer | pause);
    bmcr = (uint16_t)((bmcr & (uint16_t)~off) | E1000E_BMCR_AN_ENABLE | E1000E_BMCR_RESTART_AN);
    e1000e_phy_write(dev, E1000E_PHY_BMCR, bmcr);
    return RT_OK;
}

/* With the semaphore, which goes back. */
enum rt_status e1000e_link_begin(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;
    uint32_t ctrl = e1000e_read(dev, E1000E_CTRL);

    RT_ASSERT(dev->semaphore);
    e1000e_semaphore_give(dev);
    dev->phy_known = true;
    ctrl = (ctrl | E1000E_CTRL_SLU) & ~(E1000E_CTRL_FRCSPD | E1000E_CTRL_FRCDPX);
    e1000e_write(dev, E1000E_CTRL, ctrl);
    return RT_OK;
}

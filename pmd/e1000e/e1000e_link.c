/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e: the link of a running port, and looks at its PHY. Core 0, in nic_poll_link. A look is a
 * walk through steps: it goes as far as the PHY has answered, and on at link_due_us.
 */
#include "e1000e.h"

#include <rt/log.h>
#include <rt/trace.h>

#define PHY_CHECK_EVERY_US 2000000
#define PHY_HANGS_BEFORE_RESET 2
#define PHY_RX_ERRORS_STUCK 0xffff
#define PHY_IDLE_ERRORS_STUCK 0xff
#define WALK_STEPS_MAX 16 /* rows of a walk, and looks at what it waits for */

static enum rt_status ask_offers(struct nic *nic, struct nic_steps *steps)
{
    e1000e_phy_read(nic->priv, E1000E_PHY_ANAR);
    e1000e_phy_read(nic->priv, E1000E_PHY_ANLPAR);
    return RT_OK;
}

/* Who may send pause frames, from both offers (IEEE 802.3 table 28B-3). The chip does not
 * take it from the PHY by itself. */
static enum rt_status resolve_pause(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;
    uint32_t ctrl = e1000e_read(dev, E1000E_CTRL) & ~(E1000E_CTRL_RFCE | E1000E_CTRL_TFCE);
    uint16_t ours = dev->phy.value[0], theirs = dev->phy.value[1];
    bool asym = (ours & theirs & E1000E_AN_ASYM_PAUSE) != 0;

    if ((ours & theirs & E1000E_AN_PAUSE) != 0)
        ctrl |= E1000E_CTRL_RFCE | E1000E_CTRL_TFCE;
    else if (asym && (ours & E1000E_AN_PAUSE) != 0)
        ctrl |= E1000E_CTRL_RFCE;
    else if (asym && (theirs & E1000E_AN_PAUSE) != 0)
        ctrl |= E1000E_CTRL_TFCE;
    e1000e_write(dev, E1000E_CTRL, ctrl);
    return RT_OK;
}

static enum rt_status ask_errors(struct nic *nic, struct nic_steps *steps)
{
    e1000e_phy_read(nic->priv, E1000E_PHY_RX_ERRORS);
    e1000e_phy_read(nic->priv, E1000E_PHY_1000T_STATUS);
    return RT_OK;
}

/* 82574: the PHY can hang with its error counters at all ones, link lost or not. A PHY reset
 * leaves the rings alone; it costs a negotiation. */
static enum rt_status judge_errors(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;
    const uint16_t *value = dev->phy.value;

    RT_ASSERT_LT(dev->phy_hangs, (uint32_t)PHY_HANGS_BEFORE_RESET);
    if (value[0] != PHY_RX_ERRORS_STUCK ||
        FIELD_GET(E1000E_PHY_1000T_IDLE_ERRORS, value[1]) != PHY_IDLE_ERRORS_STUCK)
        dev->phy_hangs = 0;
    else if (++dev->phy_hangs == PHY_HANGS_BEFORE_RESET) {
        dev->phy_hangs = 0;
        rt_log("%s phy=hung action=reset", nic->name);
        rt_trace(TRACE_NIC_RESET, nic->port, E1000E_PHY_RX_ERRORS);
        e1000e_phy_write(dev, E1000E_PHY_BMCR, E1000E_BMCR_RESET | E1000E_BMCR_AN_ENABLE);
    }
    return RT_OK;
}

static enum rt_status walk_ends(struct nic *nic, struct nic_steps *steps)
{
    e1000e_semaphore_give(nic->priv);
    return RT_OK;
}

static const struct nic_step pause_rows[] = {
    {e1000e_semaphore_step}, {ask_offers}, {e1000e_phy_step}, {resolve_pause}, {walk_ends}};
static const struct nic_step check_rows[] = {{e1000e_semaphore_step}, {ask_errors},
                                             {e1000e_phy_step},       {judge_errors},
                                             {e1000e_phy_step},       {walk_ends}};
static const struct nic_step_table pause_walk = NIC_STEPS(pause_rows);
static const struct nic_step_table check_walk = NIC_STEPS(check_rows);

void e1000e_walk_drop(struct e1000e *dev)
{
    dev->walks = false;
    dev->nic->link_due_us = UINT64_MAX;
    e1000e_phy_forget(dev);
}

static void walk_begin(struct e1000e *dev, const struct nic_step_table *table)
{
    RT_ASSERT(!dev->walks);
    dev->walks = true;
    nic_steps_begin(&dev->walk, *table, dev->model->flags);
}

/* As far as it goes now. What it waits for, a PHY that does not answer, is looked at again at
 * link_due_us: core 0 has frames to move meanwhile. */
static void walk_on(struct e1000e *dev)
{
    enum rt_status st = RT_BUSY;

    for (uint32_t i = 0; i < WALK_STEPS_MAX && st == RT_BUSY; i++) {
        if (dev->walk.due_us > hal_now_us())
            break;
        st = nic_steps_run(dev->nic, &dev->walk);
    }
    if (st == RT_BUSY)
        dev->nic->link_due_us = dev->walk.due_us;
    else
        e1000e_walk_drop(dev); /* over, or a line says why not */
}

/* At most one walk at a time: what is due besides has its turn behind it. */
static void look_at_phy(struct e1000e *dev, uint64_t now_us)
{
    if (dev->walks) {
        walk_on(dev);
    } else if (dev->pause_unknown) {
        dev->pause_unknown = false;
        walk_begin(dev, &pause_walk);
        walk_on(dev);
    } else if ((dev->model->flags & E1000E_PHY_HANGS) != 0 &&
               now_us - dev->phy_checked_us >= PHY_CHECK_EVERY_US) {
        dev->phy_checked_us = now_us;
        walk_begin(dev, &check_walk);
        walk_on(dev);
    }
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
    bool up, there;

    /* Clears our two causes without reading the register: a read would swallow the causes of
     * the queues. A change after this line raises the interrupt again. In every mode: INTx is a
     * level, and ends each halt at once as long as a cause stands. */
    e1000e_write(dev, E1000E_ICR, E1000E_INT_LSC | E1000E_INT_OTHER);
    status = e1000e_read(dev, E1000E_STATUS);
    there = status != UINT32_MAX;
    up = there && (status & E1000E_STATUS_LU) != 0;
    dev->pause_unknown = up && (dev->pause_unknown || !nic->link.up);
    if (there) {
        look_at_phy(dev, hal_now_us());
    } else { /* removed: no link */
        e1000e_walk_drop(dev);
        e1000e_semaphore_give(dev);
    }
    if (up == nic->link.up)
        return;
    nic->link.up = up;
    nic->link.changes++;
    nic->link.full_duplex = up && (status & E1000E_STATUS_FD) != 0;
    nic->link.speed_mbps = up ? speed_mbps(status) : 0;
    rt_trace(TRACE_LINK, nic->port, nic->link.speed_mbps);
    rt_log("%s link=%s speed_mbps=%u duplex=%s changes=%u", nic->name, up ? "up" : "down",
           nic->link.speed_mbps, nic->link.full_duplex ? "full" : "half",
           nic->link.changes);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e: steps from any state to a fresh device, without DMA (DS 4.6.1, 5.2.1.1). The numbers
 * are those of README.md. Core 0.
 */
#include "e1000e.h"

#define MASTER_OFF_TIMEOUT_US 80000
#define AUTO_RD_TIMEOUT_US 10000
#define AFTER_RST_US 10
#define EE_RST_US 10

/* ---- steps 2 and 3: no new DMA, no interrupts, both units off ---- */

static enum rt_status irqs_off(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;

    e1000e_irq_quiet(dev);
    e1000e_write(dev, E1000E_CTRL,
                 e1000e_read(dev, E1000E_CTRL) | E1000E_CTRL_GIO_MASTER_DISABLE);
    return RT_OK;
}

/* The reset ends what still goes on then. */
static enum rt_status master_off_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait off = {E1000E_STATUS, E1000E_STATUS_GIO_MASTER_ENABLE, 0,
                                             MASTER_OFF_TIMEOUT_US};
    enum rt_status st = nic_step_await(nic, steps, off, "dma-still-on", "status");

    return st == RT_TIMEOUT ? RT_OK : st;
}

/* Receive goes off only on the way to a reset (E1000E_RCTL_EN_STAYS). */
static enum rt_status units_off(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_RCTL, 0);
    e1000e_write(dev, E1000E_TCTL, e1000e_read(dev, E1000E_TCTL) & ~E1000E_TCTL_EN);
    (void)e1000e_read(dev, E1000E_STATUS); /* the writes have arrived */
    return RT_OK;
}

/* ---- step 5 ---- */

/* With the semaphore. The packet buffer split is written before, and survives. */
static enum rt_status reset(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    RT_ASSERT(dev->semaphore);
    RT_ASSERT_LT(dev->rx_buffer_kb, (uint32_t)E1000E_PACKET_BUFFER_KB);
    e1000e_write(dev, E1000E_PBA, dev->rx_buffer_kb);
    e1000e_write(dev, E1000E_CTRL, e1000e_read(dev, E1000E_CTRL) | E1000E_CTRL_RST);
    steps->wait_us = AFTER_RST_US;
    return RT_OK;
}

static enum rt_status reset_begun(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;

    RT_ASSERT(dev->semaphore);
    e1000e_semaphore_give(dev);
    if (FIELD_GET(E1000E_EECD_NVM_TYPE, e1000e_read(dev, E1000E_EECD)) ==
        E1000E_EECD_NVM_TYPE_FLASH)
        steps->wait_us = EE_RST_US;
    return RT_OK;
}

static enum rt_status flash_reset(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    RT_ASSERT(!dev->semaphore);
    if (FIELD_GET(E1000E_EECD_NVM_TYPE, e1000e_read(dev, E1000E_EECD)) ==
        E1000E_EECD_NVM_TYPE_FLASH)
        e1000e_write(dev, E1000E_CTRL_EXT,
                     e1000e_read(dev, E1000E_CTRL_EXT) | E1000E_CTRL_EXT_EE_RST);
    return RT_OK;
}

static enum rt_status reset_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait read = {E1000E_EECD, E1000E_EECD_AUTO_RD,
                                              E1000E_EECD_AUTO_RD, AUTO_RD_TIMEOUT_US};
    struct e1000e *dev = nic->priv;
    enum rt_status st = nic_step_await(nic, steps, read, "reset-timeout", "eecd");

    RT_ASSERT(!dev->semaphore); /* it went back behind the reset */
    if (st != RT_OK)
        return st;
    e1000e_write(dev, E1000E_IMC, UINT32_MAX);
    (void)e1000e_read(dev, E1000E_ICR);
    nic->fresh = true;
    return RT_OK;
}

#define SILENCE_STEPS {irqs_off}, {master_off_wait}, {units_off}
#define RESET_STEPS                                                                            \
    {e1000e_semaphore_step}, {reset}, {reset_begun}, {flash_reset}, {reset_wait}

static const struct nic_step silence_rows[] = {SILENCE_STEPS};
const struct nic_step_table e1000e_silence = NIC_STEPS(silence_rows);

static const struct nic_step reset_rows[] = {RESET_STEPS};
const struct nic_step_table e1000e_reset = NIC_STEPS(reset_rows);

static const struct nic_step down_rows[] = {
    SILENCE_STEPS,
    NIC_STEP_WAIT(E1000E_DMA_DRAIN_US),
    {nic_card_bus_master_off},
    RESET_STEPS,
    NIC_STEP_WAIT(E1000E_RESET_SETTLE_US),
    {e1000e_irq_settle},
    {nic_card_irqs_free},
};
const struct nic_step_table e1000e_down = NIC_STEPS(down_rows);

/* No register answers. */
static const struct nic_step off_bus_rows[] = {
    {nic_card_bus_master_off},
    {e1000e_irq_settle},
    {nic_card_irqs_free},
};
const struct nic_step_table e1000e_off_bus = NIC_STEPS(off_bus_rows);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe: steps from any state to a fresh device, without DMA (DS 4.6.3.1, 5.2.5.3.2). Core 0.
 */
#include "ixgbe.h"

#define MASTER_OFF_TIMEOUT_US 80000
#define STUCK_LOOP_US 3000 /* what is on its way arrives */
#define STUCK_CLEAR_US 20
#define RST_ALONE_US 1000
#define RST_TIMEOUT_US 10000

static enum rt_status irqs_off(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;

    ixgbe_irq_quiet(dev);
    return RT_OK;
}

static enum rt_status master_off(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) | IXGBE_CTRL_GIO_MASTER_DISABLE);
    return RT_OK;
}

static enum rt_status master_off_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait off = {IXGBE_STATUS, IXGBE_STATUS_GIO_MASTER_ENABLE, 0,
                                             MASTER_OFF_TIMEOUT_US};
    struct ixgbe *dev = nic->priv;
    enum rt_status st = nic_step_await(nic, steps, off, "dma-still-on", "status");

    dev->dma_stuck = st == RT_TIMEOUT;
    return ixgbe_no_matter(st);
}

/* DS 5.2.5.3.2: a request without its answer would outlive one reset. With the MAC looped back
 * nothing new comes, the buffers towards PCIe are cleared for a moment, and two resets
 * follow. */
static enum rt_status stuck_loop(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_HLREG0, ixgbe_read(dev, IXGBE_HLREG0) | IXGBE_HLREG0_LPBK);
    steps->wait_us = STUCK_LOOP_US;
    return RT_OK;
}

static enum rt_status stuck_clear(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_GCR_EXT,
                ixgbe_read(dev, IXGBE_GCR_EXT) | IXGBE_GCR_EXT_BUFFERS_CLEAR);
    (void)ixgbe_read(dev, IXGBE_STATUS);
    steps->wait_us = STUCK_CLEAR_US;
    return RT_OK;
}

static enum rt_status stuck_done(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_GCR_EXT,
                ixgbe_read(dev, IXGBE_GCR_EXT) & ~IXGBE_GCR_EXT_BUFFERS_CLEAR);
    ixgbe_write(dev, IXGBE_HLREG0, ixgbe_read(dev, IXGBE_HLREG0) & ~IXGBE_HLREG0_LPBK);
    return RT_OK;
}

/* DS 4.6.3 steps 2 and 3; DS 8.2.3.1.1: no register is touched for a millisecond. */
static enum rt_status reset(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    RT_ASSERT_EQ(dev->synced, 0u); /* the firmware would wait for ever */
    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) | IXGBE_CTRL_RST);
    steps->wait_us = RST_ALONE_US;
    return RT_OK;
}

static enum rt_status reset_again(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    bool stuck = dev->dma_stuck;

    dev->dma_stuck = false;
    return stuck ? reset(nic, steps) : RT_OK;
}

static enum rt_status reset_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait over = {IXGBE_CTRL, IXGBE_CTRL_RST, 0, RST_TIMEOUT_US};
    enum rt_status st = nic_step_await(nic, steps, over, "reset-timeout", "ctrl");

    nic->fresh = st == RT_OK;
    return st;
}

#define SILENCE_STEPS                                                                          \
    {irqs_off}, {ixgbe_rx_path_close}, {ixgbe_rx_path_wait}, {ixgbe_receive_off},              \
        {ixgbe_queues_off}, {ixgbe_queues_off_wait}, {master_off}, {master_off_wait},          \
        {nic_card_bus_master_off}, {stuck_loop}, {stuck_clear}, {stuck_done}
#define RESET_STEPS {reset}, {reset_wait}, {reset_again}, {reset_wait}

static const struct nic_step silence_rows[] = {SILENCE_STEPS};
const struct nic_step_table ixgbe_silence = NIC_STEPS(silence_rows);

static const struct nic_step reset_rows[] = {RESET_STEPS};
const struct nic_step_table ixgbe_reset = NIC_STEPS(reset_rows);

static const struct nic_step down_rows[] = {
    SILENCE_STEPS,
    RESET_STEPS,
    NIC_STEP_WAIT(IXGBE_RESET_SETTLE_US),
    {nic_card_irqs_free},
};
const struct nic_step_table ixgbe_down = NIC_STEPS(down_rows);

/* No register answers. */
static const struct nic_step off_bus_rows[] = {{nic_card_bus_master_off}, {nic_card_irqs_free}};
const struct nic_step_table ixgbe_off_bus = NIC_STEPS(off_bus_rows);

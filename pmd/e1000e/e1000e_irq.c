/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e interrupts: causes, moderation, and arming without losing a frame. nic_irq.c chooses
 * between MSI-X, MSI and INTx.
 *
 * A running port never reads ICR: that would swallow the causes of others. Who has dealt with a
 * cause writes its bits: a queue when it arms, core 0 for the link.
 */
#include "e1000e.h"

#define QUIET_US 17000 /* the longest moderation interval: 65535 x 256 ns */
#define INT_RX_SHARED (E1000E_INT_RXT0 | E1000E_INT_RXDMT0 | E1000E_INT_RXO)
#define INT_OTHER_CAUSES (E1000E_INT_LSC | E1000E_INT_OTHER)

void e1000e_irq_quiet(struct e1000e *dev)
{
    e1000e_write(dev, E1000E_IMC, UINT32_MAX);
    e1000e_write(dev, E1000E_EIAC, 0);
    dev->quiet_since_us = hal_now_us();
}

/* A moderation timer that runs while MSI-X goes on or off makes QEMU 7.2 abort; on hardware
 * it would deliver an interrupt late. */
enum rt_status e1000e_irq_settle(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;
    uint64_t passed_us = hal_now_us() - dev->quiet_since_us;

    if (passed_us >= QUIET_US)
        return RT_OK;
    steps->wait_us = (uint32_t)(QUIET_US - passed_us);
    return RT_BUSY;
}

static uint32_t moderation(uint32_t us)
{
    uint64_t units = (uint64_t)us * 1000 / E1000E_ITR_UNIT_NS;

    return (uint32_t)RT_MIN(units, (uint64_t)E1000E_ITR_MAX);
}

/* With vectors: one a receive queue, the last for the rest. Without: all causes in one. */
static void program(struct nic *nic, bool own_vectors)
{
    struct e1000e *dev = nic->priv;
    uint32_t interval = moderation(nic->config.moderation_us);
    uint16_t rxqs = nic->config.rxqs;
    uint32_t ivar = FIELD_PUT(E1000E_IVAR_OTHER, E1000E_IVAR_VALID + rxqs), eiac = 0;

    RT_ASSERT_LE(rxqs, E1000E_QUEUES_MAX);
    for (uint16_t q = 0; q < rxqs; q++)
        e1000e_rxq_of(nic->rxq[q])->ims = own_vectors ? E1000E_INT_RXQ(q) : INT_RX_SHARED;
    if (!own_vectors) {
        e1000e_write(dev, E1000E_ITR, interval);
        return;
    }
    for (uint16_t q = 0; q < rxqs; q++) {
        ivar |= q == 0 ? FIELD_PUT(E1000E_IVAR_RXQ0, E1000E_IVAR_VALID + 0) :
                         FIELD_PUT(E1000E_IVAR_RXQ1, E1000E_IVAR_VALID + 1);
        eiac |= E1000E_INT_RXQ(q);
        e1000e_write(dev, E1000E_EITR(q), interval);
    }
    e1000e_write(dev, E1000E_EITR(rxqs), 0);
    e1000e_write(dev, E1000E_IVAR, ivar);
    e1000e_write(dev, E1000E_CTRL_EXT,
                 (e1000e_read(dev, E1000E_CTRL_EXT) & ~E1000E_CTRL_EXT_IAME) |
                     E1000E_CTRL_EXT_EIAME | E1000E_CTRL_EXT_PBA_CLR);
    e1000e_write(dev, E1000E_EIAC, eiac);
}

void e1000e_irq_setup(struct e1000e *dev)
{
    struct nic *nic = dev->nic;

    RT_ASSERT_LE((uint64_t)QUIET_US, hal_now_us() - dev->quiet_since_us);
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        e1000e_rxq_of(nic->rxq[q])->ims = 0;
    nic_irq_setup(nic, program);
    if (nic->irq_mode == NIC_IRQ_NONE)
        return;
    (void)e1000e_read(dev, E1000E_ICR);
    e1000e_write(dev, E1000E_ICR, UINT32_MAX);
    e1000e_write(dev, E1000E_IMS, INT_OTHER_CAUSES);
}

/* What raises each interrupt that the port has. */
static uint32_t one_of_each(const struct nic *nic)
{
    uint32_t causes = 0;

    RT_ASSERT_LT(0, nic->config.rxqs);
    if (nic->irq_mode != NIC_IRQ_MSIX)
        return E1000E_INT_RXT0;
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        causes |= E1000E_INT_RXQ(q);
    return causes | INT_OTHER_CAUSES;
}

void e1000e_irq_raise(struct nic *nic)
{
    const struct e1000e *dev = nic->priv;

    RT_ASSERT_NE(nic->irq_mode, (uint32_t)NIC_IRQ_NONE);
    e1000e_write(dev, E1000E_IMS, one_of_each(nic));
    e1000e_write(dev, E1000E_ICS, one_of_each(nic));
    (void)e1000e_read(dev, E1000E_STATUS);
}

void e1000e_irq_lower(struct nic *nic)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_IMC, one_of_each(nic) & ~INT_OTHER_CAUSES);
    e1000e_write(dev, E1000E_ICR, one_of_each(nic)); /* a look at the link follows */
}

bool e1000e_rx_arm(struct nic_rxq *rxq)
{
    static const struct nic_arm_regs regs = {
        .clear = E1000E_ICR, .any = E1000E_STATUS, .unmask = E1000E_IMS, .mask = E1000E_IMC};

    return nic_rx_ring_arm(nic_rx_ring_of(rxq), &regs, e1000e_rxq_of(rxq)->ims);
}

void e1000e_rx_disarm(struct nic_rxq *rxq)
{
    struct e1000e_rxq *q = e1000e_rxq_of(rxq);

    if (q->ims != 0)
        hal_write32(&q->ring.mmio, E1000E_IMC, q->ims);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e interrupts: causes, moderation, and arming without losing a frame. nic_irq.c chooses
 * between MSI-X, MSI and INTx.
 *
 * A running port never reads ICR: that would swallow the causes of others. Who has dealt with a
 * cause writes its bits: a queue when it arms, core 0 for the link.
 *
 * Arming, without a gap:
 *   1. clear our cause: polling left it set, it would end the halt at once for nothing
 *   2. read a register: the clear has arrived, and with it every descriptor written before
 *      (PCIe: a read completion does not pass posted writes)
 *   3. look at the descriptor: whatever was cleared in 1 is visible here
 *   4. IMS: a cause raised since 1 fires now, a later one by itself
 *   5. look again: saves the halt and the interrupt when a frame came meanwhile
 */
#include "e1000e.h"

#define QUIET_US 17000 /* the longest moderation interval: 65535 x 256 ns */
#define INT_RX_SHARED (INT_RXT0 | INT_RXDMT0 | INT_RXO)
#define INT_OTHER_CAUSES (INT_LSC | INT_OTHER)

void e1000e_irq_quiet(struct e1000e *dev)
{
    e1000e_write(dev, E1000E_IMC, UINT32_MAX);
    e1000e_write(dev, E1000E_EIAC, 0);
    dev->quiet_since_us = hal_now_us();
}

/* A moderation timer that runs while MSI-X goes on or off makes QEMU 7.2 abort; on hardware
 * it would deliver an interrupt late. */
void e1000e_irq_settle(struct e1000e *dev)
{
    uint64_t passed_us = hal_now_us() - dev->quiet_since_us;

    if (passed_us < QUIET_US)
        hal_delay_us((uint32_t)(QUIET_US - passed_us));
}

static uint32_t moderation(uint32_t us)
{
    uint64_t units = (uint64_t)us * 1000 / ITR_UNIT_NS;

    return (uint32_t)RT_MIN(units, (uint64_t)ITR_MAX);
}

/* With vectors: one a receive queue, the last for the rest. Without: all causes in one. */
static void program(struct nic *nic, bool own_vectors)
{
    struct e1000e *dev = nic->priv;
    uint32_t interval = moderation(nic->config.moderation_us);
    uint16_t rxqs = nic->config.rxqs;
    uint32_t ivar = FIELD_PUT(IVAR_OTHER, IVAR_VALID + rxqs), eiac = 0;

    for (uint16_t q = 0; q < rxqs; q++)
        dev->rxq[q]->ims = own_vectors ? INT_RXQ(q) : INT_RX_SHARED;
    if (!own_vectors) {
        e1000e_write(dev, E1000E_ITR, interval);
        return;
    }
    for (uint16_t q = 0; q < rxqs; q++) {
        ivar |= q == 0 ? FIELD_PUT(IVAR_RXQ0, IVAR_VALID + 0) :
                         FIELD_PUT(IVAR_RXQ1, IVAR_VALID + 1);
        eiac |= INT_RXQ(q);
        e1000e_write(dev, E1000E_EITR(q), interval);
    }
    e1000e_write(dev, E1000E_EITR(rxqs), 0);
    e1000e_write(dev, E1000E_IVAR, ivar);
    e1000e_write(dev, E1000E_CTRL_EXT,
                 (e1000e_read(dev, E1000E_CTRL_EXT) & ~CTRL_EXT_IAME) | CTRL_EXT_EIAME |
                     CTRL_EXT_PBA_CLR);
    e1000e_write(dev, E1000E_EIAC, eiac);
}

void e1000e_irq_setup(struct e1000e *dev)
{
    struct nic *nic = dev->nic;

    e1000e_irq_settle(dev);
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        dev->rxq[q]->ims = 0;
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

    if (nic->irq_mode != NIC_IRQ_MSIX)
        return INT_RXT0;
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        causes |= INT_RXQ(q);
    return causes | INT_OTHER_CAUSES;
}

static void raise(struct nic *nic)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_IMS, one_of_each(nic));
    e1000e_write(dev, E1000E_ICS, one_of_each(nic));
    (void)e1000e_read(dev, E1000E_STATUS);
}

static void lower(struct nic *nic)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_IMC, one_of_each(nic) & ~INT_OTHER_CAUSES);
    e1000e_write(dev, E1000E_ICR, one_of_each(nic)); /* a look at the link follows */
}

void e1000e_irq_try(struct e1000e *dev)
{
    nic_irq_try(dev->nic, raise, lower);
}

void e1000e_irq_teardown(struct e1000e *dev)
{
    e1000e_irq_settle(dev);
    nic_irq_teardown(dev->nic);
}

/* Without vectors the cause that an arming queue clears is that of the others on its core, too. */
static bool cause_pending(const struct e1000e_rxq *q)
{
    const struct nic *nic = q->head.nic;
    bool pending = e1000e_rx_pending(q);

    if (nic->irq_mode == NIC_IRQ_MSIX)
        return pending;
    for (uint16_t i = 0; i < nic->config.rxqs && !pending; i++)
        pending = nic->rxq[i]->irq_reaches && e1000e_rx_pending(q->dev->rxq[i]);
    return pending;
}

bool e1000e_rx_arm(struct nic_rxq *rxq)
{
    struct e1000e_rxq *q = RT_CONTAINER_OF(rxq, struct e1000e_rxq, head);

    if (!rxq->irq_reaches)
        return true;
    if (q->unposted > 0)
        e1000e_rx_post(q); /* the whole ring, for what comes while we sleep */
    hal_write32(&q->mmio, E1000E_ICR, q->ims);
    (void)hal_read32(&q->mmio, E1000E_STATUS);
    if (cause_pending(q))
        return true;
    hal_write32(&q->mmio, E1000E_IMS, q->ims);
    RT_COMPILER_BARRIER();
    if (!e1000e_rx_pending(q))
        return false;
    hal_write32(&q->mmio, E1000E_IMC, q->ims);
    return true;
}

void e1000e_rx_disarm(struct nic_rxq *rxq)
{
    struct e1000e_rxq *q = RT_CONTAINER_OF(rxq, struct e1000e_rxq, head);

    if (q->ims != 0)
        hal_write32(&q->mmio, E1000E_IMC, q->ims);
}

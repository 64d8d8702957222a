/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arming a receive queue without losing a frame, without a gap:
 *
 *   1. clear our cause: polling left it set, it would end the halt at once for nothing
 *   2. read a register: the clear has arrived, and with it every descriptor written before
 *      (PCIe: a read completion does not pass posted writes)
 *   3. look at the descriptor: whatever was cleared in 1 is visible here
 *   4. unmask: a cause raised since 1 fires now, a later one by itself
 *   5. look again: saves the halt and the interrupt when a frame came meanwhile
 */
#include "ring.h"

/* Without vectors the cause that an arming queue clears is that of the others on its core,
 * too. */
static bool cause_pending(const struct nic_rx_ring *q)
{
    const struct nic *nic = q->head.nic;
    bool pending = nic_rx_pending(q);

    if (nic->irq_mode == NIC_IRQ_MSIX)
        return pending;
    for (uint16_t i = 0; i < nic->config.rxqs && !pending; i++)
        pending = nic->rxq[i]->irq_reaches && nic_rx_pending(nic_rx_ring_of(nic->rxq[i]));
    return pending;
}

bool nic_rx_ring_arm(struct nic_rx_ring *q, const struct nic_arm_regs *regs, uint32_t cause)
{
    if (!q->head.irq_reaches)
        return true;
    if (q->unposted > 0)
        nic_rx_post(q); /* the whole ring, for what comes while we sleep */
    hal_write32(&q->mmio, regs->clear, cause);
    (void)hal_read32(&q->mmio, regs->any);
    if (cause_pending(q))
        return true;
    hal_write32(&q->mmio, regs->unmask, cause);
    RT_COMPILER_BARRIER();
    if (!nic_rx_pending(q))
        return false;
    hal_write32(&q->mmio, regs->mask, cause);
    return true;
}

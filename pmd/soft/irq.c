/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of ports without a card, as a device's message; see soft.h. */
#include "soft/soft.h"

#include <rt/host.h>
#include <rt/log.h>

void soft_irq_take(struct nic_rxq *rxq)
{
    struct nic *nic = rxq->nic;
    struct hal_irq *irq = &rxq->irq;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    RT_ASSERT(!nic->started);
    rxq->irq_reaches = false;
    nic->irq_mode = NIC_IRQ_NONE;
    if (nic->config.irq_mode == NIC_IRQ_NONE)
        return;
    /* A vector is never given back: it is the queue's for as long as its core is the same. */
    if (irq->count == NULL || irq->core != rxq->core) {
        enum rt_status st = hal_irq_alloc(rxq->core, nic->name, irq);

        if (st != RT_OK) {
            rt_log("%s rxq=%u irq=none status=%s action=\"it is polled\"", nic->name,
                   (unsigned)rxq->index, rt_status_name(st));
            return;
        }
    }
    rxq->irq_reaches = true;
    nic->irq_mode = NIC_IRQ_MSIX;
}

void soft_interrupt(struct soft_rxq *q)
{
    const struct hal_irq *irq = &q->ring.head.irq;

    if (__atomic_load_n(&q->armed, __ATOMIC_SEQ_CST) != 0 &&
        __atomic_exchange_n(&q->armed, 0, __ATOMIC_SEQ_CST) != 0)
        host_msi(irq->msi_address, irq->msi_data);
}

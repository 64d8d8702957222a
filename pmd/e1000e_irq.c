/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e interrupts: MSI-X (a vector for each receive queue, one for the rest), else MSI, else
 * INTx, else none; arming without losing a frame.
 *
 * Arming in MSI-X mode, without a gap:
 *   1. clear our cause: polling left it set, it would end the halt at once for nothing
 *   2. read a register: the clear has arrived, and with it every descriptor written before
 *      (PCIe: a read completion does not pass posted writes)
 *   3. look at the descriptor: whatever was cleared in 1 is visible here
 *   4. IMS: a cause raised since 1 fires now, a later one by itself
 *   5. look again: saves the halt and the interrupt when a frame came meanwhile
 */
#include "e1000e.h"

#include <rt/log.h>

#define QUIET_US 17000 /* the longest moderation interval: 65535 x 256 ns */
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_LINE_MASK 0xff
#define INT_RX_SHARED (INT_RXT0 | INT_RXDMT0 | INT_RXO)
#define INT_OTHER_CAUSES (INT_LSC | INT_OTHER)

static uint32_t queue_causes(uint16_t queue)
{
    return INT_RXQ(queue);
}

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

static enum rt_status allocate_msix(struct e1000e *dev)
{
    struct nic *nic = dev->nic;

    if (dev->irqs_allocated)
        return RT_OK;
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        enum rt_status st = hal_irq_alloc(nic->rxq[q]->core, nic->name, &nic->rxq[q]->irq);

        if (st != RT_OK)
            return st;
    }
    dev->irqs_allocated = true;
    return hal_irq_alloc(0, nic->name, &nic->link_irq);
}

static enum rt_status try_msix(struct e1000e *dev)
{
    struct nic *nic = dev->nic;
    uint16_t rxqs = nic->config.rxqs;
    uint32_t ivar = FIELD_PUT(IVAR_OTHER, IVAR_VALID + rxqs), eiac = 0;
    enum rt_status st;

    if ((dev->model->flags & E1000E_MSIX) == 0 || pci_msix_count(nic->pci) < rxqs + 1u)
        return RT_UNSUPPORTED;
    st = allocate_msix(dev);
    if (st == RT_OK)
        st = pci_msix_enable(nic->pci);
    if (st != RT_OK)
        return st;
    for (uint16_t q = 0; q < rxqs; q++) {
        ivar |= q == 0 ? FIELD_PUT(IVAR_RXQ0, IVAR_VALID + 0) :
                         FIELD_PUT(IVAR_RXQ1, IVAR_VALID + 1);
        eiac |= queue_causes(q);
        dev->rxq[q]->ims = queue_causes(q);
        dev->rxq[q]->irq_reaches = true;
        pci_msix_set(nic->pci, q, &nic->rxq[q]->irq);
        e1000e_write(dev, E1000E_EITR(q), moderation(nic->config.moderation_us));
    }
    pci_msix_set(nic->pci, rxqs, &nic->link_irq);
    e1000e_write(dev, E1000E_EITR(rxqs), 0);
    e1000e_write(dev, E1000E_IVAR, ivar);
    e1000e_write(dev, E1000E_CTRL_EXT,
                 (e1000e_read(dev, E1000E_CTRL_EXT) & ~CTRL_EXT_IAME) | CTRL_EXT_EIAME |
                     CTRL_EXT_PBA_CLR);
    e1000e_write(dev, E1000E_EIAC, eiac);
    return RT_OK;
}

/* One interrupt for everything, at the first queue's core. A queue on another core is never
 * told: its arm() always reports work, so that its core keeps polling. */
static void share(struct e1000e *dev, const struct hal_irq *irq)
{
    struct nic *nic = dev->nic;

    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        nic->rxq[q]->irq = *irq;
        dev->rxq[q]->ims = INT_RX_SHARED;
        dev->rxq[q]->irq_reaches = nic->rxq[q]->core == irq->core;
        if (!dev->rxq[q]->irq_reaches)
            rt_log("%s rxq=%u core=%u irq=none reason=\"the one interrupt goes to core %u\"",
                   nic->name, q, nic->rxq[q]->core, irq->core);
    }
    nic->link_irq = *irq;
    e1000e_write(dev, E1000E_ITR, moderation(nic->config.moderation_us));
}

static enum rt_status try_msi(struct e1000e *dev)
{
    struct nic *nic = dev->nic;
    struct hal_irq irq = nic->link_irq;
    enum rt_status st = RT_OK;

    if (!dev->irqs_allocated)
        st = hal_irq_alloc(nic->rxq[0]->core, nic->name, &irq);
    if (st == RT_OK)
        st = pci_msi_enable(nic->pci, &irq);
    if (st != RT_OK)
        return st;
    dev->irqs_allocated = true;
    share(dev, &irq);
    return RT_OK;
}

static enum rt_status try_intx(struct e1000e *dev)
{
    struct nic *nic = dev->nic;
    struct hal_irq irq = nic->link_irq;
    uint32_t line = pci_read32(nic->pci, PCI_INTERRUPT_LINE) & PCI_LINE_MASK;
    enum rt_status st = RT_OK;

    if (!dev->irqs_allocated)
        st = hal_irq_alloc_line(line, nic->name, &irq);
    if (st != RT_OK)
        return st;
    dev->irqs_allocated = true;
    pci_intx(nic->pci, true);
    share(dev, &irq);
    return RT_OK;
}

static void log_fallback(const struct e1000e *dev, const char *mode, enum rt_status st)
{
    rt_log("%s irq=%s status=%s action=\"next mode\"", dev->nic->name, mode,
           rt_status_name(st));
}

enum rt_status e1000e_irq_setup(struct e1000e *dev)
{
    static const struct {
        uint32_t mode;
        const char *name;
        enum rt_status (*attempt)(struct e1000e *dev);
    } modes[] = {{NIC_IRQ_MSIX, "msix", try_msix},
                 {NIC_IRQ_MSI, "msi", try_msi},
                 {NIC_IRQ_INTX, "intx", try_intx}};
    struct nic *nic = dev->nic;

    e1000e_irq_settle(dev);
    pci_intx(nic->pci, false);
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        dev->rxq[q]->ims = 0;
        dev->rxq[q]->irq_reaches = false;
    }
    for (size_t i = 0; i < RT_ARRAY_SIZE(modes); i++) {
        enum rt_status st;

        if (modes[i].mode < nic->config.irq_mode)
            continue;
        st = modes[i].attempt(dev);
        if (st == RT_OK) {
            nic->irq_mode = modes[i].mode;
            (void)e1000e_read(dev, E1000E_ICR);
            e1000e_write(dev, E1000E_ICR, UINT32_MAX);
            e1000e_write(dev, E1000E_IMS, INT_OTHER_CAUSES);
            rt_log("%s irq=%s moderation_us=%u", nic->name, modes[i].name,
                   (unsigned)nic->config.moderation_us);
            return RT_OK;
        }
        log_fallback(dev, modes[i].name, st);
    }
    nic->irq_mode = NIC_IRQ_NONE;
    rt_log("%s irq=none action=\"queues are polled, their cores never sleep\"", nic->name);
    return RT_OK;
}

void e1000e_irq_teardown(struct e1000e *dev)
{
    struct nic *nic = dev->nic;

    e1000e_irq_settle(dev);
    if (nic->irq_mode == NIC_IRQ_MSIX)
        pci_msix_disable(nic->pci);
    if (nic->irq_mode == NIC_IRQ_MSI)
        pci_msi_disable(nic->pci);
    pci_intx(nic->pci, false);
}

bool e1000e_rx_arm(struct nic_rxq *rxq)
{
    struct e1000e_rxq *q = RT_CONTAINER_OF(rxq, struct e1000e_rxq, head);

    if (!q->irq_reaches)
        return true;
    if (q->unposted > 0)
        e1000e_rx_post(q); /* the whole ring, for what comes while we sleep */
    if (rxq->nic->irq_mode == NIC_IRQ_MSIX) {
        hal_write32(&q->mmio, E1000E_ICR, q->ims);
        (void)hal_read32(&q->mmio, E1000E_STATUS);
    } else {
        (void)hal_read32(&q->mmio, E1000E_ICR); /* clears: line off, MSI may fire again */
    }
    if (e1000e_rx_pending(q))
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe interrupts: MSI-X (a vector for each receive queue, one for the rest), else MSI, else
 * INTx, else none; arming without losing a frame. Transmit queues raise none: completions are
 * reclaimed by the next transmit call.
 *
 * Arming in MSI-X mode, without a gap:
 *   1. clear our cause: polling left it set, it would end the halt at once for nothing
 *   2. read a register: the clear has arrived, and with it every descriptor written before
 *      (PCIe: a read completion does not pass posted writes)
 *   3. look at the descriptor: whatever was cleared in 1 is visible here
 *   4. EIMS: a cause raised since 1 fires now, a later one by itself; the chip masks the vector
 *      when it fires (EIAM) and clears its cause (EIAC)
 *   5. look again: saves the halt and the interrupt when a frame came meanwhile
 */
#include "ixgbe.h"

#include <rt/log.h>

#define PCI_INTERRUPT_LINE 0x3c
#define PCI_LINE_MASK 0xff
#define OTHER_CAUSES (EICR_LSC | EICR_ECC)

void ixgbe_irq_quiet(struct ixgbe *dev)
{
    ixgbe_write(dev, IXGBE_EIMC, UINT32_MAX);
    ixgbe_write(dev, IXGBE_EIMC_EX(0), UINT32_MAX);
    ixgbe_write(dev, IXGBE_EIMC_EX(1), UINT32_MAX);
    ixgbe_write(dev, IXGBE_EIAC, 0);
}

static uint32_t moderation(uint32_t us)
{
    uint64_t units = (uint64_t)us * 1000 / EITR_UNIT_NS;

    return ixgbe_field(EITR_INTERVAL,
                       (uint32_t)RT_MIN(units, (uint64_t)FIELD_GET(EITR_INTERVAL, UINT32_MAX)));
}

/* Cause of each receive queue: in MSI-X mode its vector, else bit 0 of EICR for all. */
static void map_causes(struct ixgbe *dev, bool own_vectors)
{
    uint32_t ivar[(IXGBE_QUEUES_MAX + 1) / 2] = {0};
    uint16_t rxqs = dev->nic->config.rxqs;

    for (uint16_t q = 0; q < rxqs; q++)
        ivar[q / 2] |= (IVAR_VALID | (own_vectors ? q : 0u)) << IVAR_RX_SHIFT(q);
    for (unsigned i = 0; i < RT_ARRAY_SIZE(ivar); i++)
        ixgbe_write(dev, IXGBE_IVAR(i), ivar[i]);
    ixgbe_write(dev, IXGBE_IVAR_MISC,
                (IVAR_VALID | (own_vectors ? rxqs : 0u)) << IVAR_MISC_OTHER_SHIFT);
}

static enum rt_status allocate_msix(struct ixgbe *dev)
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

static enum rt_status try_msix(struct ixgbe *dev)
{
    struct nic *nic = dev->nic;
    uint16_t rxqs = nic->config.rxqs;
    uint32_t vectors = RT_BITS(rxqs - 1u, 0);
    enum rt_status st;

    if (pci_msix_count(nic->pci) < rxqs + 1u)
        return RT_UNSUPPORTED;
    st = allocate_msix(dev);
    if (st == RT_OK)
        st = pci_msix_enable(nic->pci);
    if (st != RT_OK)
        return st;
    ixgbe_write(dev, IXGBE_GPIE,
                GPIE_MULTIPLE_MSIX | GPIE_OCD | GPIE_EIAME | GPIE_PBA_SUPPORT);
    map_causes(dev, true);
    for (uint16_t q = 0; q < rxqs; q++) {
        dev->rxq[q]->irq_reaches = true;
        pci_msix_set(nic->pci, q, &nic->rxq[q]->irq);
        ixgbe_write(dev, IXGBE_EITR(q), moderation(nic->config.moderation_us));
    }
    pci_msix_set(nic->pci, rxqs, &nic->link_irq);
    ixgbe_write(dev, IXGBE_EITR(rxqs), 0);
    ixgbe_write(dev, IXGBE_EIAC, vectors); /* rxqs <= 16: bits 15:0 */
    ixgbe_write(dev, IXGBE_EIAM_EX(0), vectors);
    ixgbe_write(dev, IXGBE_EIMS_EX(0), RT_BIT(rxqs));
    return RT_OK;
}

/* One interrupt for everything, at the first queue's core. A queue on another core is never
 * told: its arm() always reports work, so that its core keeps polling. */
static void share(struct ixgbe *dev, const struct hal_irq *irq)
{
    struct nic *nic = dev->nic;

    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        nic->rxq[q]->irq = *irq;
        dev->rxq[q]->irq_reaches = nic->rxq[q]->core == irq->core;
        if (!dev->rxq[q]->irq_reaches)
            rt_log("%s rxq=%u core=%u irq=none reason=\"the one interrupt goes to core %u\"",
                   nic->name, q, nic->rxq[q]->core, irq->core);
    }
    nic->link_irq = *irq;
    ixgbe_write(dev, IXGBE_GPIE, 0);
    map_causes(dev, false);
    ixgbe_write(dev, IXGBE_EITR(0), moderation(nic->config.moderation_us));
}

static enum rt_status try_msi(struct ixgbe *dev)
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

static enum rt_status try_intx(struct ixgbe *dev)
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

static void log_fallback(const struct ixgbe *dev, const char *mode, enum rt_status st)
{
    rt_log("%s irq=%s status=%s action=\"next mode\"", dev->nic->name, mode,
           rt_status_name(st));
}

enum rt_status ixgbe_irq_setup(struct ixgbe *dev)
{
    static const struct {
        uint32_t mode;
        const char *name;
        enum rt_status (*attempt)(struct ixgbe *dev);
    } modes[] = {{NIC_IRQ_MSIX, "msix", try_msix},
                 {NIC_IRQ_MSI, "msi", try_msi},
                 {NIC_IRQ_INTX, "intx", try_intx}};
    struct nic *nic = dev->nic;

    pci_intx(nic->pci, false);
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        dev->rxq[q]->irq_reaches = false;
    }
    for (size_t i = 0; i < RT_ARRAY_SIZE(modes); i++) {
        enum rt_status st;

        if (modes[i].mode < nic->config.irq_mode)
            continue;
        st = modes[i].attempt(dev);
        if (st == RT_OK) {
            nic->irq_mode = modes[i].mode;
            ixgbe_write(dev, IXGBE_EICR, UINT32_MAX);
            ixgbe_write(dev, IXGBE_EIMS, OTHER_CAUSES);
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

void ixgbe_irq_teardown(struct ixgbe *dev)
{
    struct nic *nic = dev->nic;

    if (nic->irq_mode == NIC_IRQ_MSIX)
        pci_msix_disable(nic->pci);
    if (nic->irq_mode == NIC_IRQ_MSI)
        pci_msi_disable(nic->pci);
    pci_intx(nic->pci, false);
}

bool ixgbe_rx_arm(struct nic_rxq *rxq)
{
    struct ixgbe_rxq *q = RT_CONTAINER_OF(rxq, struct ixgbe_rxq, head);
    uint32_t bit = rxq->nic->irq_mode == NIC_IRQ_MSIX ? RT_BIT(rxq->index) : RT_BIT(0);

    if (!q->irq_reaches || rxq->rx != ixgbe_rx) /* parked: its core must come back and see */
        return true;
    if (q->unposted > 0)
        ixgbe_rx_post(q); /* the whole ring, for what comes while we sleep */
    hal_write32(&q->mmio, IXGBE_EICR, bit);
    (void)hal_read32(&q->mmio, IXGBE_STATUS);
    if (ixgbe_rx_pending(q))
        return true;
    hal_write32(&q->mmio, IXGBE_EIMS, bit);
    RT_COMPILER_BARRIER();
    if (!ixgbe_rx_pending(q))
        return false;
    hal_write32(&q->mmio, IXGBE_EIMC, bit);
    return true;
}

void ixgbe_rx_disarm(struct nic_rxq *rxq)
{
    struct ixgbe_rxq *q = RT_CONTAINER_OF(rxq, struct ixgbe_rxq, head);

    if (q->irq_reaches)
        hal_write32(&q->mmio, IXGBE_EIMC,
                    rxq->nic->irq_mode == NIC_IRQ_MSIX ? RT_BIT(rxq->index) : RT_BIT(0));
}

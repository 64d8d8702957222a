/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a port interrupts: MSI-X (a vector for each receive queue, one more for the rest), else
 * MSI, else INTx, else not at all. What to write into the chip is the driver's.
 */
#include "nic_driver.h"

#include <rt/log.h>

#define PCI_INTERRUPT_LINE 0x3c
#define PCI_LINE_MASK 0xff

typedef void program_fn(struct nic *nic, bool own_vectors);

/* Vectors are kept for good: a recovery sets the port up again. */
static enum rt_status allocate_msix(struct nic *nic)
{
    if (nic->irqs_allocated)
        return RT_OK;
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        enum rt_status st = hal_irq_alloc(nic->rxq[q]->core, nic->name, &nic->rxq[q]->irq);

        if (st != RT_OK)
            return st;
    }
    nic->irqs_allocated = true;
    return hal_irq_alloc(0, nic->name, &nic->link_irq);
}

static enum rt_status try_msix(struct nic *nic, program_fn *program)
{
    uint16_t rxqs = nic->config.rxqs;
    enum rt_status st;

    if (!nic->caps.msix || pci_msix_count(nic->pci) < rxqs + 1u)
        return RT_UNSUPPORTED;
    st = allocate_msix(nic);
    if (st == RT_OK)
        st = pci_msix_enable(nic->pci);
    if (st != RT_OK)
        return st;
    for (uint16_t q = 0; q < rxqs; q++) {
        nic->rxq[q]->irq_reaches = true;
        pci_msix_set(nic->pci, q, &nic->rxq[q]->irq);
    }
    pci_msix_set(nic->pci, rxqs, &nic->link_irq);
    program(nic, true);
    return RT_OK;
}

/* One interrupt for everything, at the first queue's core. A queue on another core is never
 * told: its arm() always reports work, so that its core keeps polling. */
static void share(struct nic *nic, const struct hal_irq *irq, program_fn *program)
{
    nic->irqs_allocated = true;
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        struct nic_rxq *rxq = nic->rxq[q];

        rxq->irq = *irq;
        rxq->irq_reaches = rxq->core == irq->core;
        if (!rxq->irq_reaches)
            rt_log("%s rxq=%u core=%u irq=none reason=\"the one interrupt goes to core %u\"",
                   nic->name, q, rxq->core, irq->core);
    }
    nic->link_irq = *irq;
    program(nic, false);
}

static enum rt_status try_msi(struct nic *nic, program_fn *program)
{
    struct hal_irq irq = nic->link_irq;
    enum rt_status st = RT_OK;

    if (!nic->irqs_allocated)
        st = hal_irq_alloc(nic->rxq[0]->core, nic->name, &irq);
    if (st == RT_OK)
        st = pci_msi_enable(nic->pci, &irq);
    if (st == RT_OK)
        share(nic, &irq, program);
    return st;
}

static enum rt_status try_intx(struct nic *nic, program_fn *program)
{
    struct hal_irq irq = nic->link_irq;
    uint32_t line = pci_read32(nic->pci, PCI_INTERRUPT_LINE) & PCI_LINE_MASK;
    enum rt_status st = RT_OK;

    if (!nic->irqs_allocated)
        st = hal_irq_alloc_line(line, nic->name, &irq);
    if (st != RT_OK)
        return st;
    pci_intx(nic->pci, true);
    share(nic, &irq, program);
    return RT_OK;
}

void nic_irq_setup(struct nic *nic, program_fn *program)
{
    static const struct {
        uint32_t mode;
        const char *name;
        enum rt_status (*attempt)(struct nic *nic, program_fn *program);
    } modes[] = {{NIC_IRQ_MSIX, "msix", try_msix},
                 {NIC_IRQ_MSI, "msi", try_msi},
                 {NIC_IRQ_INTX, "intx", try_intx}};

    pci_intx(nic->pci, false);
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        nic->rxq[q]->irq_reaches = false;
    nic->irq_mode = NIC_IRQ_NONE;
    for (size_t i = 0; i < RT_ARRAY_SIZE(modes) && nic->irq_mode == NIC_IRQ_NONE; i++) {
        enum rt_status st;

        if (modes[i].mode < nic->config.irq_mode)
            continue;
        st = modes[i].attempt(nic, program);
        if (st == RT_OK) {
            nic->irq_mode = modes[i].mode;
            rt_log("%s irq=%s moderation_us=%u", nic->name, modes[i].name,
                   (unsigned)nic->config.moderation_us);
        } else {
            rt_log("%s irq=%s status=%s action=\"next mode\"", nic->name, modes[i].name,
                   rt_status_name(st));
        }
    }
    if (nic->irq_mode == NIC_IRQ_NONE)
        rt_log("%s irq=none action=\"queues are polled, their cores never sleep\"", nic->name);
}

void nic_irq_teardown(struct nic *nic)
{
    if (nic->irq_mode == NIC_IRQ_MSIX)
        pci_msix_disable(nic->pci);
    if (nic->irq_mode == NIC_IRQ_MSI)
        pci_msi_disable(nic->pci);
    pci_intx(nic->pci, false);
}

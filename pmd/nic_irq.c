/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a port interrupts: MSI-X (a vector for each receive queue, one more for the rest), else
 * MSI, else INTx, else not at all. Vectors are <rt/pci_irq.h>'s, what to write into the chip is
 * the driver's.
 */
#include "nic_driver.h"

#include <rt/assert.h>
#include <rt/log.h>

/* A message takes a microsecond. But in a virtual machine cards and cores are threads of a host
 * that may be busy, and who waits in vain waits once. */
#define TRY_US 100000
#define TRY_STEP_US 50

enum rt_status nic_irq_init(struct nic *nic)
{
    RT_ASSERT(nic->irqs == NULL); /* once a port */
    nic->irqs = hal_alloc(sizeof(*nic->irqs), RT_CACHE_LINE, "interrupts");
    if (nic->irqs == NULL)
        return RT_NO_MEMORY;
    pci_irqs_init(nic->irqs, nic->pci, nic->name);
    return RT_OK;
}

static struct hal_irq irq_of(const struct nic *nic, uint32_t i)
{
    const struct hal_irq *irq = pci_irqs_get(nic->irqs, i);

    return irq != NULL ? *irq : (struct hal_irq){.count = NULL};
}

/* It was tried in vain at start. A recovery takes the same interrupts again, untried. */
static bool is_silent(const struct nic *nic, uint16_t queue)
{
    uint32_t i = nic->irq_mode == NIC_IRQ_MSIX ? queue : 0;

    RT_ASSERT_LT(i, 32u);
    return (nic->irqs_silent & RT_BIT(i)) != 0;
}

/* A queue whose core gets no interrupt is never told: its arm() always reports work, so that
 * the core keeps polling. */
static void hand_out(struct nic *nic)
{
    uint16_t rxqs = nic->config.rxqs;

    RT_ASSERT_LE(rxqs, NIC_QUEUES_MAX);
    for (uint16_t q = 0; q < rxqs; q++) {
        struct nic_rxq *rxq = nic->rxq[q];
        bool here;

        rxq->irq = irq_of(nic, q);
        here = rxq->irq.count != NULL && rxq->irq.core == rxq->core;
        rxq->irq_reaches = here && !is_silent(nic, q);
        if (rxq->irq.count != NULL && !here)
            rt_log("%s rxq=%u core=%u irq=none reason=\"the one interrupt goes to core %u\"",
                   nic->name, q, rxq->core, rxq->irq.core);
    }
    nic->link_irq = irq_of(nic, rxqs);
}

void nic_irq_setup(struct nic *nic, void (*program)(struct nic *nic, bool own_vectors))
{
    uint16_t rxqs = nic->config.rxqs;
    unsigned cores[NIC_QUEUES_MAX + 1] = {0}; /* the last: link and faults, core 0 looks */
    uint32_t best = nic->config.irq_mode;

    RT_ASSERT_LE(rxqs, NIC_QUEUES_MAX);
    for (uint16_t q = 0; q < rxqs; q++)
        cores[q] = nic->rxq[q]->core;
    if (!nic->caps.msix)
        best = RT_MAX(best, (uint32_t)PCI_IRQ_MSI);
    pci_irqs_take(nic->irqs, cores, rxqs + 1u, (enum pci_irq_mode)best);
    nic->irq_mode = nic->irqs->mode;
    hand_out(nic);
    if (nic->irq_mode == NIC_IRQ_NONE) {
        rt_log("%s irq=none action=\"queues are polled, their cores never sleep\"", nic->name);
        return;
    }
    program(nic, nic->irq_mode == NIC_IRQ_MSIX);
    rt_log("%s irq=%s moderation_us=%u", nic->name, pci_irq_mode_name(nic->irqs->mode),
           nic->config.moderation_us);
}

/* A bit for each interrupt whose count stands where it was. */
static uint32_t silent_ones(const struct nic *nic, const uint64_t *before)
{
    uint32_t silent = 0;

    RT_ASSERT_LE(nic->irqs->count, 32u); /* a bit for each */
    for (uint32_t i = 0; i < nic->irqs->count; i++)
        if (*pci_irqs_get(nic->irqs, i)->count == before[i])
            silent |= RT_BIT(i);
    return silent;
}

static void do_without(struct nic *nic, uint32_t silent)
{
    bool line = nic->irq_mode == NIC_IRQ_INTX;

    RT_ASSERT_NE(silent, 0u);
    nic->irqs_silent = silent;
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        if (is_silent(nic, q))
            nic->rxq[q]->irq_reaches = false;
    rt_log("%s irq=%s silent=0x%x of=%u action=\"a queue without its interrupt is polled, its core"
           " never sleeps; link by time\" reason=\"%s\"", nic->name,
           pci_irq_mode_name(nic->irqs->mode), silent, nic->irqs->count,
           line ? "firmware's interrupt line register names another line" :
                  "interrupt remapping is on, or a bridge above does not pass messages");
}

void nic_irq_try(struct nic *nic, void (*raise)(struct nic *nic), void (*lower)(struct nic *nic))
{
    uint64_t before[NIC_QUEUES_MAX + 1], end_us;
    uint32_t count = nic->irqs->count, silent;

    RT_ASSERT_LE(count, (uint32_t)RT_ARRAY_SIZE(before));
    if (count == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        before[i] = *pci_irqs_get(nic->irqs, i)->count;
    raise(nic);
    end_us = hal_now_us() + TRY_US;
    while ((silent = silent_ones(nic, before)) != 0 && hal_now_us() < end_us)
        hal_wait(RT_MIN(hal_now_us() + TRY_STEP_US, end_us)); /* those of this core come in it */
    lower(nic);
    if (silent != 0)
        do_without(nic, silent);
}

void nic_irq_teardown(struct nic *nic)
{
    RT_ASSERT(nic->irqs != NULL);
    pci_irqs_release(nic->irqs);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every attempt starts from a function that cannot interrupt, and one that fails ends there: a
 * loader may have left any of the three ways on, and two at once are undefined (LB 6.8).
 */
#include <rt/assert.h>
#include <rt/log.h>
#include <rt/pci_irq.h>

#include "pci_reg.h"

const char *pci_irq_mode_name(enum pci_irq_mode mode)
{
    static const char *const names[] = {
        [PCI_IRQ_MSIX] = "msix", [PCI_IRQ_MSI] = "msi",
        [PCI_IRQ_INTX] = "intx", [PCI_IRQ_NONE] = "none",
    };

    return (unsigned)mode < RT_ARRAY_SIZE(names) ? names[mode] : "unknown";
}

void pci_irqs_init(struct pci_irqs *irqs, struct pci_dev *dev, const char *name)
{
    RT_ASSERT(dev != NULL);
    *irqs = (struct pci_irqs){.dev = dev, .name = name, .mode = PCI_IRQ_NONE};
}

void pci_irqs_release(struct pci_irqs *irqs)
{
    pci_msix_disable(irqs->dev);
    pci_msi_disable(irqs->dev);
    pci_intx(irqs->dev, false);
    irqs->mode = PCI_IRQ_NONE;
    irqs->count = 0;
}

/* Makes message[i] one for `core`: one that was kept, else a new one. Those before i stay. */
static enum rt_status message_for(struct pci_irqs *irqs, uint32_t i, unsigned core)
{
    uint32_t at = i;
    struct hal_irq found;

    RT_ASSERT_LE(i, irqs->kept); /* those before i have one */
    RT_ASSERT_LE(irqs->kept, (uint32_t)PCI_IRQS_KEPT_MAX);
    while (at < irqs->kept && irqs->message[at].core != core)
        at++;
    if (at == PCI_IRQS_KEPT_MAX)
        return RT_FULL;
    if (at == irqs->kept) {
        enum rt_status st = hal_irq_alloc(core, irqs->name, &irqs->message[at]);

        if (st != RT_OK)
            return st;
        irqs->kept++;
    }
    found = irqs->message[at];
    irqs->message[at] = irqs->message[i];
    irqs->message[i] = found;
    return RT_OK;
}

static enum rt_status try_msix(struct pci_irqs *irqs, const unsigned *cores, uint32_t wanted)
{
    enum rt_status st = RT_OK;

    if (pci_msix_count(irqs->dev) < wanted)
        return RT_UNSUPPORTED;
    for (uint32_t i = 0; i < wanted && st == RT_OK; i++)
        st = message_for(irqs, i, cores[i]);
    if (st == RT_OK)
        st = pci_msix_enable(irqs->dev);
    if (st != RT_OK)
        return st;
    for (uint32_t i = 0; i < wanted; i++)
        pci_msix_set(irqs->dev, i, &irqs->message[i]);
    irqs->count = wanted;
    return RT_OK;
}

static enum rt_status try_msi(struct pci_irqs *irqs, const unsigned *cores, uint32_t wanted)
{
    enum rt_status st = message_for(irqs, 0, cores[0]);

    if (st == RT_OK)
        st = pci_msi_enable(irqs->dev, &irqs->message[0]);
    if (st == RT_OK)
        irqs->count = 1;
    return st;
}

static enum rt_status try_intx(struct pci_irqs *irqs, const unsigned *cores, uint32_t wanted)
{
    uint32_t pin = pci_read32(irqs->dev, PCI_INTERRUPT);
    enum rt_status st = RT_OK;

    if (pin == PCI_NOTHING || FIELD_GET(PCI_INTERRUPT_PIN, pin) == 0)
        return RT_UNSUPPORTED;
    if (irqs->line.count == NULL)
        st = hal_irq_alloc_line(FIELD_GET(PCI_INTERRUPT_LINE, pin), irqs->name, &irqs->line);
    if (st != RT_OK)
        return st;
    pci_intx(irqs->dev, true);
    irqs->count = 1;
    return RT_OK;
}

void pci_irqs_take(struct pci_irqs *irqs, const unsigned *cores, uint32_t wanted,
                   enum pci_irq_mode best)
{
    static enum rt_status (*const attempt[])(struct pci_irqs *, const unsigned *, uint32_t) = {
        [PCI_IRQ_MSIX] = try_msix, [PCI_IRQ_MSI] = try_msi, [PCI_IRQ_INTX] = try_intx};

    RT_ASSERT_NE(wanted, 0u);
    RT_ASSERT_LE(wanted, (uint32_t)PCI_IRQS_MAX);
    RT_ASSERT_LT((unsigned)best, (unsigned)PCI_IRQ_NONE + 1);
    pci_irqs_release(irqs);
    for (enum pci_irq_mode mode = best; mode < PCI_IRQ_NONE; mode++) {
        enum rt_status st = attempt[mode](irqs, cores, wanted);

        if (st == RT_OK) {
            irqs->mode = mode;
            return;
        }
        pci_irqs_release(irqs);
        rt_log("%s irq=%s status=%s action=\"next mode\"", irqs->name, pci_irq_mode_name(mode),
               rt_status_name(st));
    }
}

const struct hal_irq *pci_irqs_get(const struct pci_irqs *irqs, uint32_t i)
{
    switch (irqs->mode) {
    case PCI_IRQ_MSIX:
        return i < irqs->count ? &irqs->message[i] : NULL;
    case PCI_IRQ_MSI:
        return &irqs->message[0];
    case PCI_IRQ_INTX:
        return &irqs->line;
    case PCI_IRQ_NONE:
    default:
        return NULL;
    }
}

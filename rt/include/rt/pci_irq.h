/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupts of one PCI function are one object: in which way it interrupts, how often, and
 * what belongs to each. A driver says which core every interrupt shall reach; it gets MSI-X (an
 * entry each), else MSI, else INTx (one for all), else none.
 *
 * Vectors are never given back, since a message can be under way: the object keeps those that
 * are not in use, and taking again, with other numbers, cores or another mode, allocates only
 * what is missing and programs all. Core 0 only; after the seal as well as before.
 */
#ifndef RT_PCI_IRQ_H
#define RT_PCI_IRQ_H

#include <rt/hal.h>
#include <rt/pci.h>

enum pci_irq_mode { PCI_IRQ_MSIX, PCI_IRQ_MSI, PCI_IRQ_INTX, PCI_IRQ_NONE }; /* best first */

#define PCI_IRQS_MAX PCI_MSIX_VECTORS_MAX
#define PCI_IRQS_KEPT_MAX 256

struct pci_irqs {
    struct pci_dev *dev;
    const char *name; /* of the function, for the log; the caller's */
    enum pci_irq_mode mode;
    uint32_t count;   /* interrupts that reach somebody: MSI-X: what was asked for; else 1; or 0 */
    uint32_t kept;    /* vectors in `message`, the first `count` of them in use (MSI-X, MSI) */
    struct hal_irq message[PCI_IRQS_KEPT_MAX];
    struct hal_irq line; /* of INTx; `count` NULL: none yet */
};

/* Nothing is taken yet. `dev` and `name` (for the log) stay the caller's and outlive it. */
void pci_irqs_init(struct pci_irqs *irqs, struct pci_dev *dev, const char *name);
/*
 * `wanted` interrupts (1 to PCI_IRQS_MAX), number i for cores[i], in the first mode from `best` on
 * that works. MSI-X: entry i of the table is number i. MSI: all are one on cores[0]; INTx: all
 * are one on core 0. Says in the log why a mode does not work. When none does, the mode is
 * PCI_IRQ_NONE, count is 0, and the function cannot interrupt. Every cause in the device must be
 * masked, before and after.
 */
void pci_irqs_take(struct pci_irqs *irqs, const unsigned *cores, uint32_t wanted,
                   enum pci_irq_mode best);
/* The function cannot interrupt any more, in none of the three ways. */
void pci_irqs_release(struct pci_irqs *irqs);
/* Number i of those asked for; NULL: it has none. Valid until the next take. */
const struct hal_irq *pci_irqs_get(const struct pci_irqs *irqs, uint32_t i);
const char *pci_irq_mode_name(enum pci_irq_mode mode); /* "msix", "msi", "intx", "none" */

#endif

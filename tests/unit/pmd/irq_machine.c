/* SPDX-License-Identifier: BSD-2-Clause */
/* Four cores and a card whose interrupts a test follows: what the card is told, and where what it
 * raises arrives. */
#include "irq_machine.h"

struct pool *irq_pools[CORES];

struct card *irq_machine(void)
{
    struct card *card = card_new(X82599_ID_SFP, 1);
    static const char *const names[CORES] = {"core0", "core1", "core2", "core3"};

    host_set_core_count(CORES);
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    card->nic = nic_get(0);
    for (unsigned core = 0; core < CORES; core++)
        assert_int_equal(pool_create(names[core], core, CORES, 2000, &irq_pools[core]), RT_OK);
    card->pool = irq_pools[0];
    return card;
}

void irq_start(struct card *card, const struct step *step)
{
    struct nic_config c = card_config;

    c.rxqs = c.txqs = step->queues;
    c.irq_mode = step->mode;
    c.moderation_us = step->moderation_us;
    assert_int_equal(nic_configure(card->nic, &c), RT_OK);
    for (uint16_t q = 0; q < step->queues; q++) {
        unsigned core = (step->first_core + q) % CORES;

        assert_int_equal(nic_rxq_setup(card->nic, q, core, irq_pools[core]), RT_OK);
        assert_int_equal(nic_txq_setup(card->nic, q, core, irq_pools[core]), RT_OK);
    }
    assert_int_equal(nic_start(card->nic), RT_OK);
}

void irq_stop(struct card *card)
{
    nic_stop(card->nic);
    for (unsigned core = 0; core < CORES; core++) {
        (void)pool_collect(irq_pools[core]);
        assert_int_equal(irq_pools[core]->free, irq_pools[core]->total);
    }
    assert_int_equal(card->violations, 0);
}

static uint32_t entry_word(const struct card *card, uint32_t entry, uint32_t word)
{
    const struct pci_dev *pci = card->nic->pci;

    return hal_read32(&pci->msix, pci->msix_offset + entry * 16 + word * 4);
}

static uint32_t address_of(unsigned core)
{
    return MSI_BASE | core << 12;
}

/* Armed, and raised by hand: the count of the queue's own vector grows, and no other. */
void irq_raise_arrives(struct card *card, uint16_t q, uint32_t bit)
{
    struct nic_rxq *rxq = card->nic->rxq[q];
    uint64_t before = *rxq->irq.count, total = hal_irq_total(rxq->core);

    assert_true(rxq->irq_reaches);
    card_pass_us(card, 1000);
    assert_false(nic_rx_arm(rxq));
    x82599_write32(card->dev, EICS_OFFSET, bit);
    assert_int_equal(*rxq->irq.count, before + 1);
    assert_int_equal(hal_irq_total(rxq->core), total + 1);
    nic_rx_disarm(rxq);
}

static void check_msix(struct card *card, const struct step *step)
{
    struct nic *nic = card->nic;

    for (uint16_t q = 0; q <= step->queues; q++) {
        unsigned core = q < step->queues ? nic->rxq[q]->core : 0;
        const struct hal_irq *irq = q < step->queues ? &nic->rxq[q]->irq : &nic->link_irq;

        assert_int_equal(entry_word(card, q, 0), address_of(core));
        assert_int_equal(entry_word(card, q, 1), 0);
        assert_int_equal(entry_word(card, q, 2), irq->msi_data);
        assert_int_equal(entry_word(card, q, 3), 0);
        for (uint16_t other = 0; other < q; other++)
            assert_true(entry_word(card, q, 0) != entry_word(card, other, 0) ||
                        entry_word(card, q, 2) != entry_word(card, other, 2));
    }
    for (uint32_t entry = step->queues + 1u; entry < nic->pci->msix_entries; entry++)
        assert_int_equal(entry_word(card, entry, 3), 1);
    for (uint16_t q = 0; q < step->queues; q++)
        irq_raise_arrives(card, q, RT_BIT(q));
}

static void check_shared(struct card *card, const struct step *step, unsigned core)
{
    for (uint16_t q = 0; q < step->queues; q++) {
        struct nic_rxq *rxq = card->nic->rxq[q];

        assert_int_equal(rxq->irq.core, core);
        assert_int_equal(rxq->irq_reaches, rxq->core == core);
        if (rxq->core == core)
            irq_raise_arrives(card, q, RT_BIT(0));
        else
            assert_true(nic_rx_arm(rxq)); /* never told: never sleeps */
    }
    assert_ptr_equal(card->nic->link_irq.count, card->nic->rxq[0]->irq.count);
}

/* The function interrupts in the mode it says, and only in that. */
void irq_check(struct card *card, const struct step *step)
{
    struct nic *nic = card->nic;
    uint32_t msi = pci_read32(nic->pci, MSI_CAP), msix = pci_read32(nic->pci, MSIX_CAP);
    uint32_t command = pci_read32(nic->pci, 4);

    assert_int_equal(nic->irq_mode, step->mode);
    assert_int_equal((msix & ON_MSIX) != 0, step->mode == NIC_IRQ_MSIX);
    assert_int_equal((msi & ON_MSI) != 0, step->mode == NIC_IRQ_MSI);
    assert_int_equal((command & INTX_OFF) == 0, step->mode == NIC_IRQ_INTX);
    if (step->mode == NIC_IRQ_MSIX)
        check_msix(card, step);
    if (step->mode == NIC_IRQ_MSI) {
        assert_int_equal(pci_read32(nic->pci, MSI_CAP + 4), address_of(step->first_core));
        assert_int_equal(pci_read32(nic->pci, MSI_CAP + 12), nic->link_irq.msi_data);
        check_shared(card, step, step->first_core);
    }
    if (step->mode == NIC_IRQ_INTX)
        check_shared(card, step, 0);
    for (uint16_t q = 0; step->mode == NIC_IRQ_NONE && q < step->queues; q++)
        assert_true(nic_rx_arm(nic->rxq[q]));
}

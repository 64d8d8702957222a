/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe interrupts: causes, moderation, and arming without losing a frame. nic_irq.c chooses
 * between MSI-X, MSI and INTx. Transmit queues raise none: completions are reclaimed by the
 * next transmit call.
 *
 * Core 0 reads EICR for link and faults, which clears what it reads. GPIE.OCD, in every mode,
 * keeps the causes of the queues out of that; a queue clears its own when it arms. In MSI-X
 * mode the chip masks a vector when it fires (EIAM) and clears its cause (EIAC).
 */
#include "ixgbe.h"

#define OTHER_CAUSES (IXGBE_EICR_LSC | IXGBE_EICR_ECC)

void ixgbe_irq_quiet(struct ixgbe *dev)
{
    ixgbe_write(dev, IXGBE_EIMC, UINT32_MAX);
    ixgbe_write(dev, IXGBE_EIMC_EX(0), UINT32_MAX);
    ixgbe_write(dev, IXGBE_EIMC_EX(1), UINT32_MAX);
    ixgbe_write(dev, IXGBE_EIAC, 0);
}

static uint32_t moderation(uint32_t us)
{
    uint64_t units = (uint64_t)us * 1000 / IXGBE_EITR_UNIT_NS;

    return FIELD_PUT(
        IXGBE_EITR_INTERVAL,
        (uint32_t)RT_MIN(units, (uint64_t)FIELD_GET(IXGBE_EITR_INTERVAL, UINT32_MAX)));
}

/* Cause of each receive queue: in MSI-X mode its vector, else bit 0 of EICR for all. */
static void map_causes(struct ixgbe *dev, bool own_vectors)
{
    uint32_t ivar[(IXGBE_QUEUES_MAX + 1) / 2] = {0};
    uint16_t rxqs = dev->nic->config.rxqs;

    RT_ASSERT_LE(rxqs, IXGBE_QUEUES_MAX);
    for (uint16_t q = 0; q < rxqs; q++)
        ivar[q / 2] |= (IXGBE_IVAR_VALID | (own_vectors ? q : 0u)) << IXGBE_IVAR_RX_SHIFT(q);
    for (unsigned i = 0; i < RT_ARRAY_SIZE(ivar); i++)
        ixgbe_write(dev, IXGBE_IVAR(i), ivar[i]);
    ixgbe_write(dev, IXGBE_IVAR_MISC,
                (IXGBE_IVAR_VALID | (own_vectors ? rxqs : 0u)) << IXGBE_IVAR_MISC_OTHER_SHIFT);
}

/* With vectors: one a receive queue, the last for the rest. Without: all causes in one. */
static void program(struct nic *nic, bool own_vectors)
{
    struct ixgbe *dev = nic->priv;
    uint32_t interval = moderation(nic->config.moderation_us);
    uint16_t rxqs = nic->config.rxqs;
    uint32_t vectors = RT_BITS(rxqs - 1u, 0);

    RT_ASSERT_LT(0, rxqs); /* `vectors` has a bit for each */
    ixgbe_write(dev, IXGBE_GPIE,
                own_vectors ? IXGBE_GPIE_MULTIPLE_MSIX | IXGBE_GPIE_OCD | IXGBE_GPIE_EIAME |
                                  IXGBE_GPIE_PBA_SUPPORT
                            : IXGBE_GPIE_OCD);
    map_causes(dev, own_vectors);
    if (!own_vectors) {
        ixgbe_write(dev, IXGBE_EITR(0), interval);
        return;
    }
    for (uint16_t q = 0; q < rxqs; q++)
        ixgbe_write(dev, IXGBE_EITR(q), interval);
    ixgbe_write(dev, IXGBE_EITR(rxqs), 0);
    ixgbe_write(dev, IXGBE_EIAC, vectors); /* rxqs <= 16: bits 15:0 */
    ixgbe_write(dev, IXGBE_EIAM_EX(0), vectors);
    ixgbe_write(dev, IXGBE_EIMS_EX(0), RT_BIT(rxqs));
}

void ixgbe_irq_setup(struct ixgbe *dev)
{
    nic_irq_setup(dev->nic, program);
    if (dev->nic->irq_mode == NIC_IRQ_NONE)
        return;
    ixgbe_write(dev, IXGBE_EICR, ~IXGBE_EICR_ECC); /* that one is looked for */
    ixgbe_write(dev, IXGBE_EIMS, OTHER_CAUSES);
}

/* What raises each interrupt that the port has. */
static uint32_t one_of_each(const struct nic *nic)
{
    RT_ASSERT_LT(0, nic->config.rxqs);
    return nic->irq_mode == NIC_IRQ_MSIX ? RT_BITS(nic->config.rxqs - 1u, 0) | IXGBE_EICR_LSC :
                                           RT_BIT(0);
}

void ixgbe_irq_raise(struct nic *nic)
{
    const struct ixgbe *dev = nic->priv;

    RT_ASSERT_NE(nic->irq_mode, (uint32_t)NIC_IRQ_NONE);
    ixgbe_write(dev, IXGBE_EIMS, one_of_each(nic));
    ixgbe_write(dev, IXGBE_EICS, one_of_each(nic));
    (void)ixgbe_read(dev, IXGBE_STATUS);
}

void ixgbe_irq_lower(struct nic *nic)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_EIMC, one_of_each(nic) & ~OTHER_CAUSES);
    ixgbe_write(dev, IXGBE_EICR, one_of_each(nic)); /* a look at the link follows */
}

/* Of its memories: it stands still until it is reset (DS 8.2.3.5.1). */
const char *ixgbe_fault(struct nic *nic)
{
    const struct ixgbe *dev = nic->priv;

    return (ixgbe_read(dev, IXGBE_EICR) & IXGBE_EICR_ECC) != 0 ? "memory-error" : NULL;
}

/* The queue's bit in the interrupt registers. */
static uint32_t cause_of(const struct nic_rxq *rxq)
{
    return rxq->nic->irq_mode == NIC_IRQ_MSIX ? RT_BIT(rxq->index) : RT_BIT(0);
}

bool ixgbe_rx_arm(struct nic_rxq *rxq)
{
    static const struct nic_arm_regs regs = {
        .clear = IXGBE_EICR, .any = IXGBE_STATUS, .unmask = IXGBE_EIMS, .mask = IXGBE_EIMC};

    return nic_rx_ring_arm(nic_rx_ring_of(rxq), &regs, cause_of(rxq));
}

void ixgbe_rx_disarm(struct nic_rxq *rxq)
{
    if (rxq->irq_reaches)
        hal_write32(&nic_rx_ring_of(rxq)->mmio, IXGBE_EIMC, cause_of(rxq));
}

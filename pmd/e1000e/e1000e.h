/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the e1000e driver. */
#ifndef PMD_E1000E_H
#define PMD_E1000E_H

#include "e1000e_reg.h"
#include "intel/intel.h"
#include "nic_card.h"
#include "ring/tx_ask.h"

#define E1000E_QUEUES_MAX 2
#define E1000E_VLAN_BYTES NIC_VLAN_BYTES
#define E1000E_STANDARD_FRAME_BYTES 1518 /* with VLAN tag, without CRC */

/* What differs between the parts, with the errata that we work around. */
enum e1000e_model_flags {
    E1000E_MSIX = 1u << 0,
    E1000E_ASPM_OFF = 1u << 1,       /* ASPM L0s/L1 lose completions: off at both ends */
    E1000E_RCTL_EN_STAYS = 1u << 2,  /* RCTL.EN goes off only with a full reset */
    E1000E_TARC_HANG = 1u << 3,      /* transmit hangs when the packet buffer is full */
    E1000E_TWO_TXQ_TARC = 1u << 4,   /* two transmit queues need extra TARC bits */
    E1000E_ACK_INT_SPURIOUS = 1u << 5, /* RFCTL.ACK_DIS, else spurious MSI-X */
    E1000E_PHY_HANGS = 1u << 6,      /* PHY error counters stuck at all ones */
    E1000E_NVM_AUPDEN = 1u << 7,     /* flash autonomous update off */
};

struct e1000e_model {
    uint16_t device;
    uint16_t queues;
    uint16_t frame_max_bytes; /* without CRC */
    uint16_t rx_buffer_kb;
    uint32_t flags;
    const char *name;
};

struct e1000e_rxq {
    struct nic_rx_ring ring;
    uint32_t ims; /* interrupt causes of this queue */
};

/* Accesses to registers of the PHY that a step makes, in order. */
#define E1000E_PHY_LIST_MAX 4
struct e1000e_phy_list {
    uint32_t command[E1000E_PHY_LIST_MAX]; /* as MDIC wants it */
    uint16_t value[E1000E_PHY_LIST_MAX];   /* what was read, until the next list is made */
    uint32_t count, at;
    bool begun; /* command[at] is in MDIC */
};

struct e1000e {
    struct nic *nic;
    const struct e1000e_model *model;
    uint64_t quiet_since_us; /* all interrupts masked since */
    uint64_t phy_checked_us;
    uint32_t phy_hangs; /* consecutive checks that looked hung */
    uint32_t rx_buffer_kb;
    bool phy_known; /* it negotiates, which outlives a reset */
    bool pause_unknown; /* the link came up, who may send pause frames is not worked out yet */
    bool semaphore;
    bool walks; /* `walk` is under way: nic_poll_link takes it on */
    struct nic_steps walk;
    struct e1000e_phy_list phy;
};

/* e1000e_phy.c: semaphore, NVM, PHY */
RT_NODISCARD enum rt_status e1000e_semaphore_take(struct e1000e *dev);
void e1000e_semaphore_give(struct e1000e *dev);
RT_NODISCARD enum rt_status e1000e_nvm_check(struct e1000e *dev, uint8_t mac[6]);
/* Steps: the semaphore; what the PHY is asked, and does; what it is told for that; the link. */
RT_NODISCARD enum rt_status e1000e_semaphore_step(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status e1000e_phy_ask(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status e1000e_phy_step(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status e1000e_phy_negotiate(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status e1000e_link_begin(struct nic *nic, struct nic_steps *steps);
/* One more access for the next e1000e_phy_step(). */
void e1000e_phy_read(struct e1000e *dev, uint32_t reg);
void e1000e_phy_write(struct e1000e *dev, uint32_t reg, uint16_t value);
void e1000e_phy_forget(struct e1000e *dev); /* those that are not made yet */

/* e1000e_link.c: `poll_link` of struct nic_ops; a look at the PHY that is under way is dropped */
void e1000e_poll_link(struct nic *nic);
void e1000e_walk_drop(struct e1000e *dev);

/* e1000e_irq.c */
void e1000e_irq_setup(struct e1000e *dev);
void e1000e_irq_quiet(struct e1000e *dev); /* masks everything, notes the time */
void e1000e_irq_raise(struct nic *nic); /* these two: see nic_irq_try() */
void e1000e_irq_lower(struct nic *nic);
/* A step: no moderation timer runs any more. After e1000e_irq_quiet(), before MSI-X is switched. */
RT_NODISCARD enum rt_status e1000e_irq_settle(struct nic *nic, struct nic_steps *steps);
bool e1000e_rx_arm(struct nic_rxq *rxq);
void e1000e_rx_disarm(struct nic_rxq *rxq);

/* e1000e_up.c, e1000e_down.c: tables of steps */
#define E1000E_DMA_DRAIN_US 10000
#define E1000E_RESET_SETTLE_US 25000 /* it reads its NVM again and configures the PHY */
extern const struct nic_step_table e1000e_up, e1000e_down, e1000e_off_bus;
extern const struct nic_step_table e1000e_silence; /* the first steps down: no DMA any more */
extern const struct nic_step_table e1000e_reset;

/* e1000e_filter.c: addresses, VLAN, RSS, statistics */
extern const struct intel_filter_regs e1000e_filter_regs;
extern const struct intel_counters e1000e_counters;
void e1000e_rss_init(struct e1000e *dev);

/* e1000e_ring.c: queues, without the data path */
extern const struct nic_ring_chip e1000e_rings;
RT_NODISCARD enum rt_status e1000e_rings_start(struct e1000e *dev); /* fills and programs */
void e1000e_rxq_run(struct nic_rxq *rxq); /* these two: see nic_driver.h */
void e1000e_txq_run(struct nic_txq *txq);

/* e1000e_rxtx.c: the data path */
uint32_t e1000e_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
/* ... of a port with rx_checksum */
uint32_t e1000e_rx_checked(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
void e1000e_tx(struct nic_txq *txq, struct buf_batch *batch);
uint32_t e1000e_tx_reclaim(struct nic_txq *txq);
/* e1000e_rxtx_odd.c: everything that is not one plain buffer */
RT_COLD void e1000e_rx_odd(struct nic_rx_ring *ring, struct buf_batch *out);
/* Fills the ring's table of what a status says about sums. */
void e1000e_rx_sums(struct nic_rx_ring *ring);
RT_COLD enum nic_tx_fate e1000e_tx_odd(struct nic_tx_ring *ring,
                                       const struct nic_tx_format *format,
                                       struct buf *b_owned);

/* What a status says about sums, as an index into the ring's table. */
enum e1000e_says { E1000E_SAYS_TCPE = 1, E1000E_SAYS_IPE = 2, E1000E_SAYS_IXSM = 4 };
RT_INLINE uint32_t e1000e_rx_says(uint64_t address, uint64_t status)
{
    return (uint32_t)(status >> 29 & 3) | (uint32_t)(status & E1000E_SAYS_IXSM);
}
_Static_assert(E1000E_RXD_ERR_TCPE == UINT32_C(1) << 29 &&
                   E1000E_RXD_ERR_IPE == UINT32_C(1) << 30 &&
                   E1000E_RXD_IXSM == E1000E_SAYS_IXSM,
               "three bits, two of them neighbours");

RT_INLINE struct e1000e_rxq *e1000e_rxq_of(struct nic_rxq *rxq)
{
    return RT_CONTAINER_OF(nic_rx_ring_of(rxq), struct e1000e_rxq, ring);
}
RT_INLINE uint32_t e1000e_read(const struct e1000e *dev, uint32_t reg)
{
    return hal_read32(&dev->nic->mmio, reg);
}
RT_INLINE void e1000e_write(const struct e1000e *dev, uint32_t reg, uint32_t value)
{
    hal_write32(&dev->nic->mmio, reg, value);
}
/* RCTL.LPE: frames above the usual size come in, of any length (DS 10.2.5.1). */
RT_INLINE bool e1000e_takes_long(const struct nic *nic)
{
    return nic->config.frame_max_bytes + E1000E_VLAN_BYTES > E1000E_STANDARD_FRAME_BYTES;
}

#endif

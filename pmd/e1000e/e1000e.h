/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the e1000e driver. */
#ifndef PMD_E1000E_H
#define PMD_E1000E_H

#include "e1000e_reg.h"
#include "nic_driver.h"
#include "nic_steps.h"

#define E1000E_QUEUES_MAX 2
#define E1000E_RING_MIN 8 /* length registers count 128 bytes */
#define E1000E_RING_MAX 4096
#define E1000E_RX_CHAIN_MAX 8  /* segments of a received frame: 8 x 2048 > 9234 */
#define E1000E_TX_CHAIN_MAX 32 /* QEMU drops packets of more than 64 descriptors */
#define E1000E_TX_BYTES_MIN 17 /* the chip pads to 60, but needs these (TCTL.PSP) */
#define E1000E_VLAN_BYTES NIC_VLAN_BYTES
#define E1000E_STANDARD_FRAME_BYTES 1518 /* with VLAN tag, without CRC */
#define E1000E_CRC_BYTES 4

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

/* 16 bytes in one register; may alias what it copies. */
typedef uint64_t e1000e_vec __attribute__((vector_size(16), may_alias));

struct e1000e_rxq {
    struct nic_rxq head;
    /* what the receive loop reads, together */
    struct e1000e_rx_desc *ring RT_ALIGNED(RT_CACHE_LINE);
    struct buf_ref *shadow; /* the buffer of each descriptor: owner NIC */
    uint16_t next;          /* next descriptor to look at */
    uint16_t descs;
    uint16_t unposted; /* rewritten, but RDT not yet moved past them */
    uint16_t post_at;
    bool mid_frame; /* `chain` or `skip`: the next descriptor continues a frame */
    bool skip;      /* ... of which the rest is dropped */
    e1000e_vec keep RT_ALIGNED(16);     /* bits of a write-back that go into the header */
    e1000e_vec header RT_ALIGNED(16);   /* template of header bytes 32..47 */
    struct hal_mmio mmio;
    uint32_t tail_reg;
    /* cold */
    struct buf *chain, *chain_last; /* frame in several buffers, so far; owner STACK */
    struct e1000e *dev;
    uint32_t ims;     /* interrupt causes of this queue */
    bool filled;      /* every slot of shadow has a buffer */
    uint16_t ring_descs_max; /* memory there is */
};

struct e1000e_txq {
    struct nic_txq head;
    struct e1000e_tx_desc *ring RT_ALIGNED(RT_CACHE_LINE);
    struct buf_ref *shadow; /* owner NIC; buf NULL: a context descriptor */
    uint16_t *rs;           /* fifo: descriptors that report completion */
    uint16_t next;          /* next descriptor to write */
    uint16_t clean;         /* next descriptor to reclaim */
    uint16_t used;
    uint16_t descs;
    uint16_t rs_first, rs_count;
    uint32_t frame_max_bytes; /* with VLAN tag */
    uint32_t plain_max_bytes; /* ... and in one buffer from its headroom on */
    struct hal_mmio mmio;
    uint32_t tail_reg;
    /* cold */
    struct e1000e *dev;
    bool vlan_insert; /* the chip inserts tags (it strips received ones too) */
    bool one_queue;   /* the chip has one context for all queues */
    bool context_kept; /* the chip still holds `context` (one queue only) */
    struct e1000e_tx_desc context;
    uint8_t no_owner; /* owner byte of context descriptors: never NIC */
    uint16_t ring_descs_max;
};

struct e1000e {
    struct hal_mmio mmio;
    struct nic *nic;
    const struct e1000e_model *model;
    struct e1000e_rxq *rxq[E1000E_QUEUES_MAX];
    struct e1000e_txq *txq[E1000E_QUEUES_MAX];
    uint64_t quiet_since_us; /* all interrupts masked since */
    uint64_t phy_checked_us;
    uint32_t phy_hangs; /* consecutive checks that looked hung */
    uint32_t rx_buffer_kb;
    bool fresh;     /* reset, and nothing enabled since */
    bool phy_known; /* it negotiates, which outlives a reset */
    bool semaphore;
};

/* e1000e_phy.c: semaphore, NVM, PHY, link */
RT_NODISCARD enum rt_status e1000e_semaphore_take(struct e1000e *dev);
void e1000e_semaphore_give(struct e1000e *dev);
RT_NODISCARD enum rt_status e1000e_nvm_check(struct e1000e *dev, uint8_t mac[6]);
RT_NODISCARD enum rt_status e1000e_phy_read(struct e1000e *dev, uint32_t reg, uint16_t *value);
RT_NODISCARD enum rt_status e1000e_phy_write(struct e1000e *dev, uint32_t reg, uint16_t value);
RT_NODISCARD enum rt_status e1000e_semaphore_step(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status e1000e_link_begin(struct nic *nic, struct nic_steps *steps);
void e1000e_poll_link(struct nic *nic);

/* e1000e_irq.c */
void e1000e_irq_setup(struct e1000e *dev);
void e1000e_irq_quiet(struct e1000e *dev);    /* masks everything, notes the time */
void e1000e_irq_try(struct e1000e *dev); /* see nic_irq_try() */
void e1000e_irq_settle(struct e1000e *dev);   /* waits until no moderation timer can run */
void e1000e_irq_teardown(struct e1000e *dev); /* after e1000e_irq_quiet */
bool e1000e_rx_arm(struct nic_rxq *rxq);
void e1000e_rx_disarm(struct nic_rxq *rxq);

/* e1000e_filter.c: addresses, VLAN, RSS, statistics */
void e1000e_filter_init(struct e1000e *dev);
void e1000e_rss_init(struct e1000e *dev);
RT_NODISCARD enum rt_status e1000e_set_promiscuous(struct nic *nic, bool on);
RT_NODISCARD enum rt_status e1000e_add_multicast(struct nic *nic, const uint8_t mac[6]);
RT_NODISCARD enum rt_status e1000e_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on);
RT_NODISCARD enum rt_status e1000e_stats_alloc(struct e1000e *dev);
void e1000e_poll_stats(struct nic *nic, uint32_t rows);

/* e1000e_ring.c: queues, without the data path */
RT_NODISCARD enum rt_status e1000e_rxq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                             struct pool *pool);
RT_NODISCARD enum rt_status e1000e_txq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                             struct pool *pool);
RT_NODISCARD enum rt_status e1000e_rings_start(struct e1000e *dev); /* fills and programs */
void e1000e_rings_stop(struct e1000e *dev); /* every buffer goes home; DMA must be off */
void e1000e_rxq_run(struct nic_rxq *rxq);   /* these four: see nic_driver.h */
void e1000e_rxq_drop(struct nic_rxq *rxq);
void e1000e_txq_run(struct nic_txq *txq);
void e1000e_txq_empty(struct nic_txq *txq);

/* e1000e_rxtx.c: the data path */
uint32_t e1000e_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
bool e1000e_rx_pending(const struct e1000e_rxq *q); /* a written-back descriptor waits */
void e1000e_rx_post(struct e1000e_rxq *q);          /* rewritten descriptors to the chip */
void e1000e_tx(struct nic_txq *txq, struct buf_batch *batch);
uint32_t e1000e_tx_reclaim(struct nic_txq *txq);
/* e1000e_rxtx_odd.c: everything that is not one plain buffer */
RT_COLD void e1000e_rx_odd(struct e1000e_rxq *q, struct buf_batch *out);
enum e1000e_tx_fate { E1000E_TX_QUEUED, E1000E_TX_GONE, E1000E_TX_NO_ROOM };
RT_COLD enum e1000e_tx_fate e1000e_tx_odd(struct e1000e_txq *q, struct buf *b_owned);

RT_INLINE uint32_t e1000e_read(const struct e1000e *dev, uint32_t reg)
{
    return hal_read32(&dev->mmio, reg);
}
RT_INLINE void e1000e_write(const struct e1000e *dev, uint32_t reg, uint32_t value)
{
    hal_write32(&dev->mmio, reg, value);
}
/* RCTL.LPE: frames above the usual size come in, of any length (DS 10.2.5.1). */
RT_INLINE bool e1000e_takes_long(const struct nic *nic)
{
    return nic->config.frame_max_bytes + E1000E_VLAN_BYTES > E1000E_STANDARD_FRAME_BYTES;
}
RT_INLINE uint32_t e1000e_tx_room(const struct e1000e_txq *q)
{
    return (uint32_t)q->descs - 1 - q->used;
}

#endif

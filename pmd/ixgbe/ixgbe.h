/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the ixgbe driver. */
#ifndef PMD_IXGBE_H
#define PMD_IXGBE_H

#include "ixgbe_reg.h"
#include "nic_driver.h"
#include "nic_steps.h"

#define IXGBE_QUEUES_MAX NIC_QUEUES_MAX
#define IXGBE_TX_HELD_MAX 63 /* sent descriptors that no report covers yet */
#define IXGBE_RING_MIN 8 /* length registers count 128 bytes */
#define IXGBE_RING_MAX 4096
#define IXGBE_RX_CHAIN_MAX 8  /* segments of a received frame: 8 x 2048 > 15872 */
#define IXGBE_TX_CHAIN_MAX 32 /* DS 7.2.1.1: a frame has at most 40 descriptors */
#define IXGBE_TX_BYTES_MIN 17 /* DS 7.2.1.1; the chip pads to 60 (HLREG0.TXPADEN) */
#define IXGBE_TX_TSO_BYTES_MAX 0x3ffff /* PAYLEN has 18 bits */
#define IXGBE_VLAN_BYTES NIC_VLAN_BYTES
#define IXGBE_STANDARD_FRAME_BYTES 1514
#define IXGBE_CRC_BYTES 4

/* What differs between the parts. */
enum ixgbe_model_flags {
    IXGBE_SFP = 1u << 0,        /* module in a cage, read by I2C */
    IXGBE_COPPER = 1u << 1,     /* 10GBASE-T PHY behind MDIO */
    IXGBE_NVM_EERD = 1u << 2,   /* the EEPROM can be read by register */
    IXGBE_REGSMP = 1u << 3,     /* second semaphore in SW_FW_SYNC, not in SWSM */
    IXGBE_UDP_ZERO_BAD = 1u << 5, /* takes a UDP sum of zero, which is none, for a wrong one */
    IXGBE_BACKPLANE = 1u << 4,  /* link over traces: the EEPROM chose its mode */
};

struct ixgbe_model {
    uint16_t device;
    uint16_t rx_buffer_kib, tx_buffer_kib;
    uint32_t flags;
    const char *name;
};

/* 16 bytes in one register; may alias what it copies. */
typedef uint64_t ixgbe_vec __attribute__((vector_size(16), may_alias));

struct ixgbe_rxq {
    struct nic_rxq head;
    /* what the receive loop reads, together */
    struct ixgbe_rx_desc *ring RT_ALIGNED(RT_CACHE_LINE);
    struct buf_ref *shadow; /* the buffer of each descriptor: owner NIC */
    uint16_t next;          /* next descriptor to look at */
    uint16_t descs;
    uint16_t unposted; /* rewritten, but RDT not yet moved past them */
    uint16_t post_at;
    bool mid_frame; /* `chain` or `skip`: the next descriptor continues a frame */
    bool skip;      /* ... of which the rest is dropped */
    ixgbe_vec keep RT_ALIGNED(16);   /* bits of a write-back that go into the header */
    ixgbe_vec header RT_ALIGNED(16); /* template of header bytes 32..47 */
    struct hal_mmio mmio;
    uint32_t tail_reg;
    /* cold */
    struct buf *chain, *chain_last; /* frame in several buffers, so far; owner STACK */
    struct ixgbe *dev;
    bool filled; /* every slot of shadow has a buffer */
    uint16_t ring_descs_max; /* memory there is */
};

/* What frames of one kind (no request, or those of the context in force) have in common. Lengths
 * and offset: a frame in one buffer within them lies in the buffer's room. */
struct ixgbe_tx_kind {
    uint64_t command;     /* all but the lengths */
    uint32_t bytes_min;   /* headers must lie inside */
    uint32_t over_min;    /* longest - bytes_min */
    uint32_t offset_max;
    uint32_t header_bytes; /* TSO: not part of PAYLEN */
};

struct ixgbe_txq {
    struct nic_txq head;
    struct ixgbe_tx_desc *ring RT_ALIGNED(RT_CACHE_LINE);
    struct buf_ref *shadow; /* owner NIC; buf NULL: a context descriptor */
    uint16_t *rs;           /* fifo: descriptors that report completion */
    uint16_t next;          /* next descriptor to write */
    uint16_t clean;         /* next descriptor to reclaim */
    uint16_t used;
    uint16_t descs;
    uint16_t rs_first, rs_count;
    uint16_t rs_every, unreported; /* descriptors from one report to the next, since the last */
    struct hal_mmio mmio;
    uint32_t tail_reg;
    struct ixgbe_tx_kind plain;
    /* The chip keeps the last context: frames with the same requests need no descriptor. */
    struct ixgbe_tx_kind offload;
    uint64_t context_requests, requests_mask; /* of header bytes 24..31: flags, length, tag */
    uint64_t context_lengths, lengths_mask;   /* of header bytes 48..55 */
    /* cold */
    uint32_t bytes_max; /* of a frame without TSO, in any number of buffers */
    struct ixgbe *dev;
    uint8_t no_owner; /* owner byte of context descriptors: never NIC */
    uint16_t ring_descs_max;
};

struct ixgbe {
    struct hal_mmio mmio;
    struct nic *nic;
    const struct ixgbe_model *model;
    struct ixgbe_rxq *rxq[IXGBE_QUEUES_MAX];
    struct ixgbe_txq *txq[IXGBE_QUEUES_MAX];
    uint32_t lan;    /* which of the two functions */
    uint32_t synced; /* SW_FW_SYNC bits that we hold */
    uint32_t phy;    /* address on MDIO, MDIO_PHYS: none */
    bool link_known; /* module set up or PHY found: both outlive a reset */
    bool module_1g;
    bool dma_stuck; /* the master would not go off: buffers cleared, two resets */
    bool fresh;      /* reset, and nothing enabled since */
};

/* ixgbe.c */
void ixgbe_complain(const struct ixgbe *dev, const char *what, const char *reg, uint32_t value);

/* ixgbe_nvm.c: semaphores and EEPROM */
RT_NODISCARD enum rt_status ixgbe_sync_take(struct ixgbe *dev, uint32_t resources);
/* ... for a step: RT_BUSY while another holds them. */
RT_NODISCARD enum rt_status ixgbe_sync_step(struct ixgbe *dev, struct nic_steps *steps,
                                            uint32_t resources);
void ixgbe_sync_give(struct ixgbe *dev, uint32_t resources);
RT_NODISCARD enum rt_status ixgbe_nvm_read(struct ixgbe *dev, uint32_t word, uint16_t *value);
RT_NODISCARD enum rt_status ixgbe_nvm_check(struct ixgbe *dev);

/* ixgbe_module.c: what is in the cage. A step of the bring-up. */
RT_NODISCARD enum rt_status ixgbe_serial_module(struct nic *nic, struct nic_steps *steps);

/* ixgbe_link.c: steps of the bring-up, each for one kind of port. */
RT_NODISCARD enum rt_status ixgbe_laser_on(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_serial_begin(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_serial_wait(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_copper_begin(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_backplane_begin(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_flow_control(struct nic *nic, struct nic_steps *steps);
void ixgbe_poll_link(struct nic *nic);

/* ixgbe_irq.c */
void ixgbe_irq_setup(struct ixgbe *dev);
void ixgbe_irq_quiet(struct ixgbe *dev);
void ixgbe_irq_try(struct ixgbe *dev); /* see nic_irq_try() */
const char *ixgbe_fault(struct nic *nic);
bool ixgbe_rx_arm(struct nic_rxq *rxq);
void ixgbe_rx_disarm(struct nic_rxq *rxq);

/* ixgbe_filter.c: addresses, VLAN, RSS, statistics */
void ixgbe_filter_init(struct ixgbe *dev);
void ixgbe_rss_init(struct ixgbe *dev);
extern const uint8_t ixgbe_rss_key[IXGBE_RSSRK_COUNT * 4];
RT_NODISCARD enum rt_status ixgbe_set_promiscuous(struct nic *nic, bool on);
RT_NODISCARD enum rt_status ixgbe_add_multicast(struct nic *nic, const uint8_t mac[6]);
RT_NODISCARD enum rt_status ixgbe_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on);
RT_NODISCARD enum rt_status ixgbe_stats_alloc(struct ixgbe *dev);
void ixgbe_poll_stats(struct nic *nic, uint32_t rows);

/* ixgbe_ring.c: queues, without the data path */
RT_NODISCARD enum rt_status ixgbe_rxq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                            struct pool *pool);
RT_NODISCARD enum rt_status ixgbe_txq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                            struct pool *pool);
RT_NODISCARD enum rt_status ixgbe_rings_start(struct ixgbe *dev); /* fills and programs */
/* Steps: on or off, all of them */
RT_NODISCARD enum rt_status ixgbe_queues_off(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_queues_off_wait(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_tx_on(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_tx_on_wait(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_rx_on(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_rx_on_wait(struct nic *nic, struct nic_steps *steps);
void ixgbe_rings_stop(struct ixgbe *dev); /* every buffer goes home; DMA must be off */
void ixgbe_rxq_run(struct nic_rxq *rxq);  /* these four: see nic_driver.h */
void ixgbe_rxq_drop(struct nic_rxq *rxq);
void ixgbe_txq_run(struct nic_txq *txq);
void ixgbe_txq_empty(struct nic_txq *txq);

/* ixgbe_rxtx.c: the data path */
uint32_t ixgbe_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
/* ... of a port with rx_checksum */
uint32_t ixgbe_rx_checked(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
bool ixgbe_rx_pending(const struct ixgbe_rxq *q); /* a written-back descriptor waits */
void ixgbe_rx_post(struct ixgbe_rxq *q);          /* gives rewritten descriptors to the chip */
void ixgbe_tx(struct nic_txq *txq, struct buf_batch *batch);
uint32_t ixgbe_tx_reclaim(struct nic_txq *txq);
/* ixgbe_rxtx_odd.c: everything that is not one plain buffer */
RT_COLD void ixgbe_rx_odd(struct ixgbe_rxq *q, struct buf_batch *out);
enum ixgbe_tx_fate { IXGBE_TX_QUEUED, IXGBE_TX_GONE, IXGBE_TX_NO_ROOM };
RT_COLD enum ixgbe_tx_fate ixgbe_tx_odd(struct ixgbe_txq *q, struct buf *b_owned);

RT_INLINE uint32_t ixgbe_read(const struct ixgbe *dev, uint32_t reg)
{
    return hal_read32(&dev->mmio, reg);
}
RT_INLINE void ixgbe_write(const struct ixgbe *dev, uint32_t reg, uint32_t value)
{
    hal_write32(&dev->mmio, reg, value);
}
/* The longest frame without CRC that the MAC lets in, tagged: MAXFRS counts no tag, and acts above
 * the usual size only (DS 8.2.3.22.13). */
RT_INLINE uint32_t ixgbe_card_max_bytes(const struct nic *nic)
{
    uint32_t frame = nic->config.frame_max_bytes;

    return RT_MAX(frame, (uint32_t)IXGBE_STANDARD_FRAME_BYTES) + IXGBE_VLAN_BYTES;
}
/* Eight bytes of a header from one of its fields on. */
RT_INLINE uint64_t ixgbe_word(const void *field)
{
    uint64_t word;

    __builtin_memcpy(&word, field, sizeof(word));
    return word;
}
RT_INLINE uint32_t ixgbe_tx_room(const struct ixgbe_txq *q)
{
    return (uint32_t)q->descs - 1 - q->used;
}
/* The context that the chip holds is the one this frame asks for. */
RT_INLINE bool ixgbe_tx_in_context(const struct ixgbe_txq *q, const struct buf *b)
{
    uint64_t requests = ixgbe_word(&b->flags) & q->requests_mask;
    uint64_t lengths = ixgbe_word(&b->l2_bytes) & q->lengths_mask;

    /* one branch: it is in the transmit loop */
    return ((requests ^ q->context_requests) | (lengths ^ q->context_lengths)) == 0;
}
_Static_assert(offsetof(struct buf, flags) == 24 && offsetof(struct buf, vlan_tci) == 30,
               "flags and tag are one load");
_Static_assert(offsetof(struct buf, l2_bytes) == 48 && offsetof(struct buf, mss_bytes) == 54,
               "the lengths of a request are one load");

#endif

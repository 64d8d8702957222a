/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software half of a queue: a ring of 16-byte descriptors in memory, a shadow ring that
 * keeps whose buffer each descriptor is for, and the books. A driver's queue begins with one of
 * these, and adds what its chip needs; registers, and what a descriptor says, are the driver's.
 *
 *   ring.c       memory, set-up, filling, emptying
 *   arm.c        from polling to an interrupt
 *   odd.c        what is rare: chains, errors, frames with requests that are new
 *   rx_run.h     the loops of the data path, in line: a driver compiles them with its format of
 *   tx_run.h     descriptors as constants
 *   tx_pairs.h   ... of frames in two buffers
 *   tx_ask.h     what frames ask of the chip
 *
 * Receive descriptors are those that Intel's 82574 to X550 (and igb, igc) write back: status
 * 31:0, length 47:32 and VLAN tag 63:48 in the second word, DD in bit 0, EOP in bit 1. Transmit
 * descriptors are an address and a command, which gets a bit when the chip is done with it (and
 * was asked to say so).
 *
 * Buffers that a descriptor stands for have the owner NIC. A ring never gets a buffer without
 * giving one: the receive ring is full of them from start to stop.
 */
#ifndef PMD_RING_H
#define PMD_RING_H

#include "nic_driver.h"

#include <mempool/ext.h>
#include <mempool/poison.h>
#include <mempool/ring_side.h>

#define NIC_RX_CHAIN_MAX 8  /* segments of a received frame: 8 x 2048 > 15872 */
#define NIC_RX_SUMS 8       /* things that a chip can say about sums */
#define NIC_TX_CHAIN_MAX 32 /* QEMU drops frames of more than 64 descriptors, the 82599 of 40 */
#define NIC_TX_BYTES_MIN 17 /* the chips pad to 60, but need these */

/* 16 bytes in one register; may alias what it copies. */
typedef uint64_t nic_vec __attribute__((vector_size(16), may_alias));

struct nic_rx_desc {
    uint64_t address; /* written back: type of hash 3:0, chip's own 31:4, hash 63:32 */
    uint64_t status;  /* zero; written back: status, length, tag */
};
struct nic_tx_desc {
    uint64_t address;
    uint64_t command;
};
_Static_assert(sizeof(struct nic_rx_desc) == 16 && sizeof(struct nic_tx_desc) == 16,
               "the chips' descriptors");

/* What every chip of the family has in the same place. */
#define NIC_RXD_DD UINT64_C(1)
#define NIC_RXD_EOP UINT64_C(2)
#define NIC_RXD_HASH_TYPE UINT64_C(0xf)
#define NIC_RXD_HASH UINT64_C(0xffffffff00000000)
#define NIC_RXD_LENGTH_SHIFT 32
#define NIC_RXD_LENGTH (UINT64_C(0xffff) << NIC_RXD_LENGTH_SHIFT)
#define NIC_RXD_TAG_SHIFT 48
#define NIC_RXD_TAG (UINT64_C(0xffff) << NIC_RXD_TAG_SHIFT)
#define NIC_TXD_EOP (UINT64_C(1) << 24)
#define NIC_TXD_RS (UINT64_C(1) << 27) /* report when done ... */
#define NIC_TXD_DD (UINT64_C(1) << 32) /* ... which is this */

struct nic_rx_ring {
    struct nic_rxq head;
    /* what the receive loop reads, together */
    struct nic_rx_desc *desc RT_ALIGNED(RT_CACHE_LINE);
    struct buf_ref *shadow; /* the buffer of each descriptor: owner NIC */
    uint16_t next;          /* next descriptor to look at */
    uint16_t descs;
    uint16_t unposted; /* rewritten, but the tail not yet moved past them */
    uint16_t post_at;  /* ... so many are worth a write of the tail */
    uint16_t found;    /* frames of the last poll that found any */
    bool mid_frame;    /* `chain` or `skip`: the next descriptor continues a frame */
    bool skip;         /* ... of which the rest is dropped */
    nic_vec keep RT_ALIGNED(16);   /* bits of a write-back that go into the header */
    nic_vec header RT_ALIGNED(16); /* template of header bytes 32..47 */
    struct hal_mmio mmio;
    uint32_t tail_reg;
    uint32_t bytes_max; /* of a frame, with its tag */
    /* what a status that says something is wrong with sums does to the flags, by what it says */
    struct nic_rx_sums {
        uint32_t keep, set;
    } sums[NIC_RX_SUMS];
    /* cold */
    struct buf *chain, *chain_last; /* frame in several buffers, so far; owner STACK */
    bool filled;        /* every slot of shadow has a buffer */
    uint16_t descs_max; /* memory there is; 0: none */
};

/* What frames of one kind (no request, or the same ones) have in common. Lengths and offset: a
 * frame in one buffer within them lies in the buffer's room. */
struct nic_tx_kind {
    uint64_t command;      /* of a frame in one descriptor, but for its length */
    uint32_t bytes_min;    /* headers must lie inside */
    uint32_t over_min;     /* longest - bytes_min */
    int32_t offset_max;    /* -1: none does, whatever its offset */
    uint32_t header_bytes; /* TSO: not part of the length that the chip cuts up */
    /* of a frame in two buffers */
    uint32_t first_min; /* headers: so many bytes in the first */
    uint32_t whole_max;
};

struct nic_tx_ring {
    struct nic_txq head;
    struct nic_tx_desc *desc RT_ALIGNED(RT_CACHE_LINE);
    struct buf_ref *shadow; /* owner NIC; buf NULL: a descriptor without a buffer */
    uint16_t *reports;      /* fifo: descriptors that report completion */
    uint16_t next;          /* next descriptor to write */
    uint16_t clean;         /* next descriptor to reclaim */
    uint16_t used;
    uint16_t descs;
    uint16_t report_first, report_count;
    uint16_t reclaim_from; /* so many in use are worth a look at the reports */
    uint64_t per_byte; /* what a byte of a frame adds to its command */
    struct hal_mmio mmio;
    uint32_t tail_reg;
    struct nic_tx_kind plain;
    /* The chip keeps the last requests: frames with the same ones need no context of their
     * own. */
    struct nic_tx_kind offload;
    uint64_t requests, requests_mask; /* of header bytes 24..31: flags, length, tag */
    uint64_t lengths, lengths_mask;   /* of header bytes 48..55 */
    struct nic_tx_desc context; /* that the chip holds; command 0: none */
    bool context_shared;        /* with another queue: each frame brings its own */
    /* cold */
    uint32_t room_bytes; /* headroom and room of the pool with the least: see nic_rings_start() */
    uint32_t bytes_max; /* of a frame in any number of buffers, with its tag */
    uint8_t no_owner;   /* owner byte of descriptors without a buffer: never NIC */
    uint16_t descs_max; /* memory there is; 0: none */
};

/* ---- ring.c: core 0, while DMA is off and the queue's core is out of its loop ---- */

/* What a driver says of its rings (nic->ops->rings). */
struct nic_ring_chip {
    size_t rxq_bytes, txq_bytes; /* of its queue structures, which begin with the ring */
    uint32_t rx_first, tx_first; /* of queue 0: address low; the others follow, as below */
    uint32_t stride;             /* from the registers of a queue to those of the next */
    uint16_t post_descs;         /* rewritten descriptors worth a write of the tail */
    uint64_t command, per_byte;  /* of a frame in one descriptor without requests */
};
enum {
    NIC_RING_HIGH = 0x04,
    NIC_RING_LENGTH = 0x08,
    NIC_RING_HEAD = 0x10,
    NIC_RING_TAIL = 0x18,
};

/* `rxq_setup` and `txq_setup` of struct nic_ops: the queue becomes nic->rxq[queue]
 * (nic->txq[queue]), with memory for as many descriptors as the port is configured for. Made
 * once: a smaller ring keeps what is there, the memory of one that grows is for the port's next
 * ring that it suffices for. RT_NO_MEMORY, and a line: the ring is as it was. */
RT_NODISCARD enum rt_status nic_rx_ring_setup(struct nic *nic, uint16_t queue, unsigned core,
                                              struct pool *pool);
RT_NODISCARD enum rt_status nic_tx_ring_setup(struct nic *nic, uint16_t queue, unsigned core,
                                              struct pool *pool);
/* Every ring from its first descriptor on, in memory and in its five registers. Pools are made
 * before: where one has less than the usual room, transmit looks at each buffer's own. A receive
 * ring gets a buffer for each descriptor, unless it has them still: through a recovery they stay,
 * no pool is touched, it may be in use on another core. RT_NO_MEMORY, and a line: a pool has too
 * few. */
RT_NODISCARD enum rt_status nic_rings_start(struct nic *nic);
/* Every buffer of every ring of the port goes home. */
void nic_rings_empty(struct nic *nic);

/* `tx_position` of struct nic_ops, from the registers. */
void nic_tx_ring_position(const struct nic_txq *txq, uint32_t *head, uint32_t *tail);

/* ---- ring.c: the queue's core; `rxq_drop` and `txq_empty` of struct nic_ops ---- */
void nic_rx_ring_drop(struct nic_rxq *rxq);
void nic_tx_ring_empty(struct nic_txq *txq);

/* ---- arm.c: the queue's core ---- */

/* Registers in which a bit stands for a cause; `any` is one that may be read at any time. */
struct nic_arm_regs {
    uint32_t clear, any, unmask, mask;
};
/* Does what nic_rx_arm() asks, with the bits of the queue's cause. True: there is work (or no
 * interrupt would come), and nothing was armed. */
bool nic_rx_ring_arm(struct nic_rx_ring *q, const struct nic_arm_regs *regs, uint32_t cause);

/* ---- odd.c: the queue's core ---- */

/* What a chip says about one received descriptor, in words of <mempool/buf.h>. Results count in
 * the last one of a frame only. */
struct nic_rx_written {
    uint32_t length;
    bool eop, error;
    uint32_t rss_type, rss_hash, flags;
    uint16_t vlan_tci;
};
/* ... of the next descriptor, but for errors and flags that tell of them. */
RT_COLD struct nic_rx_written nic_rx_written(const struct nic_rx_ring *q, nic_vec wb);
/* Takes the next descriptor's buffer, or drops what is in it, and steps on. A frame that is
 * whole goes into the batch. */
RT_COLD void nic_rx_odd(struct nic_rx_ring *q, const struct nic_rx_written *w,
                        struct buf_batch *out);
/* Frees what there is of a frame in several buffers. */
RT_COLD void nic_rx_drop_chain(struct nic_rx_ring *q);

/* ---- for all of them ---- */

RT_INLINE struct nic_rx_ring *nic_rx_ring_of(struct nic_rxq *rxq)
{
    return RT_CONTAINER_OF(rxq, struct nic_rx_ring, head);
}
RT_INLINE struct nic_tx_ring *nic_tx_ring_of(struct nic_txq *txq)
{
    return RT_CONTAINER_OF(txq, struct nic_tx_ring, head);
}
_Static_assert(offsetof(struct nic_rx_ring, head) == 0 &&
                   offsetof(struct nic_tx_ring, head) == 0,
               "a driver finds its queue at the head of its ring");

/* `index` is at most one ring on. */
RT_INLINE uint16_t nic_ring_wrap(uint32_t index, uint16_t descs)
{
    return (uint16_t)(index == descs ? 0 : index);
}

/* A written-back descriptor waits. */
RT_INLINE bool nic_rx_pending(const struct nic_rx_ring *q)
{
    return (*(const volatile uint64_t *)&q->desc[q->next].status & NIC_RXD_DD) != 0;
}

/* A frame of at most `bytes_max` in one buffer at no larger offset lies in its room, whichever
 * pool it is of; -1: in some it may not. */
RT_INLINE int32_t nic_tx_offset_max(const struct nic_tx_ring *q, uint32_t bytes_max)
{
    return q->room_bytes >= bytes_max ? (int32_t)(q->room_bytes - bytes_max) : -1;
}

/* Rewritten descriptors to the chip. The tail stays one behind, so that a full ring and an
 * empty one differ. */
RT_INLINE void nic_rx_post(struct nic_rx_ring *q)
{
    uint32_t tail = q->next == 0 ? q->descs - 1u : q->next - 1u;

    q->unposted = 0;
    hal_write32(&q->mmio, q->tail_reg, tail);
}

RT_INLINE uint64_t nic_rx_address(const struct buf *b)
{
    return hal_phys((const char *)b + sizeof(struct buf) + BUF_HEADROOM_BYTES).v;
}

/* What is kept stays readable for its keeper. */
RT_INLINE void nic_tx_poison(const struct buf *b, const uint8_t *owner)
{
    if (*owner == BUF_NIC)
        buf_poison(b);
}

RT_INLINE uint32_t nic_tx_room(const struct nic_tx_ring *q)
{
    return (uint32_t)q->descs - 1 - q->used;
}

/* How many frames a run can have: the ring neither wraps nor fills. */
RT_INLINE uint32_t nic_tx_limit(const struct nic_tx_ring *q, uint32_t count)
{
    uint32_t run = RT_MIN(count, (uint32_t)q->descs - q->next);

    return RT_MIN(run, nic_tx_room(q));
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network ports: find them, start queues, move batches of buffers.
 *
 * Life of a port: nic_probe_all -> nic_configure -> nic_rxq_setup/nic_txq_setup -> nic_start
 * -> (nic_rx, nic_tx, arm/disarm on the queue's core) -> nic_stop. Everything but the data
 * path runs on core 0. A queue belongs to one core; only that core calls its functions.
 *
 * Ownership: nic_rx returns buffers that the stack owns; nic_tx takes from the batch what
 * it could queue and leaves the rest, which stays yours. nic_stop gives every buffer of
 * every ring back to its pool.
 */
#ifndef PMD_NIC_H
#define PMD_NIC_H

#include <mempool/buf.h>
#include <mempool/pool.h>
#include <rt/base.h>
#include <rt/pci_irq.h>

#define NIC_PORTS_MAX 16
#define NIC_QUEUES_MAX 16
#define NIC_FRAME_BYTES_MIN 60
#define NIC_VLAN_MAX 4095
#define NIC_VLAN_BYTES 4

struct nic;
struct nic_rxq;
struct nic_txq;

enum nic_irq_mode {
    NIC_IRQ_MSIX = PCI_IRQ_MSIX,
    NIC_IRQ_MSI = PCI_IRQ_MSI,
    NIC_IRQ_INTX = PCI_IRQ_INTX,
    NIC_IRQ_NONE = PCI_IRQ_NONE,
};

struct nic_caps {
    uint16_t rxq_max, txq_max;
    uint16_t ring_min, ring_max, ring_multiple; /* descriptors */
    uint16_t frame_max_bytes;                   /* without CRC */
    uint16_t tx_segments_max;                   /* of a frame */
    bool rss, vlan, rx_checksum, tx_checksum, tso, msix;
};

struct nic_config {
    uint16_t rxqs, txqs;
    uint16_t rx_descs, tx_descs;
    uint16_t frame_max_bytes; /* largest frame without CRC and VLAN tag; one of more than 2048
                               * bytes comes in chained buffers */
    uint32_t moderation_us;   /* interrupts of a vector at least this far apart */
    uint32_t irq_mode;        /* enum nic_irq_mode: best to try; falls back downwards */
    bool promiscuous;
    bool vlan_strip;
    bool rx_checksum;
};

struct nic_link {
    bool up;
    bool full_duplex;
    uint32_t speed_mbps;
    uint32_t changes; /* since start */
};

/*
 * What the device counts, accumulated from its registers, which clear when read. A frame from
 * the wire that the host never saw is in one of the rx_ loss counters and in no other: their
 * sum is the number of frames lost before the rings. What is lost behind them is in
 * nic_queue_stats.
 *
 *                      82574, 82583          82599, X540, X550
 *   rx_missed          MPC                   RXMPC: the packet buffer was full
 *   rx_no_buffer       0: MPC has them       QPRDC: the queue had no descriptor (DROP_EN)
 *   rx_crc_errors      CRCERRS               CRCERRS
 *   rx_length_errors   RUC+ROC+RFC+RJC       the same and RLEC (the 82574's RLEC has them, too):
 *                                            shorter than 64 bytes or longer than the limit
 *   tx_errors          ECOL+LATECOL          0: there is no such counter
 *
 * Every register is in nic->counters by its name, also those that are no loss (RNBC of the
 * 82574: a frame that had to wait for a descriptor).
 */
struct nic_stats {
    uint64_t rx_packets, rx_bytes, rx_missed, rx_no_buffer, rx_crc_errors, rx_length_errors;
    uint64_t tx_packets, tx_bytes, tx_errors;
};

/* Counters of one queue, written by its core, read by any. */
struct nic_queue_stats {
    uint64_t packets;
    uint64_t bytes; /* of frames as the stack has them: without CRC, and without a tag that is
                     * beside the frame (vlan_tci), whoever puts it in or takes it out */
    uint64_t batches;
    uint64_t no_replacement; /* rx: no buffer for the ring, frame dropped in place */
    uint64_t hostile;        /* rx: length or index the device may not write; dropped */
    uint64_t errors;         /* rx: frame errors reported by the device; dropped */
    uint64_t too_long;       /* rx: longer than frame_max_bytes and a tag, though the card let
                              * it in; dropped */
    uint64_t ring_full;      /* tx: frames left with the caller */
    uint64_t bad_request;    /* tx: frames that cannot be sent as asked; dropped. A line says why,
                              * for the first, second, fourth ... of a queue */
};

/* One statistics register of the device, accumulated. */
struct nic_counter {
    const char *name;
    uint64_t value;
};

struct nic_ops; /* pmd/nic_driver.h */
struct nic_ring_spare;

typedef uint32_t nic_rx_fn(struct nic_rxq *q, struct buf_batch *out, uint32_t max);

/* A queue of a port that recovers from a fault; see nic_core_poll. */
enum nic_queue_state {
    NIC_QUEUE_RUNS,
    NIC_QUEUE_PARKED, /* its functions move nothing, its core is out of the ring */
    NIC_QUEUE_EMPTY,  /* ... and DMA is off, what waited to be sent is home */
};

/* Heads of the driver's own queue structures. */
struct nic_rxq {
    nic_rx_fn *rx;
    bool (*arm)(struct nic_rxq *q);
    void (*disarm)(struct nic_rxq *q);
    struct nic *nic;
    struct pool *pool;
    uint16_t index;
    uint16_t core;
    struct hal_irq irq; /* `count` NULL: it has none */
    bool irq_reaches; /* it ends a halt of the queue's core */
    nic_rx_fn *rx_card; /* the driver's, when `rx` looks at the length of what it returns */
    uint32_t asked, state; /* enum nic_queue_state: written by core 0, by the queue's core */
    struct nic_queue_stats stats RT_ALIGNED(RT_CACHE_LINE);
};

struct nic_txq {
    void (*tx)(struct nic_txq *q, struct buf_batch *batch);
    uint32_t (*reclaim)(struct nic_txq *q); /* completed buffers go to their pools */
    struct nic *nic;
    struct pool *pool; /* where most buffers come from: completions go there fastest */
    uint16_t index;
    uint16_t core;
    uint32_t asked, state; /* enum nic_queue_state: written by core 0, by the queue's core */
    struct nic_queue_stats stats RT_ALIGNED(RT_CACHE_LINE);
};

#define NIC_GROUPS_MAX 32

/* What was let in since the start, beside our address; a recovery writes it again. */
struct nic_filters {
    uint8_t group[NIC_GROUPS_MAX][6];
    uint32_t groups;
    uint64_t vlan[(NIC_VLAN_MAX + 1) / 64]; /* a bit for each */
};

#define NIC_PLACE_BYTES 160 /* a TAP with the words of a bad line */

struct nic {
    const struct nic_ops *ops;
    struct pci_dev *pci; /* NULL: no card, see nic_open() */
    struct hal_mmio mmio; /* its registers */
    uint16_t port;
    char name[8]; /* "nic0" */
    char place[NIC_PLACE_BYTES]; /* "00:02.0" as nic_bdf(), "tap:left" */
    const char *driver_name;
    const char *failed; /* why this card cannot be used; NULL: it can */
    uint8_t mac[6];
    struct nic_caps caps;
    struct nic_config config;
    struct nic_filters let_in;
    uint32_t irq_mode; /* enum nic_irq_mode in use */
    struct nic_link link;
    uint64_t link_due_us; /* the driver wants nic_poll_link() then; UINT64_MAX: now and then */
    struct nic_stats stats;
    struct nic_rxq *rxq[NIC_QUEUES_MAX];
    struct nic_txq *txq[NIC_QUEUES_MAX];
    struct pci_irqs *irqs;
    uint32_t irqs_silent; /* a bit for each that did not come when it was tried, at start */
    struct hal_irq link_irq; /* `count` NULL: it has none */
    bool started;
    struct nic_counter *counters; /* everything the device counts, for `stats` */
    uint32_t counter_count;
    const struct nic_counter_reg *counter_regs; /* of the first counter_reg_count rows */
    uint32_t counter_reg_count, counter_next;
    struct nic_ring_spare *ring_spares; /* memory that larger rings left (pmd/ring/ring.c) */
    uint32_t model_flags; /* of the card's model, for steps that some have only */
    bool fresh;           /* reset, and nothing enabled since */
    void *priv;           /* the driver's */
};

/* ---- core 0 ---- */

/* Tries every driver on every PCI function; resets what it takes. Returns how many ports work.
 * A line for each: PCI id and name, BAR, MAC, queues, or why it was skipped. Takes as long as
 * the slowest card, about 0.1 s. Before the seal; once, but for tests. */
uint32_t nic_probe_all(void);
/* A port that is no card, by its place: in a Linux process "tap:NAME" (<pmd/tap.h>), "pipe:N" with
 * its other end (<pmd/pipe.h>: 0 and 1 are a pair, 2 and 3 ...), "stream:PATH" (<pmd/stream.h>);
 * of each of them, with words as "tap:NAME+loss_ppm=10000" behind it, a bad line over that port
 * (<pmd/link.h>). RT_OK also when it is there already. RT_NOT_FOUND: the program has no ports of
 * that kind; else as the header says. Numbers follow those of the cards; a line's follows that of
 * its port. Core 0, behind nic_probe_all(), before the seal. */
RT_NODISCARD enum rt_status nic_open(const char *place);
/* Ports are numbered in PCI order, whether the card works or not: one that fails renumbers no
 * other. A port with nic->failed set takes no call. NULL when there is no such port. Borrowed:
 * a port is never freed. Any core. */
struct nic *nic_get(uint32_t port);
uint32_t nic_count(void);

#define NIC_BDF_BYTES 13
/* "00:02.0"; "0001:0a:00.1" where the segment is not 0. Returns `text`. Any core. */
const char *nic_bdf(const struct pci_dev *pci, char text[NIC_BDF_BYTES]);

/* Checks and keeps a copy of `config`, while the port is stopped. RT_IO: the port failed;
 * RT_BUSY: it is started; RT_INVALID, and a line: which value, and what is allowed. */
RT_NODISCARD enum rt_status nic_configure(struct nic *nic, const struct nic_config *config);
/* A queue of the configuration, before the start: `core` polls it from then on. The pool must
 * belong to `core` and outlive the port; a receive queue has rx_descs of its buffers as long
 * as the port is started. RT_BUSY: it is started; RT_INVALID, and a line: no such queue, wrong
 * pool; RT_NO_MEMORY. The old ring of a queue that is set up again with more descriptors is
 * kept for others of this port. */
RT_NODISCARD enum rt_status nic_rxq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                          struct pool *pool);
RT_NODISCARD enum rt_status nic_txq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                          struct pool *pool);
/* Starts rings and asks for link; does not wait for it. Its queues' cores are not in their
 * loops yet. Takes up to 0.2 s. RT_BUSY: it is started; RT_INVALID: a queue is not set up;
 * RT_NO_MEMORY: a pool has too few buffers; RT_TIMEOUT or RT_IO: the card does not do as told.
 * Each with a line, and then every buffer is home. */
RT_NODISCARD enum rt_status nic_start(struct nic *nic);
/* Stops DMA, gives all ring buffers back, those that wait to be sent, too. Its queues' cores
 * must have left their loops. Nothing when it is not started. */
void nic_stop(struct nic *nic);
/* Looks at link and faults (MMIO): from a timer or after link_irq. Never waits. While a port
 * recovers, each call is a step of it. */
void nic_poll_link(struct nic *nic);
/* When nic_poll_link has the next step to do, of a recovery or of a look at the PHY; UINT64_MAX:
 * none, call it now and then. */
uint64_t nic_next_us(const struct nic *nic);
/* Reads the next `rows` statistics registers (MMIO, about 1 us each); nic->stats changes when
 * the last was read. All of them within 50 s: some have 36 bits of bytes. */
void nic_poll_stats(struct nic *nic, uint32_t rows);
#define NIC_STATS_ALL UINT32_MAX
/* What comes in beside our address and broadcasts. Kept through a recovery, and what is asked for
 * in one is written at its end. The first is kept through stop and start, too; the other two are
 * for a started port (RT_BUSY: it is not), and a start forgets them. RT_FULL, and a line: more than
 * NIC_GROUPS_MAX groups (a group that is in already is RT_OK). RT_INVALID, and a line: not a
 * group's address, no such VLAN. As soon as one VLAN is on, frames with the tag of another are
 * dropped by the card. */
RT_NODISCARD enum rt_status nic_set_promiscuous(struct nic *nic, bool on);
RT_NODISCARD enum rt_status nic_add_multicast(struct nic *nic, const uint8_t mac[6]);
RT_NODISCARD enum rt_status nic_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on);

/* ---- the queue's core ---- */

/* A port that recovers needs its queues' cores: each takes its own ones off the data path and
 * back, empties its transmit rings into its own pools. Every core that has queues calls this
 * once a turn, outside of queue functions; a load when there is nothing. */
extern uint32_t nic_core_asked[HAL_CORES_MAX];
void nic_core_work(unsigned core); /* for nic_core_poll() alone */
RT_INLINE bool nic_core_pending(unsigned core)
{
    return RT_UNLIKELY(__atomic_load_n(&nic_core_asked[core], __ATOMIC_RELAXED) != 0);
}
RT_INLINE void nic_core_poll(unsigned core)
{
    if (nic_core_pending(core))
        nic_core_work(core);
}

/* Receives at most `max` frames (<= BUF_BATCH_MAX) behind what is in the batch; returns how
 * many. They are the stack's. A pool that is empty, errors and wrong lengths drop frames and
 * are counted in q->stats. */
RT_INLINE uint32_t nic_rx(struct nic_rxq *q, struct buf_batch *out, uint32_t max)
{
    return q->rx(q, out, max);
}
/* Queues frames of the stack from the front of the batch with one doorbell; what is left, for
 * want of room (ring_full), stays the caller's and moves to the front. All others leave the
 * batch: frames that cannot be sent as asked are dropped (bad_request), those that are not the
 * stack's refused, and stay with whom they belong to. A sent buffer goes to its pool when the
 * card is done with it and somebody calls nic_tx_reclaim(), or this while eight or more wait.
 *
 * Of a frame it reads `segments` (at most caps.tx_segments_max); of each segment where it begins
 * and data_len; of several also `next` and pkt_len, which is their sum; `flags`, and what the
 * requests in them need. Frames of 17 to 59 bytes are padded by the card, shorter ones dropped. */
RT_INLINE void nic_tx(struct nic_txq *q, struct buf_batch *batch)
{
    q->tx(q, batch);
}
/* Brings sent buffers home without sending; returns how many descriptors that was. */
RT_INLINE uint32_t nic_tx_reclaim(struct nic_txq *q)
{
    return q->reclaim(q);
}
/* The next frame interrupts the queue's core, once. True: nothing was armed, keep polling, as
 * frames wait already or the queue has no interrupt that would come. Reads a register (about 1
 * us). */
RT_INLINE bool nic_rx_arm(struct nic_rxq *q)
{
    return q->arm(q);
}
/* Back to polling. */
RT_INLINE void nic_rx_disarm(struct nic_rxq *q)
{
    q->disarm(q);
}

#endif

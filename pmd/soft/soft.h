/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports without a card: the device's half of the rings, in software.
 *
 * A pipe, a TAP, a stream, a bad link are ports as any other (<pmd/nic.h>), with the rings, loops
 * and owner bytes of pmd/ring. What a card does at the other side of its rings is done here: it
 * fetches the frame that the next transmit descriptors name, and puts a frame into the buffers
 * of the next receive descriptors. So a buffer is the NIC's from nic_tx() until the device has
 * copied it and said so, one that is kept or external too, and a received frame lies in buffers of
 * the receiver's own pool, which were in its ring before.
 *
 *     queue's core:   nic_tx -> descriptors --posted-->          reclaim <--fetched--
 *     the device:                            soft_tx_fetch() copies a whole frame
 *
 *     the device:     soft_rx_deliver() copies into posted buffers, marks them done
 *     queue's core:   nic_rx <- descriptors
 *
 * The receiving half runs on the receive queue's core, inside of its nic_rx(). The transmitting
 * half may run on any one core at a time: that of the pipe's other end. Two indices go between
 * them, each written by one side, and nobody touches the other's buffers or headers.
 *
 *   soft.c       a port: set-up, start, stop, addresses; functions of struct nic_ops
 *   device.c     the device's half
 *   rxtx.c       the queue's half: the loops of pmd/ring with this format
 *   irq.c        interrupts, in a Linux process only
 */
#ifndef PMD_SOFT_H
#define PMD_SOFT_H

#include "ring/ring.h"

#define SOFT_FRAME_BYTES_MAX 15872 /* without a tag */
#define SOFT_BOX_BYTES (NIC_RX_CHAIN_MAX * BUF_ROOM_BYTES) /* the longest, with its tag */
_Static_assert(SOFT_FRAME_BYTES_MAX + NIC_VLAN_BYTES <= SOFT_BOX_BYTES, "it fits");
#define SOFT_TABLE_WORDS 64 /* 4096 bits */

struct soft_rxq {
    struct nic_rx_ring ring;
    uint16_t head;  /* next descriptor that the device writes */
    uint32_t armed; /* the next frame interrupts; written by both sides */
    uint64_t missed, too_long, filtered; /* frames that did not come in */
};

struct soft_txq {
    struct nic_tx_ring ring;
    uint16_t reported; /* up to here descriptors say that they are done */
    uint32_t running;  /* the device may fetch; written by core 0 */
    uint32_t posted RT_ALIGNED(RT_CACHE_LINE);  /* the device's up to here; the core's to write */
    uint32_t fetched RT_ALIGNED(RT_CACHE_LINE); /* done up to here; the device's to write */
    uint32_t busy; /* the device is at it */
};

/* The head of a driver's own structure of a port, nic->priv. */
struct soft_port {
    struct nic *nic;
    const char *fault; /* what nic_poll_link() finds next; NULL: nothing */
    uint64_t tx_lost;  /* frames that the device fetched and could not hand on */
    /* Written by core 0 while the queue's core reads. */
    uint64_t group[SOFT_TABLE_WORDS]; /* by 12 bits of a group's address, as on a card */
    uint64_t vlan[SOFT_TABLE_WORDS];
    uint32_t by_vlan; /* frames with another tag than these stay outside */
};

/* ---- soft.c: core 0 ---- */

/* The next port, with one queue each way and an address that is its driver's to choose. RT_FULL:
 * there are NIC_PORTS_MAX; RT_NO_MEMORY. Each with a line. Before the seal. */
RT_NODISCARD enum rt_status soft_port_add(struct soft_port *port, const char *driver,
                                          const struct nic_ops *ops);
/* Rings from their first descriptor on, and the device at them. RT_NO_MEMORY: a pool has too
 * few buffers; every one is home then. */
RT_NODISCARD enum rt_status soft_start(struct nic *nic);
/* The device is out of the rings when it returns, and every buffer home. */
void soft_stop(struct nic *nic);

extern const struct nic_ring_chip soft_rings;
enum rt_status soft_configure(struct nic *nic);
enum rt_status soft_rxq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool);
enum rt_status soft_txq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool);
void soft_quiesce(struct nic *nic);
void soft_poll_stats(struct nic *nic, uint32_t rows);
enum rt_status soft_set_promiscuous(struct nic *nic, bool on);
enum rt_status soft_add_multicast(struct nic *nic, const uint8_t mac[6]);
enum rt_status soft_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on);
void soft_begin(struct nic *nic, enum nic_way way, struct nic_steps *steps);
bool soft_gone(struct nic *nic);
const char *soft_fault(struct nic *nic);
bool soft_receives(struct nic *nic);
void soft_tx_position(const struct nic_txq *txq, uint32_t *head, uint32_t *tail);
uint64_t soft_pauses(struct nic *nic);

/* Of a driver's link and run functions. */
void soft_set_link(struct nic *nic, bool up, uint32_t speed_mbps);
void soft_rxq_use(struct nic_rxq *rxq, nic_rx_fn *rx, bool (*arm)(struct nic_rxq *rxq));
void soft_txq_use(struct nic_txq *txq, void (*tx)(struct nic_txq *txq, struct buf_batch *batch));

/* What a table of struct nic_ops has of these; start, stop, link and the queues' run functions
 * are the driver's, whose name is `x`. */
#define SOFT_DRIVER_OPS(x)                                                                     \
    SOFT_OPS, SOFT_FILTERS, .start = x##_start, .stop = x##_stop, .poll_link = x##_poll_link,  \
                            .rxq_run = x##_rxq_run, .txq_run = x##_txq_run
#define SOFT_OPS                                                                               \
    SOFT_WATCHED, .rings = &soft_rings, .configure = soft_configure,                           \
                  .rxq_setup = soft_rxq_setup, .txq_setup = soft_txq_setup,                    \
                  .poll_stats = soft_poll_stats
#define SOFT_WATCHED                                                                           \
    .quiesce = soft_quiesce, .begin = soft_begin, .gone = soft_gone, .fault = soft_fault,      \
    .receives = soft_receives, .tx_position = soft_tx_position, .pauses = soft_pauses,         \
    .rxq_drop = nic_rx_ring_drop, .txq_empty = nic_tx_ring_empty
#define SOFT_FILTERS                                                                           \
    .set_promiscuous = soft_set_promiscuous, .add_multicast = soft_add_multicast,              \
    .set_vlan_filter = soft_set_vlan_filter

/* ---- device.c ---- */

/* The next frame that was sent, whole, padded as a card pads; its bytes, 0: there is none. One
 * core at a time. */
uint32_t soft_tx_fetch(struct soft_txq *q, uint8_t box[SOFT_BOX_BYTES]);
/* Frames wait to be fetched. Any core. */
bool soft_tx_waits(const struct soft_txq *q);
/* The device is out of the ring when it returns, or a panic after a second. Core 0. */
void soft_tx_off(struct soft_txq *q);

/* A frame for the receive queue. False: no descriptors are free, nothing was done. One that is
 * too long for the port is dropped and counted. The queue's core. */
RT_NODISCARD bool soft_rx_deliver(struct soft_rxq *q, const uint8_t *frame, uint32_t bytes);
/* At least one descriptor is free for a frame. The queue's core. */
bool soft_rx_has_room(const struct soft_rxq *q);
/* It is a frame, and the port's filters let it in; else it is counted. The queue's core. */
RT_NODISCARD bool soft_rx_wants(struct soft_rxq *q, const uint8_t *frame, uint32_t bytes);

/* ---- rxtx.c: the queue's core ---- */

uint32_t soft_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
void soft_tx_loop(struct nic_txq *txq, struct buf_batch *batch); /* these two: in rxtx.c only */
uint32_t soft_tx_loop_reclaim(struct nic_txq *txq);
/* ... and up to the device, which is called or told next. */
void soft_tx(struct nic_txq *txq, struct buf_batch *batch);
uint32_t soft_tx_reclaim(struct nic_txq *txq);
/* The first half of arming; false: it is armed, now look whether a frame came meanwhile. */
bool soft_rx_arm(struct soft_rxq *q);
void soft_rx_disarm(struct nic_rxq *rxq);

/* ---- irq.c: Linux processes ---- */

/* An interrupt for the queue's core, unless the port is configured without. Core 0. */
void soft_irq_take(struct nic_rxq *rxq);
/* A frame waits for the queue: interrupts when it is armed, once. Any core. */
void soft_interrupt(struct soft_rxq *q);

/* The bit of a group's address in the table: several share one. */
RT_INLINE uint32_t soft_group_bit(const uint8_t mac[6])
{
    return (uint32_t)mac[4] >> 4 | (uint32_t)mac[5] << 4;
}
RT_INLINE struct soft_port *soft_port_of(const struct nic *nic)
{
    return nic->priv;
}
RT_INLINE struct soft_rxq *soft_rxq_of(struct nic_rxq *rxq)
{
    return RT_CONTAINER_OF(nic_rx_ring_of(rxq), struct soft_rxq, ring);
}
RT_INLINE struct soft_txq *soft_txq_of(struct nic_txq *txq)
{
    return RT_CONTAINER_OF(nic_tx_ring_of(txq), struct soft_txq, ring);
}
_Static_assert(offsetof(struct soft_rxq, ring) == 0 && offsetof(struct soft_txq, ring) == 0,
               "pmd/ring makes them");

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * External segments: bytes that are sent, or written to a drive, where they lie.
 *
 * A stored value, a file of the image, a slab of an application: its owner keeps a pin beside
 * it, and whoever sends some of it takes a header buffer for them, from a pool of headers (one
 * cache line each, no room). A frame is then a usual buffer with the protocol's headers, and
 * behind it (`next`) one external segment or more.
 *
 *     | buf: headers |--next-->| buf: EXT | outside, data_len, pin |
 *                                               |              |
 *                                               v              v
 *                               | ... value: 4 KiB ... |   struct buf_pin { uses, release }
 *
 * The bytes must not change or go away until release() is called: once, when the owner has let
 * go of the pin (buf_pin_put), everybody has let go of their headers (buf_let_go), and no
 * device holds one of them. Who sends and wants nothing more lets go as soon as nic_tx() has
 * taken the frame. One that it left in the batch is the caller's still: sent later, or freed
 * (which frees the buffers of the stack in it) before its headers are let go of:
 *
 *     nic_tx(txq, &batch);
 *     buf_batch_free(&batch);                                what did not fit
 *     buf_let_go((struct buf_ref){header, header->owner});   sent or freed
 *
 * A pin belongs to one core, as its pools do. A header let go of, or sent, on another core (at
 * stop) goes home by ring first, and the pin is put there.
 */
#ifndef MEMPOOL_EXT_H
#define MEMPOOL_EXT_H

#include <mempool/pool.h>

struct buf_pin {
    uint32_t uses; /* its owner, until buf_pin_put(), and each header */
    unsigned core; /* the only one that touches it */
    /* Nothing names the bytes any more. May free buffers and take them, add and remove sources
     * of the loop, not call a device: it runs inside of nic_tx(), nic_tx_reclaim() (also while
     * the loop arms), nic_core_poll(), nic_stop(), buf_let_go() or pool_collect(). */
    void (*release)(struct buf_pin *pin);
};

/* A pin with one use, its owner's, who is on `core`: the calling one's, or one that does not know
 * of it yet (what is made on core 0 for a path of another core). */
RT_INLINE void buf_pin_init_on(struct buf_pin *pin, unsigned core,
                               void (*release)(struct buf_pin *pin))
{
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    *pin = (struct buf_pin){.uses = 1, .core = core, .release = release};
}
RT_INLINE void buf_pin_init(struct buf_pin *pin, void (*release)(struct buf_pin *pin))
{
    buf_pin_init_on(pin, hal_core_id(), release);
}

/* One use less; the last one releases. The pin's core only. */
void buf_pin_put(struct buf_pin *pin);

/* Lets go of a buffer that is KEPT or EXT, or on a NIC as such: it goes home now or when the
 * device has sent it, and the pin of a header is put. Refused (counted) if it is none of these.
 * On the core of the queue that may hold it. */
void buf_let_go(struct buf_ref ref_owned);

/* The bytes of one buffer of the stack, not of a chain, become what headers name: PINNED. Nobody
 * writes, sends or frees it from then on; a pin beside it is initialized as any other, and its
 * release() ends in buf_unpin_bytes(). False: it was not the stack's (counted). Its core. */
RT_NODISCARD bool buf_pin_bytes(struct buf *b);
/* ... and it goes home. Refused (counted) if it is not PINNED. Any core of its pool. */
void buf_unpin_bytes(struct buf_ref ref_owned);

/* A header (EXT) for `bytes` bytes at `address`, which `pin` keeps: one use more. Yours until
 * buf_let_go(). `address` is any memory that a device may read: of hal_alloc() or of the image, a
 * buffer's that is PINNED, too. NULL when the pool, one of headers, is empty. The pool's core
 * only. */
struct buf *buf_ext_take(struct pool *pool, struct buf_pin *pin, const void *address,
                         uint32_t bytes);

/* The pin that a header (EXT, or on a NIC as such) names, borrowed: it lives as long as the header.
 * Who has a header for many bytes takes others with it, for parts of them. The pool's core only. */
struct buf_pin *buf_ext_pin(const struct buf *b);

/* A device is done with a buffer that it was given to send, or was reset: home, or back to its
 * keeper; a pin put when that was the last. Refused (counted) if no NIC has it. On the queue's
 * core, or when that one is out of its loop. */
void buf_sent(struct buf_ref ref_owned);

#endif

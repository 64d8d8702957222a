/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other cores send to one core: pointers, by one ring (rt/ring.h) for each sender, drained
 * as a source of the receiver's loop (rt/loop.h). No lock, and nobody waits.
 *
 * What is sent belongs to the mailbox until `take` gets it; then it is the receiver's. Messages
 * of one sender arrive in order, those of two in any. A sender that finds its ring full keeps
 * what did not fit and tries again in a later turn.
 *
 * A receiver that sleeps is woken. It says that it is about to, then looks into its rings; a
 * sender puts, then looks whether the receiver sleeps. Both do it with a full fence between, so
 * that at least one sees the other: the only fence is one a burst, never one a message.
 */
#ifndef RT_MAILBOX_H
#define RT_MAILBOX_H

#include <rt/hal.h>
#include <rt/loop.h>
#include <rt/ring.h>

#define MAILBOX_BATCH 32 /* messages given to `take` at once */

/* Gets `count` messages of core `from`, 1 to MAILBOX_BATCH; they are the receiver's now. */
typedef void mailbox_take_fn(void *ctx, unsigned from, void *const *messages_owned,
                             uint32_t count);

struct mailbox {
    mailbox_take_fn *take;
    void *ctx;
    unsigned core;    /* the receiver */
    uint32_t senders; /* cores 0..senders-1 */
    uint32_t slots;   /* for each sender */
    uint32_t budget;  /* messages taken in a turn, at most */
    uint32_t next;    /* looked at first by the next poll: none can keep the others waiting */
    struct ring *from[HAL_CORES_MAX]; /* NULL: the receiver itself */
    bool sleeps RT_ALIGNED(RT_CACHE_LINE); /* read by every sender */
};

/* The mailbox of `core` for messages of cores 0..senders-1, `slots` (a power of two) for each.
 * Core 0, before the seal. RT_NO_MEMORY: the start fails, nothing is given back. */
RT_NODISCARD enum rt_status mailbox_create(unsigned core, uint32_t senders, uint32_t slots,
                                           mailbox_take_fn *take, void *ctx,
                                           struct mailbox **out);
/* Sends as many as there is room for, from the front; returns how many. The others stay the
 * caller's. Any core but the receiver, in 0..senders-1. */
RT_NODISCARD uint32_t mailbox_send(struct mailbox *box, void *const *messages, uint32_t count);
/* The source that drains it, at most `budget` messages (not 0) a turn; its ctx is the mailbox.
 * Core 0 before the loop runs, or the receiver. */
struct loop_source mailbox_source(struct mailbox *box, uint32_t budget);
/* Gives all that is there to `take`, for a stop; returns how many. The receiver, when its loop
 * and those of the senders have ended. */
uint32_t mailbox_drain(struct mailbox *box);

#endif

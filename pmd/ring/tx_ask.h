/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What frames ask of a chip on their way out (checksums, a tag, to be cut up), in line.
 *
 * A chip learns of requests by a context: a descriptor of its own in front of the frame, which
 * holds for all frames behind it. A queue remembers the last one and what the frame asked for:
 * frames that ask for the same are of a known kind. What asks for something else brings a
 * context of its own.
 */
#ifndef PMD_TX_ASK_H
#define PMD_TX_ASK_H

#include "ring.h"

/* A frame's requests in words of the chip. */
struct nic_tx_ask {
    struct nic_tx_desc context; /* command 0: the frame needs none */
    uint64_t command;           /* what is added to the commands of the frame */
    uint32_t headers;           /* bytes that must lie in the first buffer */
};

enum nic_tx_fate {
    NIC_TX_QUEUED,
    NIC_TX_GONE,   /* dropped and counted, or never the caller's to send */
    NIC_TX_NO_ROOM /* now; it stays the caller's */
};

/* Constants of a driver. */
struct nic_tx_format {
    uint64_t command;       /* of a frame in one descriptor without requests, but for its length */
    bool counts_bytes;      /* q->per_byte is not one: the command has a length of the whole, too */
    uint32_t tso_bytes_max; /* of a frame that the chip cuts up */
    /* What a frame with requests, but not TSO, asks for; false: it makes no sense to the chip, or
     * needs more than a context. NULL: nothing can be asked. */
    bool (*ask)(const struct nic_tx_ring *q, const struct buf *b, struct nic_tx_ask *ask);
    /* The same with TSO; NULL: the chip has none. Such a frame is long: alone is fast enough. */
    bool (*ask_tso)(const struct nic_tx_ring *q, const struct buf *b, struct nic_tx_ask *ask);
    /* A frame that the loops left, alone; mostly nic_tx_odd(). */
    enum nic_tx_fate (*odd)(struct nic_tx_ring *q, const struct nic_tx_format *format,
                            struct buf *b_owned);
};

/* ---- odd.c: the queue's core ---- */

/* Queues one frame of any form, drops it, or leaves it when there is no room now. */
RT_COLD enum nic_tx_fate nic_tx_odd(struct nic_tx_ring *q, const struct nic_tx_format *format,
                                    struct buf *b_owned);
/* QUEUED: `need` descriptors are free. GONE: more than there can ever be; the frame was
 * dropped. */
RT_COLD enum nic_tx_fate nic_tx_room_for(struct nic_tx_ring *q, struct buf *b_owned,
                                         uint32_t need);
/* Consumes a frame that cannot be sent as asked, and counts it. A line says why, for the first,
 * second, fourth ... of a queue. */
RT_COLD enum nic_tx_fate nic_tx_bad_request(struct nic_tx_ring *q, struct buf *b_owned,
                                            const char *why);
/* NULL: every segment is ours and inside its room, and the frame neither short nor long. Else what
 * is wrong, a word. */
RT_COLD const char *nic_tx_flaw_of(const struct buf *b, uint32_t bytes_max);

/* ---- in line ---- */

/* Eight bytes of a header from one of its fields on. */
RT_INLINE uint64_t nic_tx_word(const void *field)
{
    uint64_t word;

    __builtin_memcpy(&word, field, sizeof(word));
    return word;
}
_Static_assert(offsetof(struct buf, flags) == 24 && offsetof(struct buf, vlan_tci) == 30,
               "flags and tag are one load");
_Static_assert(offsetof(struct buf, l2_bytes) == 48 && offsetof(struct buf, mss_bytes) == 54,
               "the lengths of a request are one load");
#define NIC_TX_TAG (UINT64_C(0xffff) << 48) /* vlan_tci, 6 bytes behind flags */
#define NIC_TX_SUMS                                                                            \
    ((uint32_t)BUF_TX_IP_CSUM | (uint32_t)BUF_TX_TCP_CSUM | (uint32_t)BUF_TX_UDP_CSUM)

/* The frame asks for what the last one with requests asked for. */
RT_INLINE bool nic_tx_is_known(const struct nic_tx_ring *q, const struct buf *b)
{
    uint64_t requests = nic_tx_word(&b->flags) & q->requests_mask;
    uint64_t lengths = nic_tx_word(&b->l2_bytes) & q->lengths_mask;

    /* one branch: it is in the transmit loop */
    return ((requests ^ q->requests) | (lengths ^ q->lengths)) == 0;
}

/* The kind of frames that ask for this. */
RT_INLINE struct nic_tx_kind nic_tx_kind_of(const struct nic_tx_ring *q,
                                            const struct nic_tx_ask *ask)
{
    struct nic_tx_kind kind = q->plain;

    kind.command |= ask->command;
    if (ask->headers > kind.bytes_min) {
        kind.over_min -= ask->headers - kind.bytes_min;
        kind.bytes_min = ask->headers;
        kind.first_min = ask->headers;
    }
    return kind;
}

/* No frame with requests is the same as one with none. */
RT_INLINE void nic_tx_forget(struct nic_tx_ring *q)
{
    q->requests_mask = BUF_TX_OFFLOADS;
    q->requests = 0;
    q->lengths_mask = 0;
    q->lengths = 0;
}

/* From now on frames that ask for the same as `b` are of this kind. Not when the context is
 * another queue's, too: that one may change it any time. */
RT_INLINE void nic_tx_remember(struct nic_tx_ring *q, const struct buf *b,
                               const struct nic_tx_ask *ask, const struct nic_tx_kind *kind)
{
    const uint32_t requests = b->flags;

    q->offload = *kind;
    if (RT_UNLIKELY(q->context_shared) && ask->context.command != 0) {
        nic_tx_forget(q);
        return;
    }
    q->requests_mask = BUF_TX_OFFLOADS;
    if (RT_UNLIKELY((requests & BUF_TX_VLAN) != 0))
        q->requests_mask |= NIC_TX_TAG;
    q->lengths_mask = UINT32_MAX;
    if (RT_UNLIKELY((requests & NIC_TX_SUMS) == 0))
        q->lengths_mask = 0;
    if (RT_UNLIKELY((requests & BUF_TX_TSO) != 0))
        q->lengths_mask = UINT64_MAX;
    q->requests = nic_tx_word(&b->flags) & q->requests_mask;
    q->lengths = nic_tx_word(&b->l2_bytes) & q->lengths_mask;
}

/* Where the next descriptor goes: a copy of what the queue says, for a loop. */
struct nic_tx_place {
    struct nic_tx_desc *desc;
    struct buf_ref *shadow;
    uint32_t next, descs;
};
RT_INLINE struct nic_tx_place nic_tx_begin(const struct nic_tx_ring *q)
{
    return (struct nic_tx_place){q->desc, q->shadow, q->next, q->descs};
}
/* ... and what was filled since, less than the whole ring, counts. */
RT_INLINE void nic_tx_end(struct nic_tx_ring *q, const struct nic_tx_place *at)
{
    uint32_t filled = at->next - q->next;

    if (at->next < q->next)
        filled += at->descs;
    RT_INVARIANT(filled <= nic_tx_room(q));
    q->used = (uint16_t)(q->used + filled);
    q->next = (uint16_t)at->next;
}

/* The next descriptor, for which there is room. */
RT_INLINE void nic_tx_put(struct nic_tx_place *at, struct nic_tx_desc desc, struct buf *b,
                          uint8_t *owner)
{
    at->desc[at->next] = desc;
    at->shadow[at->next].buf = b;
    at->shadow[at->next].owner = owner;
    at->next = at->next + 1 == at->descs ? 0 : at->next + 1;
}

/* ... for a segment that was checked, whose bytes begin at `start`: the chip's from now on. */
RT_INLINE void nic_tx_put_buf(struct nic_tx_place *at, struct buf *b, const uint8_t *start,
                              uint64_t command)
{
    uint8_t *owner = b->owner;

    nic_tx_put(at, (struct nic_tx_desc){hal_phys(start).v, command + b->data_len}, b, owner);
    buf_to_nic(owner);
    nic_tx_poison(b, owner);
}

/* ... for what the frame behind it asks, unless the chip holds just that. */
RT_INLINE void nic_tx_put_context(struct nic_tx_ring *q, struct nic_tx_place *at,
                                  const struct nic_tx_ask *ask)
{
    const struct nic_tx_desc *context = &ask->context;

    if (context->command == 0)
        return;
    if (context->address == q->context.address && context->command == q->context.command &&
        !q->context_shared)
        return;
    nic_tx_put(at, *context, NULL, &q->no_owner);
    q->context = *context;
}

#endif

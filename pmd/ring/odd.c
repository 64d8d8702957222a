/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings, the rare half of the data path: frames in several buffers, errors, wrong lengths, no
 * replacement, requests that are new. One descriptor (receive) or frame (transmit) a call.
 */
#include "tx_ask.h"

#include <rt/log.h>

/* ---- receive ---- */

struct nic_rx_written nic_rx_written(const struct nic_rx_ring *q, nic_vec wb)
{
    nic_vec kept = wb & q->keep;

    return (struct nic_rx_written){
        .length = (uint32_t)(wb[1] >> NIC_RXD_LENGTH_SHIFT) & 0xffff,
        .eop = (wb[1] & NIC_RXD_EOP) != 0,
        .rss_type = (uint32_t)kept[0],
        .rss_hash = (uint32_t)(kept[0] >> 32),
        .flags = (uint32_t)kept[1],
        .vlan_tci = (uint16_t)(kept[1] >> NIC_RXD_TAG_SHIFT),
    };
}

/* Rewrites the next descriptor for the buffer in its slot and steps on. */
static void rewrite(struct nic_rx_ring *q)
{
    q->desc[q->next] = (struct nic_rx_desc){nic_rx_address(q->shadow[q->next].buf), 0};
    q->next = nic_ring_wrap(q->next + 1u, q->descs);
    q->unposted++;
}

void nic_rx_drop_chain(struct nic_rx_ring *q)
{
    if (q->chain != NULL)
        buf_free(q->chain);
    q->chain = NULL;
    q->chain_last = NULL;
}

/* Counts why this descriptor's frame is dropped; false when nothing is wrong with it. */
static bool is_bad(struct nic_rx_ring *q, const struct nic_rx_written *w)
{
    struct nic_queue_stats *stats = &q->head.stats;

    if (w->length == 0 || w->length > BUF_ROOM_BYTES) {
        stats->hostile++;
    } else if (w->eop && w->error) { /* valid in the last descriptor only */
        stats->errors++;
    } else if (q->chain == NULL) {
        return false;
    } else if (q->chain->segments >= NIC_RX_CHAIN_MAX) {
        stats->hostile++;
    } else if (q->chain->pkt_len + w->length > q->bytes_max) {
        stats->too_long++;
    } else {
        return false;
    }
    return true;
}

/* Takes the frame's buffer out of the ring, a fresh one in. NULL: dropped, counted. */
static struct buf *exchange(struct nic_rx_ring *q)
{
    struct buf_ref got = q->shadow[q->next];
    struct buf_ref fresh;

    if (!pool_take_for_nic(q->head.pool, &fresh)) {
        q->head.stats.no_replacement++;
        return NULL;
    }
    q->shadow[q->next] = fresh;
    if (!buf_move(got.buf, got.owner, BUF_NIC, BUF_STACK))
        return NULL;
    buf_unpoison(got.buf);
    return got.buf;
}

static void append(struct nic_rx_ring *q, struct buf *b, uint32_t length)
{
    b->rss_type = 0;
    b->rss_hash = 0;
    b->flags = 0;
    b->data_len = (uint16_t)length;
    b->vlan_tci = 0;
    b->next = NULL;
    b->data_off = BUF_HEADROOM_BYTES;
    b->segments = 1;
    b->port = (uint8_t)q->head.nic->port;
    b->pkt_len = length;
    if (q->chain == NULL) {
        q->chain = b;
    } else {
        q->chain->segments++;
        q->chain->pkt_len += length;
        q->chain_last->next = b;
    }
    q->chain_last = b;
}

static void finish(struct nic_rx_ring *q, const struct nic_rx_written *w, struct buf_batch *out)
{
    struct buf *b = q->chain;

    q->chain = NULL;
    q->chain_last = NULL;
    b->rss_type = w->rss_type;
    b->rss_hash = w->rss_hash;
    b->flags = w->flags;
    b->vlan_tci = w->vlan_tci;
    q->head.stats.packets++;
    q->head.stats.bytes += b->pkt_len;
    out->buf[out->count++] = b;
}

void nic_rx_odd(struct nic_rx_ring *q, const struct nic_rx_written *w, struct buf_batch *out)
{
    struct buf *b = NULL;

    RT_ASSERT_LT(out->count, (uint32_t)BUF_BATCH_MAX);
    RT_ASSERT_LT(q->next, q->descs);
    if (!q->skip && !is_bad(q, w))
        b = exchange(q);
    rewrite(q);
    q->mid_frame = !w->eop;
    q->skip = b == NULL && !w->eop;
    if (b == NULL) {
        nic_rx_drop_chain(q);
        return;
    }
    append(q, b, w->length);
    if (w->eop)
        finish(q, w, out);
}

/* ---- transmit ---- */

static const char *segment_flaw(const struct buf *s)
{
    if (s == NULL)
        return "chain-too-short";
    if (!buf_is_mine(s->owner))
        return "segment-not-yours";
    if (s->data_len == 0)
        return "empty-segment";
    return buf_is_inside(s) ? NULL : "outside-of-room";
}

const char *nic_tx_flaw_of(const struct buf *b, uint32_t bytes_max)
{
    const struct buf *s = b;
    const char *flaw = NULL;
    uint32_t bytes = 0;

    if (b->segments == 0 || b->segments > NIC_TX_CHAIN_MAX)
        return "segment-count";
    for (unsigned i = 0; i < b->segments; i++, s = s->next) {
        flaw = segment_flaw(s);
        if (flaw != NULL)
            return flaw;
        bytes += s->data_len;
    }
    if (b->segments > 1 && s != NULL)
        return "chain-too-long";
    if (b->segments > 1 && bytes != b->pkt_len)
        return "lengths-differ";
    if (bytes < NIC_TX_BYTES_MIN)
        return "too-short";
    return bytes <= bytes_max ? NULL : "too-long";
}

enum nic_tx_fate nic_tx_bad_request(struct nic_tx_ring *q, struct buf *b_owned, const char *why)
{
    struct buf *b = b_owned;
    uint64_t count = ++q->head.stats.bad_request;

    if (RT_IS_POW2(count))
        rt_log("%s txq=%u error=bad-request reason=%s bytes=%u segments=%u flags=0x%x count=%lu",
               q->head.nic->name, (unsigned)q->head.index, why, b->pkt_len,
               (unsigned)b->segments, b->flags, count);
    for (unsigned i = 0; i < BUF_CHAIN_MAX && b != NULL && buf_is_kept(b->owner); i++)
        b = b->next; /* it stays with its keeper */
    buf_free(b);
    return NIC_TX_GONE;
}

enum nic_tx_fate nic_tx_room_for(struct nic_tx_ring *q, struct buf *b_owned, uint32_t need)
{
    if (need >= q->descs)
        return nic_tx_bad_request(q, b_owned, "more-than-the-ring");
    return need > nic_tx_room(q) ? NIC_TX_NO_ROOM : NIC_TX_QUEUED;
}

/* Requests and the length of the whole are in every descriptor: which one counts differs from
 * chip to chip, and the others are not looked at. */
static void put_frame(struct nic_tx_ring *q, struct nic_tx_place *at, struct buf *b_owned,
                      const struct nic_tx_kind *kind)
{
    uint32_t left = b_owned->segments;
    uint32_t bytes = left > 1 ? b_owned->pkt_len : b_owned->data_len;
    uint64_t whole = (uint64_t)(bytes - kind->header_bytes) * (q->per_byte - 1);
    struct buf *s = b_owned;

    q->head.stats.packets++;
    q->head.stats.bytes += bytes;
    for (; left > 0; left--) {
        struct buf *next = s->next;
        uint64_t command = kind->command + whole;

        nic_tx_put_buf(at, s, buf_start(s), left > 1 ? command & ~NIC_TXD_EOP : command);
        s = next;
    }
}

/* What a frame with requests asks for; false: no sense, or nothing that the chip does. */
static bool ask_of(const struct nic_tx_ring *q, const struct nic_tx_format *format,
                   const struct buf *b, struct nic_tx_ask *ask)
{
    if ((b->flags & BUF_TX_TSO) == 0)
        return format->ask != NULL && format->ask(q, b, ask);
    return format->ask_tso != NULL && format->ask_tso(q, b, ask);
}

/* Requests that the chip does not know yet: their context, and the kind from now on. */
static void put_context(struct nic_tx_ring *q, struct nic_tx_place *at, const struct buf *b,
                        const struct nic_tx_ask *ask)
{
    struct nic_tx_kind kind = nic_tx_kind_of(q, ask);

    if ((b->flags & BUF_TX_TSO) != 0) {
        kind.header_bytes = ask->headers;
        kind.bytes_min = ask->headers + 1;
        kind.over_min = BUF_ROOM_BYTES - kind.bytes_min;
        kind.offset_max = nic_tx_offset_max(q, BUF_ROOM_BYTES);
        kind.first_min = ask->headers;
        kind.whole_max = UINT32_MAX; /* two buffers hold no more than the chip takes */
    }
    nic_tx_put_context(q, at, ask);
    nic_tx_remember(q, b, ask, &kind);
}

enum nic_tx_fate nic_tx_odd(struct nic_tx_ring *q, const struct nic_tx_format *format,
                            struct buf *b_owned)
{
    struct nic_tx_place at = nic_tx_begin(q);
    struct buf *b = b_owned;
    struct nic_tx_ask ask;
    bool requests, known;
    enum nic_tx_fate fate;
    const char *flaw;

    if (!buf_is_mine_inside(b->owner)) {
        (void)buf_refuse(b, BUF_STACK, BUF_NIC);
        return NIC_TX_GONE; /* it was never the caller's to send */
    }
    requests = (b->flags & BUF_TX_OFFLOADS) != 0;
    if (requests && !ask_of(q, format, b, &ask))
        return nic_tx_bad_request(q, b, "requests");
    flaw = nic_tx_flaw_of(b, (b->flags & BUF_TX_TSO) != 0 ? format->tso_bytes_max : q->bytes_max);
    if (flaw != NULL)
        return nic_tx_bad_request(q, b, flaw);
    known = !requests || nic_tx_is_known(q, b);
    fate = nic_tx_room_for(q, b, (uint32_t)b->segments + !known);
    if (fate != NIC_TX_QUEUED)
        return fate;
    if (!known)
        put_context(q, &at, b, &ask);
    put_frame(q, &at, b, requests ? &q->offload : &q->plain);
    nic_tx_end(q, &at);
    return NIC_TX_QUEUED;
}

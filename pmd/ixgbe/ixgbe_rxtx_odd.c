/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe data path, the rare half: frames in several buffers, errors, wrong lengths, no
 * replacement, checksum and VLAN requests. One descriptor (receive) or frame (transmit) a call.
 */
#include "ixgbe.h"

#include <mempool/poison.h>

#define FRESH_TRIES 8
#define ROOM_BYTES (BUF_HEADROOM_BYTES + BUF_ROOM_BYTES)
#define ETHER_BYTES_MIN 14
#define L2_BYTES_MAX 127 /* MACLEN has 7 bits, IPLEN 9, L4LEN 8 */
#define L3_BYTES_MAX 511
#define IPV4_BYTES_MIN 20
#define IPV6_BYTES_MIN 40
#define TCP_BYTES_MIN 20
#define TCP_BYTES_MAX 60
#define TCP_CSUM_END 18
#define UDP_CSUM_END 8
#define MSS_BYTES_MIN 64 /* shorter ones hold nothing but the wire up */
#define REQUESTS_L4 ((uint32_t)BUF_TX_TCP_CSUM | (uint32_t)BUF_TX_UDP_CSUM)
#define REQUESTS_SUM (REQUESTS_L4 | (uint32_t)BUF_TX_IP_CSUM)
#define REQUEST_TAG_MASK (UINT64_C(0xffff) << 48) /* vlan_tci, 6 bytes behind flags */
#define CHECKSUM_BITS ((uint32_t)BUF_RX_IP_GOOD | (uint32_t)BUF_RX_L4_GOOD)

/* ---- receive ---- */

static uint16_t following(uint32_t index, uint16_t descs)
{
    return (uint16_t)(index + 1 == descs ? 0 : index + 1);
}

/* A replacement that is the ring's already. A free buffer with a wrong owner byte is refused
 * (counted) and left out for good: the report at stop shows it missing. */
static bool take_fresh(struct pool *pool, struct buf_ref *ref)
{
    for (unsigned i = 0; i < FRESH_TRIES && pool->free > 0; i++) {
        *ref = pool->stack[--pool->free];
        if (buf_move(ref->buf, ref->owner, BUF_POOL, BUF_NIC))
            return true;
    }
    return false;
}

/* Rewrites the next descriptor for the buffer in its slot and steps on. */
static void rewrite(struct ixgbe_rxq *q)
{
    struct ixgbe_rx_desc *d = &q->ring[q->next];

    d->low.address =
        hal_phys((char *)q->shadow[q->next].buf + sizeof(struct buf) + BUF_HEADROOM_BYTES).v;
    d->status = 0;
    q->next = following(q->next, q->descs);
    q->unposted++;
}

static void drop_chain(struct ixgbe_rxq *q)
{
    if (q->chain != NULL)
        buf_free(q->chain);
    q->chain = NULL;
    q->chain_last = NULL;
}

/* Counts why this descriptor's frame is dropped; false when nothing is wrong with it. */
static bool rx_is_bad(struct ixgbe_rxq *q, uint32_t status, uint32_t length)
{
    struct nic_queue_stats *stats = &q->head.stats;
    uint32_t frame_max = (uint32_t)q->head.nic->config.frame_max_bytes + IXGBE_VLAN_BYTES;
    bool eop = (status & RXD_EOP) != 0;

    if (length == 0 || length > BUF_ROOM_BYTES) {
        stats->hostile++;
    } else if (eop && (status & RXD_ERR_FRAME) != 0) { /* valid in the last descriptor only */
        stats->errors++;
    } else if (q->chain == NULL) {
        return false;
    } else if (q->chain->segments >= IXGBE_RX_CHAIN_MAX) {
        stats->hostile++;
    } else if (q->chain->pkt_len + length > frame_max) {
        stats->too_long++;
    } else {
        return false;
    }
    return true;
}

/* Takes the frame's buffer out of the ring, a fresh one in. NULL: dropped, counted. */
static struct buf *exchange(struct ixgbe_rxq *q)
{
    struct buf_ref got = q->shadow[q->next];
    struct buf_ref fresh;

    if (!take_fresh(q->head.pool, &fresh)) {
        q->head.stats.no_replacement++;
        return NULL;
    }
    q->shadow[q->next] = fresh;
    if (!buf_move(got.buf, got.owner, BUF_NIC, BUF_STACK))
        return NULL;
    buf_unpoison(got.buf);
    return got.buf;
}

static void append(struct ixgbe_rxq *q, struct buf *b, uint32_t length)
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

/* The 82599 says "wrong" of a UDP frame whose sum is zero (there is none: tunnels send them) and of
 * one whose sum is wrong: neither good nor bad, the stack looks itself. */
static uint32_t l4_verdict(const struct ixgbe_rxq *q, uint32_t type)
{
    bool unknown = (q->dev->model->flags & IXGBE_UDP_ZERO_BAD) != 0 && (type & RXD_TYPE_UDP) != 0;

    return unknown ? 0 : (uint32_t)BUF_RX_L4_BAD;
}

/* What the chip found out, from the last descriptor of the frame (DS 7.1.6.2). */
static void results(const struct ixgbe_rxq *q, struct buf *b, ixgbe_vec wb)
{
    uint32_t status = (uint32_t)wb[1];
    bool checked = (q->keep[1] & CHECKSUM_BITS) != 0;
    ixgbe_vec kept = wb & q->keep;

    b->rss_type = (uint32_t)kept[0];
    b->rss_hash = (uint32_t)(kept[0] >> 32);
    b->flags = (uint32_t)kept[1];
    b->vlan_tci = (uint16_t)(kept[1] >> RXD_VLAN_SHIFT);
    if (checked && (status & RXD_ERR_IPE) != 0)
        b->flags = (b->flags & ~(uint32_t)BUF_RX_IP_GOOD) | (uint32_t)BUF_RX_IP_BAD;
    if (checked && (status & RXD_ERR_L4E) != 0)
        b->flags = (b->flags & ~(uint32_t)BUF_RX_L4_GOOD) | l4_verdict(q, (uint32_t)wb[0]);
}

void ixgbe_rx_odd(struct ixgbe_rxq *q, struct buf_batch *out)
{
    ixgbe_vec wb = *(volatile ixgbe_vec *)(void *)&q->ring[q->next];
    uint32_t status = (uint32_t)wb[1];
    uint32_t length = (uint32_t)(wb[1] >> RXD_LENGTH_SHIFT) & 0xffff;
    bool eop = (status & RXD_EOP) != 0;
    struct buf *b = NULL;

    if (!q->skip && !rx_is_bad(q, status, length))
        b = exchange(q);
    rewrite(q);
    q->mid_frame = !eop;
    q->skip = b == NULL && !eop;
    if (b == NULL) {
        drop_chain(q);
        return;
    }
    append(q, b, length);
    if (!eop)
        return;
    b = q->chain;
    q->chain = NULL;
    q->chain_last = NULL;
    results(q, b, wb);
    q->head.stats.packets++;
    q->head.stats.bytes += b->pkt_len;
    out->buf[out->count++] = b;
}

/* ---- transmit ---- */

/* Every segment ours, inside its room; the frame neither short nor long. */
static bool tx_is_good(const struct ixgbe_txq *q, const struct buf *b)
{
    uint32_t bytes_max = (b->flags & BUF_TX_TSO) != 0
                             ? IXGBE_TX_TSO_BYTES_MAX
                             : q->bytes_max;
    const struct buf *s = b;
    uint32_t bytes = 0;

    if (b->segments == 0 || b->segments > IXGBE_TX_CHAIN_MAX)
        return false;
    for (unsigned i = 0; i < b->segments; i++, s = s->next) {
        if (s == NULL || *s->owner != BUF_STACK)
            return false;
        if (s->data_len == 0 || (uint32_t)s->data_off + s->data_len > ROOM_BYTES)
            return false;
        bytes += s->data_len;
    }
    if (b->segments > 1 && (s != NULL || bytes != b->pkt_len))
        return false;
    return bytes >= IXGBE_TX_BYTES_MIN && bytes <= bytes_max;
}

/* The longest frame that TSO makes of this one still is a frame. */
static bool tso_is_good(const struct ixgbe_txq *q, const struct buf *b, uint32_t headers)
{
    return (b->flags & BUF_TX_TCP_CSUM) != 0 && b->l4_bytes >= TCP_BYTES_MIN &&
           b->l4_bytes <= TCP_BYTES_MAX && b->mss_bytes >= MSS_BYTES_MIN &&
           headers + b->mss_bytes <= q->bytes_max;
}

/* How many bytes of headers the requests of this frame need in its first buffer; 0: they make
 * no sense. */
static uint32_t headers_of(const struct ixgbe_txq *q, const struct buf *b)
{
    bool ipv6 = (b->flags & BUF_TX_IPV6) != 0, tso = (b->flags & BUF_TX_TSO) != 0;
    uint32_t l4 = (uint32_t)b->l2_bytes + b->l3_bytes, need = l4;

    if ((b->flags & (REQUESTS_SUM | BUF_TX_TSO)) == 0)
        return ETHER_BYTES_MIN; /* a tag only */
    if (b->l2_bytes < ETHER_BYTES_MIN || b->l2_bytes > L2_BYTES_MAX ||
        b->l3_bytes < (ipv6 ? IPV6_BYTES_MIN : IPV4_BYTES_MIN) || b->l3_bytes > L3_BYTES_MAX)
        return 0;
    if (ipv6 && (b->flags & BUF_TX_IP_CSUM) != 0)
        return 0; /* IPv6 has no header checksum */
    if ((b->flags & REQUESTS_L4) == REQUESTS_L4)
        return 0;
    if ((b->flags & BUF_TX_TCP_CSUM) != 0)
        need = l4 + TCP_CSUM_END;
    else if ((b->flags & BUF_TX_UDP_CSUM) != 0)
        need = l4 + UDP_CSUM_END;
    if (tso) {
        need = l4 + b->l4_bytes;
        if (!tso_is_good(q, b, need) || (b->segments > 1 ? b->pkt_len : b->data_len) <= need)
            return 0;
    }
    return need <= b->data_len ? need : 0;
}

/* The context descriptor for the requests (DS 7.2.3.2.3, 7.2.3.2.4). */
static struct ixgbe_tx_desc context_of(const struct buf *b)
{
    bool sums = (b->flags & (REQUESTS_SUM | BUF_TX_TSO)) != 0;
    uint64_t l2 = sums ? b->l2_bytes : ETHER_BYTES_MIN, l3 = sums ? b->l3_bytes : 0;
    struct ixgbe_tx_desc d = {
        .address = l3 | l2 << TXC_MACLEN_SHIFT | (uint64_t)b->vlan_tci << TXC_VLAN_SHIFT,
        .command = TXD_TYPE_CONTEXT | TXD_DEXT,
    };

    if ((b->flags & BUF_TX_IPV6) == 0)
        d.command |= TXC_IPV4;
    if ((b->flags & BUF_TX_TCP_CSUM) != 0)
        d.command |= TXC_L4T_TCP;
    if ((b->flags & BUF_TX_TSO) != 0)
        d.command |= (uint64_t)b->l4_bytes << TXC_L4LEN_SHIFT |
                     (uint64_t)b->mss_bytes << TXC_MSS_SHIFT;
    return d;
}

/* From now on frames that ask for the same stay on the fast path. */
static void remember_context(struct ixgbe_txq *q, const struct buf *b, uint32_t headers)
{
    uint32_t requests = b->flags & BUF_TX_OFFLOADS;
    struct ixgbe_tx_kind *kind = &q->offload;

    *kind = q->plain;
    kind->command |= TXD_CC;
    q->requests_mask = BUF_TX_OFFLOADS;
    q->lengths_mask = 0;
    if ((requests & (REQUESTS_SUM | BUF_TX_TSO)) != 0)
        q->lengths_mask = UINT32_MAX;
    if ((requests & BUF_TX_IP_CSUM) != 0)
        kind->command |= TXD_POPTS_IXSM;
    if ((requests & REQUESTS_L4) != 0)
        kind->command |= TXD_POPTS_TXSM;
    if ((requests & BUF_TX_VLAN) != 0) {
        kind->command |= TXD_VLE;
        q->requests_mask |= REQUEST_TAG_MASK;
    }
    if (headers > kind->bytes_min) {
        kind->over_min -= headers - kind->bytes_min;
        kind->bytes_min = headers;
    }
    if ((requests & BUF_TX_TSO) != 0) {
        kind->command |= TXD_TSE;
        if ((requests & BUF_TX_IPV6) == 0)
            kind->command |= TXD_POPTS_IXSM; /* each frame has a length of its own */
        kind->header_bytes = headers;
        kind->bytes_min = headers + 1;
        kind->over_min = BUF_ROOM_BYTES - kind->bytes_min;
        kind->offset_max = BUF_HEADROOM_BYTES;
        q->lengths_mask = UINT64_MAX;
    }
    q->context_requests = ixgbe_word(&b->flags) & q->requests_mask;
    q->context_lengths = ixgbe_word(&b->l2_bytes) & q->lengths_mask;
}

static void put(struct ixgbe_txq *q, struct ixgbe_tx_desc desc, struct buf_ref ref)
{
    q->ring[q->next] = desc;
    q->shadow[q->next] = ref;
    q->next = following(q->next, q->descs);
    q->used++;
}

/* The frame's data descriptors; requests and PAYLEN count in the first (DS 7.2.3.2.4). */
static void put_frame(struct ixgbe_txq *q, struct buf *b, const struct ixgbe_tx_kind *kind)
{
    uint32_t left = b->segments;
    uint32_t bytes = left > 1 ? b->pkt_len : b->data_len;
    uint64_t paylen = (uint64_t)(bytes - kind->header_bytes) << TXD_PAYLEN_SHIFT;
    struct buf *s = b;

    q->head.stats.packets++;
    q->head.stats.bytes += bytes;
    for (; left > 0; left--) {
        struct buf *next = s->next;
        uint64_t command = kind->command | s->data_len | paylen;

        if (left > 1)
            command &= ~(uint64_t)TXD_EOP;
        *s->owner = BUF_NIC; /* checked by tx_is_good */
        put(q, (struct ixgbe_tx_desc){hal_phys(buf_data(s)).v, command},
            (struct buf_ref){s, s->owner});
        buf_poison(s);
        s = next;
    }
}

static enum ixgbe_tx_fate bad_request(struct ixgbe_txq *q, struct buf *b_owned)
{
    q->head.stats.bad_request++;
    buf_free(b_owned);
    return IXGBE_TX_GONE;
}

enum ixgbe_tx_fate ixgbe_tx_odd(struct ixgbe_txq *q, struct buf *b_owned)
{
    const struct ixgbe_tx_kind *kind = &q->plain;
    bool requests, has_context;
    uint32_t need, headers;

    if (*b_owned->owner != BUF_STACK) {
        (void)buf_refuse(b_owned, BUF_STACK, BUF_NIC);
        return IXGBE_TX_GONE; /* it was never the caller's to send */
    }
    requests = (b_owned->flags & BUF_TX_OFFLOADS) != 0;
    headers = requests ? headers_of(q, b_owned) : ETHER_BYTES_MIN;
    if (headers == 0 || !tx_is_good(q, b_owned))
        return bad_request(q, b_owned);
    has_context = requests && !ixgbe_tx_in_context(q, b_owned);
    need = (uint32_t)b_owned->segments + has_context;
    /* rs_every - 1 descriptors may wait for the report of a later frame, for ever if this one
     * waited for them. */
    if (need > (uint32_t)q->descs - q->rs_every)
        return bad_request(q, b_owned);
    if (need > ixgbe_tx_room(q))
        return IXGBE_TX_NO_ROOM;
    if (has_context) {
        put(q, context_of(b_owned), (struct buf_ref){NULL, &q->no_owner});
        remember_context(q, b_owned, headers);
    }
    if (requests)
        kind = &q->offload;
    put_frame(q, b_owned, kind);
    return IXGBE_TX_QUEUED;
}

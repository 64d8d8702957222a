/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e data path, the rare half: frames in several buffers, errors, wrong lengths, no
 * replacement, checksum and VLAN requests. One descriptor (receive) or frame (transmit) a call.
 */
#include "e1000e.h"

#include <mempool/poison.h>

#define FRESH_TRIES 8
#define ROOM_BYTES (BUF_HEADROOM_BYTES + BUF_ROOM_BYTES)
#define ETHER_BYTES_MIN 14
#define IPV4_BYTES_MIN 20
#define CONTEXT_OFFSET_MAX 255
#define MAC_PAIR_BYTES 12
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
static void rewrite(struct e1000e_rxq *q)
{
    struct e1000e_rx_desc *d = &q->ring[q->next];

    d->low.address =
        hal_phys((char *)q->shadow[q->next].buf + sizeof(struct buf) + BUF_HEADROOM_BYTES).v;
    d->status = 0;
    q->next = following(q->next, q->descs);
    q->unposted++;
}

static void drop_chain(struct e1000e_rxq *q)
{
    if (q->chain != NULL)
        buf_free(q->chain);
    q->chain = NULL;
    q->chain_last = NULL;
}

/* Counts why this descriptor's frame is dropped; false when nothing is wrong with it. */
static bool rx_is_bad(struct e1000e_rxq *q, uint32_t status, uint32_t length)
{
    struct nic_queue_stats *stats = &q->head.stats;
    uint32_t frame_max = (uint32_t)q->head.nic->config.frame_max_bytes + E1000E_VLAN_BYTES;
    bool eop = (status & RXD_EOP) != 0;

    if (length == 0 || length > BUF_ROOM_BYTES) {
        stats->hostile++;
    } else if (eop && (status & RXD_ERR_FRAME) != 0) { /* valid in the last descriptor only */
        stats->errors++;
    } else if (q->chain == NULL) {
        return false;
    } else if (q->chain->segments >= E1000E_RX_CHAIN_MAX) {
        stats->hostile++;
    } else if (q->chain->pkt_len + length > frame_max) {
        stats->too_long++;
    } else {
        return false;
    }
    return true;
}

/* Takes the frame's buffer out of the ring, a fresh one in. NULL: dropped, counted. */
static struct buf *exchange(struct e1000e_rxq *q)
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

static void append(struct e1000e_rxq *q, struct buf *b, uint32_t length)
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

/* What the chip found out, from the last descriptor of the frame (DS 7.1.5). */
static void results(const struct e1000e_rxq *q, struct buf *b, e1000e_vec wb)
{
    uint32_t status = (uint32_t)wb[1];
    bool checked = (q->keep[1] & CHECKSUM_BITS) != 0 && (status & RXD_IXSM) == 0;
    e1000e_vec kept = wb & q->keep;

    b->rss_type = (uint32_t)kept[0];
    b->rss_hash = (uint32_t)(kept[0] >> 32);
    b->flags = (uint32_t)kept[1];
    b->vlan_tci = (uint16_t)(kept[1] >> RXD_VLAN_SHIFT);
    if (!checked)
        b->flags &= ~CHECKSUM_BITS;
    if (checked && (status & RXD_ERR_IPE) != 0)
        b->flags = (b->flags & ~(uint32_t)BUF_RX_IP_GOOD) | (uint32_t)BUF_RX_IP_BAD;
    if (checked && (status & RXD_ERR_TCPE) != 0)
        b->flags = (b->flags & ~(uint32_t)BUF_RX_L4_GOOD) | (uint32_t)BUF_RX_L4_BAD;
}

void e1000e_rx_odd(struct e1000e_rxq *q, struct buf_batch *out)
{
    e1000e_vec wb = *(volatile e1000e_vec *)(void *)&q->ring[q->next];
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
static bool tx_is_good(const struct e1000e_txq *q, const struct buf *b)
{
    const struct buf *s = b;
    uint32_t bytes = 0;

    if (b->segments == 0 || b->segments > E1000E_TX_CHAIN_MAX)
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
    return bytes >= E1000E_TX_BYTES_MIN && bytes <= q->frame_max_bytes;
}

/* Context for the checksum requests (DS 7.2.10, TCP/IP context). False: they make no sense. */
static bool context_of(const struct buf *b, struct e1000e_tx_desc *context)
{
    uint32_t l3 = b->l2_bytes, l4 = l3 + b->l3_bytes;
    bool tcp = (b->flags & BUF_TX_TCP_CSUM) != 0, ipv6 = (b->flags & BUF_TX_IPV6) != 0;
    bool transport = (b->flags & (BUF_TX_TCP_CSUM | BUF_TX_UDP_CSUM)) != 0;
    uint32_t ip_sum = l3 + 10, l4_sum = l4 + (tcp ? 16 : 6);

    if (l3 < ETHER_BYTES_MIN || b->l3_bytes < IPV4_BYTES_MIN ||
        l4_sum + 2 > CONTEXT_OFFSET_MAX)
        return false;
    if ((transport ? l4_sum + 2 : l4) > b->data_len)
        return false;
    if (ipv6 && (b->flags & BUF_TX_IP_CSUM) != 0)
        return false; /* IPv6 has no header checksum */
    context->address = (uint64_t)l4 << TXC_TUCSS_SHIFT | (uint64_t)l4_sum << TXC_TUCSO_SHIFT;
    if (!ipv6)
        context->address |= l3 | ip_sum << TXC_IPCSO_SHIFT | (l4 - 1) << TXC_IPCSE_SHIFT;
    context->command = TXD_DEXT | (ipv6 ? 0 : TXC_IPV4) | (tcp ? TXC_TCP : 0);
    return true;
}

/* Without the chip's help: the addresses move four bytes to the front, the tag goes behind. */
static bool insert_tag(struct buf *b)
{
    uint8_t *data;

    if (b->data_off < E1000E_VLAN_BYTES || b->data_len < MAC_PAIR_BYTES)
        return false;
    b->data_off = (uint16_t)(b->data_off - E1000E_VLAN_BYTES);
    b->data_len = (uint16_t)(b->data_len + E1000E_VLAN_BYTES);
    b->pkt_len += E1000E_VLAN_BYTES;
    b->l2_bytes = (uint16_t)(b->l2_bytes + E1000E_VLAN_BYTES);
    b->flags &= ~(uint32_t)BUF_TX_VLAN;
    data = buf_data(b);
    __builtin_memmove(data, data + E1000E_VLAN_BYTES, MAC_PAIR_BYTES);
    data[MAC_PAIR_BYTES] = 0x81;
    data[MAC_PAIR_BYTES + 1] = 0x00;
    data[MAC_PAIR_BYTES + 2] = (uint8_t)(b->vlan_tci >> 8);
    data[MAC_PAIR_BYTES + 3] = (uint8_t)b->vlan_tci;
    return true;
}

static void put(struct e1000e_txq *q, struct e1000e_tx_desc desc, struct buf_ref ref)
{
    q->ring[q->next] = desc;
    q->shadow[q->next] = ref;
    q->next = following(q->next, q->descs);
    q->used++;
}

/* The frame's data descriptors. Requests go into all of them: the chip reads the first, some
 * models the last. */
static void put_frame(struct e1000e_txq *q, struct buf *b)
{
    uint64_t requests = 0, left = b->segments;
    struct buf *s = b;

    if ((b->flags & BUF_TX_IP_CSUM) != 0)
        requests |= TXD_POPTS_IXSM;
    if ((b->flags & (BUF_TX_TCP_CSUM | BUF_TX_UDP_CSUM)) != 0)
        requests |= TXD_POPTS_TXSM;
    if ((b->flags & BUF_TX_VLAN) != 0)
        requests |= TXD_VLE | (uint64_t)b->vlan_tci << TXD_VLAN_SHIFT;
    q->head.stats.packets++;
    for (; left > 0; left--) {
        struct buf *next = s->next;
        uint64_t command = s->data_len | TXD_TYPE_DATA | TXD_DEXT | TXD_IFCS | requests;

        q->head.stats.bytes += s->data_len;
        if (left == 1)
            command |= TXD_EOP;
        *s->owner = BUF_NIC; /* checked by tx_is_good */
        put(q, (struct e1000e_tx_desc){hal_phys(buf_data(s)).v, command},
            (struct buf_ref){s, s->owner});
        buf_poison(s);
        s = next;
    }
}

static enum e1000e_tx_fate bad_request(struct e1000e_txq *q, struct buf *b_owned)
{
    q->head.stats.bad_request++;
    buf_free(b_owned);
    return E1000E_TX_GONE;
}

enum e1000e_tx_fate e1000e_tx_odd(struct e1000e_txq *q, struct buf *b_owned)
{
    const uint32_t sums = BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM | BUF_TX_UDP_CSUM;
    struct e1000e_tx_desc context = {0, 0};
    bool insert, has_context;
    uint32_t need;

    if (*b_owned->owner != BUF_STACK) {
        (void)buf_refuse(b_owned, BUF_STACK, BUF_NIC);
        return E1000E_TX_GONE; /* it was never the caller's to send */
    }
    if (!tx_is_good(q, b_owned) || (b_owned->flags & BUF_TX_TSO) != 0)
        return bad_request(q, b_owned);
    has_context = (b_owned->flags & sums) != 0;
    insert = (b_owned->flags & BUF_TX_VLAN) != 0 && !q->vlan_insert;
    need = (uint32_t)b_owned->segments + has_context;
    if (need > (uint32_t)q->descs - 1)
        return bad_request(q, b_owned);
    if (need > e1000e_tx_room(q))
        return E1000E_TX_NO_ROOM;
    if (insert && !insert_tag(b_owned))
        return bad_request(q, b_owned);
    if (has_context && !context_of(b_owned, &context))
        return bad_request(q, b_owned);
    if (has_context && !(q->one_queue && q->context_kept &&
                         context.address == q->context.address &&
                         context.command == q->context.command)) {
        put(q, context, (struct buf_ref){NULL, &q->no_owner});
        q->context = context;
        q->context_kept = true;
    }
    put_frame(q, b_owned);
    return E1000E_TX_QUEUED;
}

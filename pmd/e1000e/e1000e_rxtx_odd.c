/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e data path, the rare half: what this chip's write-back and requests mean. Chains,
 * errors and lengths are ring/odd.c's. One descriptor (receive) or frame (transmit) a call.
 */
#include "e1000e.h"

#define ETHER_BYTES_MIN 14
#define IPV4_BYTES_MIN 20
#define CONTEXT_OFFSET_MAX 255
#define MAC_PAIR_BYTES 12
#define REQUESTS_L4 ((uint32_t)BUF_TX_TCP_CSUM | (uint32_t)BUF_TX_UDP_CSUM)
#define REQUESTS_SUM (REQUESTS_L4 | (uint32_t)BUF_TX_IP_CSUM)

/* ---- receive ---- */

/* What the chip found out is in the last descriptor of a frame (DS 7.1.5). */
void e1000e_rx_odd(struct nic_rx_ring *ring, struct buf_batch *out)
{
    nic_vec wb = *(volatile nic_vec *)(void *)&ring->desc[ring->next];
    struct nic_rx_written w = nic_rx_written(ring, wb);

    w.error = (wb[1] & E1000E_RXD_ERR_FRAME) != 0;
    if (ring->head.nic->config.rx_checksum)
        w.flags = e1000e_rx_sums(w.flags, wb[1]);
    nic_rx_odd(ring, &w, out);
}

/* ---- transmit ---- */

/* Context for the checksum requests (DS 7.2.10, TCP/IP context). Returns how many bytes of
 * headers they need in the first buffer; 0: they make no sense. */
static uint32_t context_of(const struct buf *b, struct nic_tx_desc *context)
{
    uint32_t l3 = b->l2_bytes, l4 = l3 + b->l3_bytes;
    bool tcp = (b->flags & BUF_TX_TCP_CSUM) != 0, ipv6 = (b->flags & BUF_TX_IPV6) != 0;
    uint32_t ip_sum = l3 + 10, l4_sum = l4 + (tcp ? 16 : 6);
    uint32_t need = (b->flags & REQUESTS_L4) != 0 ? l4_sum + 2 : l4;

    if (l3 < ETHER_BYTES_MIN || b->l3_bytes < IPV4_BYTES_MIN ||
        l4_sum + 2 > CONTEXT_OFFSET_MAX)
        return 0;
    if (need > b->data_len)
        return 0;
    if (ipv6 && (b->flags & BUF_TX_IP_CSUM) != 0)
        return 0; /* IPv6 has no header checksum */
    context->address = (uint64_t)l4 << E1000E_TXC_TUCSS_SHIFT |
                       (uint64_t)l4_sum << E1000E_TXC_TUCSO_SHIFT;
    if (!ipv6)
        context->address |=
            l3 | ip_sum << E1000E_TXC_IPCSO_SHIFT | (l4 - 1) << E1000E_TXC_IPCSE_SHIFT;
    context->command =
        E1000E_TXD_DEXT | (ipv6 ? 0 : E1000E_TXC_IPV4) | (tcp ? E1000E_TXC_TCP : 0);
    return need;
}

/* Without the chip's help: the addresses move four bytes to the front, the tag goes behind. Not
 * in a buffer that is kept: it may be on its way already. */
static bool insert_tag(struct buf *b)
{
    uint8_t *data;

    if (*b->owner != BUF_STACK || b->data_off < E1000E_VLAN_BYTES ||
        b->data_len < MAC_PAIR_BYTES)
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

/* What the requests add to the command of each data descriptor of the frame. */
static uint64_t command_of(const struct buf *b)
{
    uint64_t command = 0;

    if ((b->flags & BUF_TX_IP_CSUM) != 0)
        command |= E1000E_TXD_POPTS_IXSM;
    if ((b->flags & REQUESTS_L4) != 0)
        command |= E1000E_TXD_POPTS_TXSM;
    if ((b->flags & BUF_TX_VLAN) != 0)
        command |= E1000E_TXD_VLE | (uint64_t)b->vlan_tci << E1000E_TXD_VLAN_SHIFT;
    return command;
}

/* The chip has one context: with two queues each request for sums brings its own. */
static void put_context(struct e1000e_txq *q, struct nic_tx_desc context)
{
    if (q->one_queue && q->context_kept && context.address == q->context.address &&
        context.command == q->context.command)
        return;
    nic_tx_put(&q->ring, context, (struct buf_ref){NULL, &q->ring.no_owner});
    q->context = context;
    q->context_kept = true;
}

/* With requests, for which there is room. */
static enum nic_tx_fate put_request(struct e1000e_txq *q, struct buf *b_owned)
{
    bool sums = (b_owned->flags & REQUESTS_SUM) != 0;
    bool insert = (b_owned->flags & BUF_TX_VLAN) != 0 && !q->vlan_insert;
    struct nic_tx_desc context = {0, 0};
    uint32_t headers = ETHER_BYTES_MIN;
    struct nic_tx_kind kind = q->ring.plain;

    if (insert && !insert_tag(b_owned))
        return nic_tx_bad_request(&q->ring, b_owned);
    if (sums) {
        headers = context_of(b_owned, &context);
        if (headers == 0)
            return nic_tx_bad_request(&q->ring, b_owned);
        put_context(q, context);
    }
    kind.command |= command_of(b_owned);
    if (!insert && (q->one_queue || !sums))
        nic_tx_remember(&q->ring, b_owned, command_of(b_owned), headers);
    else if (sums)
        nic_tx_forget(&q->ring); /* the chip holds another context now */
    nic_tx_put_frame(&q->ring, b_owned, &kind);
    return NIC_TX_QUEUED;
}

enum nic_tx_fate e1000e_tx_odd(struct nic_tx_ring *ring, struct buf *b_owned)
{
    struct e1000e_txq *q = e1000e_txq_of(&ring->head);
    bool sums;
    enum nic_tx_fate fate;

    if (!buf_is_mine_inside(b_owned->owner)) {
        (void)buf_refuse(b_owned, BUF_STACK, BUF_NIC);
        return NIC_TX_GONE; /* it was never the caller's to send */
    }
    if (!nic_tx_is_good(b_owned, ring->bytes_max) || (b_owned->flags & BUF_TX_TSO) != 0)
        return nic_tx_bad_request(ring, b_owned);
    sums = (b_owned->flags & REQUESTS_SUM) != 0;
    fate = nic_tx_room_for(ring, b_owned, (uint32_t)b_owned->segments + sums);
    if (fate != NIC_TX_QUEUED)
        return fate;
    if ((b_owned->flags & BUF_TX_OFFLOADS) != 0)
        return put_request(q, b_owned);
    nic_tx_put_frame(ring, b_owned, &ring->plain);
    return NIC_TX_QUEUED;
}

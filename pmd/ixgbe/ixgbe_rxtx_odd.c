/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe data path, the rare half: what this chip's write-back and requests mean. Chains, errors
 * and lengths are ring/odd.c's. One descriptor (receive) or frame (transmit) a call.
 */
#include "ixgbe.h"

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

/* ---- receive ---- */

/* What the chip found out is in the last descriptor of a frame (DS 7.1.6.2). */
void ixgbe_rx_odd(struct nic_rx_ring *ring, struct buf_batch *out)
{
    nic_vec wb = *(volatile nic_vec *)(void *)&ring->desc[ring->next];
    struct nic_rx_written w = nic_rx_written(ring, wb);

    w.error = (wb[1] & IXGBE_RXD_ERR_FRAME) != 0;
    if (ring->head.nic->config.rx_checksum)
        w.flags = ixgbe_rx_sums(ring, w.flags, wb[0], wb[1]);
    nic_rx_odd(ring, &w, out);
}

/* ---- transmit ---- */

/* The longest frame that TSO makes of this one still is a frame. */
static bool tso_is_good(const struct nic_tx_ring *q, const struct buf *b, uint32_t headers)
{
    return (b->flags & BUF_TX_TCP_CSUM) != 0 && b->l4_bytes >= TCP_BYTES_MIN &&
           b->l4_bytes <= TCP_BYTES_MAX && b->mss_bytes >= MSS_BYTES_MIN &&
           headers + b->mss_bytes <= q->bytes_max;
}

/* How many bytes of headers the requests of this frame need in its first buffer; 0: they make
 * no sense. */
static uint32_t headers_of(const struct nic_tx_ring *q, const struct buf *b)
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
static struct nic_tx_desc context_of(const struct buf *b)
{
    bool sums = (b->flags & (REQUESTS_SUM | BUF_TX_TSO)) != 0;
    uint64_t l2 = sums ? b->l2_bytes : ETHER_BYTES_MIN, l3 = sums ? b->l3_bytes : 0;
    struct nic_tx_desc d = {
        .address =
            l3 | l2 << IXGBE_TXC_MACLEN_SHIFT | (uint64_t)b->vlan_tci << IXGBE_TXC_VLAN_SHIFT,
        .command = IXGBE_TXD_TYPE_CONTEXT | IXGBE_TXD_DEXT,
    };

    if ((b->flags & BUF_TX_IPV6) == 0)
        d.command |= IXGBE_TXC_IPV4;
    if ((b->flags & BUF_TX_TCP_CSUM) != 0)
        d.command |= IXGBE_TXC_L4T_TCP;
    if ((b->flags & BUF_TX_TSO) != 0)
        d.command |= (uint64_t)b->l4_bytes << IXGBE_TXC_L4LEN_SHIFT |
                     (uint64_t)b->mss_bytes << IXGBE_TXC_MSS_SHIFT;
    return d;
}

/* What the requests add to the command of the frame's data descriptors. */
static uint64_t command_of(const struct buf *b)
{
    bool tso = (b->flags & BUF_TX_TSO) != 0, ipv4 = (b->flags & BUF_TX_IPV6) == 0;
    uint64_t command = IXGBE_TXD_CC;

    /* with TSO each frame has a length of its own */
    if ((b->flags & BUF_TX_IP_CSUM) != 0 || (tso && ipv4))
        command |= IXGBE_TXD_POPTS_IXSM;
    if ((b->flags & REQUESTS_L4) != 0)
        command |= IXGBE_TXD_POPTS_TXSM;
    if ((b->flags & BUF_TX_VLAN) != 0)
        command |= IXGBE_TXD_VLE;
    if (tso)
        command |= IXGBE_TXD_TSE;
    return command;
}

enum nic_tx_fate ixgbe_tx_odd(struct nic_tx_ring *ring, struct buf *b_owned)
{
    bool requests, new_context, tso;
    uint32_t headers;
    enum nic_tx_fate fate;

    if (!buf_is_mine_inside(b_owned->owner)) {
        (void)buf_refuse(b_owned, BUF_STACK, BUF_NIC);
        return NIC_TX_GONE; /* it was never the caller's to send */
    }
    requests = (b_owned->flags & BUF_TX_OFFLOADS) != 0;
    tso = (b_owned->flags & BUF_TX_TSO) != 0;
    headers = requests ? headers_of(ring, b_owned) : ETHER_BYTES_MIN;
    if (headers == 0 ||
        !nic_tx_is_good(b_owned, tso ? (uint32_t)IXGBE_TX_TSO_BYTES_MAX : ring->bytes_max))
        return nic_tx_bad_request(ring, b_owned);
    new_context = requests && !nic_tx_is_known(ring, b_owned);
    fate = nic_tx_room_for(ring, b_owned, (uint32_t)b_owned->segments + new_context);
    if (fate != NIC_TX_QUEUED)
        return fate;
    if (new_context) {
        nic_tx_put(ring, context_of(b_owned), (struct buf_ref){NULL, &ring->no_owner});
        nic_tx_remember(ring, b_owned, command_of(b_owned), headers);
    }
    nic_tx_put_frame(ring, b_owned, requests ? &ring->offload : &ring->plain);
    return NIC_TX_QUEUED;
}

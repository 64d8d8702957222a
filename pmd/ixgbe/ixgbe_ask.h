/* SPDX-License-Identifier: BSD-2-Clause */
/* What a frame asks for on its way out, in words of the 82599 (DS 7.2.3.2): for the transmit loop,
 * which has it in line, and for the rare half. */
#ifndef PMD_IXGBE_ASK_H
#define PMD_IXGBE_ASK_H

#include "ixgbe.h"
#include "ring/tx_ask.h"

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

/* Requests and what the chip calls them are single bits: a shift each. */
#define ASK_TAG_AND_TSO ((uint32_t)BUF_TX_VLAN | (uint32_t)BUF_TX_TSO)
#define ASK_TAG_AND_TSO_SHIFT 11
#define ASK_IP_SUM_SHIFT 24
#define ASK_IPV6_SHIFT 11
#define ASK_TCP_SHIFT 6
_Static_assert((uint64_t)BUF_TX_VLAN << ASK_TAG_AND_TSO_SHIFT == IXGBE_TXD_VLE &&
                   (uint64_t)BUF_TX_TSO << ASK_TAG_AND_TSO_SHIFT == IXGBE_TXD_TSE &&
                   (uint64_t)BUF_TX_IP_CSUM << ASK_IP_SUM_SHIFT == IXGBE_TXD_POPTS_IXSM &&
                   (uint64_t)BUF_TX_IPV6 >> ASK_IPV6_SHIFT == IXGBE_TXC_IPV4 &&
                   (uint64_t)BUF_TX_TCP_CSUM >> ASK_TCP_SHIFT == IXGBE_TXC_L4T_TCP,
               "a request is its bit, moved");

/* The headers are as long as the chip takes them, and no request is for what they do not have. */
RT_INLINE bool ixgbe_ask_is_sound(const struct buf *b)
{
    const uint32_t l2 = b->l2_bytes, l3 = b->l3_bytes, flags = b->flags;
    const bool ipv6 = (flags & BUF_TX_IPV6) != 0;
    const uint32_t l3_min = ipv6 ? IPV6_BYTES_MIN : IPV4_BYTES_MIN;

    if (l2 - ETHER_BYTES_MIN > L2_BYTES_MAX - ETHER_BYTES_MIN || l3 < l3_min ||
        l3 > L3_BYTES_MAX)
        return false;
    return !(ipv6 && (flags & BUF_TX_IP_CSUM) != 0) && (flags & REQUESTS_L4) != REQUESTS_L4;
}

/* The context descriptor (DS 7.2.3.2.3), without TSO. */
RT_INLINE struct nic_tx_desc ixgbe_context_of(const struct buf *b, uint64_t l2, uint64_t l3)
{
    const uint64_t flags = b->flags;

    return (struct nic_tx_desc){
        .address = l3 | l2 << IXGBE_TXC_MACLEN_SHIFT |
                   (uint64_t)b->vlan_tci << IXGBE_TXC_VLAN_SHIFT,
        .command = IXGBE_TXD_TYPE_CONTEXT | IXGBE_TXD_DEXT |
                   (~flags & (uint64_t)BUF_TX_IPV6) >> ASK_IPV6_SHIFT |
                   (flags & (uint64_t)BUF_TX_TCP_CSUM) >> ASK_TCP_SHIFT,
    };
}

/* `ask` of struct nic_tx_format. */
RT_INLINE bool ixgbe_tx_ask(const struct nic_tx_ring *q, const struct buf *b,
                            struct nic_tx_ask *ask)
{
    const uint64_t flags = b->flags;
    const uint32_t l2 = b->l2_bytes, l3 = b->l3_bytes;
    const bool tcp = (flags & BUF_TX_TCP_CSUM) != 0, l4 = (flags & REQUESTS_L4) != 0;

    ask->command = IXGBE_TXD_CC | (flags & ASK_TAG_AND_TSO) << ASK_TAG_AND_TSO_SHIFT |
                   (flags & (uint64_t)BUF_TX_IP_CSUM) << ASK_IP_SUM_SHIFT |
                   (l4 ? IXGBE_TXD_POPTS_TXSM : 0);
    if (RT_UNLIKELY((flags & (REQUESTS_SUM | BUF_TX_TSO)) == 0)) { /* a tag only */
        ask->headers = ETHER_BYTES_MIN;
        ask->context = ixgbe_context_of(b, ETHER_BYTES_MIN, 0);
        return b->data_len >= ETHER_BYTES_MIN;
    }
    ask->headers = l2 + l3 + (tcp ? TCP_CSUM_END : l4 ? UDP_CSUM_END : 0);
    ask->context = ixgbe_context_of(b, l2, l3);
    return ixgbe_ask_is_sound(b) && ask->headers <= b->data_len;
}

/* `ask_tso`. The longest frame that TSO makes of this one still is a frame. */
RT_INLINE bool ixgbe_tx_ask_tso(const struct nic_tx_ring *q, const struct buf *b,
                                struct nic_tx_ask *ask)
{
    const uint32_t bytes = b->segments > 1 ? b->pkt_len : b->data_len;

    if (!ixgbe_tx_ask(q, b, ask) || (b->flags & BUF_TX_TCP_CSUM) == 0)
        return false;
    if ((b->flags & BUF_TX_IPV6) == 0)
        ask->command |= IXGBE_TXD_POPTS_IXSM; /* each frame has a length of its own */
    ask->context.command |= (uint64_t)b->l4_bytes << IXGBE_TXC_L4LEN_SHIFT |
                            (uint64_t)b->mss_bytes << IXGBE_TXC_MSS_SHIFT;
    ask->headers = (uint32_t)b->l2_bytes + b->l3_bytes + b->l4_bytes;
    return b->l4_bytes >= TCP_BYTES_MIN && b->l4_bytes <= TCP_BYTES_MAX &&
           b->mss_bytes >= MSS_BYTES_MIN && ask->headers + b->mss_bytes <= q->bytes_max &&
           ask->headers <= b->data_len && bytes > ask->headers;
}

#endif

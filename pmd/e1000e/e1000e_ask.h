/* SPDX-License-Identifier: BSD-2-Clause */
/* What a frame asks for on its way out, in words of the 82574 (DS 7.2.10): for the transmit loop,
 * which has it in line, and for the rare half. */
#ifndef PMD_E1000E_ASK_H
#define PMD_E1000E_ASK_H

#include "e1000e.h"
#include "ring/tx_ask.h"

#define ETHER_BYTES_MIN 14
#define IPV4_BYTES_MIN 20
#define IP_SUM_AT 10 /* in their headers */
#define TCP_SUM_AT 16
#define UDP_SUM_AT 6
#define SUM_BYTES 2
#define CONTEXT_OFFSET_MAX 255
#define REQUESTS_L4 ((uint32_t)BUF_TX_TCP_CSUM | (uint32_t)BUF_TX_UDP_CSUM)
#define REQUESTS_SUM (REQUESTS_L4 | (uint32_t)BUF_TX_IP_CSUM)

/* Requests and what the chip calls them are single bits: a shift each. */
#define ASK_TAG_SHIFT 11
#define ASK_IP_SUM_SHIFT 24
#define ASK_TCP_SHIFT 7
#define ASK_IPV6_SHIFT 4
_Static_assert((uint64_t)BUF_TX_VLAN << ASK_TAG_SHIFT == E1000E_TXD_VLE &&
                   (uint64_t)BUF_TX_IP_CSUM << ASK_IP_SUM_SHIFT == E1000E_TXD_POPTS_IXSM &&
                   (uint64_t)BUF_TX_IPV6 << ASK_IPV6_SHIFT == E1000E_TXC_IPV4 &&
                   (uint64_t)BUF_TX_TCP_CSUM << ASK_TCP_SHIFT == E1000E_TXC_TCP,
               "a request is its bit, moved");

/* Context for the checksum requests (DS 7.2.10, TCP/IP context), and how many bytes of headers
 * they need in the first buffer; false: they make no sense. */
RT_INLINE bool e1000e_ask_sums(const struct buf *b, struct nic_tx_ask *ask)
{
    const uint64_t flags = b->flags;
    const uint32_t l3 = b->l2_bytes, l4 = l3 + b->l3_bytes;
    const uint32_t l4_sum = l4 + ((flags & BUF_TX_TCP_CSUM) != 0 ? TCP_SUM_AT : UDP_SUM_AT);

    ask->headers = (flags & REQUESTS_L4) != 0 ? l4_sum + SUM_BYTES : l4;
    ask->context.command = E1000E_TXD_DEXT |
                           (~flags & (uint64_t)BUF_TX_IPV6) << ASK_IPV6_SHIFT |
                           (flags & (uint64_t)BUF_TX_TCP_CSUM) << ASK_TCP_SHIFT;
    ask->context.address = (uint64_t)l4 << E1000E_TXC_TUCSS_SHIFT |
                           (uint64_t)l4_sum << E1000E_TXC_TUCSO_SHIFT;
    if ((flags & BUF_TX_IPV6) == 0)
        ask->context.address |= l3 | (l3 + IP_SUM_AT) << E1000E_TXC_IPCSO_SHIFT |
                                (l4 - 1) << E1000E_TXC_IPCSE_SHIFT;
    else if ((flags & BUF_TX_IP_CSUM) != 0)
        return false; /* IPv6 has no header checksum */
    return l3 >= ETHER_BYTES_MIN && b->l3_bytes >= IPV4_BYTES_MIN &&
           l4_sum + SUM_BYTES <= CONTEXT_OFFSET_MAX && ask->headers <= b->data_len;
}

/* The tag is put in by us: the chip inserts tags only where it strips received ones. */
RT_INLINE bool e1000e_tx_tag_is_ours(const struct nic_tx_ring *q, const struct buf *b)
{
    return (b->flags & BUF_TX_VLAN) != 0 && !q->head.nic->config.vlan_strip;
}

/* `ask` of struct nic_tx_format. */
RT_INLINE bool e1000e_tx_ask(const struct nic_tx_ring *q, const struct buf *b,
                             struct nic_tx_ask *ask)
{
    const uint64_t flags = b->flags;

    ask->command = (flags & (uint64_t)BUF_TX_IP_CSUM) << ASK_IP_SUM_SHIFT |
                   ((flags & REQUESTS_L4) != 0 ? E1000E_TXD_POPTS_TXSM : 0);
    if (RT_UNLIKELY((flags & BUF_TX_VLAN) != 0)) {
        if (e1000e_tx_tag_is_ours(q, b))
            return false;
        ask->command |= E1000E_TXD_VLE | (uint64_t)b->vlan_tci << E1000E_TXD_VLAN_SHIFT;
    }
    if (RT_LIKELY((flags & REQUESTS_SUM) != 0))
        return e1000e_ask_sums(b, ask);
    ask->headers = ETHER_BYTES_MIN;
    ask->context = (struct nic_tx_desc){0, 0};
    return b->data_len >= ETHER_BYTES_MIN;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e data path, the rare half: what this chip's write-back means, and tags that it does
 * not insert. The rest is ring/odd.c's.
 */
#include "e1000e_ask.h"

#define MAC_PAIR_BYTES 12

/* ---- receive ---- */

/* IXSM: what the others say does not count. With rx_checksum off what the chip finds concerns
 * nobody. */
void e1000e_rx_sums(struct nic_rx_ring *ring)
{
    for (uint32_t says = 0; says < NIC_RX_SUMS; says++) {
        struct nic_rx_sums *sums = &ring->sums[says];
        const bool unsure = (says & E1000E_SAYS_IXSM) != 0;

        *sums = (struct nic_rx_sums){.keep = UINT32_MAX};
        if (!ring->head.nic->config.rx_checksum)
            continue;
        if (unsure || (says & E1000E_SAYS_IPE) != 0) {
            sums->keep &= ~(uint32_t)BUF_RX_IP_GOOD;
            sums->set |= unsure ? 0 : (uint32_t)BUF_RX_IP_BAD;
        }
        if (unsure || (says & E1000E_SAYS_TCPE) != 0) {
            sums->keep &= ~(uint32_t)BUF_RX_L4_GOOD;
            sums->set |= unsure ? 0 : (uint32_t)BUF_RX_L4_BAD;
        }
    }
}

/* What the chip found out is in the last descriptor of a frame (DS 7.1.5). */
void e1000e_rx_odd(struct nic_rx_ring *ring, struct buf_batch *out)
{
    nic_vec wb = *(volatile nic_vec *)(void *)&ring->desc[ring->next];
    struct nic_rx_written w = nic_rx_written(ring, wb);
    uint32_t says;

    w.error = (wb[1] & E1000E_RXD_ERR_FRAME) != 0;
    says = e1000e_rx_says(wb[0], wb[1]);
    w.flags = (w.flags & ring->sums[says].keep) | ring->sums[says].set;
    nic_rx_odd(ring, &w, out);
}

/* ---- transmit ---- */

/* Without the chip's help: the addresses move four bytes to the front, the tag goes behind. Not in
 * a buffer that is kept: it may be on its way already. */
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

/* Frames whose tag is ours get it when there is room for them. */
enum nic_tx_fate e1000e_tx_odd(struct nic_tx_ring *ring, const struct nic_tx_format *format,
                               struct buf *b_owned)
{
    enum nic_tx_fate fate;
    const char *flaw;

    if (!buf_is_mine_inside(b_owned->owner) || !e1000e_tx_tag_is_ours(ring, b_owned))
        return nic_tx_odd(ring, format, b_owned);
    flaw = nic_tx_flaw_of(b_owned, ring->bytes_max);
    if (flaw != NULL)
        return nic_tx_bad_request(ring, b_owned, flaw);
    fate = nic_tx_room_for(ring, b_owned, b_owned->segments + 1u);
    if (fate != NIC_TX_QUEUED)
        return fate;
    if (!insert_tag(b_owned))
        return nic_tx_bad_request(ring, b_owned, "no-room-for-tag");
    fate = nic_tx_odd(ring, format, b_owned);
    if (fate == NIC_TX_QUEUED)
        ring->head.stats.bytes -= E1000E_VLAN_BYTES; /* as if the chip had put it in */
    return fate;
}

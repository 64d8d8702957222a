/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe data path, the rare half: what this chip's write-back means. The rest is ring/odd.c's.
 */
#include "ixgbe.h"

/* The 82599 says "wrong" of a UDP frame whose sum is zero (there is none: tunnels send them) and of
 * one whose sum is wrong: neither good nor bad, the stack looks itself. With rx_checksum off what
 * the chip finds concerns nobody. */
void ixgbe_rx_sums(struct nic_rx_ring *ring)
{
    const struct ixgbe *dev = ring->head.nic->priv;
    const bool udp_unsure = (dev->model->flags & IXGBE_UDP_ZERO_BAD) != 0;

    for (uint32_t says = 0; says < NIC_RX_SUMS; says++) {
        struct nic_rx_sums *sums = &ring->sums[says];

        *sums = (struct nic_rx_sums){.keep = UINT32_MAX};
        if (!ring->head.nic->config.rx_checksum)
            continue;
        if ((says & IXGBE_SAYS_IPE) != 0) {
            sums->keep &= ~(uint32_t)BUF_RX_IP_GOOD;
            sums->set |= (uint32_t)BUF_RX_IP_BAD;
        }
        if ((says & IXGBE_SAYS_L4E) != 0) {
            sums->keep &= ~(uint32_t)BUF_RX_L4_GOOD;
            if (!udp_unsure || (says & IXGBE_SAYS_UDP) == 0)
                sums->set |= (uint32_t)BUF_RX_L4_BAD;
        }
    }
}

/* What the chip found out is in the last descriptor of a frame (DS 7.1.6.2). */
void ixgbe_rx_odd(struct nic_rx_ring *ring, struct buf_batch *out)
{
    nic_vec wb = *(volatile nic_vec *)(void *)&ring->desc[ring->next];
    struct nic_rx_written w = nic_rx_written(ring, wb);
    uint32_t says;

    w.error = (wb[1] & IXGBE_RXD_ERR_FRAME) != 0;
    says = ixgbe_rx_says(wb[0], wb[1]);
    w.flags = (w.flags & ring->sums[says].keep) | ring->sums[says].set;
    nic_rx_odd(ring, &w, out);
}

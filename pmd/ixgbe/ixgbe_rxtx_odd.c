/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe data path, the rare half: what this chip's write-back means. The rest is ring/odd.c's.
 */
#include "ixgbe.h"

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

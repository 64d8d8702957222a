/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames longer than a port takes, which its card let in: the 82574 knows two limits, 1522
 * bytes or none, the 82599 none below 1518. They are dropped and counted where they came in,
 * not sent to the partner to fail there.
 *
 * A port whose card has just the right limit (the usual frame size, every size of the 82599
 * above it) does not come here: the data path has no instruction for it. A frame in several
 * buffers is measured by the driver while it puts them together.
 */
#include "nic_driver.h"

static uint32_t rx_limited(struct nic_rxq *q, struct buf_batch *out, uint32_t max)
{
    const uint32_t limit = (uint32_t)q->nic->config.frame_max_bytes + NIC_VLAN_BYTES;
    const uint32_t first = out->count;
    uint32_t kept = first;

    RT_INVARIANT(q->rx_card != NULL && q->rx_card != rx_limited);
    (void)q->rx_card(q, out, max);
    for (uint32_t i = first; i < out->count; i++) {
        struct buf *b = out->buf[i];

        if (b->pkt_len <= limit) {
            out->buf[kept++] = b;
            continue;
        }
        q->stats.too_long++;
        q->stats.packets--; /* counted as received a moment ago */
        q->stats.bytes -= b->pkt_len;
        buf_free(b);
    }
    out->count = kept;
    return kept - first;
}

void nic_rx_use(struct nic_rxq *q, nic_rx_fn *rx, uint32_t card_max_bytes)
{
    const uint32_t limit = (uint32_t)q->nic->config.frame_max_bytes + NIC_VLAN_BYTES;
    const bool check = limit < card_max_bytes && limit < BUF_ROOM_BYTES;

    RT_ASSERT(rx != NULL && rx != rx_limited);
    q->rx_card = rx;
    __atomic_store_n(&q->rx, check ? rx_limited : rx, __ATOMIC_RELEASE);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What l2fwd does to frames, pure: no port, no clock, no statistics. Every function works
 * on the frames of a batch from `first` on; frames stay in the batch and with its owner.
 *
 * Any length is safe: the 12 bytes of addresses lie within the first buffer's room even
 * when a device delivers a shorter frame.
 */
#ifndef L2FWD_FORWARD_H
#define L2FWD_FORWARD_H

#include "options.h"

#include <mempool/buf.h>

/* The first 12 bytes of a frame that leaves through one port. */
struct l2fwd_rewrite {
    uint64_t first8; /* destination, first two bytes of the source, as they lie in memory */
    uint32_t last4;
};

/* Addresses of frames sent by the port with this MAC (mode mac). */
struct l2fwd_rewrite l2fwd_rewrite_make(uint32_t port, const uint8_t port_mac[6]);
/* Mode mac. Budget: 6 instructions a frame. */
void l2fwd_rewrite(const struct l2fwd_rewrite *rewrite, struct buf_batch *batch,
                   uint32_t first);
/* Mode macswap. */
typedef void l2fwd_swap_fn(struct buf_batch *batch, uint32_t first);
l2fwd_swap_fn l2fwd_swap;
/* The fastest that this CPU has: with SSSE3 one shuffle a frame, as in testpmd. */
l2fwd_swap_fn *l2fwd_swap_best(void);
/* Asks for the tag that the card took out on receive to be put back on transmit. */
void l2fwd_restore_vlan(struct buf_batch *batch, uint32_t first);
/* The mode in effect: mac without mac_update is io. */
enum l2fwd_mode l2fwd_mode_of(const struct l2fwd_options *options);

#endif

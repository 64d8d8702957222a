/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of mode txonly: UDP in IPv4 with valid checksums, one template; the source port
 * tells the flow, the payload begins with a 32-bit sequence number in network order.
 * Addresses are of the benchmark range (RFC 2544 appendix C.2.2, 198.18.0.0/15).
 */
#ifndef L2FWD_TXGEN_H
#define L2FWD_TXGEN_H

#include "options.h"

#include <mempool/pool.h>

#define L2FWD_TXGEN_BYTES_MAX 1514

struct l2fwd_txgen {
    uint32_t bytes;
    uint32_t flows;
    uint32_t next; /* sequence number */
    uint32_t left; /* frames to make, when not endless */
    bool endless;
    uint8_t frame[L2FWD_TXGEN_BYTES_MAX];
};

void l2fwd_txgen_init(struct l2fwd_txgen *gen, const struct l2fwd_options *options,
                      const uint8_t port_mac[6], uint32_t port);
/* Fills the batch up to `max` frames, which the caller then owns; returns 1 when the pool
 * was empty before that. */
uint32_t l2fwd_txgen_fill(struct l2fwd_txgen *gen, struct pool *pool, struct buf_batch *batch,
                          uint32_t max);
bool l2fwd_txgen_left(const struct l2fwd_txgen *gen);

#endif

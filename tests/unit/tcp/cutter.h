/* SPDX-License-Identifier: BSD-2-Clause */
/* What a card does with a frame that it is asked to cut up (BUF_TX_TSO, 82599 DS 7.2.4), and a look
 * at what it is asked: every length, and the sum it begins with. */
#ifndef TESTS_TCP_CUTTER_H
#define TESTS_TCP_CUTTER_H

#include <mempool/buf.h>

#define CUTTER_BYTES_MAX 70000
#define CUTTER_PACKET_MAX 1600

typedef void cutter_fn(void *ctx, const uint8_t *packet, uint32_t bytes);

/* All bytes of a frame, one behind the other. */
uint32_t cutter_flatten(const struct buf *frame, uint8_t bytes[CUTTER_BYTES_MAX]);
/* Each packet of the frame, with right headers and sums; one that need not be cut as it is. */
void cutter_cut(const struct buf *frame, cutter_fn *fn, void *ctx);

#endif

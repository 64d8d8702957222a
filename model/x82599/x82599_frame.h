/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames: what they are and where RSS sends them (x82599_parse.c, x82599_rss.c), and what transmit
 * makes of them (x82599_offload.c). */
#ifndef MODEL_X82599_FRAME_H
#define MODEL_X82599_FRAME_H

#include "x82599_state.h"

struct x82599_parsed {
    uint32_t type;      /* RXD_TYPE_* */
    uint32_t status;    /* RXD_* of checksums, good or bad */
    uint32_t hash, rss_type;
    unsigned queue;
};
void x82599_parse(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes,
                  struct x82599_parsed *out);
bool x82599_filter(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes);
bool x82599_is_vlan(const struct x82599 *dev, const uint8_t *frame);
uint32_t x82599_sum(const uint8_t *p, uint32_t bytes, uint32_t sum);
uint16_t x82599_fold(uint32_t sum);
/* `input`: at most RSS_INPUT_MAX bytes */
uint32_t x82599_toeplitz(const struct x82599 *dev, const uint8_t *input, uint32_t bytes);

/* Onto the wire as it is; ... */
void x82599_emit(struct x82599 *dev, unsigned queue, const uint8_t *frame, uint32_t bytes);
/* ... a gathered frame, with all that its descriptors ask for. */
void x82599_offload(struct x82599 *dev, unsigned queue);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the test of kept buffers (kept.h) knows: values and who uses them, and the frames that the
 * card was given. */
#ifndef TESTS_KEPT_MODEL_H
#define TESTS_KEPT_MODEL_H

#include "kept.h"

#include <mempool/ext.h>

#define KEPT_VALUES 6
#define KEPT_VALUE_BYTES_MAX 300
#define KEPT_FRAME_BYTES_MAX 1080
#define KEPT_WAY_MAX 64 /* as descriptors */

struct kept_value {
    struct buf_pin pin;
    uint8_t *bytes;
    uint32_t length, serial;
    bool owned, live;
};

struct kept_frame {
    uint32_t bytes;
    uint8_t data[KEPT_FRAME_BYTES_MAX];
};

extern struct kept_model {
    struct pool *headers;
    struct kept_value value[KEPT_VALUES];
    uint64_t made, released; /* values */
    /* What the card was given and has not sent yet, in order. */
    struct kept_frame way[KEPT_WAY_MAX];
    uint32_t way_first, way_count;
    uint64_t sent;
} kept_model;

void kept_seed(uint64_t seed);
/* One of the values: as it is, or a new one in its place. */
struct kept_value *kept_value_any(void);
/* Its owner lets go; nothing when he has. */
void kept_value_put(struct kept_value *v);
/* From now on the card may send this frame. Not taken after all: way_count less one. */
void kept_expect(const struct buf *b);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frames of a trial came back: loss, duplicates and order within a flow. Pure but for
 * the memory, which tally_init allocates and tally_free gives back.
 */
#ifndef RIG_TALLY_H
#define RIG_TALLY_H

#include <stdbool.h>
#include <stdint.h>

enum tally_verdict {
    TALLY_GOOD,
    TALLY_REORDERED, /* a later frame of its flow came before it */
    TALLY_DUPLICATE,
    TALLY_UNKNOWN, /* was never sent */
};

struct tally {
    uint32_t frames; /* sequence numbers are below this */
    uint32_t flows;
    uint64_t *seen;      /* one bit a frame */
    uint32_t *next_seq;  /* a flow: one above the highest that came */
    uint64_t unique, reordered, duplicates;
};

bool tally_init(struct tally *t, uint32_t frames, uint32_t flows);
void tally_free(struct tally *t);
/* Notes that a frame came; counts it. */
enum tally_verdict tally_take(struct tally *t, uint32_t flow, uint32_t seq);

#endif

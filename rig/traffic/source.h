/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the frames of a trial come from, and how they are known again when they come back:
 * made here (frame.h) or read from a capture (pcap.h). Lanes are one-way paths through the
 * machine: in at one port, out at another.
 */
#ifndef RIG_SOURCE_H
#define RIG_SOURCE_H

#include "frame.h"
#include "pcap.h"

#include <stdbool.h>

struct source_lane {
    unsigned from, to; /* ports */
    struct frame_plan plan;
};

struct source {
    unsigned lane_count;
    struct source_lane lanes[FRAME_LANES_MAX];
    uint32_t flows; /* flow numbers are below this */
    /* Replay only; NULL else. */
    const struct pcap *pcap;
    uint64_t *sent_ns;  /* a frame of the trial */
    uint32_t *oldest;   /* first frame that has not come back; one entry */
    bool *matched;      /* a frame of the trial */
    uint32_t frames;    /* of the trial */
};

/* Bytes that source_build may write for frame `seq` of a lane. */
size_t source_bytes(const struct source *source, unsigned lane, uint32_t seq);
/* Builds frame `seq` of a lane; returns its bytes. */
size_t source_build(const struct source *source, unsigned lane, uint32_t seq, uint64_t now_ns,
                    uint8_t *out);
/* Judges a frame that came out of `port`; fills id when it is FRAME_GOOD. */
enum frame_verdict source_check(const struct source *source, unsigned port, const uint8_t *frame,
                                size_t bytes, struct frame_id *id);

/* Makes a source replay a capture `frames` long on its only lane. false: no memory. */
bool source_replay(struct source *source, const struct pcap *pcap, uint32_t frames);
void source_free(struct source *source);

#endif

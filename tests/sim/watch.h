/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Somebody on the line who knows TCP and neither stack: what each side sends is held against what
 * reached it and what it sent before. Reads bytes; shares no code with the stack.
 */
#ifndef TESTS_SIM_WATCH_H
#define TESTS_SIM_WATCH_H

#include <rt/base.h>

#define WATCH_FLOWS_MAX 8
#define WATCH_BYTES_MAX (256u * 1024) /* of a stream */

struct sim;

/* One direction of a connection. */
struct watch_way {
    bool syn;            /* its SYN was seen on the line */
    bool syn_arrived;    /* and has reached the other: `first` stays */
    uint32_t first;      /* number of its SYN */
    uint32_t sent_end;   /* behind what was sent, from `first` on */
    uint32_t arrived_end; /* behind what arrived without a hole */
    uint32_t edge;       /* right edge of the window that its sender was told */
    bool edge_known;
    uint32_t offered;    /* right edge that it, as a receiver, offered to the other */
    uint32_t acked;      /* that it sent */
    uint8_t scale;       /* of the windows that it offers */
    bool scales;         /* its SYN had a scale */
    uint16_t mss;        /* largest segment that it takes; 0: not said */
    /* Since it heard of the other side: the oldest number sent again, when last, the pause before
     * that, and how many pauses in a row were not longer than the one before. */
    uint32_t again_seq;
    uint64_t again_us, gap_us;
    uint32_t not_longer;
    uint8_t arrived[WATCH_BYTES_MAX / 8]; /* bytes that reached the other side */
    uint8_t border[WATCH_BYTES_MAX / 8];  /* segments began or ended there */
};
struct watch_flow {
    uint16_t ports[2]; /* of side 0, of side 1 */
    struct watch_way ways[2]; /* what side 0 sends, what side 1 sends */
};
struct watch {
    uint32_t count;
    struct watch_flow flows[WATCH_FLOWS_MAX];
};

/* A frame leaves a side, or reached the other: it was not lost, and there was a buffer for it. */
void watch_sent(struct sim *sim, unsigned from, const uint8_t *frame, uint32_t bytes);
void watch_arrived(struct sim *sim, unsigned from, const uint8_t *frame, uint32_t bytes);
void watch_reset(struct watch *watch);

#endif

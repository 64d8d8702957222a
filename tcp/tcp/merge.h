/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments of a batch that follow each other become one: looked up, checked and told once. They
 * mean the same as one by one, which decides what may be merged:
 *
 *     of one flow, by one interface; each next in order behind the last one
 *     each with the right checksum, by the card's word or summed here, and inside our window
 *     data in each; ACK alone set, PSH in the last: it ends the run, as does the batch
 *     equal in what they acknowledge, in window, timestamps and TOS; no other option
 *     nothing about the connection that wants to see each: a hole, a mark of congestion
 *
 * Acknowledgements count what was merged (acks.h). Merged is a chain of the segments' own
 * buffers; nothing is copied. What takes the fast path is merged there (fast_merge.h), what takes
 * the steps, here: a segment waits, between two frames of a batch, for the one behind it.
 */
#ifndef TCP_TCP_MERGE_H
#define TCP_TCP_MERGE_H

#include "segment.h"

struct tcp_conn;

#define MERGE_BYTES_MAX UINT16_MAX

struct tcp_merge {
    bool open; /* a batch of several frames is being taken in */
    struct tcp_conn *conn; /* whose segment waits; NULL: none does */
    uint32_t generation;   /* of the connection */
    struct buf *last;      /* of the segment's chain */
    uint64_t segs;         /* that were put behind others, either way */
    struct tcp_segment segment;
};

/* What waits is given to its connection. */
void merge_deliver(struct tcp_merge *m);
/* A batch begins, of so many frames; and ends. */
RT_INLINE void merge_begin(struct tcp_merge *m, uint32_t frames)
{
    m->open = frames > 1;
}
RT_INLINE void merge_end(struct tcp_merge *m)
{
    m->open = false;
    if (RT_UNLIKELY(m->conn != NULL))
        merge_deliver(m);
}
/* True: the segment was put behind the one that waits. False: it is still the caller's, and none
 * waits any more. */
bool merge_takes(struct net *net, struct tcp_segment *segment);
/* True: it waits for the next one; consumed. */
bool merge_waits(struct tcp_conn *conn, struct tcp_segment *segment);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One way of a bad line: bytes in, bytes out later, or not at all, or twice; see <pmd/link.h>.
 * Pure: time is an argument, no port is known. One core.
 */
#ifndef PMD_LINK_WIRE_H
#define PMD_LINK_WIRE_H

#include <pmd/link.h>

/* Each kind of harm has random numbers of its own. */
enum wire_draw {
    WIRE_LOSS,
    WIRE_DUPLICATE,
    WIRE_CORRUPT,
    WIRE_BIT,
    WIRE_REORDER,
    WIRE_JITTER,
    WIRE_DRAWS,
};

/* A frame under way. */
struct wire_frame {
    uint64_t due_ns;
    uint64_t number; /* of those due at the same time the first in is the first out */
    uint32_t slot, bytes;
};

struct wire {
    struct link_way way;
    struct link_counts counts;
    uint64_t random[WIRE_DRAWS];
    uint64_t line_free_ns; /* the last bit of the last frame is on the line */
    uint64_t last_due_ns;
    uint64_t number;
    uint32_t count, limit; /* frames under way; at most */
    uint32_t frames_max, slot_bytes; /* memory there is */
    struct wire_frame *heap; /* by due time: the next is [0] */
    uint32_t *free_slot;     /* [count..frames_max) */
    uint8_t *bytes;
};

/* Sound, or RT_INVALID and a line; `what` names the way. */
RT_NODISCARD enum rt_status wire_check(const struct link_way *way, const char *what);
/* Memory for as many frames as the way may have, each of `frame_bytes` at most, unless it is
 * there. RT_NO_MEMORY, and a line. Core 0, before the seal. */
RT_NODISCARD enum rt_status wire_reserve(struct wire *w, const struct link_way *way,
                                         uint32_t frame_bytes);
/* Empty, with the first random numbers of the way's seed. Memory was reserved. */
void wire_reset(struct wire *w, const struct link_way *way);

void wire_put(struct wire *w, const uint8_t *frame, uint32_t bytes, uint64_t now_ns);
/* The next frame that is due; NULL: none. The wire's until wire_drop_first(). */
const uint8_t *wire_first(const struct wire *w, uint64_t now_ns, uint32_t *bytes);
void wire_drop_first(struct wire *w);
uint64_t wire_next_ns(const struct wire *w); /* UINT64_MAX: none is under way */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who takes a core's time away. A gap is the time from the start of a loop's turn to the start
 * of the next one; arming before a halt counts as one, a halt does not. Each turn is counted
 * in a histogram. A gap of `limit_us` or more is looked at, off the hot path, and has a cause:
 *
 *   work      the core's own: timers that ran that long, or packets that explain it
 *   firmware  the processor counted a system management interrupt (Intel; not in a guest)
 *   host      nothing of ours explains it, and a hypervisor runs beside us
 *   unknown   nothing of ours explains it, and nobody counts: firmware of other makers,
 *             a stalled bus or memory
 *
 * The loop reads one clock a turn, so afterwards it is not known where in the turn the time
 * went. Behind a long gap it therefore clocks each source for GAP_WATCH_US; `where` of a gap
 * in that time is the part of the turn that took longest, else "-".
 *
 * Packets explain a gap when, at this core's mean cost of a packet, they are at least half of
 * it. What cannot be told: a theft in the middle of real work, and work of a source that takes
 * long without a packet to show for it. The second has the same `where` each time, thefts any.
 */
#ifndef RT_GAPS_H
#define RT_GAPS_H

#include <rt/base.h>

#define GAP_BUCKETS 65        /* bucket i: gap < 2^i us; no clamp on the hot path */
#define GAP_LIMIT_US 100      /* the least `limit_us` */
#define GAP_WATCH_US 100000   /* sources are clocked for so long behind a long gap, ... */
#define GAP_WATCH_EVERY_US (16 * GAP_WATCH_US) /* ... and not again before */

#define RT_GAP_CAUSES(X)                                                                       \
    X(WORK, "work")                                                                            \
    X(FIRMWARE, "firmware")                                                                    \
    X(HOST, "host")                                                                            \
    X(UNKNOWN, "unknown")

enum gap_cause {
#define X(id, name) GAP_##id,
    RT_GAP_CAUSES(X)
#undef X
    GAP_CAUSES
};
extern const char *const gap_cause_names[GAP_CAUSES];

/* The longest part of a turn that was clocked. */
struct gap_part {
    uint64_t turn;      /* loop_stats.turns in that turn */
    uint64_t cycles;
    const char *name;   /* of a source, or "timers", "arming" */
    uint32_t index;     /* of the source */
};

/* Long gaps of one cause. */
struct gap_kind {
    uint64_t count, total_us, longest_us;
    uint64_t at_us;      /* of the longest: when it ended, ... */
    uint32_t packets;    /* ... what its turn handled, ... */
    uint32_t index;      /* ... and which part took longest */
    const char *where;
};

/* Written by its core; others may read. */
struct gaps {
    uint64_t below_us[GAP_BUCKETS];
    struct gap_kind kind[GAP_CAUSES];
    uint64_t longest_halt_us; /* no gap: nothing was taken from anybody */
    uint64_t limit_us;        /* twice what turns with packets usually take, if that is more */
    uint64_t usual_us;        /* of turns that packets explain, while they are long */
    uint64_t watch_until_us, watch_again_us;
    uint64_t smis; /* seen so far */
    bool smi_counted, guest;
    struct gap_part part;
};

/* The cause of a gap; pure. `explained_us`: what the packets of the turn cost on average. */
enum gap_cause gaps_cause_of(uint64_t gap_us, uint64_t explained_us, uint64_t timers_us,
                             uint64_t smis, bool guest);

/* The cause of the longest gap of all; GAP_CAUSES: none was long. */
enum gap_cause gaps_longest(const struct gaps *g);
/* Buckets up to the last one that counts something. */
unsigned gaps_buckets(const struct gaps *g);

#endif

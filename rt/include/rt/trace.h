/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-core ring of fixed 16-byte events, always on, printed by a panic and by `trace` on
 * the console. Names are one table (RT_TRACE_EVENTS), which also makes the decoder. Not per packet:
 * for state changes (arm, wake, link, reset).
 */
#ifndef RT_TRACE_H
#define RT_TRACE_H

#include <rt/base.h>

#define TRACE_EVENTS_MAX 256 /* a core, power of two */

#define RT_TRACE_EVENTS(X)                                                                       \
    X(NONE, "none", "", "")                                                                      \
    X(ARM, "arm", "pending", "sources")                                                          \
    X(WAKE, "wake", "irqs", "halt_us")                                                           \
    X(LINK, "link", "port", "speed_mbps")                                                        \
    X(CORE_UP, "core_up", "core", "apic_id")                                                     \
    X(CORE_RUN, "core_run", "core", "")                                                          \
    X(NIC_RESET, "nic_reset", "port", "reason")                                                  \
    X(REFUSAL, "refusal", "owner", "wanted")                                                     \
    X(STOP, "stop", "core", "")

enum trace_id {
#define X(id, name, a, b) TRACE_##id,
    RT_TRACE_EVENTS(X)
#undef X
        TRACE_ID_COUNT
};

struct trace_event {
    uint64_t cycles;
    uint16_t id;
    uint16_t a;
    uint32_t b;
};
_Static_assert(sizeof(struct trace_event) == 16, "events are 16 bytes");

/* Writes into this core's ring, over the oldest event: a few stores, any core, any time. */
void rt_trace(enum trace_id id, uint16_t a, uint32_t b);
/* The last `count` events of a core, oldest first, `line` called for each. Any core; events
 * that the other core writes meanwhile may be torn. */
void rt_trace_dump(unsigned core, unsigned count, void (*line)(const char *text));

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that is counted, by table: the kit's own and the application's. */
#ifndef KIT_COUNTERS_H
#define KIT_COUNTERS_H

#include "state.h"

typedef void kit_counter_fn(void *ctx, const struct kit_counter *counter, uint64_t value);

/* Calls `each` for every counter of a port that is of this kind, in the order of the tables.
 * Counters of other cores are read while those cores count. */
void kit_counters_of_port(const struct kit *kit, uint32_t port, enum kit_counter_kind kind,
                          kit_counter_fn *each, void *ctx);
/* ... of a core's loop. */
void kit_counters_of_core(const struct kit *kit, unsigned core, kit_counter_fn *each,
                          void *ctx);
/* Whether the kit has a counter of that name. */
bool kit_counters_know(const char *name);
/* A line for each counter: what it means, and its unit. */
void kit_counters_explain(const struct kit *kit);

#endif

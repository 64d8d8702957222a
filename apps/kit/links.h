/* SPDX-License-Identifier: BSD-2-Clause */
/* Links of all ports while loops run. */
#ifndef KIT_LINKS_H
#define KIT_LINKS_H

#include "state.h"

struct kit_links {
    struct kit *kit;
    uint64_t irqs[NIC_PORTS_MAX]; /* link interrupts that were followed */
    uint32_t watched; /* port of the last regular look ... */
    uint64_t due_us;  /* ... and when the next one is due */
};

/* One short look, from a timer of core 0: links that had an interrupt, the regular look at the
 * next port, and a step of each port that recovers. Returns when the next step is due;
 * UINT64_MAX: none recovers. */
uint64_t kit_links_look(struct kit_links *links, uint64_t now_us);

#endif

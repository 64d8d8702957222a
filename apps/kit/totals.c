/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums over the paths of a core, and the times of the start. */
#include "totals.h"

#include <rt/assert.h>

enum { READ_TRIES = 8 };

/* The core may end its halt meanwhile: then once more, or the halt would count twice. */
static void read_times(const struct loop_stats *s, struct kit_core_totals *t)
{
    for (unsigned i = 0; i < READ_TRIES; i++) {
        uint64_t halted_at_cycles = s->halted_at_cycles;
        uint64_t now = hal_cycles();

        t->busy_cycles = __atomic_load_n(&s->busy_cycles, __ATOMIC_ACQUIRE);
        t->spin_cycles = __atomic_load_n(&s->spin_cycles, __ATOMIC_ACQUIRE);
        t->halt_cycles = __atomic_load_n(&s->halt_cycles, __ATOMIC_ACQUIRE);
        if (halted_at_cycles != 0)
            t->halt_cycles += now - halted_at_cycles;
        t->elapsed_cycles = (s->ended_cycles != 0 ? s->ended_cycles : now) - s->began_cycles;
        if (s->halted_at_cycles == halted_at_cycles)
            break;
    }
    if (s->began_cycles == 0)
        t->elapsed_cycles = 0;
}

struct kit_core_totals kit_core_totals(const struct kit *kit, unsigned core)
{
    struct kit_core_totals t = {0};

    RT_ASSERT_LT(core, kit->core_count);
    read_times(&kit->cores[core]->loop.stats, &t);
    for (uint32_t p = 0; p < kit->plan.count; p++) {
        if (kit->paths[p]->core != core)
            continue;
        for (unsigned i = 0; i <= BUF_BATCH_MAX; i++)
            t.batch[i] += kit->paths[p]->polls[i];
    }
    return t;
}

uint64_t kit_uptime_us(const struct kit *kit)
{
    return hal_us_from_cycles(hal_cycles() - kit->boot->entry_cycles);
}

uint64_t kit_first_frame_us(const struct kit *kit)
{
    uint64_t first = UINT64_MAX;

    RT_ASSERT_LE(kit->plan.count, (uint32_t)KIT_PATHS_MAX);
    for (uint32_t i = 0; i < kit->plan.count; i++) {
        if (kit->paths[i]->first_cycles != 0)
            first = RT_MIN(first, kit->paths[i]->first_cycles);
    }
    return first == UINT64_MAX ? 0 : hal_us_from_cycles(first - kit->boot->entry_cycles);
}

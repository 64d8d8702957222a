/* SPDX-License-Identifier: BSD-2-Clause */
/* The cause of a long gap; the idea is in the header. */
#include <rt/gaps.h>

const char *const gap_cause_names[GAP_CAUSES] = {
#define X(id, name) [GAP_##id] = name,
    RT_GAP_CAUSES(X)
#undef X
};

enum gap_cause gaps_cause_of(uint64_t gap_us, uint64_t explained_us, uint64_t timers_us,
                             uint64_t smis, bool guest)
{
    if (smis != 0)
        return GAP_FIRMWARE;
    if (timers_us >= gap_us / 2 || explained_us >= gap_us / 2)
        return GAP_WORK;
    return guest ? GAP_HOST : GAP_UNKNOWN;
}

enum gap_cause gaps_longest(const struct gaps *g)
{
    unsigned longest = GAP_CAUSES;
    uint64_t longest_us = 0;

    for (unsigned i = 0; i < GAP_CAUSES; i++) {
        if (g->kind[i].longest_us <= longest_us)
            continue;
        longest_us = g->kind[i].longest_us;
        longest = i;
    }
    return (enum gap_cause)longest;
}

unsigned gaps_buckets(const struct gaps *g)
{
    unsigned count = GAP_BUCKETS;

    while (count > 0 && g->below_us[count - 1] == 0)
        count--;
    return count;
}

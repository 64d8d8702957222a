/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <stdlib.h>

bool tally_init(struct tally *t, uint32_t frames, uint32_t flows)
{
    *t = (struct tally){.frames = frames, .flows = flows};
    t->seen = calloc((size_t)frames / 64 + 1, sizeof(t->seen[0]));
    t->next_seq = calloc(flows, sizeof(t->next_seq[0]));
    if (t->seen && t->next_seq)
        return true;
    tally_free(t);
    return false;
}

void tally_free(struct tally *t)
{
    free(t->seen);
    free(t->next_seq);
    *t = (struct tally){0};
}

enum tally_verdict tally_take(struct tally *t, uint32_t flow, uint32_t seq)
{
    if (seq >= t->frames || flow >= t->flows)
        return TALLY_UNKNOWN;
    uint64_t bit = UINT64_C(1) << (seq & 63);
    if (t->seen[seq / 64] & bit) {
        t->duplicates++;
        return TALLY_DUPLICATE;
    }
    t->seen[seq / 64] |= bit;
    t->unique++;
    if (seq < t->next_seq[flow]) {
        t->reordered++;
        return TALLY_REORDERED;
    }
    t->next_seq[flow] = seq + 1;
    return TALLY_GOOD;
}

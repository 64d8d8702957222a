/* SPDX-License-Identifier: BSD-2-Clause */
#include "adaptor.h"

#include <stdio.h>
#include <stdlib.h>

void adaptor_cuts_read(void)
{
    const char *at = getenv("MILLRACE_PD_CUTS");
    struct cut cut;
    int push, used;

    adaptor.cut_count = adaptor.cut_next = 0;
    while (at != NULL && sscanf(at, "%u:%u:%d%n", &cut.first, &cut.end, &push, &used) == 3) {
        if (adaptor.cut_count == ADAPTOR_CUTS_MAX)
            world_fail("a script with more packets than any here");
        cut.push = push != 0;
        adaptor.cuts[adaptor.cut_count++] = cut;
        at += used;
    }
}

/* They come in the script's order; one that never left is passed over. */
const struct cut *adaptor_cut(uint32_t first)
{
    for (uint32_t i = adaptor.cut_next; i < adaptor.cut_count; i++)
        if (adaptor.cuts[i].first == first) {
            adaptor.cut_next = i + 1;
            return &adaptor.cuts[i];
        }
    return NULL;
}

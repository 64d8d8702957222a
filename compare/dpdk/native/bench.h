/* SPDX-License-Identifier: BSD-2-Clause */
/* What the program's own files share: the rows, a turn of a lane, conditions. */
#ifndef NATIVE_BENCH_H
#define NATIVE_BENCH_H

#include "native.h"

#include <x86intrin.h>

#define TEMP_ANY TEMPS

/* A row of the table. */
struct native_item {
    const char *name;
    unsigned lanes; /* that do it */
    enum native_work work;
    enum native_traffic traffic;
    enum native_temp temp; /* TEMP_ANY: that of the program */
    uint32_t arrive, ask; /* 0: empty polls */
};

/* items.c */
extern const struct native_item native_items[];
extern const unsigned native_items_count;
/* The lane is there, and does it. */
bool native_does(const struct native *native, unsigned lane, const struct native_item *item);
/* The item's frames arrive; false: the card had no descriptor for one. */
bool native_arrive_all(struct native_card *card, const struct native_item *item);
/* A turn of a lane in ticks, all calls that it takes; UINT64_MAX: frames did not go through. */
uint64_t native_turn(struct native_lane *lane, const struct native_item *item);

/* count_items.c: prints the instructions of every item and lane. */
void native_count_all(struct native *native);

/* conditions.c */
bool native_has_cldemote(void);
/* Prints what the figures depend on. */
void native_conditions(const struct native *native, enum native_temp temp);
/* This process stays on `cpu`; returns another one that it might have used, CPU_SETSIZE:
 * none. */
unsigned native_stay_on(unsigned cpu);

RT_INLINE uint64_t native_stamp(void)
{
    uint64_t t;

    _mm_lfence();
    t = __rdtsc();
    _mm_lfence();
    return t;
}

#endif

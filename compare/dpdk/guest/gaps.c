/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gaps CORE SECONDS: a thread that only reads the time stamp counter, as a polling thread of
 * DPDK would when nothing comes, and says who was away how long: a histogram of the time from
 * one read to the next, as our image's loop keeps (rt/include/rt/gaps.h). One line of JSON.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

enum { BUCKETS = 65, CALIBRATE_MS = 100 };

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double cycles_per_us(void)
{
    uint64_t begin_ns = now_ns(), begin = __rdtsc(), ns = 0;

    while (ns < CALIBRATE_MS * UINT64_C(1000000))
        ns = now_ns() - begin_ns;
    return (double)(__rdtsc() - begin) * 1000 / (double)ns;
}

int main(int argc, char **argv)
{
    static uint64_t below_us[BUCKETS];
    uint64_t last, end, longest = 0, turns = 0;
    unsigned used = BUCKETS;
    cpu_set_t core;
    double per_us;

    if (argc != 3)
        return 2;
    CPU_ZERO(&core);
    CPU_SET((unsigned)atoi(argv[1]), &core);
    if (sched_setaffinity(0, sizeof(core), &core) != 0)
        return 1;
    per_us = cycles_per_us();
    last = __rdtsc();
    end = last + (uint64_t)(per_us * 1000000 * atof(argv[2]));
    while (last < end) {
        uint64_t now = __rdtsc();
        uint64_t gap_us = (uint64_t)((double)(now - last) / per_us);

        below_us[63 - __builtin_clzll(2 * gap_us + 1)]++;
        longest = gap_us > longest ? gap_us : longest;
        turns++;
        last = now;
    }
    while (used > 0 && below_us[used - 1] == 0)
        used--;
    printf("gaps {\"turns\":%llu,\"longest_us\":%llu,\"below_us\":[", (unsigned long long)turns,
           (unsigned long long)longest);
    for (unsigned i = 0; i < used; i++)
        printf("%s%llu", i == 0 ? "" : ",", (unsigned long long)below_us[i]);
    printf("]}\n");
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the figures depend on: the CPU, where this process runs, where buffers lie. */
#define _GNU_SOURCE
#include "bench.h"

#include <cpuid.h>
#include <sched.h>
#include <stdio.h>

/* Intel SDM, CPUID leaf 7, ECX bit 25. */
bool native_has_cldemote(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c >> 25 & 1) != 0;
}

void native_conditions(const struct native *native, enum native_temp temp)
{
    unsigned model[12] = {0};

    for (unsigned i = 0; i < 3; i++)
        (void)__get_cpuid(0x80000002u + i, &model[4 * i], &model[4 * i + 1], &model[4 * i + 2],
                          &model[4 * i + 3]);
    printf("cpu model=\"%.48s\" cldemote=%s temp=%s\n", (const char *)model,
           native_has_cldemote() ? "yes" : "no", temp == TEMP_L3 ? "l3" : "l1");
    for (unsigned i = 0; i < LANES; i++) {
        const struct native_lane *lane = &native->lane[i];
        unsigned sets = 0;

        if (lane->name == NULL)
            continue;
        for (unsigned set = 0; set < NATIVE_L1_SETS; set++)
            sets += lane->layout.in_set[set] != 0;
        printf("layout lane=%s buffers=%u sets=%u huge_kb=%llu rx=\"%s\" tx=\"%s\"\n",
               lane->name, lane->layout.objects, sets, (unsigned long long)lane->layout.huge_kb,
               lane->burst_rx, lane->burst_tx);
    }
}

unsigned native_stay_on(unsigned cpu)
{
    unsigned other = 0;
    cpu_set_t set;

    CPU_ZERO(&set);
    (void)sched_getaffinity(0, sizeof(set), &set);
    while (other < CPU_SETSIZE && (other == cpu || !CPU_ISSET(other, &set)))
        other++;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
    return other;
}

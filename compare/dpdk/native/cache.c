/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in the caches the device's writes are, and where buffers lie in them. */
#define _GNU_SOURCE
#include "native.h"

#include <emmintrin.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#define LINES_MAX 8192u /* that one arrival writes */
#define NAP_NS    200000

static enum native_temp temperature;
/* Lines for the other core: filled by the card, `asked` hands them over, `done` gives them
 * back. */
static char *lines[LINES_MAX];
static uint32_t line_count, asked, done;

/* An atomic addition of nothing: the line is modified, in that core's caches, and as it was. */
static void *other_core(void *ctx)
{
    for (uint32_t turn = 1;; turn++) { /* ends with the process */
        while (__atomic_load_n(&asked, __ATOMIC_ACQUIRE) != turn) {
            if (__atomic_load_n(&temperature, __ATOMIC_RELAXED) != TEMP_OTHER)
                (void)nanosleep(&(struct timespec){0, NAP_NS},
                                NULL); /* its CPU is others' now */
            _mm_pause();
        }
        for (uint32_t i = 0; i < line_count; i++)
            __atomic_fetch_add(lines[i], 0, __ATOMIC_RELAXED);
        __atomic_store_n(&done, turn, __ATOMIC_RELEASE);
    }
    return NULL;
}

bool native_temp_start(unsigned other_cpu)
{
    pthread_t thread;
    cpu_set_t set;

    if (pthread_create(&thread, NULL, other_core, NULL) != 0)
        return false;
    CPU_ZERO(&set);
    CPU_SET(other_cpu, &set);
    return pthread_setaffinity_np(thread, sizeof(set), &set) == 0;
}

void native_temp_set(enum native_temp temp)
{
    __atomic_store_n(&temperature, temp, __ATOMIC_RELAXED);
}

void native_temp_settle(void)
{
    if (line_count == 0)
        return;
    __atomic_store_n(&asked, asked + 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) != asked)
        _mm_pause();
    line_count = 0;
}

static void cool(char *line)
{
    if (temperature == TEMP_DRAM)
        _mm_clflush(line);
    else if (temperature == TEMP_L3) /* a hint: to the last-level cache */
        __asm__ volatile(".byte 0x0f, 0x1c, 0x07" : : "D"(line) : "memory"); /* cldemote */
    else if (line_count < LINES_MAX)
        lines[line_count++] = line;
}

void native_wrote(void *ctx, void *p, uint32_t bytes)
{
    char *line = (char *)((uintptr_t)p & ~(uintptr_t)(NATIVE_LINE - 1)),
         *end = (char *)p + bytes;

    if (temperature == TEMP_L1)
        return;
    for (; line < end; line += NATIVE_LINE)
        cool(line);
}

void native_layout_add(struct native_layout *layout, const void *header)
{
    layout->objects++;
    layout->in_set[(uintptr_t)header / NATIVE_LINE % NATIVE_L1_SETS]++;
}

uint64_t native_huge_kb(const void *memory)
{
    uintptr_t at = (uintptr_t)memory;
    uint64_t kb = 0;
    bool inside = false;
    char line[512];
    FILE *f = fopen("/proc/self/smaps", "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        unsigned long long low, high, value;

        if (sscanf(line, "%llx-%llx ", &low, &high) == 2)
            inside = at >= low && at < high;
        else if (inside && (sscanf(line, "AnonHugePages: %llu", &value) == 1 ||
                            sscanf(line, "Private_Hugetlb: %llu", &value) == 1 ||
                            sscanf(line, "Shared_Hugetlb: %llu", &value) == 1))
            kb += value;
    }
    if (f != NULL)
        fclose(f);
    return kb;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native_bench what=l2fwd|mempool|ring|count rounds=N bursts=N temp=auto|l1|l3
 * pool=packed|paged
 *
 * One line a sample, `sample item=.. lane=.. round=.. ticks=..`, of each lane that does the
 * item; rounds of all items interleaved, so that what disturbs the machine disturbs both sides.
 * rig/commands/bench.py makes ratios of many starts of this program. `count` prints instructions.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <rt/base.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM_UP       100
#define WARM_UP_MIN   16 /* where something slows it down: the other CPU has other work */
#define BURSTS_MIN    24
#define BURSTS_MAX    100000
#define ITEM_MS_MAX   40 /* of one lane in one round, and as much for its warm-up */
#define CLOCK_EVERY   8 /* turns */
#define STAMPS        1000

static uint64_t stamps[BURSTS_MAX];

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The mean without the highest tenth: interrupts and other programs. Means, because a time
 * stamp counter may step by tens of ticks. Sorts. */
static double quiet_mean(uint64_t *samples, uint32_t count)
{
    uint32_t kept = count - count / 10;
    double sum = 0;

    qsort(samples, count, sizeof(samples[0]), by_value);
    for (uint32_t i = 0; i < kept; i++)
        sum += (double)samples[i];
    return kept > 0 ? sum / kept : 0;
}

/* What two stamps cost without anything between them. */
static double stamp_cost(void)
{
    for (unsigned i = 0; i < STAMPS; i++) {
        uint64_t t = native_stamp();

        stamps[i] = native_stamp() - t;
    }
    return quiet_mean(stamps, STAMPS);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say(const char *item, const char *lane, uint32_t round, double ticks,
                double overhead, double per)
{
    ticks = ticks > overhead ? ticks - overhead : 0;
    printf("sample item=%s lane=%s round=%u ticks=%.3f\n", item, lane, round, ticks / per);
}

/* `least` turns in any case, else `most` or as many as the time allows. */
static bool more(uint32_t done, uint32_t least, uint32_t most, uint64_t begin_ms)
{
    if (done < least || done % CLOCK_EVERY != 0)
        return done < most;
    return done < most && now_ms() - begin_ms < ITEM_MS_MAX;
}

static bool measure(struct native_lane *lane, const struct native_item *item, uint32_t round,
                    uint32_t bursts, double overhead)
{
    double per = item->arrive == 0 ? NATIVE_POLLS : item->arrive;
    uint64_t begin_ms = now_ms();
    uint32_t full = 0, partial = 0;

    for (uint32_t i = 0; more(i, WARM_UP_MIN, WARM_UP, begin_ms); i++)
        (void)native_turn(lane, item);
    begin_ms = now_ms();
    while (more(full + partial, BURSTS_MIN, bursts, begin_ms)) {
        uint64_t t = native_turn(lane, item);

        if (t == UINT64_MAX)
            partial++;
        else
            stamps[full++] = t;
    }
    if (partial > 0)
        fprintf(stderr, "partial item=%s lane=%s turns=%u of=%u\n", item->name, lane->name,
                partial, full + partial);
    if (full < partial)
        return strncmp(lane->name, "dpdk", 4) == 0; /* may not like a setting; ours must */
    say(item->name, lane->name, round, quiet_mean(stamps, full), overhead, per);
    return true;
}

static void measure_object(const char *item, const struct native_object object[OBJECTS],
                           uint32_t round, uint32_t bursts, double overhead)
{
    static const char *const sides[OBJECTS] = {"ours", "dpdk"};

    for (unsigned side = 0; side < OBJECTS; side++) {
        if (object[side].step == NULL)
            continue;
        for (uint32_t i = 0; i < WARM_UP + bursts; i++) {
            uint64_t t = native_stamp();

            object[side].step(object[side].ctx);
            t = native_stamp() - t;
            if (i >= WARM_UP)
                stamps[i - WARM_UP] = t;
        }
        say(item, sides[side], round, quiet_mean(stamps, bursts), overhead, NATIVE_BULK);
    }
}

struct plan {
    const char *what;
    uint32_t rounds, bursts;
    enum native_temp temp;
    bool paged, second_cpu;
    double overhead;
};

/* Where the device's writes shall be for an item; false: this machine cannot. */
static bool warm(const struct plan *plan, const struct native_item *item)
{
    native_temp_set(item->temp == TEMP_ANY ? plan->temp : item->temp);
    return item->temp != TEMP_OTHER || plan->second_cpu;
}

static bool round_of(struct native *native, const struct plan *plan, uint32_t round)
{
    bool all = strcmp(plan->what, "l2fwd") == 0;

    for (size_t i = 0; i < native_items_count && all; i++) {
        const struct native_item *item = &native_items[i];

        if (!warm(plan, item))
            continue;
        for (unsigned lane = 0; lane < LANES; lane++)
            if (native_does(native, lane, item) &&
                !measure(&native->lane[lane], item, round, plan->bursts, plan->overhead))
                return false;
    }
    if (all || strcmp(plan->what, "mempool") == 0) {
        measure_object("take_free", native->pool, round, plan->bursts, plan->overhead);
        measure_object("take_free_bulk", native->pool_bulk, round, plan->bursts,
                       plan->overhead);
    }
    if (all || strcmp(plan->what, "ring") == 0) {
        measure_object("ring", native->ring, round, plan->bursts, plan->overhead);
        measure_object("ring_one", native->ring_one, round, plan->bursts, plan->overhead);
    }
    return true;
}

/* Sets one field from one argument; false: it knows none like this. */
static bool option(struct plan *plan, const char *word)
{
    if (strncmp(word, "what=", 5) == 0)
        plan->what = word + 5;
    else if (strncmp(word, "rounds=", 7) == 0)
        plan->rounds = (uint32_t)strtoul(word + 7, NULL, 10);
    else if (strncmp(word, "bursts=", 7) == 0)
        plan->bursts = (uint32_t)strtoul(word + 7, NULL, 10);
    else if (strcmp(word, "temp=l1") == 0)
        plan->temp = TEMP_L1;
    else if (strcmp(word, "temp=l3") == 0)
        plan->temp = TEMP_L3;
    else if (strcmp(word, "pool=paged") == 0)
        plan->paged = true;
    else
        return strcmp(word, "temp=auto") == 0 || strcmp(word, "pool=packed") == 0;
    return true;
}

static bool options(struct plan *plan, int argc, char **argv)
{
    static const char *const whats[] = {"l2fwd", "mempool", "ring", "count"};
    bool good = true, known = false;

    for (int i = 1; i < argc; i++)
        good = option(plan, argv[i]) && good;
    for (unsigned i = 0; i < RT_ARRAY_SIZE(whats); i++)
        known = known || strcmp(plan->what, whats[i]) == 0;
    if (!good || !known || plan->bursts < BURSTS_MIN || plan->bursts > BURSTS_MAX - WARM_UP) {
        fprintf(stderr,
                "usage: %s what=l2fwd|mempool|ring|count rounds=N bursts=N "
                "temp=auto|l1|l3 pool=packed|paged\n",
                argv[0]);
        return false;
    }
    if (plan->temp == TEMP_L3 && !native_has_cldemote()) {
        fprintf(stderr,
                "this CPU has no CLDEMOTE: lines stay where the model's core left them, "
                "which is l1\n");
        return false;
    }
    return true;
}

static bool totals(const struct native *native)
{
    uint64_t sent = 0, corrupt = 0;

    for (unsigned i = 0; i < LANES; i++) {
        sent += native->lane[i].card.sent;
        corrupt += native->lane[i].card.corrupt;
    }
    printf("checked frames=%llu corrupt=%llu\n", (unsigned long long)sent,
           (unsigned long long)corrupt);
    return corrupt == 0;
}

int main(int argc, char **argv)
{
    static struct native native;
    struct plan plan = {.what = "l2fwd",
                        .rounds = 5,
                        .bursts = 1000,
                        .temp = native_has_cldemote() ? TEMP_L3 : TEMP_L1};
    unsigned cpu = (unsigned)sched_getcpu(), other_cpu;

    if (!options(&plan, argc, argv))
        return 2;
    other_cpu = native_stay_on(cpu);
    plan.second_cpu = other_cpu < CPU_SETSIZE && native_temp_start(other_cpu);
    if (!native_ours_start(&native))
        return 1;
    if (!native_dpdk_start(&native, cpu, plan.paged))
        printf("dpdk available=no\n");
    native_conditions(&native, plan.temp);
    plan.overhead = stamp_cost();
    if (strcmp(plan.what, "count") == 0)
        native_count_all(&native);
    for (uint32_t i = 0; i < plan.rounds && strcmp(plan.what, "count") != 0; i++) {
        if (!round_of(&native, &plan, i))
            return 1;
        fflush(stdout);
    }
    return totals(&native) ? 0 : 1;
}

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
#include "native.h"

#include <cpuid.h>
#include <rt/base.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#define WARM_UP       100
#define WARM_UP_MIN   16 /* where something slows it down: the other CPU has other work */
#define BURSTS_MIN    24
#define BURSTS_MAX    100000
#define ITEM_MS_MAX   40 /* of one lane in one round, and as much for its warm-up */
#define CLOCK_EVERY   8 /* turns */
#define STAMPS        1000
#define DRAIN_TURNS   64
#define COUNT_TURNS   8
#define COUNT_WARM_UP 200
#define CALLS_MAX     2 /* DPDK's vector receive ends a burst where the ring ends */
#define TEMP_ANY      TEMPS

#define BIT(lane) (1u << LANE_##lane)
#define OURS_ALL  (BIT(OURS_128) | BIT(OURS_512) | BIT(OURS_1024))
#define DPDK_ALL                                                                               \
    (BIT(DPDK_128) | BIT(DPDK_128_96) | BIT(DPDK_128_512) | BIT(DPDK_512) |                    \
     BIT(DPDK_512_476) | BIT(DPDK_1024))
#define AT_128 (BIT(OURS_128) | BIT(DPDK_128))
#define MEMORY (AT_128 | BIT(OURS_512) | BIT(DPDK_512) | BIT(DPDK_128_ALL))

struct item {
    const char *name;
    unsigned lanes; /* that do it */
    enum native_work work;
    enum native_traffic traffic;
    enum native_temp temp; /* TEMP_ANY: that of the program */
    uint32_t arrive, ask; /* 0: empty polls */
};

static const struct item items[] = {
    {"macswap", OURS_ALL | DPDK_ALL | BIT(DPDK_128_ALL), WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 32,
     32},
    {"io", OURS_ALL | DPDK_ALL, WORK_IO, TRAFFIC_PLAIN, TEMP_ANY, 32, 32},
    {"csum", BIT(OURS_128) | BIT(DPDK_CSUM), WORK_CSUM, TRAFFIC_PLAIN, TEMP_ANY, 32, 32},
    {"csum_2", BIT(OURS_128) | BIT(DPDK_CSUM), WORK_CSUM, TRAFFIC_HEADERS_2, TEMP_ANY, 32, 32},
    {"csum_4", BIT(OURS_128) | BIT(DPDK_CSUM), WORK_CSUM, TRAFFIC_HEADERS_4, TEMP_ANY, 32, 32},
    {"one", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 1, 32},
    {"empty", AT_128, WORK_IO, TRAFFIC_PLAIN, TEMP_ANY, 0, 0},
    {"burst_4", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 4, 4},
    {"burst_8", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 8, 8},
    {"burst_16", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 16, 16},
    {"burst_64", BIT(OURS_512) | BIT(DPDK_512), WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 64, 64},
    {"wrong_sum", BIT(OURS_128) | BIT(DPDK_RX_CSUM), WORK_SWAP, TRAFFIC_WRONG_SUM, TEMP_ANY, 32,
     32},
    {"imix", AT_128, WORK_SWAP, TRAFFIC_IMIX, TEMP_ANY, 32, 32},
    {"two_buffers", BIT(OURS_LONG) | BIT(DPDK_LONG), WORK_SWAP, TRAFFIC_TWO_BUFFERS, TEMP_ANY,
     32, 32},
    {"macswap_other", MEMORY, WORK_SWAP, TRAFFIC_PLAIN, TEMP_OTHER, 32, 32},
    {"io_other", MEMORY, WORK_IO, TRAFFIC_PLAIN, TEMP_OTHER, 32, 32},
    {"macswap_dram", MEMORY, WORK_SWAP, TRAFFIC_PLAIN, TEMP_DRAM, 32, 32},
    {"io_dram", MEMORY, WORK_IO, TRAFFIC_PLAIN, TEMP_DRAM, 32, 32},
};

static uint64_t stamps[BURSTS_MAX];

static uint64_t stamp(void)
{
    uint64_t t;

    _mm_lfence();
    t = __rdtsc();
    _mm_lfence();
    return t;
}

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
        uint64_t t = stamp();

        stamps[i] = stamp() - t;
    }
    return quiet_mean(stamps, STAMPS);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool arrive(struct native_card *card, const struct item *item)
{
    for (uint32_t i = 0; i < item->arrive; i++)
        if (!native_arrive(card, item->traffic))
            return false;
    native_temp_settle();
    _mm_mfence();
    return true;
}

/* Nothing of a turn that went wrong stays for the next. */
static void drain(struct native_lane *lane, const struct item *item)
{
    for (unsigned i = 0; i < DRAIN_TURNS; i++) {
        (void)lane->step(lane->ctx, item->work, NATIVE_BULK);
        (void)x82599_tx_run(lane->card.dev, 0);
    }
}

/* A turn of a lane in ticks, all calls that it takes; UINT64_MAX: frames did not go through. */
static uint64_t turn(struct native_lane *lane, const struct item *item)
{
    uint32_t sent = 0;
    uint64_t t;

    lane->card.work = item->work;
    if (!arrive(&lane->card, item)) {
        drain(lane, item);
        return UINT64_MAX;
    }
    t = stamp();
    if (item->arrive == 0)
        lane->empty(lane->ctx);
    else
        for (unsigned calls = 0; sent < item->arrive && calls < CALLS_MAX; calls++)
            sent += lane->step(lane->ctx, item->work, item->ask);
    t = stamp() - t;
    (void)x82599_tx_run(lane->card.dev, 0);
    if (sent == item->arrive)
        return t;
    drain(lane, item);
    return UINT64_MAX;
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

static bool measure(struct native_lane *lane, const struct item *item, uint32_t round,
                    uint32_t bursts, double overhead)
{
    double per = item->arrive == 0 ? NATIVE_POLLS : item->arrive;
    uint64_t begin_ms = now_ms();
    uint32_t full = 0, partial = 0;

    for (uint32_t i = 0; more(i, WARM_UP_MIN, WARM_UP, begin_ms); i++)
        (void)turn(lane, item);
    begin_ms = now_ms();
    while (more(full + partial, BURSTS_MIN, bursts, begin_ms)) {
        uint64_t t = turn(lane, item);

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
            uint64_t t = stamp();

            object[side].step(object[side].ctx);
            t = stamp() - t;
            if (i >= WARM_UP)
                stamps[i - WARM_UP] = t;
        }
        say(item, sides[side], round, quiet_mean(stamps, bursts), overhead, NATIVE_BULK);
    }
}

static bool does(const struct native *native, unsigned lane, const struct item *item)
{
    return (item->lanes & 1u << lane) != 0 && native->lane[lane].name != NULL;
}

struct plan {
    const char *what;
    uint32_t rounds, bursts;
    enum native_temp temp;
    bool paged, second_cpu;
    double overhead;
};

/* Where the device's writes shall be for an item; false: this machine cannot. */
static bool warm(const struct plan *plan, const struct item *item)
{
    native_temp_set(item->temp == TEMP_ANY ? plan->temp : item->temp);
    return item->temp != TEMP_OTHER || plan->second_cpu;
}

static bool round_of(struct native *native, const struct plan *plan, uint32_t round)
{
    bool all = strcmp(plan->what, "l2fwd") == 0;

    for (size_t i = 0; i < RT_ARRAY_SIZE(items) && all; i++) {
        if (!warm(plan, &items[i]))
            continue;
        for (unsigned lane = 0; lane < LANES; lane++)
            if (does(native, lane, &items[i]) &&
                !measure(&native->lane[lane], &items[i], round, plan->bursts, plan->overhead))
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

/* ---- instructions ---- */

struct counted {
    struct native_lane *lane;
    const struct item *item;
};

static void count_prepare(void *ctx)
{
    const struct counted *c = ctx;

    c->lane->card.work = c->item->work;
    (void)arrive(&c->lane->card, c->item);
}

static void count_run(void *ctx)
{
    const struct counted *c = ctx;

    if (c->item->arrive == 0)
        c->lane->empty(c->lane->ctx);
    else
        (void)c->lane->step(c->lane->ctx, c->item->work, c->item->ask);
}

static void count_finish(void *ctx)
{
    const struct counted *c = ctx;

    (void)x82599_tx_run(c->lane->card.dev, 0);
}

static void count_say(const char *item, const char *lane, const struct native_region *region,
                      double per)
{
    uint64_t count = native_count(region, COUNT_TURNS);

    if (count > 0)
        printf("count item=%s lane=%s instructions=%.1f\n", item, lane,
               (double)count / COUNT_TURNS / per);
}

static void count_item(struct native_lane *lane, const struct item *item)
{
    struct counted c = {lane, item};
    struct native_region region = {count_prepare, count_run, count_finish, &c};

    for (unsigned i = 0; i < COUNT_WARM_UP; i++)
        (void)turn(lane, item);
    count_say(item->name, lane->name, &region, item->arrive == 0 ? NATIVE_POLLS : item->arrive);
}

static void nothing(void *ctx)
{
}

static void count_object(const char *item, const struct native_object object[OBJECTS])
{
    static const char *const sides[OBJECTS] = {"ours", "dpdk"};

    for (unsigned side = 0; side < OBJECTS; side++) {
        struct native_region region = {nothing, object[side].step, nothing, object[side].ctx};

        if (region.run != NULL)
            count_say(item, sides[side], &region, NATIVE_BULK);
    }
}

/* Where a line lies does not change what is executed: one temperature will do. */
static void count_all(struct native *native)
{
    native_temp_set(TEMP_L1);
    for (size_t i = 0; i < RT_ARRAY_SIZE(items); i++)
        for (unsigned lane = 0; lane < LANES && items[i].temp == TEMP_ANY; lane++)
            if (does(native, lane, &items[i]))
                count_item(&native->lane[lane], &items[i]);
    count_object("take_free", native->pool);
    count_object("take_free_bulk", native->pool_bulk);
    count_object("ring", native->ring);
    count_object("ring_one", native->ring_one);
}

/* ---- conditions ---- */

/* Intel SDM, CPUID leaf 7, ECX bit 25. */
static bool has_cldemote(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c >> 25 & 1) != 0;
}

static void conditions(const struct native *native, enum native_temp temp)
{
    unsigned model[12] = {0};

    for (unsigned i = 0; i < 3; i++)
        (void)__get_cpuid(0x80000002u + i, &model[4 * i], &model[4 * i + 1], &model[4 * i + 2],
                          &model[4 * i + 3]);
    printf("cpu model=\"%.48s\" cldemote=%s temp=%s\n", (const char *)model,
           has_cldemote() ? "yes" : "no", temp == TEMP_L3 ? "l3" : "l1");
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

/* This process stays on `cpu`; returns another one that it might have used, CPU_SETSIZE: none.
 */
static unsigned stay_on(unsigned cpu)
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
    if (plan->temp == TEMP_L3 && !has_cldemote()) {
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
                        .temp = has_cldemote() ? TEMP_L3 : TEMP_L1};
    unsigned cpu = (unsigned)sched_getcpu(), other_cpu;

    if (!options(&plan, argc, argv))
        return 2;
    other_cpu = stay_on(cpu);
    plan.second_cpu = other_cpu < CPU_SETSIZE && native_temp_start(other_cpu);
    if (!native_ours_start(&native))
        return 1;
    if (!native_dpdk_start(&native, cpu, plan.paged))
        printf("dpdk available=no\n");
    conditions(&native, plan.temp);
    plan.overhead = stamp_cost();
    if (strcmp(plan.what, "count") == 0)
        count_all(&native);
    for (uint32_t i = 0; i < plan.rounds && strcmp(plan.what, "count") != 0; i++) {
        if (!round_of(&native, &plan, i))
            return 1;
        fflush(stdout);
    }
    return totals(&native) ? 0 : 1;
}

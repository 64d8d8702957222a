/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native_bench WHAT ROUNDS BURSTS TEMP: one line a sample, `sample key=.. ticks=..`, rounds of
 * all rows interleaved, so that what disturbs the machine disturbs both sides. rig/bench.py
 * makes medians and ratios of it. WHAT: l2fwd, mempool, ring, or count (instructions);
 * TEMP: l1, l3, other (written by another core), dram.
 */
#define _GNU_SOURCE
#include "native.h"

#include <rt/base.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#define WARM_UP 200
#define BURSTS_MAX 100000
#define STAMPS 1000
#define DRAIN_TURNS 64
#define COUNT_TURNS 8
#define CALLS_MAX 2 /* DPDK's vector receive ends a burst where the ring ends */

struct row {
    const char *key;
    enum native_lanes lane;
    enum native_work work;
    uint32_t arrive, ask; /* 0: empty polls */
};

static const struct row rows[] = {
    {"ours_macswap", LANE_OURS_128, WORK_SWAP, 32, 32},
    {"dpdk_128_macswap", LANE_DPDK_128, WORK_SWAP, 32, 32},
    {"dpdk_448_macswap", LANE_DPDK_128_512, WORK_SWAP, 32, 32},
    {"dpdk_default_macswap", LANE_DPDK_DEFAULT, WORK_SWAP, 32, 32},
    {"ours_io", LANE_OURS_128, WORK_IO, 32, 32},
    {"dpdk_128_io", LANE_DPDK_128, WORK_IO, 32, 32},
    {"dpdk_448_io", LANE_DPDK_128_512, WORK_IO, 32, 32},
    {"dpdk_default_io", LANE_DPDK_DEFAULT, WORK_IO, 32, 32},
    {"ours_csum", LANE_OURS_128, WORK_CSUM, 32, 32},
    {"dpdk_csum", LANE_DPDK_CSUM, WORK_CSUM, 32, 32},
    {"ours_one_pkt", LANE_OURS_128, WORK_SWAP, 1, 32},
    {"dpdk_one_pkt", LANE_DPDK_128, WORK_SWAP, 1, 32},
    {"ours_empty_poll", LANE_OURS_128, WORK_IO, 0, 0},
    {"dpdk_empty_poll", LANE_DPDK_128, WORK_IO, 0, 0},
    {"ours_macswap_b1", LANE_OURS_128, WORK_SWAP, 1, 1}, /* DPDK's vector receive: 4 or more */
    {"dpdk_macswap_b4", LANE_DPDK_128, WORK_SWAP, 4, 4},
    {"ours_macswap_b4", LANE_OURS_128, WORK_SWAP, 4, 4},
    {"dpdk_macswap_b8", LANE_DPDK_128, WORK_SWAP, 8, 8},
    {"ours_macswap_b8", LANE_OURS_128, WORK_SWAP, 8, 8},
    {"dpdk_macswap_b16", LANE_DPDK_128, WORK_SWAP, 16, 16},
    {"ours_macswap_b16", LANE_OURS_128, WORK_SWAP, 16, 16},
    {"dpdk_macswap_b64", LANE_DPDK_DEFAULT, WORK_SWAP, 64, 64},
    {"ours_macswap_b64", LANE_OURS_128, WORK_SWAP, 64, 64},
    {"ours_macswap_r512", LANE_OURS_512, WORK_SWAP, 32, 32},
    {"ours_macswap_r1024", LANE_OURS_1024, WORK_SWAP, 32, 32},
    {"dpdk_macswap_r1024", LANE_DPDK_1024, WORK_SWAP, 32, 32},
};

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

static uint64_t stamp_cost(void)
{
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < STAMPS; i++) {
        uint64_t t = stamp();

        t = stamp() - t;
        best = RT_MIN(best, t);
    }
    return best;
}

static bool arrive(struct native_card *card, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        if (x82599_receive(card->dev, native_frame(), NATIVE_FRAME_BYTES) != X82599_RX_ACCEPTED)
            return false;
    native_temp_settle();
    _mm_mfence();
    return true;
}

/* Nothing of a turn that went wrong stays for the next. */
static void drain(struct native_lane *lane, const struct row *row)
{
    for (unsigned i = 0; i < DRAIN_TURNS; i++) {
        (void)lane->step(lane->ctx, row->work, NATIVE_BULK);
        (void)x82599_tx_run(lane->card.dev, 0);
    }
}

/* A turn of a lane in ticks, all calls that it takes; UINT64_MAX: not all frames went through. */
static uint64_t turn(struct native_lane *lane, const struct row *row)
{
    uint32_t sent = 0;
    uint64_t t;

    lane->card.work = row->work;
    if (!arrive(&lane->card, row->arrive)) {
        drain(lane, row);
        return UINT64_MAX;
    }
    t = stamp();
    if (row->arrive == 0)
        lane->empty(lane->ctx);
    else
        for (unsigned calls = 0; sent < row->arrive && calls < CALLS_MAX; calls++)
            sent += lane->step(lane->ctx, row->work, row->ask);
    t = stamp() - t;
    (void)x82599_tx_run(lane->card.dev, 0);
    if (sent == row->arrive)
        return t;
    drain(lane, row);
    return UINT64_MAX;
}

static double median(uint64_t *samples, uint32_t count)
{
    qsort(samples, count, sizeof(samples[0]), by_value);
    return (double)samples[count / 2];
}

static bool measure(struct native *native, const struct row *row, uint32_t bursts,
                    uint64_t overhead)
{
    static uint64_t samples[BURSTS_MAX];
    struct native_lane *lane = &native->lane[row->lane];
    double per = row->arrive == 0 ? NATIVE_POLLS : row->arrive;
    uint32_t full = 0, partial = 0;

    if (lane->name == NULL)
        return true;
    for (uint32_t i = 0; i < WARM_UP + bursts; i++) {
        uint64_t t = turn(lane, row);

        if (t == UINT64_MAX)
            partial++;
        else if (i >= WARM_UP)
            samples[full++] = t > overhead ? t - overhead : 0;
    }
    if (partial > 0)
        fprintf(stderr, "partial key=%s turns=%u of=%u\n", row->key, partial, WARM_UP + bursts);
    if (full < bursts / 2)
        return row->lane >= LANE_DPDK_128; /* a driver may not like a setting; ours must */
    printf("sample key=%s ticks=%.2f\n", row->key, median(samples, full) / per);
    return true;
}

static void measure_object(const char *key, const struct native_object *object,
                           uint32_t bursts, uint64_t overhead)
{
    static uint64_t samples[BURSTS_MAX];

    if (object->step == NULL)
        return;
    for (uint32_t i = 0; i < WARM_UP + bursts; i++) {
        uint64_t t = stamp();

        object->step(object->ctx);
        t = stamp() - t;
        if (i >= WARM_UP)
            samples[i - WARM_UP] = t > overhead ? t - overhead : 0;
    }
    printf("sample key=%s ticks=%.2f\n", key, median(samples, bursts) / NATIVE_BULK);
}

static bool round_of(struct native *native, const char *what, uint32_t bursts,
                     uint64_t overhead)
{
    if (strcmp(what, "l2fwd") == 0)
        for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++)
            if (!measure(native, &rows[i], bursts, overhead))
                return false;
    if (strcmp(what, "ring") != 0) {
        measure_object("ours_take_free", &native->pool[OBJECT_OURS], bursts, overhead);
        measure_object("dpdk_alloc_free", &native->pool[OBJECT_DPDK], bursts, overhead);
    }
    if (strcmp(what, "mempool") != 0) {
        measure_object("ours_ring", &native->ring[OBJECT_OURS], bursts, overhead);
        measure_object("dpdk_ring", &native->ring[OBJECT_DPDK], bursts, overhead);
        measure_object("ours_ring_one", &native->ring_one[OBJECT_OURS], bursts, overhead);
        measure_object("dpdk_ring_one", &native->ring_one[OBJECT_DPDK], bursts, overhead);
    }
    return true;
}

/* ---- instructions ---- */

struct counted {
    struct native_lane *lane;
    const struct row *row;
};

static void count_prepare(void *ctx)
{
    const struct counted *c = ctx;

    c->lane->card.work = c->row->work;
    (void)arrive(&c->lane->card, c->row->arrive);
}

static void count_run(void *ctx)
{
    const struct counted *c = ctx;

    if (c->row->arrive == 0)
        c->lane->empty(c->lane->ctx);
    else
        (void)c->lane->step(c->lane->ctx, c->row->work, c->row->ask);
}

static void count_finish(void *ctx)
{
    const struct counted *c = ctx;

    (void)x82599_tx_run(c->lane->card.dev, 0);
}

static void count_row(struct native *native, const struct row *row)
{
    struct counted c = {&native->lane[row->lane], row};
    struct native_region region = {count_prepare, count_run, count_finish, &c};
    double per = row->arrive == 0 ? NATIVE_POLLS : row->arrive;
    uint64_t count;

    if (c.lane->name == NULL)
        return;
    for (unsigned i = 0; i < WARM_UP; i++)
        (void)turn(c.lane, row);
    count = native_count(&region, COUNT_TURNS);
    if (count > 0)
        printf("count key=%s instructions=%.1f\n", row->key, (double)count / COUNT_TURNS / per);
}

/* TEMPS: no such name. */
static enum native_temp temp_of(const char *name)
{
    static const char *const names[TEMPS] = {"l1", "l3", "other", "dram"};
    unsigned temp = 0;

    while (temp < TEMPS && strcmp(name, names[temp]) != 0)
        temp++;
    return (enum native_temp)temp;
}

/* This process stays on `cpu`; returns another one that it might have used. */
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
    return other < CPU_SETSIZE ? other : NATIVE_NO_CPU;
}

int main(int argc, char **argv)
{
    static struct native native;
    uint32_t rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : 5;
    uint32_t bursts = argc > 3 ? (uint32_t)atoi(argv[3]) : 2000;
    unsigned cpu = (unsigned)sched_getcpu(), other_cpu;
    uint64_t overhead, sent = 0, corrupt = 0;

    enum native_temp temp = temp_of(argc > 4 ? argv[4] : "l3");

    if (argc < 2 || bursts == 0 || bursts > BURSTS_MAX || temp == TEMPS) {
        fprintf(stderr,
                "usage: %s l2fwd|mempool|ring|count [rounds [bursts [l1|l3|other|dram]]]\n",
                argv[0]);
        return 2;
    }
    other_cpu = stay_on(cpu);
    if (!native_ours_start(&native))
        return 1;
    if (!native_dpdk_start(&native, cpu))
        printf("dpdk available=no\n");
    if (!native_temp_set(temp, other_cpu)) {
        fprintf(stderr, "%s: no second CPU to write from; another temperature\n", argv[4]);
        return 1;
    }
    overhead = stamp_cost();
    for (size_t i = 0; i < RT_ARRAY_SIZE(rows) && strcmp(argv[1], "count") == 0; i++)
        count_row(&native, &rows[i]);
    for (uint32_t i = 0; i < rounds && strcmp(argv[1], "count") != 0; i++) {
        if (!round_of(&native, argv[1], bursts, overhead))
            return 1;
        fflush(stdout);
    }
    for (unsigned i = 0; i < LANES; i++) {
        sent += native.lane[i].card.sent;
        corrupt += native.lane[i].card.corrupt;
    }
    printf("checked frames=%llu corrupt=%llu\n", (unsigned long long)sent,
           (unsigned long long)corrupt);
    return corrupt == 0 ? 0 : 1;
}

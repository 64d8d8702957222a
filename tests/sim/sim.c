/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <mempool/ext.h>
#include <rt/host.h>
#include <stdarg.h>
#include <stdio.h>

enum { TURNS_MAX = 1000000, TURNS_AT_ONCE_MAX = 10000 };
#define QUIET_AFTER_US UINT64_C(30000000) /* from then on the line is good */
#define END_AFTER_US UINT64_C(2000000000)

uint32_t sim_random(struct sim *sim, uint32_t below)
{
    RT_ASSERT_LT(0u, below);
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 7;
    sim->random ^= sim->random << 17;
    return (uint32_t)(sim->random >> 20) % below;
}

void sim_trace(struct sim *sim, uint64_t value)
{
    sim->trace = (sim->trace ^ value ^ sim->now_us) * UINT64_C(1099511628211);
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list args;
    int bytes;

    if (sim->failed)
        return;
    sim->failed = true;
    bytes = snprintf(sim->message, sizeof(sim->message), "seed %llu, %.6f s: ",
                     (unsigned long long)sim->seed,
                     (double)(sim->now_us - sim->start_us) / 1e6);
    va_start(args, format);
    vsnprintf(sim->message + bytes, sizeof(sim->message) - (size_t)bytes, format, args);
    va_end(args);
}

/* Any time; or one soon after which the low 32 bits of microseconds wrap; or soon after the
 * start of a machine: timestamps of the hostile build wrap then. */
static uint64_t first_us(struct sim *sim)
{
    const uint64_t ms = sim_random(sim, 1000000);

    if (sim->seed % 4 == 1)
        return (UINT64_C(3) << 32) - ms * 10;
    if (sim->seed % 4 == 3)
        return 1000000 + ms;
    return 1000000 + ms * 1000;
}

static void start(struct sim *sim, uint64_t seed)
{
    host_memory_reset();
    host_set_core_count(1);
    pool_takes_fail_from(seed);
    sim->seed = seed;
    sim->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    sim->now_us = sim->start_us = first_us(sim);
    host_clock_virtual(sim->now_us);
    sim->trace = 0;
    sim->failed = sim->quiet = false;
    sim->v6 = seed % 5 == 0;
    watch_reset(&sim->watch);
    line_choose(sim);
    devices_begin(sim);
    for (unsigned i = 0; i < 2; i++)
        side_start(&sim->sides[i], sim, i);
    sim->start_us = sim->now_us;
    peers_start(sim);
}

static uint64_t next_us(const struct sim *sim)
{
    return RT_MIN(RT_MIN(line_next_us(sim), peers_next_us(sim)),
                  RT_MIN(side_next_us(&sim->sides[0]), side_next_us(&sim->sides[1])));
}

static void turn(struct sim *sim)
{
    sim->quiet = sim->now_us - sim->start_us > QUIET_AFTER_US;
    peers_turn(sim);
    for (unsigned i = 0; i < 2; i++) {
        side_turn(&sim->sides[i]);
        check_side(&sim->sides[i]);
    }
    if (buf_refusals() != 0)
        sim_fail(sim, "a hand-over was refused");
}

/* Until nothing is due any more on either side: TIME-WAIT and neighbours are over, too. */
static void run(struct sim *sim)
{
    uint32_t at_once = 0;

    for (uint32_t turns = 0; turns < TURNS_MAX && !sim->failed; turns++) {
        uint64_t next;

        turn(sim);
        next = next_us(sim);
        if (next == UINT64_MAX)
            return;
        at_once = next > sim->now_us ? 0 : at_once + 1;
        sim->now_us = RT_MAX(sim->now_us, next);
        if (at_once > TURNS_AT_ONCE_MAX || sim->now_us - sim->start_us > END_AFTER_US)
            break;
    }
    sim_fail(sim, "no end: %s", peers_done(sim) ? "a timer is left" : "a connection is left");
}

static void stop(struct sim *sim)
{
    if (!sim->failed)
        peers_finish(sim);
    peers_drop(sim);
    for (unsigned i = 0; i < 2; i++)
        net_close(sim->sides[i].net);
    for (unsigned i = 0; i < 2; i++) {
        const struct pool *pool = sim->sides[i].pool;

        device_stop(&sim->sides[i]);
        if (pool->free != pool->total)
            sim_fail(sim, "side %u: %u of %u buffers are not home", i, pool->total - pool->free,
                     pool->total);
    }
    devices_end(sim);
    pool_forget_all();
}

bool sim_run(struct sim *sim, uint64_t seed)
{
    start(sim, seed);
    run(sim);
    stop(sim);
    return !sim->failed;
}

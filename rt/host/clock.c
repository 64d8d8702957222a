/* SPDX-License-Identifier: BSD-2-Clause */
/* Clock of a Linux process: the TSC measured against CLOCK_MONOTONIC, or virtual time. */
#include "host.h"

#include <rt/assert.h>
#include <time.h>

enum {
    NS_IN_S = 1000000000,
    CALIBRATE_NS = 5000000,
    LOOKS = 10,
    US_IN_S = 1000000,
};

uint64_t hal_cycles_hz = NS_IN_S;
bool host_clock_is_virtual;
uint64_t host_clock_virtual_cycles;

static uint64_t real_hz;
static uint64_t start_cycles;

static uint64_t monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_IN_S + (uint64_t)t.tv_nsec;
}

/* Both clocks at one moment: the closest of a few looks. A host that is busy may stop this thread
 * between two reads, for longer than all of the measurement takes. */
static void read_both(uint64_t *cycles, uint64_t *ns)
{
    uint64_t closest = UINT64_MAX;

    for (unsigned i = 0; i < LOOKS; i++) {
        uint64_t before = __builtin_ia32_rdtsc(), now_ns = monotonic_ns();
        uint64_t took = __builtin_ia32_rdtsc() - before;

        if (took >= closest)
            continue;
        closest = took;
        *cycles = before + took / 2;
        *ns = now_ns;
    }
}

/* Before main(): tests use the clock without starting anything. */
__attribute__((constructor)) static void calibrate(void)
{
    uint64_t ns = 0, end_ns = 0, end_cycles = 0;

    read_both(&start_cycles, &ns);
    while (end_ns < ns + CALIBRATE_NS)
        end_ns = monotonic_ns();
    read_both(&end_cycles, &end_ns);
    RT_ASSERT_LT(start_cycles, end_cycles);
    RT_ASSERT_LT(ns, end_ns);
    real_hz = (uint64_t)((unsigned __int128)(end_cycles - start_cycles) * NS_IN_S /
                         (end_ns - ns));
    hal_cycles_hz = real_hz;
}

uint64_t hal_us_from_cycles(uint64_t cycles)
{
    return (uint64_t)((unsigned __int128)cycles * US_IN_S / hal_cycles_hz);
}

uint64_t hal_cycles_from_us(uint64_t us)
{
    return (uint64_t)((unsigned __int128)us * hal_cycles_hz / US_IN_S);
}

uint64_t hal_us_at(uint64_t cycles)
{
    return hal_us_from_cycles(host_clock_is_virtual ? cycles : cycles - start_cycles);
}

uint64_t hal_now_us(void)
{
    return hal_us_at(hal_cycles());
}

void hal_delay_us(uint32_t us)
{
    uint64_t end = hal_cycles() + hal_cycles_from_us(us);

    if (host_clock_is_virtual) {
        host_clock_advance_us(us);
        return;
    }
    while (hal_cycles() < end)
        hal_pause();
}

enum rt_status hal_wait_reg(const struct hal_mmio *mmio, uint32_t offset, uint32_t mask,
                            uint32_t want, uint32_t timeout_us, uint32_t *value)
{
    uint64_t end_us = hal_now_us() + timeout_us;

    RT_ASSERT_EQ(want & ~mask, 0u); /* else it could only time out */
    for (;;) {
        bool last = hal_now_us() >= end_us; /* read once more after the deadline */
        uint32_t v = hal_read32(mmio, offset);

        if (value != NULL)
            *value = v;
        if ((v & mask) == want)
            return RT_OK;
        if (last)
            return RT_TIMEOUT;
        hal_delay_us(1);
    }
}

void host_clock_virtual(uint64_t now_us)
{
    host_clock_is_virtual = true;
    hal_cycles_hz = NS_IN_S;
    host_clock_virtual_cycles = now_us * (NS_IN_S / US_IN_S);
}

void host_clock_advance_us(uint64_t us)
{
    RT_ASSERT(host_clock_is_virtual);
    __atomic_fetch_add(&host_clock_virtual_cycles, us * (NS_IN_S / US_IN_S), __ATOMIC_RELAXED);
}

void host_clock_real(void)
{
    host_clock_is_virtual = false;
    hal_cycles_hz = real_hz;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Halting a core: a timed wait of its thread; in virtual time the clock jumps. */
#include <rt/assert.h>

#include "host.h"

static void (*wait_hook)(void *ctx, unsigned core, uint64_t until_us);
static void *wait_hook_ctx;
static uint64_t waits[HAL_CORES_MAX];

void hal_wait(uint64_t until_us)
{
    unsigned core = hal_core_id();
    uint64_t now_us;

    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    waits[core % HAL_CORES_MAX]++;
    if (wait_hook != NULL)
        wait_hook(wait_hook_ctx, core, until_us);
    if (host_core_sleep(core, until_us) || !host_clock_is_virtual)
        return;
    now_us = hal_now_us();
    if (until_us > now_us)
        host_clock_advance_us(until_us - now_us);
}

void host_wait_hook(void (*hook)(void *ctx, unsigned core, uint64_t until_us), void *ctx)
{
    wait_hook = hook;
    wait_hook_ctx = ctx;
}

uint64_t host_waits(unsigned core)
{
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    return waits[core % HAL_CORES_MAX];
}

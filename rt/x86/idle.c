/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Halting. There is no periodic tick: a one-shot timer of the core's own APIC is the only
 * thing that runs, and only when the halt has a deadline. Interrupts are off everywhere
 * else, so whatever comes between arming the sources and the halt is still pending then
 * and ends it at once.
 */
#include <rt/hal.h>

#include "apic.h"
#include "x86.h"

enum { WAIT_MAX_US = 1000000000 }; /* longer sleeps wake once in a while for nothing */

void hal_wait(uint64_t until_us)
{
    const bool timed = until_us != UINT64_MAX;
    const uint64_t now_us = timed ? hal_now_us() : 0;

    if (timed && until_us <= now_us)
        return;
    if (!apic_present() || (timed && apic_timer_hz() == 0)) {
        hal_pause(); /* nothing could end the halt in time: poll instead */
        return;
    }
    if (timed)
        apic_timer_arm(RT_MIN(until_us - now_us, (uint64_t)WAIT_MAX_US));
    x86_halt_open();
    if (timed)
        apic_timer_disarm();
}

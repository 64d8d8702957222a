/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Halting. There is no periodic tick: a one-shot timer of the core's own APIC is the only
 * thing that runs, and only when the halt has a deadline. Interrupts are off everywhere
 * else, so whatever comes between arming the sources and the halt is still pending then
 * and ends it at once.
 */
#include <rt/hal.h>

#include "apic.h"
#include "irq.h"
#include "x86.h"

enum {
    WAIT_MAX_US = 1000000000, /* longer sleeps wake once in a while for nothing */
    PUMP_MAX_US = 5000,       /* console output before a halt that lets interrupts in */
    PUMP_HALT_US = 50,
};

/* An idle core has time for the console, until an interrupt waits. Those of the 8259 do not show
 * before they are taken, so there is a limit. Returns when the halt has to end. */
static uint64_t pump_console(uint64_t until_us)
{
    uint64_t end_us = 0;

    while (hal_console_pump()) {
        const uint64_t now_us = hal_now_us();

        end_us = end_us == 0 ? RT_MIN(now_us + PUMP_MAX_US, until_us) : end_us;
        if (now_us >= end_us)
            return RT_MIN(now_us + PUMP_HALT_US, until_us);
        if (apic_irq_waits())
            break;
    }
    return until_us;
}

static void halt(uint64_t until_us)
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

void hal_wait(uint64_t until_us)
{
    const uint64_t taken = irq_taken();
    uint64_t end_us;

    do { /* once, or while console output waits, which a stuck port ends */
        end_us = pump_console(until_us);
        halt(end_us);
    } while (end_us != until_us && irq_taken() == taken);
}

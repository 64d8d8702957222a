/* SPDX-License-Identifier: BSD-2-Clause */
/* Cycles to microseconds on the bare machine: part of <rt/hal_arch.h>. */
#ifndef RT_HAL_CLOCK_H
#define RT_HAL_CLOCK_H

#include <rt/base.h>

/* Set by rt/x86/clock.c: the counter at time 0, and microseconds a cycle times 2^64. */
extern uint64_t hal_cycles_start, hal_us_per_cycle_q64;

/* A span of hal_cycles(). */
RT_INLINE uint64_t hal_us_from_cycles(uint64_t cycles)
{
    return (uint64_t)(((unsigned __int128)cycles * hal_us_per_cycle_q64) >> 64);
}

/* What hal_now_us() gave when hal_cycles() gave this. Inlined: each turn of a loop asks. */
RT_INLINE uint64_t hal_us_at(uint64_t cycles)
{
    return hal_us_from_cycles(cycles - hal_cycles_start);
}

#endif

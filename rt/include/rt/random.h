/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that nobody outside can foresee, other ones after each start: for keys.
 *
 *     the machine's generator (RDSEED, RDRAND; getrandom of a process), when it works
 *     + the time that small steps take, to the cycle
 *     -> SipHash, keyed by the first half of what was seen, over all of it
 *
 * Both are always taken: neither has to be trusted alone. For the start, about a millisecond a
 * call: who needs many numbers draws a key, and hashes a counter with it.
 */
#ifndef RT_RANDOM_H
#define RT_RANDOM_H

#include <rt/base.h>

/* Fills `out`. False: the machine has no generator that works, and time to the cycle alone was the
 * source; say so in a log. Any core. */
bool rt_random(void *out, size_t bytes);

#endif

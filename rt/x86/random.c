/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor's generator (SDM volume 1, 7.3.17): RDSEED, which is the noise itself, else RDRAND.
 * Either may have nothing to give for a while, and says so in the carry flag. */
#include <rt/hal.h>

#include "x86.h"

enum { TRIES = 100 /* the SDM says 10 for RDRAND; RDSEED runs dry when cores compete */ };

static bool has_rdseed(void)
{
    return x86_cpuid(0, 0).eax >= 7 && (x86_cpuid(7, 0).ebx & RT_BIT(18)) != 0;
}

static bool has_rdrand(void)
{
    return (x86_cpuid(1, 0).ecx & RT_BIT(30)) != 0;
}

static bool rdseed(uint64_t *out)
{
    bool given;

    __asm__ volatile("rdseed %0\n\tsetc %1" : "=r"(*out), "=qm"(given) : : "cc");
    return given;
}

static bool rdrand(uint64_t *out)
{
    bool given;

    __asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(*out), "=qm"(given) : : "cc");
    return given;
}

bool hal_random(uint64_t *out)
{
    const bool seed = has_rdseed();

    if (!seed && !has_rdrand())
        return false;
    for (uint32_t i = 0; i < TRIES; i++) {
        if (seed ? rdseed(out) : rdrand(out))
            return true;
        hal_pause();
    }
    return has_rdrand() && rdrand(out);
}

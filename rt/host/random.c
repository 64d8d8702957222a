/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator of the operating system. */
#include <rt/hal.h>

#include <sys/random.h>

bool hal_random(uint64_t *out)
{
    return getrandom(out, sizeof(*out), 0) == sizeof(*out);
}

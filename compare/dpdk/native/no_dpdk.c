/* SPDX-License-Identifier: BSD-2-Clause */
/* Built without libdpdk: only our side runs. */
#include "native.h"

#include <stdio.h>

bool native_dpdk_start(struct native *native, unsigned cpu, bool paged)
{
    fprintf(stderr,
            "dpdk=none reason=\"built without libdpdk\" remedy=\"install libdpdk-dev\"\n");
    return false;
}

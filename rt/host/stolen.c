/* SPDX-License-Identifier: BSD-2-Clause */
/* Under an operating system everything is as in a guest; tests say what they want. */
#include "host.h"

static uint64_t smi_count;
static bool smi_counted;
static bool is_guest = true;

uint64_t hal_smi_count(void)
{
    return smi_count;
}

bool hal_smi_counted(void)
{
    return smi_counted;
}

bool hal_is_guest(void)
{
    return is_guest;
}

void host_stolen(uint64_t smis, bool counted, bool guest)
{
    smi_count = smis;
    smi_counted = counted;
    is_guest = guest;
}

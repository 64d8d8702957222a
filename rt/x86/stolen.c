/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may stop a core behind our back. MSR_SMI_COUNT (Intel SDM 4, tables 2-6, 2-15) is there
 * in Intel's family 6 from Nehalem on and in Atoms from Silvermont on; reading it elsewhere
 * faults, so the model decides. In a guest it is not read: it would count the guest's own.
 */
#include <rt/hal.h>

#include "x86.h"

enum { MSR_SMI_COUNT = 0x34, FAMILY_6 = 6, MODEL_NEHALEM = 0x1a };
#define CPUID_GENU UINT32_C(0x756e6547) /* "GenuineIntel", first third */

bool hal_is_guest(void)
{
    return (x86_cpuid(1, 0).ecx & RT_BIT(31)) != 0;
}

/* Above Nehalem's number, but older: the last Core 2 and the Atoms before Silvermont. */
static bool older(uint32_t model)
{
    static const uint8_t models[] = {0x1c, 0x1d, 0x26, 0x27, 0x35, 0x36};

    for (size_t i = 0; i < RT_ARRAY_SIZE(models); i++) {
        if (models[i] == model)
            return true;
    }
    return false;
}

bool hal_smi_counted(void)
{
    const uint32_t signature = x86_cpuid(1, 0).eax;
    const uint32_t family = (signature >> 8) & 0xf;
    const uint32_t model = ((signature >> 12) & 0xf0) | ((signature >> 4) & 0xf);

    return x86_cpuid(0, 0).ebx == CPUID_GENU && family == FAMILY_6 && model >= MODEL_NEHALEM &&
           !older(model) && !hal_is_guest();
}

uint64_t hal_smi_count(void)
{
    return hal_smi_counted() ? x86_rdmsr(MSR_SMI_COUNT) & UINT32_MAX : 0;
}

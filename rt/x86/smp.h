/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the other cores; running work on them is hal_core_run() in <rt/hal.h>. */
#ifndef RT_X86_SMP_H
#define RT_X86_SMP_H

#include <rt/acpi.h>
#include <rt/boot_info.h>

/* Starts up to `cores_wanted` cores (0: all) that firmware lists, this one included, all at the
 * same time. A core that does not answer within a second is named in the log and left
 * out; the machine goes on without it. Returns how many cores run. Core 0, once. */
unsigned smp_start(const struct boot_info *bi, const struct acpi_info *acpi,
                   uint32_t cores_wanted);

/* Cores that were told to start, without this one; ap.S reads it, too. */
extern uint32_t ap_slot_count;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Rate of the time stamp counter, and of the local APIC timer with it. */
#ifndef RT_X86_CLOCK_H
#define RT_X86_CLOCK_H

#include <rt/acpi.h>

/* Time zero is `entry_cycles`; until clock_init() the rate is a guess, good for delays. */
void clock_start(uint64_t entry_cycles);

/* Finds the rate: CPUID 15h/16h, else HPET, ACPI PM timer, PIT; then that of the local APIC
 * timer. Core 0, interrupts off, APIC on; takes at most about 10 ms. RT_IO when nothing on
 * the machine counts: the guess stays. */
RT_NODISCARD enum rt_status clock_init(const struct acpi_info *acpi);

const char *clock_source(void); /* "cpuid", "hpet", "pmtimer", "pit", "guess" */

#endif

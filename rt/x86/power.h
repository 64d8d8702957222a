/* SPDX-License-Identifier: BSD-2-Clause */
/* Power-off and reset of the bare machine. Any core; interrupts off. */
#ifndef RT_X86_POWER_H
#define RT_X86_POWER_H

#include <rt/acpi.h>

/* Keeps what it needs of the tables and maps registers that lie in memory, which wants the
 * final page tables; may be called again. Without a call (or without tables) the fall-backs
 * below are all there is. Core 0, before the seal. */
void power_init(const struct acpi_info *info);

/* About that long, with whatever clock there is. */
void power_wait_s(uint32_t s);

/* ACPI S5; else the power-off ports of the usual virtual machines; else halts for ever. */
RT_NORETURN void power_off(void);

/* FADT reset register, port 0xCF9, keyboard controller, triple fault: the first that works. */
RT_NORETURN void power_reset(void);

#endif

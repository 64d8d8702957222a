/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt counting and routing; the rest of the interface is in <rt/hal.h>. */
#ifndef RT_X86_IRQ_H
#define RT_X86_IRQ_H

#include <rt/acpi.h>

/* Silences the 8259 pair: every line masked, vectors moved to VECTOR_PIC. Core 0, once. */
void irq_init(const struct acpi_info *acpi);
/* Interrupts that the calling core has taken, its own timer's left out. */
uint64_t irq_taken(void);

#endif

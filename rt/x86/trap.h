/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions, interrupts, and the report that ends a run. */
#ifndef RT_X86_TRAP_H
#define RT_X86_TRAP_H

#include "cpu.h"

#define TRAP_EXCEPTIONS 32

enum trap_vector {
    TRAP_DIVIDE = 0,
    TRAP_NMI = 2,
    TRAP_UNDEFINED = 6,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_GENERAL_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_MACHINE_CHECK = 18,
};

/* What trap.S leaves on the stack; the last five are pushed by the processor. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error; /* 0 for vectors without one */
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 22 * 8, "trap.S pushes 22 words");

/* One interrupt table for all cores, read-only from then on. Core 0, once, before the page
 * tables are switched to. RT_NO_MEMORY when its page cannot be mapped alone. */
RT_NODISCARD enum rt_status trap_init(void);
/* GDT, TSS and IDT of the calling core. */
void trap_setup_core(struct core *core);

/* Called by trap.S. */
RT_NORETURN void trap_exception(const struct trap_frame *frame);
void irq_handle(uint64_t vector); /* irq.c */

/* Leaves the present stack for good: fn(arg) runs on the one whose top this is, and never
 * returns. trap.S. */
RT_NORETURN void stack_switch(uintptr_t top, void (*fn)(void *), void *arg);

/* ---- panic.c ---- */
/* "page fault", ...; never NULL. */
const char *trap_name(uint64_t vector);
RT_NORETURN RT_COLD void panic_trap(const struct trap_frame *frame);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One core of the bare machine: what %gs points at, its stacks, its interrupt counters.
 *
 * A core's structure is written by core 0 until the core has started, then by the core
 * itself; `state`, `run_fn` and `run_arg` are the mail box of hal_core_run().
 */
#ifndef RT_X86_CPU_H
#define RT_X86_CPU_H

#include <rt/boot_info.h>
#include <rt/hal.h>

#include "x86.h"

#define CORE_STACK_BYTES (64 * 1024)
#define CORE_FAULT_STACK_BYTES (16 * 1024)
#define CORE_GUARD_BYTES 4096
#define IRQ_VECTORS 256

/* Selectors of the final GDT. */
#define GDT_CODE64 0x08
#define GDT_DATA 0x10
#define GDT_TSS 0x18
#define GDT_ENTRIES 5 /* null, code, data, TSS (two) */

/* Stacks of their own, so that a fault is reported whatever state rsp is in. */
enum core_ist { IST_NONE = 0, IST_FAULT, IST_DOUBLE, IST_NMI, IST_MACHINE_CHECK, IST_COUNT };

enum core_state {
    CORE_OFF = 0,
    CORE_STARTING, /* told to start, not seen yet */
    CORE_PARKED,   /* halted, waits for work */
    CORE_ASKED,    /* work is in the mail box */
    CORE_RUNNING,
    CORE_FAILED,   /* did not start in time; must stay out */
};

/* 64-bit task state segment, Intel SDM 3A 8.7 figure 8-11. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
} RT_PACKED;
_Static_assert(sizeof(struct tss) == 104, "TSS is 104 bytes");

struct core {
    struct core *self;
    uint32_t id; /* read by hal_core_id() */
    uint32_t apic_id;
    uint32_t state; /* enum core_state; atomic */
    uint32_t node;
    void (*run_fn)(void *);
    void *run_arg;
    uint8_t *stack[IST_COUNT]; /* lowest usable byte; [0] is the normal stack */
    uint64_t tsc_at_start;     /* core's own clock when it came up */
    uint64_t gdt[GDT_ENTRIES];
    struct tss tss;
    uint64_t irq_total;      /* device interrupts */
    uint64_t irq_taken;      /* all but the core's own timer: these end a halt */
    uint64_t irq_unexpected; /* vectors that nobody asked for, spurious ones included */
    uint64_t irq_count[IRQ_VECTORS];
    uint32_t vector_next; /* next free device vector; core 0 writes, at start */
};
_Static_assert(offsetof(struct core, id) == HAL_GS_CORE_ID, "hal_core_id reads %gs:8");

extern struct core *core_table[HAL_CORES_MAX]; /* [0..hal_core_count()-1] run */

RT_INLINE struct core *core_this(void)
{
    struct core *core;

    __asm__("movq %%gs:0, %0" : "=r"(core));
    return core;
}

/* Top of one of a core's stacks. */
RT_INLINE uintptr_t core_stack_top(const struct core *core, enum core_ist which)
{
    return (uintptr_t)core->stack[which] +
           (which == IST_NONE ? CORE_STACK_BYTES : CORE_FAULT_STACK_BYTES);
}

/* ---- smp.c ---- */
/* Makes %gs work on core 0; the very first act of rt_start(). */
void core_init_boot(void);
/* Gives the core its stacks with guard pages. RT_NO_MEMORY when there is no room. */
RT_NODISCARD enum rt_status core_make_stacks(struct core *core);
/* Control registers, GDT, TSS, IDT, %gs and APIC of the core that calls it. */
void core_setup(struct core *core);
/* Halts all other cores, for a panic or the end; when another core has called it, this one. Again
 * from the same core it does nothing. Any core, any context. */
void core_stop_others(void);
bool core_must_halt(void); /* another core has called it, or all stand still */
/* The machine stands still from now on; an NMI does not change that. After core_stop_others(). */
RT_NORETURN void core_halt_for_good(void);

/* ---- exit.c ---- */
RT_NORETURN void exit_machine(int code, bool panicking);

#endif

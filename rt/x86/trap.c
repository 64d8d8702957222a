/* SPDX-License-Identifier: BSD-2-Clause */
#include <rt/assert.h>

#include "paging.h"
#include "trap.h"

/* Interrupt gate, Intel SDM 3A 6.14.1 figure 6-8. */
struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_mid;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "a gate is 16 bytes");

/* Operand of LGDT and LIDT, from `limit` on. The base is aligned: a relocation of it packs. */
struct table_pointer {
    uint16_t unused[3];
    uint16_t limit;
    uint64_t base;
};
enum { TABLE_POINTER_LIMIT = 6 }; /* trap.S knows this, too */
_Static_assert(offsetof(struct table_pointer, limit) == TABLE_POINTER_LIMIT, "the operand");
_Static_assert(offsetof(struct table_pointer, base) == TABLE_POINTER_LIMIT + 2, "the operand");

enum {
    GATE_INTERRUPT = 0x8e, /* present, ring 0, interrupt gate: IF is cleared */
    STUB_BYTES = 16,
    TSS_LIMIT = sizeof(struct tss) - 1,
};
#define GDT_CODE64_ENTRY UINT64_C(0x00af9b000000ffff) /* present, code, long, accessed */
#define GDT_DATA_ENTRY UINT64_C(0x00cf93000000ffff)   /* present, data, writable, accessed */
#define GDT_TSS_TYPE (UINT64_C(0x89) << 40)           /* present, available 64-bit TSS */

extern const uint8_t trap_stubs[];
void trap_load_segments(const struct table_pointer *gdt);

/* A page of its own, read-only once it is filled. */
static struct idt_gate idt[IRQ_VECTORS] RT_ALIGNED(4096);
_Static_assert(sizeof(idt) == 4096, "the interrupt table is one page");

static uint8_t ist_of(unsigned vector)
{
    if (vector == TRAP_DOUBLE_FAULT)
        return IST_DOUBLE;
    if (vector == TRAP_NMI)
        return IST_NMI;
    if (vector == TRAP_MACHINE_CHECK)
        return IST_MACHINE_CHECK;
    /* Interrupts come only in a halt, on a sound stack. */
    return vector < TRAP_EXCEPTIONS ? IST_FAULT : IST_NONE;
}

enum rt_status trap_init(void)
{
    RT_ASSERT_EQ((uintptr_t)trap_stubs % STUB_BYTES, 0u);
    for (unsigned v = 0; v < IRQ_VECTORS; v++) {
        const uintptr_t stub = (uintptr_t)trap_stubs + v * STUB_BYTES;

        idt[v] = (struct idt_gate){
            .offset_low = (uint16_t)stub,
            .selector = GDT_CODE64,
            .ist = ist_of(v),
            .type = GATE_INTERRUPT,
            .offset_mid = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
        };
    }
    return paging_set((uintptr_t)idt, sizeof(idt), PAGE_R);
}

void trap_setup_core(struct core *core)
{
    const uint64_t tss = (uintptr_t)&core->tss;
    const struct table_pointer gdt = {.limit = sizeof(core->gdt) - 1,
                                      .base = (uintptr_t)core->gdt};
    const struct table_pointer idt_pointer = {.limit = sizeof(idt) - 1, .base = (uintptr_t)idt};

    RT_ASSERT(core->stack[IST_FAULT] != NULL);
    RT_ASSERT(core->self == core);
    for (unsigned i = IST_FAULT; i < IST_COUNT; i++)
        core->tss.ist[i - 1] = core_stack_top(core, (enum core_ist)i);
    core->tss.io_map_base = sizeof(core->tss); /* past the limit: no I/O map */
    core->gdt[0] = 0;
    core->gdt[GDT_CODE64 / 8] = GDT_CODE64_ENTRY;
    core->gdt[GDT_DATA / 8] = GDT_DATA_ENTRY;
    core->gdt[GDT_TSS / 8] = TSS_LIMIT | (tss & 0xffffff) << 16 | GDT_TSS_TYPE |
                             (tss >> 24 & 0xff) << 56;
    core->gdt[GDT_TSS / 8 + 1] = tss >> 32;
    trap_load_segments(&gdt);
    x86_wrmsr(MSR_GS_BASE, (uintptr_t)core);
    __asm__ volatile("lidt %c1(%0)" ::"r"(&idt_pointer), "i"(TABLE_POINTER_LIMIT),
                     "m"(idt_pointer) : "memory");
}

void trap_exception(const struct trap_frame *frame)
{
    /* Another core reports a panic, or ends the run, and stops this one. To the core that ends it
     * an NMI is one more fault: were it to halt, nobody would go on. */
    if (frame->vector == TRAP_NMI && core_must_halt())
        x86_halt_forever();
    panic_trap(frame);
}

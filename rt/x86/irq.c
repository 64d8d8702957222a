/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts only count. irq_handle() runs in the halt of hal_wait() and is built with
 * -mgeneral-regs-only: it interrupts code that uses SSE registers and does not save them.
 *
 * Messages (MSI, MSI-X) go to one core, a vector each. Legacy lines go through the 8259
 * pair to core 0: firmware has routed each PCI function's pin there (its interrupt line
 * register says where), which an IO-APIC's pins would need AML to find out. A line that
 * stays asserted ends each halt at once, but cannot storm: one interrupt a halt.
 */
#include <rt/assert.h>
#include <rt/log.h>

#include "apic.h"
#include "irq.h"
#include "trap.h"

enum {
    PIC_LINES = 16,
    PIC_CASCADE = 2,
    /* 8259A data sheet: ports and command words */
    PIC1_COMMAND = 0x20,
    PIC1_DATA = 0x21,
    PIC2_COMMAND = 0xa0,
    PIC2_DATA = 0xa1,
    PIC_ICW1 = 0x11, /* edge, cascade, ICW4 follows */
    PIC_ICW4_8086 = 0x01,
    PIC_READ_ISR = 0x0b,
    PIC_EOI = 0x20,
    ELCR1 = 0x4d0, /* a bit a line: level triggered */
    MSI_APIC_ID_MAX = 254, /* 255 is everybody */
};
#define MSI_ADDRESS UINT64_C(0xfee00000) /* Intel SDM 3A 11.11.1; physical, fixed */

static bool pic_present;
static uint16_t pic_mask = 0xffff;

static void pic_apply_mask(void)
{
    x86_out8(PIC1_DATA, (uint8_t)pic_mask);
    x86_out8(PIC2_DATA, (uint8_t)(pic_mask >> 8));
}

/* Moves the 16 lines away from the processor's own vectors, all masked. */
void irq_init(const struct acpi_info *acpi)
{
    pic_present = acpi->has_8259 || !acpi->valid;
    if (!pic_present)
        return;
    x86_out8(PIC1_COMMAND, PIC_ICW1);
    x86_out8(PIC2_COMMAND, PIC_ICW1);
    x86_out8(PIC1_DATA, VECTOR_PIC);
    x86_out8(PIC2_DATA, VECTOR_PIC + 8);
    x86_out8(PIC1_DATA, 1 << PIC_CASCADE);
    x86_out8(PIC2_DATA, PIC_CASCADE);
    x86_out8(PIC1_DATA, PIC_ICW4_8086);
    x86_out8(PIC2_DATA, PIC_ICW4_8086);
    pic_mask = 0xffff;
    pic_apply_mask();
    pic_present = x86_in8(PIC1_DATA) == 0xff && x86_in8(PIC2_DATA) == 0xff;
}

/* False for the 8259's way of saying that an interrupt went away (line 7 or 15). */
static bool pic_end(uint32_t line)
{
    const bool second = line >= 8;

    RT_ASSERT_LT(line, (uint32_t)PIC_LINES);
    if (line % 8 == 7) {
        x86_out8(second ? PIC2_COMMAND : PIC1_COMMAND, PIC_READ_ISR);
        if ((x86_in8(second ? PIC2_COMMAND : PIC1_COMMAND) & 0x80) == 0) {
            if (second) /* the first one did take the cascade line */
                x86_out8(PIC1_COMMAND, PIC_EOI);
            return false;
        }
    }
    if (second)
        x86_out8(PIC2_COMMAND, PIC_EOI);
    x86_out8(PIC1_COMMAND, PIC_EOI);
    return true;
}

void irq_handle(uint64_t vector)
{
    struct core *core = core_this();
    bool device = vector >= VECTOR_DEVICE && vector < core->vector_next;

    core->irq_count[vector % IRQ_VECTORS]++;
    if (vector >= VECTOR_PIC && vector < VECTOR_PIC + PIC_LINES)
        device = pic_end((uint32_t)(vector - VECTOR_PIC));
    else if (vector != VECTOR_SPURIOUS) /* SDM 3A 11.9: no EOI for that one */
        apic_eoi();
    core->irq_taken += vector != VECTOR_TIMER;
    if (device)
        core->irq_total++;
    else if (vector != VECTOR_KICK && vector != VECTOR_TIMER)
        core->irq_unexpected++;
}

enum rt_status hal_irq_alloc(unsigned core_id, const char *name, struct hal_irq *irq)
{
    struct core *core;

    if (core_id >= hal_core_count())
        return RT_INVALID;
    core = core_table[core_id];
    if (!apic_present())
        return RT_UNSUPPORTED;
    if (core->apic_id > MSI_APIC_ID_MAX) /* needs interrupt remapping */
        return RT_UNSUPPORTED;
    if (core->vector_next >= VECTOR_DEVICE_END)
        return RT_FULL;
    RT_ASSERT_LE((uint32_t)VECTOR_DEVICE, core->vector_next);
    RT_ASSERT_LT(core->vector_next, (uint32_t)IRQ_VECTORS);
    *irq = (struct hal_irq){
        .msi_address = MSI_ADDRESS | (uint64_t)core->apic_id << 12,
        .msi_data = core->vector_next, /* fixed, edge */
        .vector = core->vector_next,
        .core = core_id,
        .count = &core->irq_count[core->vector_next],
    };
    core->vector_next++;
    rt_log("irq name=%s core=%u vector=0x%x mode=message", name, core_id, irq->vector);
    return RT_OK;
}

enum rt_status hal_irq_alloc_line(uint32_t line, const char *name, struct hal_irq *irq)
{
    struct core *core = core_table[0];
    const uint16_t elcr = (uint16_t)(ELCR1 + line / 8);

    if (line >= PIC_LINES || line == PIC_CASCADE)
        return RT_INVALID; /* 255: firmware did not route it */
    if (!pic_present || !apic_present())
        return RT_UNSUPPORTED;
    if (line > PIC_CASCADE) /* PCI pins are level triggered; 0..2 are not in the register */
        x86_out8(elcr, (uint8_t)(x86_in8(elcr) | 1u << line % 8));
    pic_mask &= (uint16_t)~(1u << line);
    if (line >= 8)
        pic_mask &= (uint16_t)~(1u << PIC_CASCADE);
    RT_ASSERT_LT((uint32_t)VECTOR_PIC + line, (uint32_t)IRQ_VECTORS);
    pic_apply_mask();
    apic_accept_8259();
    *irq = (struct hal_irq){
        .vector = VECTOR_PIC + line,
        .core = 0,
        .count = &core->irq_count[VECTOR_PIC + line],
    };
    rt_log("irq name=%s core=0 vector=0x%x mode=line line=%u", name, irq->vector, line);
    return RT_OK;
}

uint64_t irq_taken(void)
{
    return core_this()->irq_taken;
}

uint64_t hal_irq_total(unsigned core_id)
{
    return core_id < hal_core_count() ? core_table[core_id]->irq_total : 0;
}

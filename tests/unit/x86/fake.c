/* SPDX-License-Identifier: BSD-2-Clause */
#include <rt/assert.h>
#include <rt/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

struct fake fake;

void fake_reset(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.cycles_step = 100;
}

uint64_t hal_cycles(void)
{
    fake.cycles += fake.cycles_step;
    return fake.cycles;
}

unsigned hal_core_id(void)
{
    return 0;
}

void hal_pause(void)
{
    fake.cycles += fake.cycles_step;
    if (fake.pause != NULL)
        fake.pause();
}

uint32_t hal_read32(const struct hal_mmio *mmio, uint32_t offset)
{
    if (fake.mmio_read != NULL)
        return fake.mmio_read(offset);
    return *(volatile uint32_t *)(mmio->base + offset);
}

void hal_write32(const struct hal_mmio *mmio, uint32_t offset, uint32_t value)
{
    if (fake.mmio_write != NULL)
        fake.mmio_write(offset, value);
    else
        *(volatile uint32_t *)(mmio->base + offset) = value;
}

void fake_cpuid(uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    uint32_t i = 0;

    while (i < fake.leaf_count && fake.leaves[i].leaf != leaf)
        i++;
    if (i == FAKE_LEAVES)
        abort();
    fake.leaves[i].leaf = leaf;
    fake.leaves[i].regs = (struct cpuid_regs){eax, ebx, ecx, edx};
    fake.leaf_count = RT_MAX(fake.leaf_count, i + 1);
}

struct cpuid_regs x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
    for (uint32_t i = 0; i < fake.leaf_count; i++) {
        if (fake.leaves[i].leaf == leaf)
            return fake.leaves[i].regs;
    }
    return (struct cpuid_regs){0, 0, 0, 0};
}

static uint32_t msr_slot(uint32_t msr)
{
    for (uint32_t i = 0; i < FAKE_MSRS; i++) {
        if (fake.msrs[i].msr == msr)
            return i;
        if (fake.msrs[i].msr == 0) {
            fake.msrs[i].msr = msr;
            return i;
        }
    }
    abort();
}

uint64_t x86_rdmsr(uint32_t msr)
{
    return fake.msrs[msr_slot(msr)].value;
}

void x86_wrmsr(uint32_t msr, uint64_t value)
{
    fake.msrs[msr_slot(msr)].value = value;
    fake.msrs[msr_slot(msr)].writes++;
    if (fake.msr_written != NULL)
        fake.msr_written(msr, value);
}

uint32_t fake_msr_writes(uint32_t msr)
{
    return fake.msrs[msr_slot(msr)].writes;
}

uint8_t x86_in8(uint16_t port)
{
    return fake.in != NULL ? (uint8_t)fake.in(port) : 0xff;
}

void x86_out8(uint16_t port, uint8_t value)
{
    if (fake.out != NULL)
        fake.out(port, value);
}

void x86_out16(uint16_t port, uint16_t value)
{
    if (fake.out != NULL)
        fake.out(port, value);
}

uint32_t x86_in32(uint16_t port)
{
    return fake.in != NULL ? fake.in(port) : UINT32_MAX;
}

void x86_out32(uint16_t port, uint32_t value)
{
    if (fake.out != NULL)
        fake.out(port, value);
}

uint64_t x86_read_cr0(void)
{
    return fake.cr0;
}

void x86_write_cr0(uint64_t v)
{
    fake.cr0 = v;
}

void x86_write_cr3(uint64_t v)
{
    fake.cr3 = v;
}

uint64_t x86_read_cr4(void)
{
    return fake.cr4;
}

void x86_write_cr4(uint64_t v)
{
    fake.cr4 = v;
}

void x86_invlpg(uintptr_t addr)
{
}

void x86_halt_open(void)
{
    if (fake.halt != NULL)
        fake.halt();
}

void x86_halt_forever(void)
{
    rt_panic("halted for ever");
}

uint64_t x86_div128(uint64_t high, uint64_t low, uint64_t divisor)
{
    if (high >= divisor)
        abort(); /* the instruction would fault */
    return (uint64_t)(((unsigned __int128)high << 64 | low) / divisor);
}

uint64_t x86_mul_div(uint64_t a, uint64_t b, uint64_t divisor)
{
    const unsigned __int128 product = (unsigned __int128)a * b;

    return x86_div128((uint64_t)(product >> 64), (uint64_t)product, divisor);
}

void rt_log(const char *fmt, ...)
{
    const size_t used = strlen(fake.log);
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(fake.log + used, sizeof(fake.log) - used - 1, fmt, args);
    va_end(args);
    strcat(fake.log, "\n");
}

static void end(void)
{
    if (!fake.panic_expected) {
        fprintf(stderr, "unexpected panic: %s\n", fake.panic_text);
        abort();
    }
    longjmp(fake.panic, 1);
}

void rt_panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(fake.panic_text, sizeof(fake.panic_text), fmt, args);
    va_end(args);
    end();
    abort();
}

void rt_assert_failed(const char *file, int line, const char *expr, uint64_t left,
                      uint64_t right)
{
    snprintf(fake.panic_text, sizeof(fake.panic_text), "%s:%d: %s", file, line, expr);
    end();
    abort();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that C has no words for: ports, MSRs, CPUID, control registers, and the
 * numbers that go with them (Intel SDM volumes 3 and 4). Unit tests replace this file by
 * one of their own that defines the same names over plain variables.
 */
#ifndef RT_X86_X86_H
#define RT_X86_X86_H

#include <rt/base.h>

enum x86_msr {
    MSR_APIC_BASE = 0x1b,
    MSR_MISC_ENABLE = 0x1a0, /* Intel only */
    MSR_PAT = 0x277,
    MSR_TSC_DEADLINE = 0x6e0,
    MSR_X2APIC_BASE = 0x800, /* register N of the APIC page is MSR 0x800 + N/16 */
};
#define MSR_EFER UINT32_C(0xc0000080)
#define MSR_GS_BASE UINT32_C(0xc0000101)

#define MISC_ENABLE_XD_OFF (UINT64_C(1) << 34)
#define EFER_LME (UINT64_C(1) << 8)
#define EFER_NXE (UINT64_C(1) << 11)
#define CR0_WP (UINT64_C(1) << 16)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_MCE (UINT64_C(1) << 6)
#define CR4_PGE (UINT64_C(1) << 7)
#define CR4_UMIP (UINT64_C(1) << 11)
#define CR4_LA57 (UINT64_C(1) << 12)
#define CR4_SMEP (UINT64_C(1) << 20)
#define RFLAGS_IF (UINT64_C(1) << 9)

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};

RT_INLINE struct cpuid_regs x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

RT_INLINE uint64_t x86_rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

RT_INLINE void x86_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

/* (high:low) / divisor; the caller makes sure that high < divisor, else it faults (#DE). */
RT_INLINE uint64_t x86_div128(uint64_t high, uint64_t low, uint64_t divisor)
{
    uint64_t quotient, rest;

    __asm__("divq %4" : "=a"(quotient), "=d"(rest) : "a"(low), "d"(high), "r"(divisor));
    return quotient;
}

/* a * b / divisor without overflow in between; the result must fit. */
RT_INLINE uint64_t x86_mul_div(uint64_t a, uint64_t b, uint64_t divisor)
{
    const unsigned __int128 product = (unsigned __int128)a * b;

    return x86_div128((uint64_t)(product >> 64), (uint64_t)product, divisor);
}

RT_INLINE uint8_t x86_in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

RT_INLINE void x86_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

RT_INLINE uint16_t x86_in16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

RT_INLINE void x86_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

RT_INLINE uint32_t x86_in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

RT_INLINE void x86_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

RT_INLINE uint64_t x86_read_cr0(void)
{
    uint64_t v;

    __asm__ volatile("movq %%cr0, %0" : "=r"(v));
    return v;
}

RT_INLINE void x86_write_cr0(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr0" ::"r"(v) : "memory");
}

RT_INLINE uint64_t x86_read_cr2(void)
{
    uint64_t v;

    __asm__ volatile("movq %%cr2, %0" : "=r"(v));
    return v;
}

RT_INLINE uint64_t x86_read_cr3(void)
{
    uint64_t v;

    __asm__ volatile("movq %%cr3, %0" : "=r"(v));
    return v;
}

RT_INLINE void x86_write_cr3(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory");
}

RT_INLINE uint64_t x86_read_cr4(void)
{
    uint64_t v;

    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    return v;
}

RT_INLINE void x86_write_cr4(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory");
}

RT_INLINE void x86_invlpg(uintptr_t addr)
{
    __asm__ volatile("invlpg (%0)" ::"r"(addr) : "memory");
}

/* The only place where interrupts are open. STI holds them off for one more instruction,
 * so one that is already pending ends this very halt (Intel SDM 2B, STI). */
RT_INLINE void x86_halt_open(void)
{
    __asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

/* Stops this core for good; only INIT, or an NMI that halts again, gets through. */
RT_NORETURN RT_INLINE void x86_halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt" ::: "memory");
}

#endif

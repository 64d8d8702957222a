/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine of plain variables in place of rt/x86/x86.h and <rt/hal_arch.h>. Compiled into
 * every file of these tests by `-include`, so that a source under test sees it first.
 */
#ifndef TEST_X86_FAKE_H
#define TEST_X86_FAKE_H

#define RT_HAL_ARCH_H
#define RT_X86_X86_H

#include <rt/base.h>
#include <rt/hal_clock.h>
#include <setjmp.h>
#include <stdarg.h>

/* ---- <rt/hal_arch.h> ---- */
struct hal_mmio {
    volatile uint8_t *base;
    size_t bytes;
};
#define HAL_GS_CORE_ID 8
uint64_t hal_cycles(void);
unsigned hal_core_id(void);
void hal_pause(void);
uint32_t hal_read32(const struct hal_mmio *mmio, uint32_t offset);
void hal_write32(const struct hal_mmio *mmio, uint32_t offset, uint32_t value);
static inline phys_t hal_phys(const void *p)
{
    return (phys_t){(uintptr_t)p};
}

/* ---- x86.h ---- */
enum x86_msr { MSR_APIC_BASE = 0x1b, MSR_MISC_ENABLE = 0x1a0, MSR_PAT = 0x277,
               MSR_TSC_DEADLINE = 0x6e0, MSR_X2APIC_BASE = 0x800 };
#define MSR_EFER UINT32_C(0xc0000080)
#define MSR_GS_BASE UINT32_C(0xc0000101)
#define MISC_ENABLE_XD_OFF (UINT64_C(1) << 34)
#define EFER_LME (UINT64_C(1) << 8)
#define EFER_NXE (UINT64_C(1) << 11)
#define CR0_WP (UINT64_C(1) << 16)
#define CR4_MCE (UINT64_C(1) << 6)
#define CR4_PGE (UINT64_C(1) << 7)
#define CR4_UMIP (UINT64_C(1) << 11)
#define CR4_LA57 (UINT64_C(1) << 12)
#define CR4_SMEP (UINT64_C(1) << 20)
struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};
struct cpuid_regs x86_cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t x86_rdmsr(uint32_t msr);
void x86_wrmsr(uint32_t msr, uint64_t value);
uint8_t x86_in8(uint16_t port);
void x86_out8(uint16_t port, uint8_t value);
void x86_out16(uint16_t port, uint16_t value);
uint32_t x86_in32(uint16_t port);
void x86_out32(uint16_t port, uint32_t value);
uint64_t x86_read_cr0(void);
void x86_write_cr0(uint64_t v);
void x86_write_cr3(uint64_t v);
uint64_t x86_read_cr4(void);
void x86_write_cr4(uint64_t v);
void x86_invlpg(uintptr_t addr);
void x86_halt_open(void);
RT_NORETURN void x86_halt_forever(void);
uint64_t x86_div128(uint64_t high, uint64_t low, uint64_t divisor);
uint64_t x86_mul_div(uint64_t a, uint64_t b, uint64_t divisor);

/* ---- the machine ---- */
#define FAKE_MSRS 32
#define FAKE_LEAVES 16
struct fake {
    uint64_t cycles;
    uint64_t cycles_step; /* every hal_cycles() and pause moves the clock on by this */
    uint64_t cr0, cr3, cr4;
    struct {
        uint32_t msr;
        uint64_t value;
        uint32_t writes;
    } msrs[FAKE_MSRS];
    struct {
        uint32_t leaf;
        struct cpuid_regs regs;
    } leaves[FAKE_LEAVES];
    uint32_t leaf_count;
    uint32_t (*in)(uint16_t port);
    void (*out)(uint16_t port, uint32_t value);
    uint32_t (*mmio_read)(uint32_t offset); /* NULL: plain memory */
    void (*mmio_write)(uint32_t offset, uint32_t value);
    void (*msr_written)(uint32_t msr, uint64_t value);
    void (*halt)(void);
    void (*pause)(void);
    char log[8192]; /* everything logged */
    jmp_buf panic;
    bool panic_expected;
    char panic_text[256];
};
extern struct fake fake;

void fake_reset(void);
void fake_cpuid(uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx);
uint32_t fake_msr_writes(uint32_t msr);

/* Runs `statement`, which must panic. */
#define EXPECT_PANIC(statement)                                                                \
    do {                                                                                       \
        fake.panic_expected = true;                                                            \
        if (setjmp(fake.panic) == 0) {                                                         \
            statement;                                                                         \
            fail_msg("no panic");                                                              \
        }                                                                                      \
        fake.panic_expected = false;                                                           \
    } while (0)

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APIC. Both modes have the same registers: at offset N of a page, or in MSR
 * 0x800 + N/16; only the interrupt command register differs (Intel SDM 3A 11.6.1, 11.12.9).
 */
#include <rt/assert.h>
#include <rt/hal.h>

#include "apic.h"
#include "memory.h"
#include "trap.h"
#include "x86.h"

/* Register offsets, Intel SDM 3A table 11-1. */
enum apic_reg {
    APIC_ID = 0x020,
    APIC_TPR = 0x080,
    APIC_EOI = 0x0b0,
    APIC_SVR = 0x0f0,
    APIC_IRR = 0x200, /* 8 registers, 16 bytes apart */
    APIC_ICR_LOW = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PMC = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define APIC_BASE_ENABLE (UINT64_C(1) << 11)
#define APIC_BASE_X2 (UINT64_C(1) << 10)
#define APIC_BASE_ADDRESS UINT64_C(0x000ffffffffff000)

enum {
    APIC_BYTES = 0x1000,
    APIC_IRR_REGS = 8,
    APIC_ID_MAX_X1 = 254, /* 255 is broadcast */
    SVR_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    LVT_EXTINT = 7 << 8,
    LVT_NMI = 4 << 8,
    LVT_TIMER_DEADLINE = 2 << 17,
    ICR_FIXED = 0 << 8,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_BUSY = 1 << 12,
    ICR_ASSERT = 1 << 14,
    ICR_BUSY_READS = 10000,
    TIMER_DIVIDE_16 = 0x3,
    TIMER_PAIR_TRIES = 5,
    TIMER_MAX_COUNT = 0x7fffffff,
};

enum timer_mode { TIMER_NONE = 0, TIMER_ONESHOT, TIMER_DEADLINE };

static struct {
    bool present;
    bool x2;
    enum timer_mode timer;
    uint64_t timer_hz; /* after the division by 16 */
    uint64_t counts_per_us_q32;
    struct hal_mmio mmio;
} apic;

static uint32_t reg_read(enum apic_reg reg)
{
    if (apic.x2)
        return (uint32_t)x86_rdmsr(MSR_X2APIC_BASE + (uint32_t)reg / 16);
    return hal_read32(&apic.mmio, reg);
}

static void reg_write(enum apic_reg reg, uint32_t value)
{
    if (apic.x2)
        x86_wrmsr(MSR_X2APIC_BASE + (uint32_t)reg / 16, value);
    else
        hal_write32(&apic.mmio, reg, value);
}

enum rt_status apic_init(void)
{
    const struct cpuid_regs id = x86_cpuid(1, 0);
    const uint64_t base = x86_rdmsr(MSR_APIC_BASE);

    apic.present = false;
    if ((id.edx & RT_BIT(9)) == 0)
        return RT_NOT_FOUND;
    apic.x2 = (base & APIC_BASE_X2) != 0;
    if (!apic.x2 &&
        hal_map_mmio((phys_t){base & APIC_BASE_ADDRESS}, APIC_BYTES, &apic.mmio) != RT_OK)
        return RT_NOT_FOUND;
    apic.timer = (id.ecx & RT_BIT(24)) != 0 ? TIMER_DEADLINE : TIMER_ONESHOT;
    apic.present = true;
    return RT_OK;
}

void apic_init_core(void)
{
    uint64_t base;

    if (!apic.present)
        return;
    base = x86_rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;
    x86_wrmsr(MSR_APIC_BASE, base); /* off -> x2APIC must go through xAPIC, SDM 3A 11.12.5 */
    if (apic.x2)
        x86_wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
    reg_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    reg_write(APIC_TPR, 0);
    reg_write(APIC_LVT_LINT0, LVT_MASKED);
    reg_write(APIC_LVT_LINT1, LVT_NMI);
    reg_write(APIC_LVT_ERROR, LVT_MASKED | VECTOR_ERROR);
    reg_write(APIC_TIMER_INITIAL, 0);
    reg_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_16);
    reg_write(APIC_LVT_TIMER,
              VECTOR_TIMER | (apic.timer == TIMER_DEADLINE ? (uint32_t)LVT_TIMER_DEADLINE : 0));
    /* What firmware may have left in service would block lower vectors for ever. */
    for (unsigned i = 0; i < 8; i++)
        apic_eoi();
}

bool apic_present(void)
{
    return apic.present;
}

bool apic_is_x2(void)
{
    return apic.x2;
}

uint64_t apic_page(void)
{
    return apic.present && !apic.x2 ? (uintptr_t)apic.mmio.base : 0;
}

bool apic_reaches(uint32_t id)
{
    return apic.x2 || id <= APIC_ID_MAX_X1;
}

uint32_t apic_id(void)
{
    if (!apic.present)
        return 0;
    return apic.x2 ? reg_read(APIC_ID) : reg_read(APIC_ID) >> 24;
}

bool apic_irq_waits(void)
{
    uint32_t waits = 0;

    for (uint32_t i = 0; i < APIC_IRR_REGS && apic.present; i++)
        waits |= reg_read((enum apic_reg)(APIC_IRR + 16 * i));
    return waits != 0;
}

void apic_eoi(void)
{
    reg_write(APIC_EOI, 0);
}

static void icr_send(uint32_t target_apic_id, uint32_t command)
{
    if (!apic.present)
        return;
    RT_ASSERT(apic_reaches(target_apic_id)); /* an INIT would go to another core */
    /* Memory writes that the other core is to see come first: the MSR write of x2APIC is not
     * ordered after stores (SDM 3A 11.12.3). */
    __asm__ volatile("mfence" ::: "memory");
    if (apic.x2) {
        x86_wrmsr(MSR_X2APIC_BASE + APIC_ICR_LOW / 16,
                  (uint64_t)target_apic_id << 32 | command);
        return;
    }
    for (uint32_t i = 0; i < ICR_BUSY_READS; i++) {
        if ((reg_read(APIC_ICR_LOW) & ICR_BUSY) == 0)
            break;
        hal_pause();
    }
    reg_write(APIC_ICR_HIGH, target_apic_id << 24);
    reg_write(APIC_ICR_LOW, command);
}

void apic_send(uint32_t target_apic_id, uint8_t vector)
{
    RT_ASSERT_LE((unsigned)TRAP_EXCEPTIONS, (unsigned)vector);
    icr_send(target_apic_id, ICR_FIXED | ICR_ASSERT | vector);
}

void apic_send_init(uint32_t target_apic_id)
{
    RT_ASSERT(!apic.present || target_apic_id != apic_id()); /* it would stop this core */
    icr_send(target_apic_id, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(uint32_t target_apic_id, uint8_t page)
{
    RT_ASSERT_NE((unsigned)page, 0u);
    RT_ASSERT_LT((uint64_t)page * RT_PAGE_BYTES, LOW_MEMORY_END);
    icr_send(target_apic_id, ICR_STARTUP | ICR_ASSERT | page);
}

void apic_send_nmi(uint32_t target_apic_id)
{
    icr_send(target_apic_id, ICR_NMI | ICR_ASSERT);
}

void apic_accept_8259(void)
{
    RT_ASSERT(apic.present);
    reg_write(APIC_LVT_LINT0, LVT_EXTINT);
}

/* The timer's count and the cycle count that belongs to it: the tightest of several reads, so
 * that a stall in between does not count. */
static uint32_t timer_pair(uint64_t *cycles)
{
    uint64_t best = UINT64_MAX;
    uint32_t value = 0;

    for (unsigned i = 0; i < TIMER_PAIR_TRIES; i++) {
        const uint64_t before = hal_cycles();
        const uint32_t seen = reg_read(APIC_TIMER_CURRENT);
        const uint64_t width = hal_cycles() - before;

        if (width < best) {
            best = width;
            value = seen;
            *cycles = before + width / 2;
        }
    }
    return value;
}

void apic_timer_calibrate(uint32_t window_us)
{
    uint64_t start_cycles = 0, end_cycles = 0;
    uint32_t start, counted;

    if (!apic.present)
        return;
    if (apic.timer == TIMER_DEADLINE) {
        RT_ASSERT_NE(hal_cycles_hz, 0u);
        apic.timer_hz = hal_cycles_hz;
        return;
    }
    reg_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    reg_write(APIC_TIMER_INITIAL, TIMER_MAX_COUNT);
    (void)timer_pair(&start_cycles); /* the code is in the caches (and translated) after this */
    start = timer_pair(&start_cycles);
    hal_delay_us(window_us);
    counted = start - timer_pair(&end_cycles); /* it counts down */
    reg_write(APIC_TIMER_INITIAL, 0);
    reg_write(APIC_LVT_TIMER, VECTOR_TIMER);
    if (counted == 0 || counted > TIMER_MAX_COUNT) {
        apic.timer = TIMER_NONE;
        return;
    }
    apic.timer_hz = x86_mul_div(counted, hal_cycles_hz, end_cycles - start_cycles);
    RT_ASSERT_LT(start_cycles, end_cycles);
    apic.counts_per_us_q32 = x86_mul_div(apic.timer_hz, UINT64_C(1) << 32, 1000000);
}

uint64_t apic_timer_hz(void)
{
    return apic.timer == TIMER_NONE ? 0 : apic.timer_hz;
}

const char *apic_timer_mode(void)
{
    static const char *const names[] = {"none", "oneshot", "deadline"};

    RT_ASSERT_LT((size_t)apic.timer, RT_ARRAY_SIZE(names));
    return names[apic.present ? apic.timer : TIMER_NONE];
}

void apic_timer_arm(uint64_t us)
{
    unsigned __int128 count;

    RT_ASSERT(apic.present);
    RT_ASSERT_NE(apic_timer_hz(), 0u);
    if (apic.timer == TIMER_DEADLINE) {
        __asm__ volatile("mfence" ::: "memory"); /* SDM 3A 11.5.4.1 */
        x86_wrmsr(MSR_TSC_DEADLINE, hal_cycles() + hal_cycles_from_us(us));
        return;
    }
    /* Rounded up, and never 0, which would stop the timer instead. */
    count = (((unsigned __int128)us * apic.counts_per_us_q32) >> 32) + 1;
    reg_write(APIC_TIMER_INITIAL,
              count > TIMER_MAX_COUNT ? (uint32_t)TIMER_MAX_COUNT : (uint32_t)count);
}

void apic_timer_disarm(void)
{
    if (apic.timer == TIMER_DEADLINE)
        x86_wrmsr(MSR_TSC_DEADLINE, 0);
    else
        reg_write(APIC_TIMER_INITIAL, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Both faces of the local APIC, and halting with its timer. */
#include "../../../rt/x86/apic.c"
#include "../../../rt/x86/idle.c"

#include <string.h>

#include "cmocka_all.h"

bool hal_console_pump(void)
{
    return false;
}

uint64_t irq_taken(void)
{
    return 0;
}

uint64_t hal_cycles_hz = 1000000000;
static uint32_t regs[0x400 / 4];
static uint64_t icr_sent[16];
static uint32_t icr_count;
static uint32_t busy_reads;      /* reads of ICR that still say busy */
static uint64_t timer_start;     /* cycles at the last write of the initial count */
static uint32_t timer_divisor_hz = 62500000; /* counts a second, after division */

uint64_t hal_cycles_from_us(uint64_t us)
{
    return us * (hal_cycles_hz / 1000000);
}

uint64_t hal_now_us(void)
{
    return hal_cycles() / (hal_cycles_hz / 1000000);
}

void hal_delay_us(uint32_t us)
{
    fake.cycles += hal_cycles_from_us(us);
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    assert_int_equal(phys.v, 0xfee00000);
    mmio->base = NULL;
    mmio->bytes = bytes;
    return RT_OK;
}

static uint32_t read_reg(uint32_t offset)
{
    if (offset == APIC_ICR_LOW && busy_reads > 0) {
        busy_reads--;
        return ICR_BUSY;
    }
    if (offset == APIC_TIMER_CURRENT) {
        const uint64_t counted =
            (fake.cycles - timer_start) * timer_divisor_hz / hal_cycles_hz;

        return counted > regs[APIC_TIMER_INITIAL / 4]
                   ? 0 : regs[APIC_TIMER_INITIAL / 4] - (uint32_t)counted;
    }
    return regs[offset / 4];
}

static void write_reg(uint32_t offset, uint32_t value)
{
    regs[offset / 4] = value;
    if (offset == APIC_TIMER_INITIAL)
        timer_start = fake.cycles;
    if (offset == APIC_ICR_LOW)
        icr_sent[icr_count++ % 16] = (uint64_t)regs[APIC_ICR_HIGH / 4] << 32 | value;
}

static int setup(void **state)
{
    fake_reset();
    memset(regs, 0, sizeof(regs));
    icr_count = busy_reads = 0;
    fake.mmio_read = read_reg;
    fake.mmio_write = write_reg;
    return 0;
}

static void start(uint32_t ecx, uint64_t base)
{
    fake_cpuid(1, 0, 0, ecx, 1u << 9);
    x86_wrmsr(MSR_APIC_BASE, base);
    assert_int_equal(apic_init(), RT_OK);
    apic_init_core();
}

static void xapic(void **state)
{
    start(1u << 21, 0xfee00000); /* x2APIC possible, but neither on nor needed */
    assert_false(apic_is_x2());
    assert_int_equal(x86_rdmsr(MSR_APIC_BASE), 0xfee00000 | APIC_BASE_ENABLE);
    assert_int_equal(regs[APIC_SVR / 4], 0x1ff);
    assert_int_equal(regs[APIC_LVT_LINT0 / 4], LVT_MASKED);
    regs[APIC_ID / 4] = 5u << 24;
    assert_int_equal(apic_id(), 5);
    busy_reads = 3;
    apic_send(7, VECTOR_KICK);
    assert_int_equal(icr_count, 1);
    assert_int_equal(icr_sent[0], UINT64_C(7) << 56 | 0x4000 | VECTOR_KICK);
    assert_int_equal(busy_reads, 0);
    apic_send_init(7);
    apic_send_startup(7, 0x9e);
    apic_send_nmi(7);
    assert_int_equal(icr_sent[1], UINT64_C(7) << 56 | 0x4500);
    assert_int_equal(icr_sent[2], UINT64_C(7) << 56 | 0x469e);
    assert_int_equal(icr_sent[3], UINT64_C(7) << 56 | 0x4400);
    apic_accept_8259();
    assert_int_equal(regs[APIC_LVT_LINT0 / 4], 0x700);
}

/* An interrupt command register that stays busy must not hang the machine. */
static void icr_stays_busy(void **state)
{
    start(0, 0xfee00000);
    busy_reads = UINT32_MAX;
    apic_send(1, VECTOR_KICK);
    assert_int_equal(icr_count, 1);
}

static void check_x2(void)
{
    const uint32_t icr = MSR_X2APIC_BASE + 0x30;

    assert_true(apic_is_x2());
    assert_true(apic_reaches(0x12345));
    assert_true(apic_page() == 0);
    assert_int_equal(x86_rdmsr(MSR_APIC_BASE),
                     0xfee00000 | APIC_BASE_ENABLE | APIC_BASE_X2);
    assert_int_equal(x86_rdmsr(MSR_X2APIC_BASE + 0x0f), 0x1ff);
    x86_wrmsr(MSR_X2APIC_BASE + 0x02, 0x12345);
    assert_int_equal(apic_id(), 0x12345);
    apic_send(0x12345, VECTOR_KICK);
    assert_int_equal(x86_rdmsr(icr), UINT64_C(0x12345) << 32 | 0x4000 | VECTOR_KICK);
    apic_send_startup(300, 0x9e);
    assert_int_equal(x86_rdmsr(icr), UINT64_C(300) << 32 | 0x469e);
    assert_int_equal(icr_count, 0); /* nothing by memory */
}

static void x2apic_left_on(void **state)
{
    start(1u << 21, 0xfee00000 | APIC_BASE_ENABLE | APIC_BASE_X2);
    check_x2();
}

/* Eight bits of an id go out in xAPIC mode: 0x100 would be core 0, 255 is everybody. */
static void ids_out_of_reach(void **state)
{
    static const uint32_t ids[] = {255, 256, 257, 0x17161514, UINT32_MAX};

    start(1u << 21, 0xfee00000 | APIC_BASE_ENABLE);
    assert_true(apic_reaches(254));
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(ids); i++) {
        assert_false(apic_reaches(ids[i]));
        EXPECT_PANIC(apic_send_init(ids[i]));
        EXPECT_PANIC(apic_send_startup(ids[i], 0x9e));
    }
    assert_int_equal(icr_count, 0);
    apic_send_init(254);
    assert_int_equal(icr_count, 1);
}

static void absent(void **state)
{
    assert_int_equal(apic_init(), RT_NOT_FOUND);
    apic_init_core();
    apic_send_nmi(7); /* nobody to send it to, nothing written */
    assert_int_equal(icr_count, 0);
    assert_int_equal(apic_id(), 0);
    hal_wait(UINT64_MAX); /* returns: nothing could end a halt */
    assert_string_equal(apic_timer_mode(), "none");
}

static uint32_t halts;
static uint64_t count_at_halt;

static void note_halt(void)
{
    halts++;
    count_at_halt = regs[APIC_TIMER_INITIAL / 4];
}

static void one_shot_timer(void **state)
{
    start(0, 0xfee00000);
    apic_timer_calibrate(1000);
    assert_string_equal(apic_timer_mode(), "oneshot");
    assert_in_range(apic_timer_hz(), 62300000, 62700000);
    fake.halt = note_halt;
    halts = 0;
    hal_wait(hal_now_us() + 1000);
    assert_int_equal(halts, 1);
    assert_in_range(count_at_halt, 62200, 62700);
    assert_int_equal(regs[APIC_TIMER_INITIAL / 4], 0); /* stopped again */
    hal_wait(hal_now_us());                            /* past: no halt */
    assert_int_equal(halts, 1);
    hal_wait(UINT64_MAX); /* no deadline, no timer */
    assert_int_equal(halts, 2);
    assert_int_equal(count_at_halt, 0);
    hal_wait(UINT64_MAX - 1); /* cannot be counted that far: wakes early */
    assert_int_equal(count_at_halt, TIMER_MAX_COUNT);
    apic_timer_arm(0); /* never 0, which would mean "stop" */
    assert_int_equal(regs[APIC_TIMER_INITIAL / 4], 1);
}

static void timer_that_does_not_count(void **state)
{
    start(0, 0xfee00000);
    timer_divisor_hz = 0;
    apic_timer_calibrate(1000);
    timer_divisor_hz = 62500000;
    assert_int_equal(apic_timer_hz(), 0);
    fake.halt = note_halt;
    halts = 0;
    hal_wait(hal_now_us() + 1000); /* would never end */
    assert_int_equal(halts, 0);
    hal_wait(UINT64_MAX);
    assert_int_equal(halts, 1);
}

static void note_deadline(void)
{
    halts++;
    count_at_halt = x86_rdmsr(MSR_TSC_DEADLINE);
}

static void deadline_timer(void **state)
{
    uint64_t before;

    start(1u << 24, 0xfee00000);
    apic_timer_calibrate(1000);
    assert_string_equal(apic_timer_mode(), "deadline");
    assert_int_equal(regs[APIC_LVT_TIMER / 4], VECTOR_TIMER | LVT_TIMER_DEADLINE);
    fake.halt = note_deadline;
    before = fake.cycles;
    hal_wait(hal_now_us() + 1000);
    assert_in_range(count_at_halt, before + 1000000 - 2000, before + 1000000 + 2000);
    assert_int_equal(x86_rdmsr(MSR_TSC_DEADLINE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(absent, setup),
        cmocka_unit_test_setup(xapic, setup),
        cmocka_unit_test_setup(icr_stays_busy, setup),
        cmocka_unit_test_setup(x2apic_left_on, setup),
        cmocka_unit_test_setup(ids_out_of_reach, setup),
        cmocka_unit_test_setup(one_shot_timer, setup),
        cmocka_unit_test_setup(timer_that_does_not_count, setup),
        cmocka_unit_test_setup(deadline_timer, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

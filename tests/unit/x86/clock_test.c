/* SPDX-License-Identifier: BSD-2-Clause */
/* Which timer is believed, and what rate comes out of it. */
#include "../../../rt/x86/clock.c"

#include <string.h>

#include "cmocka_all.h"

bool hal_console_pump(void)
{
    return false;
}

#define TSC_HZ UINT64_C(2400000000)
#define READ_CYCLES 1000 /* of a timer's register */

static uint64_t hpet_hz, pm_hz, pit_hz; /* 0: stands still */
static uint32_t pm_start;
static uint8_t pit_bytes[2];
static unsigned pit_next;
static struct acpi_info acpi;

void apic_timer_calibrate(uint32_t window_us)
{
}

uint64_t apic_timer_hz(void)
{
    return 0;
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    mmio->base = NULL;
    mmio->bytes = bytes;
    return RT_OK;
}

static uint64_t counted(uint64_t hz)
{
    return (uint64_t)((unsigned __int128)fake.cycles * hz / TSC_HZ);
}

static uint32_t mmio_read(uint32_t offset)
{
    fake.cycles += READ_CYCLES;
    if (offset == HPET_PERIOD_FS)
        return 10000000; /* 10 ns */
    return offset == HPET_COUNTER ? (uint32_t)counted(hpet_hz) + 0xffff0000u : 0;
}

static void mmio_write(uint32_t offset, uint32_t value)
{
}

static uint32_t port_in(uint16_t port)
{
    fake.cycles += READ_CYCLES;
    if (port == 0x608)
        return (pm_start + (uint32_t)counted(pm_hz)) & 0xffffff;
    if (port == PIT_COUNTER2)
        return pit_bytes[pit_next++ % 2];
    return 0;
}

static void port_out(uint16_t port, uint32_t value)
{
    const uint32_t count = 0xffff - ((uint32_t)counted(pit_hz) & 0xffff);

    if (port != PIT_COMMAND || value != PIT_LATCH2)
        return;
    pit_bytes[0] = (uint8_t)count;
    pit_bytes[1] = (uint8_t)(count >> 8);
    pit_next = 0;
}

static int setup(void **state)
{
    fake_reset();
    fake.cycles_step = 1000;
    fake.mmio_read = mmio_read;
    fake.mmio_write = mmio_write;
    fake.in = port_in;
    fake.out = port_out;
    hpet_hz = pm_hz = pit_hz = 0;
    source = "guess";
    memset(&acpi, 0, sizeof(acpi));
    acpi.hpet.present = true;
    acpi.hpet.base = 0xfed00000;
    acpi.fadt.present = true;
    acpi.fadt.pm_timer = (struct acpi_gas){.address = 0x608, .space = ACPI_SPACE_IO};
    clock_start(0);
    return 0;
}

static void expect_rate(const char *name)
{
    assert_string_equal(clock_source(), name);
    assert_in_range(hal_cycles_hz, TSC_HZ - TSC_HZ / 500, TSC_HZ + TSC_HZ / 500);
}

static void hpet_first(void **state)
{
    hpet_hz = 100000000; /* its low half wraps at once: mmio_read starts just below */
    pm_hz = PM_TIMER_HZ;
    assert_int_equal(clock_init(&acpi), RT_OK);
    expect_rate("hpet");
}

static void pm_timer_when_hpet_stands(void **state)
{
    pm_hz = PM_TIMER_HZ;
    pm_start = 0xfffff0; /* wraps its 24 bits inside the window */
    assert_int_equal(clock_init(&acpi), RT_OK);
    expect_rate("pmtimer");
    assert_non_null(strstr(fake.log, "clock timer=hpet state=unusable"));
}

static void pit_last(void **state)
{
    pit_hz = PIT_HZ;
    assert_int_equal(clock_init(&acpi), RT_OK);
    expect_rate("pit");
}

static void nothing_counts(void **state)
{
    assert_int_equal(clock_init(&acpi), RT_IO);
    assert_string_equal(clock_source(), "guess");
    assert_int_equal(hal_cycles_hz, CLOCK_GUESS_HZ);
}

static void absurd_rate_is_not_believed(void **state)
{
    hpet_hz = 1; /* a tick a second: the window never ends; bounded */
    pm_hz = PM_TIMER_HZ;
    assert_int_equal(clock_init(&acpi), RT_OK);
    expect_rate("pmtimer");
}

static void cpuid_crystal(void **state)
{
    fake_cpuid(0, 0x16, 0, 0, 0);
    fake_cpuid(0x15, 2, 200, 24000000, 0);
    assert_int_equal(clock_init(&acpi), RT_OK);
    expect_rate("cpuid");
    assert_int_equal(hal_cycles_hz, TSC_HZ);
}

static void cpuid_base_frequency(void **state)
{
    fake_cpuid(0, 0x16, 0, 0, 0);
    fake_cpuid(0x15, 2, 200, 0, 0); /* crystal not said */
    fake_cpuid(0x16, 2400, 0, 0, 0);
    assert_int_equal(clock_init(&acpi), RT_OK);
    expect_rate("cpuid");
}

static void cpuid_hypervisor(void **state)
{
    fake_cpuid(1, 0, 0, 1u << 31, 0);
    fake_cpuid(0x40000000, 0x40000010, 0, 0, 0);
    fake_cpuid(0x40000010, 2400000, 0, 0, 0);
    assert_int_equal(clock_init(&acpi), RT_OK);
    expect_rate("cpuid");
}

static void conversions(void **state)
{
    const uint64_t centuries_us = UINT64_C(200) * 365 * 86400 * 1000000;

    set_rate(TSC_HZ);
    assert_int_equal(hal_us_from_cycles(0), 0);
    assert_in_range(hal_us_from_cycles(TSC_HZ), 999999, 1000000);
    assert_int_equal(hal_cycles_from_us(1000000), TSC_HZ);
    assert_int_equal(hal_cycles_from_us(1), TSC_HZ / 1000000);
    assert_in_range(hal_us_from_cycles(hal_cycles_from_us(centuries_us)), centuries_us - 2,
                    centuries_us);
    assert_int_equal(hal_cycles_from_us(UINT64_MAX), UINT64_MAX); /* sticks, never wraps */
    set_rate(CLOCK_MAX_HZ);
    assert_int_equal(hal_cycles_from_us(3), 60000);
}

static void time_starts_at_entry(void **state)
{
    fake.cycles = 5 * TSC_HZ;
    clock_start(2 * TSC_HZ);
    set_rate(TSC_HZ);
    assert_in_range(hal_now_us(), 3000000, 3000010);
    clock_start(UINT64_MAX); /* a time that has not come: not believed */
    set_rate(TSC_HZ);
    assert_in_range(hal_now_us(), 0, 10);
}

static void delays_and_waits(void **state)
{
    uint64_t start;
    uint32_t value = 0;
    const struct hal_mmio mmio = {.base = NULL, .bytes = 0x400};

    set_rate(TSC_HZ);
    start = fake.cycles;
    hal_delay_us(10);
    assert_in_range(fake.cycles - start, 24000, 30000);
    start = fake.cycles;
    assert_int_equal(hal_wait_reg(&mmio, HPET_CONFIG, 1, 1, 10, &value), RT_TIMEOUT);
    assert_in_range(fake.cycles - start, 24000, 30000);
    assert_int_equal(hal_wait_reg(&mmio, HPET_PERIOD_FS, 0xff, 10000000 & 0xff, 0, &value),
                     RT_OK);
    assert_int_equal(value, 10000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hpet_first, setup),
        cmocka_unit_test_setup(pm_timer_when_hpet_stands, setup),
        cmocka_unit_test_setup(pit_last, setup),
        cmocka_unit_test_setup(nothing_counts, setup),
        cmocka_unit_test_setup(absurd_rate_is_not_believed, setup),
        cmocka_unit_test_setup(cpuid_crystal, setup),
        cmocka_unit_test_setup(cpuid_base_frequency, setup),
        cmocka_unit_test_setup(cpuid_hypervisor, setup),
        cmocka_unit_test_setup(conversions, setup),
        cmocka_unit_test_setup(time_starts_at_entry, setup),
        cmocka_unit_test_setup(delays_and_waits, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

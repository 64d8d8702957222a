/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clock: the time stamp counter, whose rate comes from CPUID where the processor says it,
 * else from comparing it for 3 ms with a timer of known rate. Each end of that comparison
 * is the tightest of several tsc-timer-tsc reads, so that a stall of the machine (or of an
 * emulator's host) between two reads does not count.
 */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/log.h>

#include "apic.h"
#include "clock.h"
#include "x86.h"

#define CLOCK_GUESS_HZ UINT64_C(2000000000)
#define CLOCK_MIN_HZ UINT64_C(100000000)
#define CLOCK_MAX_HZ UINT64_C(20000000000)

enum {
    CALIBRATE_US = 3000,
    APIC_CALIBRATE_US = 500,
    PUMP_DELAY_US = 1000, /* delays that have time for the console */
    PAIR_TRIES = 5,
    COUNTS_TRIES = 20000,    /* reads until a timer must have moved; a read takes >= 50 ns */
    WINDOW_READS = 2000000,  /* bound on reads in the window, far more than 3 ms */
    CPUID_HYPERVISOR_TIMING = 0x40000010,
    /* HPET, IA-PC HPET 1.0a 2.3 */
    HPET_PERIOD_FS = 0x04, /* upper half of the capabilities register */
    HPET_CONFIG = 0x10,
    HPET_CONFIG_ENABLE = 1,
    HPET_COUNTER = 0xf0,
    HPET_BYTES = 0x400,
    HPET_PERIOD_FS_MAX = 100000000,
    /* ACPI 6.5 4.8.3.3 */
    PM_TIMER_HZ = 3579545,
    /* 8254: counter 2, gated by port 0x61 */
    PIT_HZ = 1193182,
    PIT_COUNTER2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_GATE = 0x61,
    PIT_LATCH2 = 0x80,
    PIT_MODE2_COUNTER2 = 0xb4,
};

/* A counter of known rate that wraps at mask + 1. */
struct ref_timer {
    const char *name;
    uint64_t hz;
    uint32_t mask;
    uint32_t (*read)(void);
};

uint64_t hal_cycles_hz = CLOCK_GUESS_HZ;
uint64_t hal_cycles_start, hal_us_per_cycle_q64;
static uint64_t cycles_per_us_q32; /* cycles a microsecond times 2^32 */
static const char *source = "guess";

static struct hal_mmio hpet;
static struct acpi_gas pm_timer;

static void set_rate(uint64_t hz)
{
    RT_ASSERT_LE(CLOCK_MIN_HZ, hz);
    RT_ASSERT_LE(hz, CLOCK_MAX_HZ);
    hal_cycles_hz = hz;
    hal_us_per_cycle_q64 = x86_div128(1000000, 0, hz);
    cycles_per_us_q32 = x86_mul_div(hz, UINT64_C(1) << 32, 1000000);
}

void clock_start(uint64_t entry_cycles)
{
    const uint64_t now = hal_cycles();

    /* The loader's number, unless it cannot be true. */
    hal_cycles_start = entry_cycles != 0 && entry_cycles <= now ? entry_cycles : now;
    set_rate(CLOCK_GUESS_HZ);
}

const char *clock_source(void)
{
    return source;
}

uint64_t hal_cycles_from_us(uint64_t us)
{
    const unsigned __int128 cycles = ((unsigned __int128)us * cycles_per_us_q32) >> 32;

    return cycles > UINT64_MAX ? UINT64_MAX : (uint64_t)cycles;
}

uint64_t hal_now_us(void)
{
    return hal_us_at(hal_cycles());
}

void hal_delay_us(uint32_t us)
{
    const uint64_t start = hal_cycles();
    const uint64_t wanted = hal_cycles_from_us(us);

    while (hal_cycles() - start < wanted) { /* the counter always counts */
        if (us >= PUMP_DELAY_US)
            (void)hal_console_pump();
        hal_pause();
    }
}

enum rt_status hal_wait_reg(const struct hal_mmio *mmio, uint32_t offset, uint32_t mask,
                            uint32_t want, uint32_t timeout_us, uint32_t *value)
{
    const uint64_t start = hal_cycles();
    const uint64_t limit = hal_cycles_from_us(timeout_us);
    enum rt_status st = RT_TIMEOUT;
    uint32_t seen;
    bool late;

    RT_ASSERT_EQ(want & ~mask, 0u); /* else it could only time out */
    do { /* the time is read first: a stall never costs the last look */
        late = hal_cycles() - start > limit;
        seen = hal_read32(mmio, offset);
        if ((seen & mask) == want) {
            st = RT_OK;
            break;
        }
        hal_pause();
    } while (!late);
    if (value != NULL)
        *value = seen;
    return st;
}

/* Rate as the processor or hypervisor states it; 0 when it does not. */
static uint64_t rate_from_cpuid(void)
{
    const uint32_t leaf_max = x86_cpuid(0, 0).eax;
    struct cpuid_regs r;

    if (leaf_max >= 0x15) { /* crystal * ebx / eax, Intel SDM 3A 19.7.3 */
        r = x86_cpuid(0x15, 0);
        if (r.eax != 0 && r.ebx != 0 && r.ecx != 0)
            return (uint64_t)r.ecx * r.ebx / r.eax;
    }
    if ((x86_cpuid(1, 0).ecx & RT_BIT(31)) != 0 &&
        x86_cpuid(0x40000000, 0).eax >= CPUID_HYPERVISOR_TIMING) {
        r = x86_cpuid(CPUID_HYPERVISOR_TIMING, 0); /* TSC kHz, as KVM and VMware give it */
        if (r.eax != 0)
            return (uint64_t)r.eax * 1000;
    }
    if (leaf_max >= 0x16) { /* base frequency in MHz, rounded */
        r = x86_cpuid(0x16, 0);
        return (uint64_t)(r.eax & 0xffff) * 1000000;
    }
    return 0;
}

static uint32_t read_hpet(void)
{
    return hal_read32(&hpet, HPET_COUNTER);
}

static uint32_t read_pm_timer(void)
{
    if (pm_timer.space == ACPI_SPACE_IO)
        return x86_in32((uint16_t)pm_timer.address);
    return *(volatile uint32_t *)(uintptr_t)pm_timer.address;
}

static uint32_t read_pit(void)
{
    uint32_t low, high;

    x86_out8(PIT_COMMAND, PIT_LATCH2);
    low = x86_in8(PIT_COUNTER2);
    high = x86_in8(PIT_COUNTER2);
    return ~(high << 8 | low); /* it counts down */
}

static bool try_hpet(const struct acpi_info *acpi, struct ref_timer *ref)
{
    uint32_t period_fs;

    if (!acpi->hpet.present)
        return false;
    if (hal_map_mmio((phys_t){acpi->hpet.base}, HPET_BYTES, &hpet) != RT_OK)
        return false;
    period_fs = hal_read32(&hpet, HPET_PERIOD_FS);
    if (period_fs == 0 || period_fs > HPET_PERIOD_FS_MAX)
        return false;
    hal_write32(&hpet, HPET_CONFIG, hal_read32(&hpet, HPET_CONFIG) | HPET_CONFIG_ENABLE);
    *ref = (struct ref_timer){
        "hpet", UINT64_C(1000000000000000) / period_fs, UINT32_MAX, read_hpet};
    return true;
}

static bool try_pm_timer(const struct acpi_info *acpi, struct ref_timer *ref)
{
    struct hal_mmio mmio;

    pm_timer = acpi->fadt.pm_timer;
    if (!acpi->fadt.present || pm_timer.address == 0)
        return false;
    if (pm_timer.space == ACPI_SPACE_MEMORY) {
        if (hal_map_mmio((phys_t){pm_timer.address}, 4, &mmio) != RT_OK)
            return false;
    } else if (pm_timer.space != ACPI_SPACE_IO || pm_timer.address > UINT16_MAX - 4) {
        return false;
    }
    *ref = (struct ref_timer){"pmtimer", PM_TIMER_HZ,
                              acpi->fadt.pm_timer_32bit ? UINT32_MAX : 0xffffff, read_pm_timer};
    return true;
}

static void try_pit(struct ref_timer *ref)
{
    /* Gate on, speaker off; mode 2 reloads 65536 for ever. */
    x86_out8(PIT_GATE, (uint8_t)((x86_in8(PIT_GATE) & ~2u) | 1u));
    x86_out8(PIT_COMMAND, PIT_MODE2_COUNTER2);
    x86_out8(PIT_COUNTER2, 0);
    x86_out8(PIT_COUNTER2, 0);
    *ref = (struct ref_timer){"pit", PIT_HZ, 0xffff, read_pit};
}

/* Some machines describe timers that stand still (a PIT on microvm, a gated HPET). */
static bool ref_counts(const struct ref_timer *ref)
{
    const uint32_t first = ref->read() & ref->mask;

    RT_ASSERT_NE(ref->mask, 0u);
    for (uint32_t i = 0; i < COUNTS_TRIES; i++) {
        if ((ref->read() & ref->mask) != first)
            return true;
    }
    return false;
}

/* The timer's value and the cycle count that belongs to it. */
static uint32_t read_pair(const struct ref_timer *ref, uint64_t *cycles)
{
    uint64_t best = UINT64_MAX;
    uint32_t value = 0;

    for (unsigned i = 0; i < PAIR_TRIES; i++) {
        const uint64_t before = hal_cycles();
        const uint32_t seen = ref->read() & ref->mask;
        const uint64_t width = hal_cycles() - before;

        if (width < best) {
            best = width;
            value = seen;
            *cycles = before + width / 2;
        }
    }
    return value;
}

/* Cycles per second by comparison with `ref`; 0 when that makes no sense. */
static uint64_t rate_from_ref(const struct ref_timer *ref)
{
    const uint64_t wanted = ref->hz * CALIBRATE_US / 1000000;
    uint64_t start_cycles = 0, end_cycles = 0, hz;
    uint32_t start, ticks = 0;

    RT_ASSERT_NE(wanted, 0u);
    RT_ASSERT_LE(wanted, (uint64_t)ref->mask); /* it must not wrap within the measurement */
    (void)read_pair(ref, &start_cycles); /* the code is in the caches (and translated) now */
    start = read_pair(ref, &start_cycles);
    for (uint32_t i = 0; i < WINDOW_READS && ticks < wanted; i++)
        ticks = (ref->read() - start) & ref->mask;
    ticks = (read_pair(ref, &end_cycles) - start) & ref->mask;
    if (ticks < wanted)
        return 0;
    hz = x86_mul_div(end_cycles - start_cycles, ref->hz, ticks);
    return hz < CLOCK_MIN_HZ || hz > CLOCK_MAX_HZ ? 0 : hz;
}

static uint64_t rate_by_timers(const struct acpi_info *acpi)
{
    struct ref_timer ref;

    for (unsigned which = 0; which < 3; which++) {
        uint64_t hz = 0;

        if (which == 0 && !try_hpet(acpi, &ref))
            continue;
        if (which == 1 && !try_pm_timer(acpi, &ref))
            continue;
        if (which == 2)
            try_pit(&ref);
        if (ref_counts(&ref))
            hz = rate_from_ref(&ref);
        if (hz != 0) {
            source = ref.name;
            return hz;
        }
        rt_log("clock timer=%s state=unusable", ref.name);
    }
    return 0;
}

enum rt_status clock_init(const struct acpi_info *acpi)
{
    uint64_t hz = rate_from_cpuid();

    if (hz >= CLOCK_MIN_HZ && hz <= CLOCK_MAX_HZ)
        source = "cpuid";
    else
        hz = rate_by_timers(acpi);
    if (hz != 0)
        set_rate(hz);
    apic_timer_calibrate(APIC_CALIBRATE_US);
    rt_log("clock source=%s hz=%lu apic_timer_hz=%lu", source, hal_cycles_hz, apic_timer_hz());
    return hz != 0 ? RT_OK : RT_IO;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables, memory, clock, timers and interrupts of the core that boots. */
#include <rt/hal.h>
#include <rt/image.h>
#include <rt/iommu.h>
#include <rt/timer.h>

#include "apic.h"
#include "cpu.h"
#include "memory.h"
#include "paging.h"
#include "selftest.h"
#include "smp.h"

#define MIB_2 (UINT64_C(2) << 20)

/* Where LIDT was told to look. */
static uintptr_t interrupt_table(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } RT_PACKED idt;

    __asm__ volatile("sidt %0" : "=m"(idt));
    return idt.base;
}

/* A processor without no-execute has no such bit in its entries. */
static uint64_t access_here(uint64_t access)
{
    return paging_nx() ? access : access & ~PTE_NX;
}

static bool all_pages(const uint8_t *start, const uint8_t *end, uint64_t access)
{
    uint64_t page_bytes;

    for (uintptr_t at = (uintptr_t)start; at < (uintptr_t)end; at += RT_PAGE_BYTES) {
        if ((paging_lookup(at, &page_bytes) & PAGE_ACCESS_MASK) != access_here(access))
            return false;
    }
    return true;
}

static const char *image_access(void)
{
    const uint8_t *idt = (const uint8_t *)interrupt_table();

    SELFTEST_CHECK(all_pages(_text_start, _text_end, PAGE_RX));
    SELFTEST_CHECK(all_pages(_rodata_start, _rodata_end, PAGE_R));
    SELFTEST_CHECK(all_pages(_relro_start, _relro_end, PAGE_R));
    SELFTEST_CHECK(idt >= _relro_end && idt < _bss_end);
    SELFTEST_CHECK(all_pages(_relro_end, idt, PAGE_RW));
    SELFTEST_CHECK(all_pages(idt, idt + RT_PAGE_BYTES, PAGE_R)); /* vectors stay as they are */
    SELFTEST_CHECK(all_pages(idt + RT_PAGE_BYTES, _bss_end, PAGE_RW));
    return NULL;
}

/* What may be executed: our text, and the page that a core starts in while one may still come. */
static bool may_execute(uint64_t at)
{
    if (hal_core_count() <= ap_slot_count && at < LOW_MEMORY_END)
        return true;
    return at >= (uintptr_t)_text_start && at < (uintptr_t)_text_end;
}

/* Walks every entry there is: nothing writable and executable, virt == phys everywhere,
 * and nothing executable but that, so no alias of text can be writable. */
static const char *no_alias(void)
{
    const uint64_t end = UINT64_C(1) << 47;
    uint64_t page_bytes = 0, mapped = 0;

    for (uint64_t at = 0; at < end; at += page_bytes) {
        const uint64_t entry = paging_lookup(at, &page_bytes);
        const uint64_t address = entry & UINT64_C(0x000ffffffffff000) & ~(page_bytes - 1);

        if (entry == 0)
            continue;
        mapped += page_bytes;
        SELFTEST_CHECK(address == at);
        if (!paging_nx()) {
            SELFTEST_CHECK((entry & PTE_NX) == 0);
            continue;
        }
        SELFTEST_CHECK((entry & PTE_WRITE) == 0 || (entry & PTE_NX) != 0);
        SELFTEST_CHECK((entry & PTE_NX) != 0 || may_execute(at));
    }
    SELFTEST_CHECK(mapped > (uint64_t)(_bss_end - _text_start));
    return NULL;
}

static const char *null_page(void)
{
    uint64_t page_bytes;

    SELFTEST_CHECK(paging_lookup(0, &page_bytes) == 0);
    SELFTEST_CHECK(paging_lookup(RT_PAGE_BYTES - 1, &page_bytes) == 0);
    return NULL;
}

static const char *guard_pages(void)
{
    uint64_t page_bytes;

    for (unsigned c = 0; c < hal_core_count(); c++) {
        for (unsigned s = 0; s < IST_COUNT; s++) {
            const uintptr_t low = (uintptr_t)core_table[c]->stack[s];

            SELFTEST_CHECK(paging_lookup(low - 1, &page_bytes) == 0);
            SELFTEST_CHECK(paging_lookup(low - RT_PAGE_BYTES, &page_bytes) == 0);
            SELFTEST_CHECK((paging_lookup(low, &page_bytes) & PAGE_ACCESS_MASK) ==
                           access_here(PAGE_RW));
        }
    }
    return NULL;
}

static const char *control_registers(void)
{
    const struct cpuid_regs features = x86_cpuid(7, 0);

    SELFTEST_CHECK((x86_read_cr0() & CR0_WP) != 0);
    SELFTEST_CHECK(paging_nx() == ((x86_cpuid(0x80000001, 0).edx & RT_BIT(20)) != 0));
    SELFTEST_CHECK(paging_nx() == ((x86_rdmsr(MSR_EFER) & EFER_NXE) != 0));
    SELFTEST_CHECK((features.ebx & RT_BIT(7)) == 0 || (x86_read_cr4() & CR4_SMEP) != 0);
    SELFTEST_CHECK((features.ecx & RT_BIT(2)) == 0 || (x86_read_cr4() & CR4_UMIP) != 0);
    return NULL;
}

static const char *alloc_cleared(void)
{
    const size_t bytes = 3 * MIB_2;
    const uint8_t *small = hal_alloc(100, 64, "selftest");
    const uint8_t *big = hal_alloc(bytes, 64, "selftest");

    SELFTEST_CHECK(small != NULL && (uintptr_t)small % 64 == 0);
    SELFTEST_CHECK(big != NULL && (uintptr_t)big % MIB_2 == 0);
    for (size_t i = 0; i < bytes; i += 64)
        SELFTEST_CHECK(big[i] == 0);
    SELFTEST_CHECK(hal_alloc(SIZE_MAX / 2, 64, "selftest") == NULL);
    return NULL;
}

static const char *mmio_not_ram(void)
{
    struct hal_mmio mmio;

    SELFTEST_CHECK(hal_map_mmio(hal_phys(_bss_start), 64, &mmio) == RT_INVALID);
    SELFTEST_CHECK(hal_map_mmio((phys_t){UINT64_MAX - 100}, 64, &mmio) != RT_OK);
    return NULL;
}

static const char *clock_monotonic(void)
{
    uint64_t last = hal_now_us(), last_cycles = hal_cycles();

    for (unsigned i = 0; i < 200000; i++) {
        const uint64_t now = hal_now_us(), cycles = hal_cycles();

        SELFTEST_CHECK(now >= last);
        SELFTEST_CHECK(cycles > last_cycles);
        last = now;
        last_cycles = cycles;
    }
    SELFTEST_CHECK(hal_us_from_cycles(hal_cycles_hz) >= 999999);
    SELFTEST_CHECK(hal_us_from_cycles(hal_cycles_hz) <= 1000000);
    return NULL;
}

/* The best of several: the host of an emulator may take the core away at any time. */
static const char *wait_deadline(void)
{
    const uint64_t wanted_us = 10000;
    uint64_t best_us = UINT64_MAX;

    selftest_drain();
    for (unsigned i = 0; i < 10; i++) {
        const uint64_t start_us = hal_now_us();
        uint64_t took_us;

        hal_wait(start_us + wanted_us);
        took_us = hal_now_us() - start_us;
        SELFTEST_CHECK(took_us >= wanted_us - wanted_us / 50); /* nothing else woke it */
        best_us = RT_MIN(best_us, took_us);
    }
    SELFTEST_CHECK(best_us < wanted_us + 1000);
    return NULL;
}

static const char *wait_past(void)
{
    const uint64_t start_us = hal_now_us();

    hal_wait(start_us);
    hal_wait(0);
    SELFTEST_CHECK(hal_now_us() - start_us < 100000);
    return NULL;
}

/* An interrupt that comes before the halt ends it: nothing is lost in between. */
static const char *kick_before_wait(void)
{
    for (unsigned i = 0; i < 20; i++) {
        const uint64_t start_us = hal_now_us();

        hal_core_kick(hal_core_id());
        hal_wait(start_us + 3000000);
        SELFTEST_CHECK(hal_now_us() - start_us < 2000000);
    }
    return NULL;
}

/* A message interrupt, sent by ourselves: counted once, and once only. */
static const char *interrupt_counted(void)
{
    const uint64_t total = hal_irq_total(0);
    const uint64_t unexpected = core_this()->irq_unexpected;
    struct hal_irq irq;

    SELFTEST_CHECK(hal_irq_alloc(0, "selftest", &irq) == RT_OK);
    SELFTEST_CHECK((irq.msi_address & ~UINT64_C(0xff000)) == 0xfee00000);
    for (unsigned i = 1; i <= 5; i++) {
        apic_send(core_this()->apic_id, (uint8_t)irq.vector);
        hal_wait(hal_now_us() + 1000000);
        SELFTEST_CHECK(*irq.count == i);
    }
    SELFTEST_CHECK(hal_irq_total(0) == total + 5);
    SELFTEST_CHECK(core_this()->irq_unexpected == unexpected);
    apic_send(core_this()->apic_id, VECTOR_DEVICE_END - 1); /* nobody's */
    hal_wait(hal_now_us() + 1000000);
    SELFTEST_CHECK(core_this()->irq_unexpected == unexpected + 1);
    return NULL;
}

/* As a kernel before us would have left it: QEMU's Intel unit translates and remaps. */
static const char *iommu_goes_off(void)
{
    enum { GCMD = 0x18, GSTS = 0x1c };
    const uint32_t on[] = {RT_BIT(25), RT_BIT(31)}; /* interrupts, DMA */
    const struct acpi_iommu unit = {.kind = ACPI_IOMMU_VTD, .base = 0xfed90000};
    struct hal_mmio mmio;
    uint32_t version, wanted = 0;

    SELFTEST_CHECK(hal_map_mmio((phys_t){unit.base}, 4096, &mmio) == RT_OK);
    version = hal_read32(&mmio, 0);
    if (version == UINT32_MAX || version == 0)
        return "SKIP no VT-d unit";
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(on); i++) {
        if (on[i] == RT_BIT(25) && (hal_read32(&mmio, 0x10) & RT_BIT(3)) == 0)
            continue; /* it remaps no interrupts */
        wanted |= on[i];
        hal_write32(&mmio, GCMD, wanted);
        SELFTEST_CHECK(hal_wait_reg(&mmio, GSTS, on[i], on[i], 100000, NULL) == RT_OK);
    }
    SELFTEST_CHECK(iommu_unit_off(&unit) == RT_OK);
    SELFTEST_CHECK((hal_read32(&mmio, GSTS) & (RT_BIT(31) | RT_BIT(26) | RT_BIT(25))) == 0);
    return NULL;
}

/* Two interrupts pending: the first halt takes one of them, the second halt the other. */
static const char *one_interrupt_one_halt(void)
{
    struct hal_irq a, b;

    SELFTEST_CHECK(hal_irq_alloc(0, "selftest_a", &a) == RT_OK);
    SELFTEST_CHECK(hal_irq_alloc(0, "selftest_b", &b) == RT_OK);
    apic_send(core_this()->apic_id, (uint8_t)a.vector);
    apic_send(core_this()->apic_id, (uint8_t)b.vector);
    hal_wait(hal_now_us() + 1000000);
    SELFTEST_CHECK(*a.count + *b.count == 1);
    hal_wait(hal_now_us() + 1000000);
    SELFTEST_CHECK(*a.count == 1 && *b.count == 1);
    return NULL;
}

/* Counter 0 of the PIT, mode 0: raises line 0 of the 8259 pair once, after 2 ms, and then never
 * again. */
static void pit_once(void)
{
    const uint16_t count = 2386;

    x86_out8(0x43, 0x30);
    x86_out8(0x40, (uint8_t)count);
    x86_out8(0x40, count >> 8);
}

static const char *interrupt_line(void)
{
    struct hal_irq irq;
    uint64_t before;

    SELFTEST_CHECK(hal_irq_alloc_line(255, "selftest_line", &irq) == RT_INVALID);
    if (hal_irq_alloc_line(0, "selftest_line", &irq) == RT_UNSUPPORTED)
        return "SKIP no 8259";
    pit_once(); /* ends the ticks of firmware; one more may come late, where the host stalls */
    before = *irq.count - 1;
    for (unsigned i = 0; i < 10 && *irq.count != before; i++) {
        before = *irq.count;
        hal_wait(hal_now_us() + 200000);
    }
    pit_once();
    for (unsigned i = 0; i < 20 && *irq.count == before; i++)
        hal_wait(hal_now_us() + 100000);
    SELFTEST_CHECK(*irq.count == before + 1);
    hal_wait(hal_now_us() + 5000);
    SELFTEST_CHECK(*irq.count == before + 1);
    return NULL;
}

static struct timer_wheel wheel;
static uint32_t fired;
static bool fired_early;

static void on_timer(struct timer *timer, uint64_t now_us)
{
    fired++;
    if (now_us < timer->due_us)
        fired_early = true;
}

static const char *timers(void)
{
    static struct timer timer[8];
    const uint64_t start_us = hal_now_us();
    uint64_t now_us = start_us;

    timer_wheel_init(&wheel, start_us);
    for (unsigned i = 0; i < RT_ARRAY_SIZE(timer); i++) {
        timer[i].fn = on_timer;
        timer_arm(&wheel, &timer[i], start_us + 1000 * (i + 1));
    }
    while (fired < RT_ARRAY_SIZE(timer) && now_us < start_us + 5000000) {
        hal_wait(timer_next_us(&wheel));
        now_us = hal_now_us();
        timer_run(&wheel, now_us, 32);
    }
    SELFTEST_CHECK(fired == RT_ARRAY_SIZE(timer));
    SELFTEST_CHECK(!fired_early);
    return NULL;
}

const struct selftest selftest_machine[] = {
    {"paging: access of text, constants, interrupt table, data", image_access},
    {"paging: no alias, nothing writable and executable", no_alias},
    {"paging: page 0 is not mapped", null_page},
    {"paging: a guard page below every stack", guard_pages},
    {"paging: WP, NX, SMEP and UMIP are on", control_registers},
    {"memory: cleared, aligned, refused when too big", alloc_cleared},
    {"memory: RAM is never mapped as registers", mmio_not_ram},
    {"clock: monotonic, conversions agree", clock_monotonic},
    {"wait: deadline is kept", wait_deadline},
    {"wait: a deadline in the past returns", wait_past},
    {"wait: an interrupt before the halt is not lost", kick_before_wait},
    {"interrupts: counted by vector", interrupt_counted},
    {"iommu: what was left on goes off", iommu_goes_off},
    {"interrupts: one ends one halt", one_interrupt_one_halt},
    {"interrupts: a legacy line, once", interrupt_line},
    {"timers: fire on time", timers},
};
const uint32_t selftest_machine_count = RT_ARRAY_SIZE(selftest_machine);

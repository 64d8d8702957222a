/* SPDX-License-Identifier: BSD-2-Clause */
#include <rt/assert.h>
#include <rt/log.h>
#include <rt/trace.h>
#include <string.h>

#include "ap.h"
#include "apic.h"
#include "memory.h"
#include "paging.h"
#include "smp.h"
#include "trap.h"

enum {
    START_TIMEOUT_US = 1000000, /* a virtual core may wait that long for its host */
    INIT_SETTLE_US = 200,        /* processors of this century need none, SDM says 10 ms */
    INIT_SETTLE_OLD_US = 10000,  /* Intel family 15 (NetBurst) does */
    STARTUP_GAP_US = 200,        /* SDM 3A 8.4.4.1 */
    TSC_SKEW_MAX_US = 2,
};

struct ap_slot {
    uint32_t apic_id;
    uint32_t reserved;
    uintptr_t stack_top;
    struct core *core;
};
_Static_assert(sizeof(struct ap_slot) == AP_SLOT_BYTES, "ap.S walks these");
_Static_assert(offsetof(struct ap_slot, apic_id) == AP_SLOT_APIC_ID, "ap.S");
_Static_assert(offsetof(struct ap_slot, stack_top) == AP_SLOT_STACK, "ap.S");
_Static_assert(offsetof(struct ap_slot, core) == AP_SLOT_CORE, "ap.S");

extern const uint8_t ap_page_start[], ap_page_end[], ap_page_32[], ap_page_64[];
extern const uint8_t ap_entry[];
void ap_main(struct core *core);

static struct core core0;
struct core *core_table[HAL_CORES_MAX] = {&core0};
static unsigned core_count = 1;
static const struct core *ender; /* ends the run; to any other an NMI means: halt for good */
static bool halted;               /* the run has ended, and the machine stands still */

/* Read by ap.S. */
struct ap_slot ap_slots[HAL_CORES_MAX];
uint32_t ap_slot_count;
uint64_t ap_apic_page;

void core_init_boot(void)
{
    core0.self = &core0;
    core0.state = CORE_RUNNING;
    core0.vector_next = VECTOR_DEVICE;
    x86_wrmsr(MSR_GS_BASE, (uintptr_t)&core0);
}

enum rt_status core_make_stacks(struct core *core)
{
    RT_ASSERT(core->stack[IST_NONE] == NULL); /* once: they are never given back */
    for (unsigned i = 0; i < IST_COUNT; i++) {
        const size_t bytes = i == IST_NONE ? CORE_STACK_BYTES : CORE_FAULT_STACK_BYTES;
        uint8_t *memory = hal_alloc(CORE_GUARD_BYTES + bytes, CORE_GUARD_BYTES, "core stack");

        if (memory == NULL)
            return RT_NO_MEMORY;
        if (paging_set((uintptr_t)memory, CORE_GUARD_BYTES, PAGE_NONE) != RT_OK)
            return RT_NO_MEMORY;
        core->stack[i] = memory + CORE_GUARD_BYTES;
    }
    return RT_OK;
}

void core_setup(struct core *core)
{
    RT_ASSERT(core->self == core);
    paging_setup_core();
    trap_setup_core(core);
    apic_init_core();
}

/* The first core that comes stops the others, one by one: a processor that was never started must
 * not get an NMI. QEMU's would begin at the reset vector, and the firmware would start the machine
 * anew. A second core must not stop the first: nobody would be left. */
void core_stop_others(void)
{
    const uint32_t me = apic_present() ? apic_id() : 0;
    const struct core *nobody = NULL;

    if (!__atomic_compare_exchange_n(&ender, &nobody, core_this(), false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        if (nobody == core_this())
            return;
        x86_halt_forever();
    }
    for (unsigned i = 0; i < core_count && apic_present(); i++) {
        if (core_table[i]->apic_id != me)
            apic_send_nmi(core_table[i]->apic_id);
    }
}

bool core_must_halt(void)
{
    const struct core *by = __atomic_load_n(&ender, __ATOMIC_ACQUIRE);

    return halted || (by != NULL && by != core_this());
}

void core_halt_for_good(void)
{
    halted = true; /* of the one core that still runs */
    x86_halt_forever();
}

unsigned hal_core_count(void)
{
    return core_count;
}

static uint32_t state_get(const struct core *core)
{
    return __atomic_load_n(&core->state, __ATOMIC_ACQUIRE);
}

static bool state_move(struct core *core, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&core->state, &from, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* First C code of another core; the rest of its life. */
void ap_main(struct core *core)
{
    core_setup(core);
    core->tsc_at_start = hal_cycles();
    if (!state_move(core, CORE_STARTING, CORE_PARKED))
        x86_halt_forever(); /* too late: the machine went on without this core */
    for (;;) {
        if (!state_move(core, CORE_ASKED, CORE_RUNNING)) {
            hal_wait(UINT64_MAX);
            continue;
        }
        core->run_fn(core->run_arg);
        RT_ASSERT_EQ(state_get(core), (uint32_t)CORE_RUNNING);
        __atomic_store_n(&core->state, CORE_PARKED, __ATOMIC_RELEASE);
    }
}

enum rt_status hal_core_run(unsigned id, void (*fn)(void *), void *arg)
{
    struct core *core;

    if (id == 0 || id >= core_count || fn == NULL)
        return RT_INVALID;
    core = core_table[id];
    RT_ASSERT_EQ(core_this()->id, 0u);
    RT_ASSERT_EQ(core->id, id);
    if (state_get(core) != CORE_PARKED)
        return RT_BUSY;
    core->run_fn = fn; /* core 0 alone gives work, so nobody else is here */
    core->run_arg = arg;
    if (!state_move(core, CORE_PARKED, CORE_ASKED))
        return RT_BUSY;
    hal_core_kick(id);
    return RT_OK;
}

bool hal_core_idle(unsigned id)
{
    return id < core_count && state_get(core_table[id]) == CORE_PARKED;
}

void hal_core_kick(unsigned id)
{
    RT_ASSERT_LT(id, core_count);
    apic_send(core_table[id]->apic_id, VECTOR_KICK);
}

/* ---- start ---- */

static void put32(uint8_t *page, unsigned offset, uint32_t value)
{
    memcpy(page + offset, &value, sizeof(value));
}

static void put64(uint8_t *page, unsigned offset, uint64_t value)
{
    memcpy(page + offset, &value, sizeof(value));
}

static void fill_start_page(uint8_t *page)
{
    const uint32_t base = (uint32_t)(uintptr_t)page;

    RT_ASSERT_LE((size_t)(ap_page_end - ap_page_start), (size_t)AP_DATA);
    RT_ASSERT_LE(paging_root(), (uint64_t)UINT32_MAX); /* a core loads it before 64-bit mode */
    memset(page, 0, RT_PAGE_BYTES);
    memcpy(page, ap_page_start, (size_t)(ap_page_end - ap_page_start));
    put32(page, AP_GDTR, (4 * 8 - 1) | (base + AP_GDT) << 16);
    put32(page, AP_GDTR + 4, (base + AP_GDT) >> 16);
    put32(page, AP_JUMP32, base + (uint32_t)(ap_page_32 - ap_page_start));
    put32(page, AP_JUMP32 + 4, AP_CODE32);
    put32(page, AP_JUMP64, base + (uint32_t)(ap_page_64 - ap_page_start));
    put32(page, AP_JUMP64 + 4, AP_CODE64);
    put64(page, AP_CR3, paging_root());
    put64(page, AP_CR4, x86_read_cr4());
    put64(page, AP_CR0, x86_read_cr0());
    put64(page, AP_EFER, EFER_LME | (paging_nx() ? EFER_NXE : 0));
    put32(page, AP_XD_OFF, paging_nx_unlocked());
    RT_ASSERT_EQ((uintptr_t)page >> 20, 0u); /* a core starts in real mode */
    put64(page, AP_ENTRY, (uintptr_t)ap_entry);
    put64(page, AP_GDT + AP_CODE64, UINT64_C(0x00af9b000000ffff));
    put64(page, AP_GDT + AP_FLAT_DATA, UINT64_C(0x00cf93000000ffff));
    put64(page, AP_GDT + AP_CODE32, UINT64_C(0x00cf9b000000ffff));
}

/* The first of them stands for all: there may be hundreds. */
static void log_unreached(uint32_t id)
{
    rt_log("core apic=0x%x state=skipped reason=\"the tables list ids above 254, which only"
           " x2APIC mode reaches, and firmware left that off\" remedy=\"switch x2APIC on in the"
           " firmware's setup, if there are that many cores\"", id);
}

/* Makes the structures of every core to start; returns how many slots are filled. */
static uint32_t make_slots(const struct acpi_info *acpi, uint32_t cores_wanted)
{
    const uint32_t limit =
        cores_wanted == 0 ? HAL_CORES_MAX : RT_MIN(cores_wanted, (uint32_t)HAL_CORES_MAX);
    bool unreached = false;
    uint32_t count = 0;

    for (uint32_t i = 0; i < acpi->core_count && i < ACPI_CORES_MAX; i++) {
        const struct acpi_core *listed = &acpi->core[i];
        struct core *core;

        if (listed->apic_id == core0.apic_id) {
            core0.node = listed->node;
            continue;
        }
        if (!apic_reaches(listed->apic_id)) {
            if (!unreached)
                log_unreached(listed->apic_id);
            unreached = true;
            continue;
        }
        if (count + 1 >= limit)
            break;
        core = hal_alloc(sizeof(*core), RT_CACHE_LINE, "core");
        if (core == NULL || core_make_stacks(core) != RT_OK) {
            rt_log("core apic=%u state=skipped reason=\"no memory for its stacks\"",
                   listed->apic_id);
            break;
        }
        core->self = core;
        core->apic_id = listed->apic_id;
        core->node = listed->node;
        core->state = CORE_STARTING;
        core->vector_next = VECTOR_DEVICE;
        ap_slots[count++] = (struct ap_slot){
            .apic_id = listed->apic_id,
            .stack_top = core_stack_top(core, IST_NONE),
            .core = core,
        };
    }
    return count;
}

static bool all_parked(void)
{
    for (uint32_t i = 0; i < ap_slot_count; i++) {
        if (state_get(ap_slots[i].core) == CORE_STARTING)
            return false;
    }
    return true;
}

static bool wait_parked(uint32_t timeout_us)
{
    const uint64_t end_us = hal_now_us() + timeout_us;

    while (!all_parked()) {
        if (hal_now_us() >= end_us)
            return false;
        hal_pause();
    }
    return true;
}

static void send_starts(uint8_t page_number)
{
    const uint32_t signature = x86_cpuid(1, 0).eax;
    const bool intel = x86_cpuid(0, 0).ebx == UINT32_C(0x756e6547); /* "Genu" */
    const bool old = intel && (signature >> 8 & 0xf) == 15;

    for (uint32_t i = 0; i < ap_slot_count; i++)
        apic_send_init(ap_slots[i].apic_id);
    hal_delay_us(old ? INIT_SETTLE_OLD_US : INIT_SETTLE_US);
    for (unsigned round = 0; round < 2; round++) { /* the second one only if needed */
        for (uint32_t i = 0; i < ap_slot_count; i++) {
            if (state_get(ap_slots[i].core) == CORE_STARTING)
                apic_send_startup(ap_slots[i].apic_id, page_number);
        }
        if (wait_parked(STARTUP_GAP_US))
            return;
    }
}

/* Gives the cores that came up their numbers, and gives up the others. */
static void number_cores(uint64_t begin_cycles)
{
    const uint64_t slack = hal_cycles_from_us(TSC_SKEW_MAX_US);

    for (uint32_t i = 0; i < ap_slot_count; i++) {
        struct core *core = ap_slots[i].core;

        if (state_move(core, CORE_STARTING, CORE_FAILED)) {
            apic_send_init(core->apic_id); /* holds it, if no start-up message waits there */
            rt_log("core apic=%u state=failed reason=\"did not start within %u ms\"",
                   core->apic_id, (unsigned)START_TIMEOUT_US / 1000);
            continue;
        }
        RT_ASSERT_LT(core_count, (unsigned)HAL_CORES_MAX);
        core->id = core_count;
        core_table[core_count++] = core;
        rt_trace(TRACE_CORE_UP, (uint16_t)core->id, core->apic_id);
        if (core->tsc_at_start + slack < begin_cycles ||
            core->tsc_at_start > hal_cycles() + slack)
            rt_log("core id=%u clock=differs tsc=%lu core0_tsc=%lu", core->id,
                   core->tsc_at_start, hal_cycles());
    }
}

unsigned smp_start(const struct boot_info *bi, const struct acpi_info *acpi,
                   uint32_t cores_wanted)
{
    const uint64_t page = memory_low_page(bi);
    const uint64_t begin_us = hal_now_us();
    const uint64_t begin_cycles = hal_cycles();

    core0.apic_id = apic_id();
    if (!apic_present() || acpi->core_count < 2 || cores_wanted == 1)
        goto out;
    if (page == 0) {
        rt_log("core state=skipped reason=\"no free page below 640 KiB to start cores in\"");
        goto out;
    }
    ap_apic_page = apic_page();
    ap_slot_count = make_slots(acpi, cores_wanted);
    fill_start_page((uint8_t *)(uintptr_t)page);
    if (paging_set(page, RT_PAGE_BYTES, PAGE_RX) != RT_OK) {
        rt_log("core state=skipped reason=\"no memory for page tables\"");
        ap_slot_count = 0;
        goto out;
    }
    send_starts((uint8_t)(page / RT_PAGE_BYTES));
    (void)wait_parked(START_TIMEOUT_US);
    number_cores(begin_cycles);
    /* A core that was given up may still come: its host had stopped it, and QEMU's takes the
     * start-up message after the INIT then. It goes on to ap_main() and halts there. Without
     * this page it would fault before it has a handler, and that resets the machine. */
    if (core_count > ap_slot_count && paging_set(page, RT_PAGE_BYTES, PAGE_NONE) != RT_OK)
        rt_log("core reason=\"start page stays mapped\"");
out:
    rt_log("cores running=%u listed=%u apic=%s timer=%s start_us=%lu", core_count,
           acpi->core_count, apic_is_x2() ? "x2apic" : "xapic", apic_timer_mode(),
           hal_now_us() - begin_us);
    if (cores_wanted > core_count)
        rt_log("cores warning=\"cores=%u was asked for, %u run\"", cores_wanted, core_count);
    return core_count;
}

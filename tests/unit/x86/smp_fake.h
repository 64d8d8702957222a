/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine around smp.c, with cores that start or do not. Included once, behind it. */
#ifndef TESTS_X86_SMP_FAKE_H
#define TESTS_X86_SMP_FAKE_H

#define START_PAGE UINT64_C(0x9e000)
#define CYCLES_PER_US 1000

__asm__(".section .rodata\n"
        ".globl ap_page_start, ap_page_end, ap_page_32, ap_page_64, ap_entry\n"
        "ap_page_start: .byte 0xfa, 0xfc\nap_page_32: .byte 0x11\nap_page_64: .byte 0x22\n"
        "ap_page_end:\nap_entry: .byte 0\n.text\n");

static struct acpi_info acpi;
static bool dead[300];      /* by APIC id: never starts */
static bool deaf_once[300]; /* needs the second start-up message */
static uint32_t inits[300], startups[300], kicks[300], nmis;
static uint64_t access_now; /* of the start page */
static bool no_page, no_stacks, x2, nx, nx_unlocked;
static uint64_t skew_cycles;
static void *allocated[HAL_CORES_MAX * (IST_COUNT + 1)];
static uint32_t allocated_count;

uint64_t hal_now_us(void)
{
    return hal_cycles() / CYCLES_PER_US;
}

uint64_t hal_cycles_from_us(uint64_t us)
{
    return us * CYCLES_PER_US;
}

void hal_delay_us(uint32_t us)
{
    fake.cycles += (uint64_t)us * CYCLES_PER_US;
}

void *hal_alloc(size_t bytes, size_t align, const char *what)
{
    if (no_stacks && bytes > 4096)
        return NULL;
    assert_true(allocated_count < RT_ARRAY_SIZE(allocated));
    allocated[allocated_count] = aligned_alloc(align, RT_ALIGN_UP(bytes, align));
    return memset(allocated[allocated_count++], 0, bytes);
}

enum rt_status paging_set(uint64_t base, uint64_t bytes, uint64_t access)
{
    if (base == START_PAGE)
        access_now = access;
    else
        assert_int_equal(access, PAGE_NONE); /* guard pages */
    return RT_OK;
}

uint64_t paging_root(void)
{
    return 0x12345000;
}

bool paging_nx(void)
{
    return nx;
}

bool paging_nx_unlocked(void)
{
    return nx_unlocked;
}

uint64_t memory_low_page(const struct boot_info *bi)
{
    return no_page ? 0 : START_PAGE;
}

void paging_setup_core(void)
{
}

void trap_setup_core(struct core *core)
{
}

void apic_init_core(void)
{
}

void hal_wait(uint64_t until_us)
{
}

void rt_trace(enum trace_id id, uint16_t a, uint32_t b)
{
}

bool apic_present(void)
{
    return true;
}

bool apic_is_x2(void)
{
    return x2;
}

bool apic_reaches(uint32_t id)
{
    return x2 || id < 255;
}

uint64_t apic_page(void)
{
    return x2 ? 0 : 0xfee00000;
}

uint32_t apic_id(void)
{
    return 4;
}

const char *apic_timer_mode(void)
{
    return "fake";
}

void apic_send(uint32_t target, uint8_t vector)
{
    assert_int_equal(vector, VECTOR_KICK);
    kicks[target]++;
}

void apic_send_init(uint32_t target)
{
    inits[target]++;
}

void apic_send_nmi(uint32_t target)
{
    assert_true(startups[target] != 0 || target == 4); /* only to cores that run */
    nmis++;
}

void apic_send_startup(uint32_t target, uint8_t page)
{
    assert_int_equal(page, START_PAGE >> 12);
    assert_int_equal(access_now, PAGE_RX);
    assert_true(inits[target] == 1);
    startups[target]++;
    if (dead[target] || (deaf_once[target] && startups[target] == 1))
        return;
    for (uint32_t i = 0; i < ap_slot_count; i++) {
        if (ap_slots[i].apic_id == target) {
            ap_slots[i].core->tsc_at_start = fake.cycles + skew_cycles;
            ap_slots[i].core->state = CORE_PARKED;
        }
    }
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors given out, counted, and the 8259 pair. */
#define core_this core_this_by_gs
#include "../../../rt/x86/cpu.h"
#undef core_this
static struct core *test_core;
#define core_this() test_core
#include "../../../rt/x86/irq.c"

#include <string.h>

#include "cmocka_all.h"

static struct core cores[2];
struct core *core_table[HAL_CORES_MAX];
static uint32_t eois, lint0;
static uint8_t pic_data[2], pic_isr[2], pic_eois[2], elcr[2];
static bool pic_there, apic_there;

unsigned hal_core_count(void)
{
    return 2;
}

bool apic_present(void)
{
    return apic_there;
}

void apic_eoi(void)
{
    eois++;
}

void apic_accept_8259(void)
{
    lint0++;
}

static uint32_t in(uint16_t port)
{
    if (port == PIC1_DATA || port == PIC2_DATA)
        return pic_there ? pic_data[port == PIC2_DATA] : 0;
    if (port == PIC1_COMMAND || port == PIC2_COMMAND)
        return pic_isr[port == PIC2_COMMAND];
    return port == ELCR1 || port == ELCR1 + 1 ? elcr[port - ELCR1] : 0xff;
}

static void out(uint16_t port, uint32_t value)
{
    if (port == PIC1_DATA || port == PIC2_DATA)
        pic_data[port == PIC2_DATA] = (uint8_t)value;
    if ((port == PIC1_COMMAND || port == PIC2_COMMAND) && value == PIC_EOI)
        pic_eois[port == PIC2_COMMAND]++;
    if (port == ELCR1 || port == ELCR1 + 1)
        elcr[port - ELCR1] = (uint8_t)value;
}

static int setup(void **state)
{
    static struct acpi_info acpi;

    fake_reset();
    memset(cores, 0, sizeof(cores));
    memset(pic_isr, 0, sizeof(pic_isr));
    memset(pic_eois, 0, sizeof(pic_eois));
    memset(elcr, 0, sizeof(elcr));
    eois = lint0 = 0;
    fake.in = in;
    fake.out = out;
    pic_there = apic_there = true;
    for (unsigned i = 0; i < 2; i++) {
        core_table[i] = &cores[i];
        cores[i].apic_id = 8 + i;
        cores[i].vector_next = VECTOR_DEVICE;
    }
    test_core = &cores[0];
    acpi.valid = acpi.has_8259 = true;
    irq_init(&acpi);
    return 0;
}

static void messages(void **state)
{
    struct hal_irq a, b;

    assert_int_equal(hal_irq_alloc(1, "a", &a), RT_OK);
    assert_int_equal(hal_irq_alloc(1, "b", &b), RT_OK);
    assert_int_equal(a.msi_address, 0xfee09000);
    assert_int_equal(a.msi_data, VECTOR_DEVICE);
    assert_int_equal(b.msi_data, VECTOR_DEVICE + 1);
    test_core = &cores[1];
    irq_handle(b.vector);
    irq_handle(b.vector);
    assert_int_equal(*a.count, 0);
    assert_int_equal(*b.count, 2);
    assert_int_equal(hal_irq_total(1), 2);
    assert_int_equal(hal_irq_total(0), 0);
    assert_int_equal(hal_irq_total(9), 0);
    assert_int_equal(eois, 2);
    assert_int_equal(hal_irq_alloc(2, "c", &a), RT_INVALID);
}

static void vectors_run_out(void **state)
{
    struct hal_irq irq;

    for (unsigned v = VECTOR_DEVICE; v < VECTOR_DEVICE_END; v++)
        assert_int_equal(hal_irq_alloc(0, "n", &irq), RT_OK);
    assert_int_equal(hal_irq_alloc(0, "n", &irq), RT_FULL);
    assert_int_equal(hal_irq_alloc(1, "n", &irq), RT_OK); /* each core has its own */
}

static void not_reachable(void **state)
{
    struct hal_irq irq;

    cores[0].apic_id = 256; /* does not fit a message without remapping */
    assert_int_equal(hal_irq_alloc(0, "far", &irq), RT_UNSUPPORTED);
    cores[0].apic_id = 255; /* would go to every core */
    assert_int_equal(hal_irq_alloc(0, "all", &irq), RT_UNSUPPORTED);
    cores[0].apic_id = 254;
    assert_int_equal(hal_irq_alloc(0, "last", &irq), RT_OK);
    apic_there = false;
    assert_int_equal(hal_irq_alloc(1, "none", &irq), RT_UNSUPPORTED);
    assert_int_equal(hal_irq_alloc_line(10, "none", &irq), RT_UNSUPPORTED);
}

static void unexpected_ones(void **state)
{
    irq_handle(VECTOR_DEVICE + 3);
    assert_int_equal(cores[0].irq_unexpected, 1);
    assert_int_equal(eois, 1);
    irq_handle(VECTOR_SPURIOUS); /* must not be acknowledged */
    assert_int_equal(eois, 1);
    assert_int_equal(cores[0].irq_unexpected, 2);
    irq_handle(VECTOR_KICK);
    irq_handle(VECTOR_TIMER);
    assert_int_equal(cores[0].irq_unexpected, 2);
    assert_int_equal(cores[0].irq_total, 0);
    assert_int_equal(eois, 3);
}

static void lines(void **state)
{
    struct hal_irq irq;

    assert_int_equal(pic_data[0], 0xff);
    assert_int_equal(pic_data[1], 0xff);
    assert_int_equal(hal_irq_alloc_line(255, "x", &irq), RT_INVALID);
    assert_int_equal(hal_irq_alloc_line(PIC_CASCADE, "x", &irq), RT_INVALID);
    assert_int_equal(hal_irq_alloc_line(11, "x", &irq), RT_OK);
    assert_int_equal(pic_data[0], 0xff & ~(1 << PIC_CASCADE));
    assert_int_equal(pic_data[1], 0xff & ~(1 << 3));
    assert_int_equal(elcr[1], 1 << 3);
    assert_int_equal(lint0, 1);
    irq_handle(irq.vector);
    assert_int_equal(*irq.count, 1);
    assert_int_equal(pic_eois[0], 1);
    assert_int_equal(pic_eois[1], 1);
    assert_int_equal(eois, 0); /* the local APIC has nothing in service for those */
    assert_int_equal(hal_irq_total(0), 1);
}

/* A line that let go before the processor asked: 8259A data sheet, "spurious". */
static void spurious_lines(void **state)
{
    irq_handle(VECTOR_PIC + 7);
    assert_int_equal(pic_eois[0], 0);
    irq_handle(VECTOR_PIC + 15);
    assert_int_equal(pic_eois[0], 1);
    assert_int_equal(pic_eois[1], 0);
    assert_int_equal(cores[0].irq_unexpected, 2);
    pic_isr[0] = 0x80; /* a true one */
    irq_handle(VECTOR_PIC + 7);
    assert_int_equal(pic_eois[0], 2);
    assert_int_equal(hal_irq_total(0), 1);
}

static void no_8259(void **state)
{
    static const struct acpi_info without = {.valid = true};
    static const struct acpi_info claims = {.valid = true, .has_8259 = true};
    struct hal_irq irq;

    irq_init(&without);
    assert_int_equal(hal_irq_alloc_line(10, "x", &irq), RT_UNSUPPORTED);
    pic_there = false; /* firmware says so, but nothing answers */
    irq_init(&claims);
    assert_int_equal(hal_irq_alloc_line(10, "x", &irq), RT_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(messages, setup),
        cmocka_unit_test_setup(vectors_run_out, setup),
        cmocka_unit_test_setup(not_reachable, setup),
        cmocka_unit_test_setup(unexpected_ones, setup),
        cmocka_unit_test_setup(lines, setup),
        cmocka_unit_test_setup(spurious_lines, setup),
        cmocka_unit_test_setup(no_8259, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

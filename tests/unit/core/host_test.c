/* SPDX-License-Identifier: BSD-2-Clause */
/* The host hal keeps the promises of <rt/hal.h> that tests of other parts rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/assert.h>
#include <rt/host.h>
#include <string.h>

static void virtual_time(void **state)
{
    host_clock_virtual(1000);
    assert_int_equal(hal_now_us(), 1000);
    hal_delay_us(5);
    assert_int_equal(hal_now_us(), 1005);
    hal_wait(2000);
    assert_int_equal(hal_now_us(), 2000);
    hal_core_kick(0);
    hal_wait(9000); /* kicked before: returns at once */
    assert_int_equal(hal_now_us(), 2000);
    hal_wait(9000);
    assert_int_equal(hal_now_us(), 9000);
    assert_int_equal(hal_cycles_from_us(hal_us_from_cycles(123000)), 123000);
    host_clock_real();
}

static void real_time(void **state)
{
    uint64_t begin_us = hal_now_us();

    hal_wait(begin_us + 20000);
    assert_true(hal_now_us() - begin_us >= 19000); /* how much later is the host's affair */
    assert_in_range(hal_cycles_hz, UINT64_C(500000000), UINT64_C(8000000000));
}

static uint32_t reads;

static uint32_t read_third(void *ctx, uint32_t offset)
{
    assert_int_equal(offset, 8);
    return ++reads >= 3 ? 0x10 : 0;
}

static void wait_reg(void **state)
{
    const struct hal_mmio_ops ops = {.read32 = read_third};
    const struct hal_mmio mmio = {.ops = &ops};
    uint32_t value = 99;

    host_clock_virtual(0);
    reads = 0;
    assert_int_equal(hal_wait_reg(&mmio, 8, 0x10, 0x10, 100, &value), RT_OK);
    assert_int_equal(value, 0x10);
    assert_int_equal(reads, 3);
    assert_int_equal(hal_wait_reg(&mmio, 8, 0x10, 0, 100, NULL), RT_TIMEOUT);
    assert_in_range(hal_now_us(), 100, 110);
    host_clock_real();
}

static void plain_registers(void **state)
{
    uint32_t words[4] = {0};
    struct hal_mmio mmio;

    host_mmio_reset();
    assert_int_equal(host_mmio_add(0xfe000000, sizeof(words), NULL, words), RT_OK);
    assert_int_equal(hal_map_mmio((phys_t){0xfe000000}, sizeof(words), &mmio), RT_OK);
    hal_write32(&mmio, 4, 0x12345678);
    assert_int_equal(words[1], 0x12345678);
    assert_int_equal(hal_read32(&mmio, 4), 0x12345678);
    assert_int_equal(hal_map_mmio((phys_t){0xfe001000}, 16, &mmio), RT_NOT_FOUND);
    assert_int_equal(hal_map_mmio((phys_t){0xfe000000}, 17, &mmio), RT_NOT_FOUND);
    host_mmio_reset();
}

static void alloc_after_seal(void *arg)
{
    hal_alloc(64, 64, "too late");
}

static void memory(void **state)
{
    char message[200];
    uint8_t *p;

    host_memory_reset();
    host_memory_limit(10000);
    p = hal_alloc(5000, 4096, "first");
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 4096, 0);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(p[i], 0);
    assert_null(hal_alloc(5000, 64, "second"));
    assert_non_null(hal_alloc(100, 64, "third"));
    assert_int_equal(hal_memory_free_bytes(), 10000 - 8192 - 128);
    hal_seal();
    assert_true(host_catch(alloc_after_seal, NULL, message, sizeof(message)));
    assert_non_null(strstr(message, "too late"));
    host_memory_reset();
}

static void fails(void *arg)
{
    RT_ASSERT_EQ(1 + 1, 3);
}

static void leaves(void *arg)
{
    hal_exit(4);
}

static void nothing(void *arg)
{
}

static void panics_are_caught(void **state)
{
    char message[200];

    assert_true(host_catch(fails, NULL, message, sizeof(message)));
    assert_non_null(strstr(message, "expr=\"1 + 1 == 3\" left=2 right=3"));
    assert_true(host_catch(leaves, NULL, message, sizeof(message)));
    assert_string_equal(message, "exit code=4");
    assert_false(host_catch(nothing, NULL, message, sizeof(message)));
}

static uint32_t ran_on;

static void note_core(void *arg)
{
    __atomic_fetch_or(&ran_on, 1u << hal_core_id(), __ATOMIC_SEQ_CST);
}

static void cores(void **state)
{
    assert_int_equal(host_cores_start(4), RT_OK);
    assert_int_equal(hal_core_count(), 4);
    assert_int_equal(hal_core_run(0, note_core, NULL), RT_INVALID);
    assert_int_equal(hal_core_run(4, note_core, NULL), RT_INVALID);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(hal_core_run(i, note_core, NULL), RT_OK);
    for (unsigned i = 1; i < 4; i++) {
        while (!hal_core_idle(i))
            hal_pause();
    }
    assert_int_equal(ran_on, 0xe);
    host_cores_stop();
}

static void interrupts(void **state)
{
    uint64_t before = hal_irq_total(2);
    struct hal_irq irq;

    host_irq_reset();
    assert_int_equal(hal_irq_alloc(2, "nic", &irq), RT_OK);
    host_msi(irq.msi_address, irq.msi_data);
    host_msi(irq.msi_address, irq.msi_data);
    host_msi(irq.msi_address, irq.msi_data + 1); /* nobody's */
    host_msi(0x1000, irq.msi_data);              /* no interrupt address */
    assert_int_equal(*irq.count, 2);
    assert_int_equal(hal_irq_total(2) - before, 2);
    host_irq_limit(0);
    assert_int_equal(hal_irq_alloc(0, "nic", &irq), RT_FULL);
    host_irq_reset();
}

static void console(void **state)
{
    char out[8];

    host_console_capture(out, sizeof(out));
    hal_console_write("abcdefghij", 10);
    assert_string_equal(out, "abcdefg");
    host_console_capture(NULL, 0);
    host_console_input("hi");
    assert_int_equal(hal_console_read(), 'h');
    assert_int_equal(hal_console_read(), 'i');
    assert_int_equal(hal_console_read(), -1);
    assert_int_equal(hal_pci_read32(0, 0), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_time),      cmocka_unit_test(real_time),
        cmocka_unit_test(wait_reg),          cmocka_unit_test(plain_registers),
        cmocka_unit_test(memory),            cmocka_unit_test(panics_are_caught),
        cmocka_unit_test(cores),             cmocka_unit_test(interrupts),
        cmocka_unit_test(console),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

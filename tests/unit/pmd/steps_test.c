/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of steps: order, waits, deadlines, rows of one model only. In virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "nic_steps.h"

#include <rt/host.h>

static uint8_t registers[16];
static const struct hal_mmio mmio = {.base = registers, .bytes = sizeof(registers)};
static unsigned first_calls, last_calls, special_calls;
static enum rt_status waited;

static enum rt_status first(struct nic *nic, struct nic_steps *steps)
{
    first_calls++;
    steps->wait_us = 50000;
    return RT_OK;
}

static enum rt_status special(struct nic *nic, struct nic_steps *steps)
{
    special_calls++;
    return RT_OK;
}

static enum rt_status ready(struct nic *nic, struct nic_steps *steps)
{
    uint32_t value = 0;

    waited = nic_step_reg(steps, &mmio, (struct nic_step_wait){4, 1, 1, 1000}, &value);
    return waited;
}

static enum rt_status last(struct nic *nic, struct nic_steps *steps)
{
    last_calls++;
    steps->wait_us = 7;
    return RT_OK;
}

static const struct nic_step table[] = {{first}, {special, 2}, {ready}, {last}};

static void begin(struct nic_steps *steps, uint32_t flags)
{
    host_clock_virtual(0);
    first_calls = last_calls = special_calls = 0;
    registers[4] = 0;
    nic_steps_begin(steps, (struct nic_step_table)NIC_STEPS(table), flags);
}

/* Calls at the wrong time do nothing; a register that comes is seen; the last wait counts. */
static void a_step_a_call(void **state)
{
    struct nic_steps steps;

    begin(&steps, 1);
    assert_int_equal(nic_steps_run(NULL, &steps), RT_BUSY);
    assert_int_equal(steps.due_us, 50000);
    host_clock_advance_us(49999);
    assert_int_equal(nic_steps_run(NULL, &steps), RT_BUSY);
    assert_int_equal(first_calls, 1);
    host_clock_advance_us(1);
    assert_int_equal(nic_steps_run(NULL, &steps), RT_BUSY); /* past the row of another model */
    assert_int_equal(special_calls, 0);
    for (unsigned i = 0; i < 90; i++) {
        assert_int_equal(nic_steps_run(NULL, &steps), RT_BUSY);
        host_clock_advance_us(10);
    }
    assert_int_equal(waited, RT_BUSY);
    registers[4] = 1;
    host_clock_advance_us(20);
    assert_int_equal(nic_steps_run(NULL, &steps), RT_BUSY);
    assert_int_equal(last_calls, 0);
    assert_int_equal(nic_steps_run(NULL, &steps), RT_BUSY);
    assert_int_equal(last_calls, 1);
    host_clock_advance_us(7);
    assert_int_equal(nic_steps_run(NULL, &steps), RT_OK);
}

static void a_register_that_never_comes(void **state)
{
    struct nic_steps steps;

    begin(&steps, 2);
    assert_int_equal(nic_steps_finish(NULL, &steps), RT_TIMEOUT);
    assert_in_range(hal_now_us(), 51000, 51100);
    assert_int_equal(special_calls, 1);
    assert_int_equal(last_calls, 0);
}

/* A row without a function leaves the device alone, for the model that it is for and others. */
static void a_wait_is_a_row(void **state)
{
    static const struct nic_step rows[] = {NIC_STEP_WAIT(300), {special}, NIC_STEP_WAIT(40)};
    struct nic_steps steps;

    begin(&steps, 0);
    nic_steps_begin(&steps, (struct nic_step_table)NIC_STEPS(rows), 0);
    assert_int_equal(nic_steps_run(NULL, &steps), RT_BUSY);
    assert_int_equal(steps.due_us, 300);
    assert_int_equal(nic_steps_finish(NULL, &steps), RT_OK);
    assert_int_equal(special_calls, 1);
    assert_int_equal(hal_now_us(), 340);
}

static void finish_waits(void **state)
{
    struct nic_steps steps;

    begin(&steps, 0);
    registers[4] = 1;
    assert_int_equal(nic_steps_finish(NULL, &steps), RT_OK);
    assert_int_equal(hal_now_us(), 50007);
    assert_int_equal(last_calls, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_a_call),
        cmocka_unit_test(a_register_that_never_comes),
        cmocka_unit_test(a_wait_is_a_row),
        cmocka_unit_test(finish_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

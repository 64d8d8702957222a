/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset, semaphores, second names of registers, and registers as plain memory. */
#include "serial.h"

static int setup(void **state)
{
    *state = guest_new(0, 1);
    return 0;
}

static int teardown(void **state)
{
    guest_free(*state);
    return 0;
}

static void reset_clears_and_ends(void **state)
{
    struct guest *g = *state;

    guest_write(g, 0xa208, 0x12345678); /* RAL(1) */
    guest_write(g, 0xa200, 0);
    guest_write(g, 0x1028, 1u << 25);
    guest_write(g, 0x0, 1u << 26 | 1u << 2);
    assert_int_equal(guest_read(g, 0x0) & (1u << 26 | 1u << 3), 0);
    assert_int_equal(guest_read(g, 0xa208), 0);
    assert_int_equal(guest_read(g, 0x1028), 0);
    assert_int_equal(guest_read(g, 0xa200), 0x00000002); /* 02:00:00:00:00:01 comes back */
    assert_int_equal(guest_read(g, 0xa204), 0x80000100);
    assert_int_equal(x82599_counters(g->dev)->resets, 1);
    guest_write(g, 0x0, 1u << 3);
    assert_int_equal(x82599_counters(g->dev)->resets, 2);
}

static void master_disable(void **state)
{
    struct guest *g = *state;

    assert_int_not_equal(guest_read(g, 0x8) & 1u << 19, 0);
    guest_write(g, 0x0, 1u << 2);
    assert_int_equal(guest_read(g, 0x8) & 1u << 19, 0);
}

static void semaphore_is_taken_by_reading(void **state)
{
    struct guest *g = *state;

    assert_int_equal(guest_read(g, 0x10140) & 1, 0);
    assert_int_equal(guest_read(g, 0x10140) & 1, 1);
    guest_write(g, 0x0, 1u << 26);
    assert_int_equal(guest_read(g, 0x10140) & 1, 1); /* survives a reset */
    guest_write(g, 0x10140, 0);
    assert_int_equal(guest_read(g, 0x10140) & 1, 0);
}

static void second_names(void **state)
{
    struct guest *g = *state;

    guest_write(g, 0x5400, 0x11223344);
    assert_int_equal(guest_read(g, 0xa200), 0x11223344);
    guest_write(g, 0x2104, 0x02000002); /* SRRCTL(1) */
    assert_int_equal(guest_read(g, 0x1054), 0x02000002);
    guest_write(g, 0x5c04, 0x01010101);
    assert_int_equal(guest_read(g, 0xeb04), 0x01010101);
    guest_write(g, 0x5c80, 0xdeadbeef);
    assert_int_equal(guest_read(g, 0xeb80), 0xdeadbeef);
    guest_write(g, 0x5818, 0x00330001);
    assert_int_equal(guest_read(g, 0xec80), 0x00330001);
}

static void early_accesses_are_counted(void **state)
{
    struct guest *g = *state;

    guest_write(g, 0x0, 1u << 26);
    assert_int_equal(x82599_counters(g->dev)->early, 0);
    x82599_clock(g->dev, 999000);
    (void)guest_read(g, 0x0);
    assert_int_equal(x82599_counters(g->dev)->early, 1);
    x82599_clock(g->dev, 1000000);
    (void)guest_read(g, 0x0);
    assert_int_equal(x82599_counters(g->dev)->early, 1);
}

static void outside_and_odd_offsets(void **state)
{
    struct guest *g = *state;

    assert_int_equal(guest_read(g, X82599_BAR_BYTES), UINT32_MAX);
    assert_int_equal(guest_read(g, UINT32_MAX & ~3u), UINT32_MAX);
    assert_int_equal(guest_read(g, 2), UINT32_MAX);
    guest_write(g, X82599_BAR_BYTES, 1);
    guest_write(g, 3, 1);
}

/* A driver that writes plain memory, and a model that looks. */
static void plain_memory(void **state)
{
    struct guest *g = *state;
    volatile uint32_t *bar = (volatile uint32_t *)(volatile void *)x82599_bar(g->dev);

    bar[0] = 1u << 26;
    x82599_look(g->dev);
    assert_int_equal(bar[0] & 1u << 26, 0);
    assert_int_equal(x82599_counters(g->dev)->resets, 1);
    bar[EERD / 4] = 0x3f << 2 | 1;
    x82599_look(g->dev);
    assert_int_equal(bar[EERD / 4] & 2, 2);
    assert_int_equal(bar[EERD / 4] >> 16, serial_eerd(g, 0x3f));
    bar[0x5404 / 4] = 0x80001122; /* by its old name */
    x82599_look(g->dev);
    assert_int_equal(guest_read(g, 0xa204), 0x80001122);
    bar[0x1028 / 4] = 1u << 25 | 1u << 26;
    x82599_look(g->dev);
    assert_int_equal(bar[0x1028 / 4], 1u << 25);
    bar[0x42a4 / 4] = bar[0x42a4 / 4];
    assert_int_equal(bar[0x42a4 / 4] >> 28, 0xf);
    bar[0x880 / 4] = 1; /* EIMS */
    bar[0x900 / 4] = 0x80;
    x82599_look(g->dev);
    bar[0x808 / 4] = 1; /* EICS */
    x82599_look(g->dev);
    assert_int_equal(g->messages[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reset_clears_and_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(master_disable, setup, teardown),
        cmocka_unit_test_setup_teardown(semaphore_is_taken_by_reading, setup, teardown),
        cmocka_unit_test_setup_teardown(second_names, setup, teardown),
        cmocka_unit_test_setup_teardown(early_accesses_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(outside_and_odd_offsets, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

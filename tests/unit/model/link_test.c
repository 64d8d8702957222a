/* SPDX-License-Identifier: BSD-2-Clause */
/* The link: cable, laser, pipeline, modules and their speed. */
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

static void link_follows_cable(void **state)
{
    struct guest *g = *state;

    assert_int_equal(guest_read(g, 0x42a4) >> 28, 0xf);
    x82599_link(g->dev, false);
    assert_int_equal(guest_read(g, 0x42a4), 0);
    assert_int_equal(guest_read(g, 0x800) & 1u << 20, 1u << 20);
    x82599_link(g->dev, true);
    assert_int_equal(guest_read(g, 0x42a4) >> 28, 0xf);
    guest_write(g, 0x42a4, 0);
    assert_int_equal(guest_read(g, 0x42a4) >> 28, 0xf); /* read only */
}

static bool up(struct guest *g)
{
    return (guest_read(g, 0x42a4) & 1u << 30) != 0;
}

/* SDP3 high is dark, through resets; low is light at once. */
static void laser_is_kept(void **state)
{
    struct guest *g = *state;
    uint32_t esdp = guest_read(g, 0x20);

    assert_true(x82599_light(g->dev));
    guest_write(g, 0x20, esdp | 1u << 3);
    assert_false(x82599_light(g->dev));
    assert_false(up(g));
    guest_write(g, 0x0, 1u << 26);
    assert_false(x82599_light(g->dev));
    assert_false(up(g));
    guest_write(g, 0x20, esdp);
    assert_true(up(g));
    guest_write(g, 0x20, esdp | 1u << 3);
    x82599_power_on(g->dev);
    assert_true(up(g));
}

/* New analog settings count after LMS bit 2 has started the state machine of negotiation. */
static void pipeline_restarts(void **state)
{
    struct guest *g = *state;
    uint32_t autoc = guest_read(g, 0x42a0);

    assert_int_equal(guest_read(g, 0x42b0) >> 16 & 15, 0);
    guest_write(g, 0x14f00, 0x1005);
    guest_write(g, 0x42a0, autoc | 1u << 12);
    assert_false(up(g));
    guest_write(g, 0x42a0, autoc ^ 4u << 13); /* without restart: nothing */
    assert_int_equal(guest_read(g, 0x42b0) >> 16 & 15, 0);
    guest_write(g, 0x42a0, (autoc ^ 4u << 13) | 1u << 12);
    assert_int_not_equal(guest_read(g, 0x42b0) >> 16 & 15, 0);
    assert_false(up(g)); /* not the mode of the module */
    guest_write(g, 0x42a0, autoc | 1u << 12);
    assert_true(up(g));
    guest_write(g, 0x42a8, guest_read(g, 0x42a8) | 1u << 29);
    guest_write(g, 0x42a0, autoc | 1u << 12);
    assert_false(up(g));
}

static void modules_want_their_speed(void **state)
{
    struct guest *g = *state;
    uint32_t autoc = guest_read(g, 0x42a0);

    x82599_module(g->dev, X82599_MODULE_1G_SX);
    assert_false(up(g));
    guest_write(g, 0x42a0, (autoc & ~(7u << 13)) | 2u << 13 | 1u << 12);
    assert_true(up(g));
    assert_int_equal(guest_read(g, 0x42a4) >> 28 & 3, 2);
    x82599_module(g->dev, X82599_MODULE_SR);
    assert_false(up(g));
    x82599_module(g->dev, X82599_MODULE_NONE);
    assert_int_equal(guest_read(g, 0x20) & 4, 0);
    serial_i2c_start(g);
    assert_false(serial_i2c_send(g, 0xa0));
    serial_i2c_stop(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(link_follows_cable, setup, teardown),
        cmocka_unit_test_setup_teardown(laser_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(pipeline_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(modules_want_their_speed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

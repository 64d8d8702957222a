/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset, EEPROM, SFP module, PHY, semaphores, statistics and second names of registers. */
#include "guest.h"

#define EEC 0x10010
#define EERD 0x10014
#define I2CCTL 0x28

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

static uint16_t eerd(struct guest *g, uint32_t word)
{
    guest_write(g, EERD, word << 2 | 1);
    assert_int_equal(guest_read(g, EERD) & 2, 2);
    return (uint16_t)(guest_read(g, EERD) >> 16);
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

static void eeprom_sum(void **state)
{
    struct guest *g = *state;
    uint32_t sum = 0, sections = 0;

    for (uint32_t i = 0; i < 0x40; i++)
        sum += eerd(g, i);
    for (uint32_t i = 3; i < 0xf; i++) {
        uint32_t at = eerd(g, i);

        if (at == 0xffff)
            continue;
        sections++;
        for (uint32_t k = 1; k <= eerd(g, at); k++)
            sum += eerd(g, at + k);
    }
    assert_in_range(sections, 1, 12);
    assert_int_equal(sum & 0xffff, 0xbaba);
    assert_int_equal(eerd(g, 0x3fff), 0xffff); /* beyond the part */
}

/* SFP init list: id, offset .. until ffff; the offset's words end in ffff too. */
static void eeprom_module_list(void **state)
{
    struct guest *g = *state;
    uint32_t at = eerd(g, 0x2b) + 1u;

    for (uint32_t id = 3; id <= 6; id++, at += 2) {
        assert_int_equal(eerd(g, at), id);
        assert_int_equal(eerd(g, eerd(g, at + 1) + 1u), X82599_CORECTL_OF(id));
        assert_int_equal(eerd(g, eerd(g, at + 1) + 2u), 0xffff);
    }
    assert_int_equal(eerd(g, at), 0xffff);
}

static void spi_bits(struct guest *g, uint32_t value, unsigned count)
{
    while (count-- > 0) {
        uint32_t di = (value >> count & 1) << 2;

        guest_write(g, EEC, 0x40 | di);
        guest_write(g, EEC, 0x41 | di);
        guest_write(g, EEC, 0x40 | di);
    }
}

static void spi_reads_words(void **state)
{
    struct guest *g = *state;

    for (uint32_t word = 0; word < 0x40; word++) {
        uint32_t value = 0;

        guest_write(g, EEC, 0x40);
        assert_int_equal(guest_read(g, EEC) & 0x80, 0x80);
        guest_write(g, EEC, 0x42); /* deselected */
        spi_bits(g, 3, 8);
        spi_bits(g, word * 2, 16);
        for (unsigned i = 0; i < 16; i++) {
            guest_write(g, EEC, 0x41);
            value = value << 1 | (guest_read(g, EEC) >> 3 & 1);
            guest_write(g, EEC, 0x40);
        }
        guest_write(g, EEC, 0x42);
        /* low byte leaves first */
        assert_int_equal((value >> 8 | value << 8) & 0xffff, eerd(g, word));
    }
    guest_write(g, EEC, 0x2);
    assert_int_equal(guest_read(g, EEC) & 0x80, 0);
}

/* ---- I2C, as drivers bang it ---- */

static void i2c_lines(struct guest *g, bool scl, bool sda)
{
    guest_write(g, I2CCTL, (uint32_t)scl << 1 | (uint32_t)sda << 3);
}

static bool i2c_bit(struct guest *g, bool out)
{
    bool in;

    i2c_lines(g, false, out);
    i2c_lines(g, true, out);
    in = (guest_read(g, I2CCTL) & 4) != 0;
    i2c_lines(g, false, out);
    return in;
}

static void i2c_start(struct guest *g)
{
    i2c_lines(g, false, true);
    i2c_lines(g, true, true);
    i2c_lines(g, true, false);
    i2c_lines(g, false, false);
}

static void i2c_stop(struct guest *g)
{
    i2c_lines(g, false, false);
    i2c_lines(g, true, false);
    i2c_lines(g, true, true);
}

static bool i2c_send(struct guest *g, uint8_t byte)
{
    for (unsigned i = 8; i-- > 0;)
        (void)i2c_bit(g, (byte >> i & 1) != 0);
    return !i2c_bit(g, true); /* acknowledged */
}

static uint8_t i2c_receive(struct guest *g, bool more)
{
    unsigned byte = 0;

    for (unsigned i = 0; i < 8; i++)
        byte = byte << 1 | i2c_bit(g, true);
    (void)i2c_bit(g, !more);
    return (uint8_t)byte;
}

static void i2c_reads_module(void **state)
{
    struct guest *g = *state;
    char vendor[17] = "";

    i2c_start(g);
    assert_true(i2c_send(g, 0xa0));
    assert_true(i2c_send(g, 0x14));
    i2c_start(g); /* repeated */
    assert_true(i2c_send(g, 0xa1));
    for (unsigned i = 0; i < 16; i++)
        vendor[i] = (char)i2c_receive(g, i < 15);
    i2c_stop(g);
    assert_string_equal(vendor, "Intel Corp      ");
    i2c_start(g);
    assert_false(i2c_send(g, 0x50)); /* nobody else on the bus */
    i2c_stop(g);
    i2c_start(g);
    assert_true(i2c_send(g, 0xa0));
    assert_true(i2c_send(g, 0));
    i2c_start(g);
    assert_true(i2c_send(g, 0xa1));
    assert_int_equal(i2c_receive(g, false), 3);
    i2c_stop(g);
}

static uint32_t mdio(struct guest *g, uint32_t phy, uint32_t device, uint32_t reg)
{
    uint32_t where = device << 16 | phy << 21;

    guest_write(g, 0x425c, reg | where | 1u << 30);
    guest_write(g, 0x425c, reg | where | 3u << 26 | 1u << 30);
    assert_int_equal(guest_read(g, 0x425c) & 1u << 30, 0);
    return guest_read(g, 0x4260) >> 16;
}

static void mdio_of_both(void **state)
{
    struct guest *g = *state, *copper = guest_new(X82599_ID_X540, 1);

    assert_int_equal(mdio(g, 0, 1, 2), 0xffff); /* no PHY behind SFI */
    assert_int_equal(mdio(copper, 0, 1, 2), 0x0154);
    assert_int_equal(mdio(copper, 0, 1, 3), 0x0200);
    assert_int_equal(mdio(copper, 1, 1, 2), 0xffff);
    guest_write(copper, 0x4260, 0xabcd);
    guest_write(copper, 0x425c, 16 | 7u << 16 | 1u << 30);
    guest_write(copper, 0x425c, 16 | 7u << 16 | 1u << 26 | 1u << 30);
    assert_int_equal(mdio(copper, 0, 7, 16), 0xabcd);
    guest_free(copper);
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
    i2c_start(g);
    assert_false(i2c_send(g, 0xa0));
    i2c_stop(g);
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
    assert_int_equal(bar[EERD / 4] >> 16, eerd(g, 0x3f));
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
        cmocka_unit_test_setup_teardown(eeprom_sum, setup, teardown),
        cmocka_unit_test_setup_teardown(eeprom_module_list, setup, teardown),
        cmocka_unit_test_setup_teardown(spi_reads_words, setup, teardown),
        cmocka_unit_test_setup_teardown(i2c_reads_module, setup, teardown),
        cmocka_unit_test_setup_teardown(mdio_of_both, setup, teardown),
        cmocka_unit_test_setup_teardown(semaphore_is_taken_by_reading, setup, teardown),
        cmocka_unit_test_setup_teardown(second_names, setup, teardown),
        cmocka_unit_test_setup_teardown(link_follows_cable, setup, teardown),
        cmocka_unit_test_setup_teardown(laser_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(pipeline_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(modules_want_their_speed, setup, teardown),
        cmocka_unit_test_setup_teardown(early_accesses_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(outside_and_odd_offsets, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What hangs behind serial registers: EEPROM, SFP module, PHY. */
#include "serial.h"

#define EEC 0x10010

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

static void eeprom_sum(void **state)
{
    struct guest *g = *state;
    uint32_t sum = 0, sections = 0;

    for (uint32_t i = 0; i < 0x40; i++)
        sum += serial_eerd(g, i);
    for (uint32_t i = 3; i < 0xf; i++) {
        uint32_t at = serial_eerd(g, i);

        if (at == 0xffff)
            continue;
        sections++;
        for (uint32_t k = 1; k <= serial_eerd(g, at); k++)
            sum += serial_eerd(g, at + k);
    }
    assert_in_range(sections, 1, 12);
    assert_int_equal(sum & 0xffff, 0xbaba);
    assert_int_equal(serial_eerd(g, 0x3fff), 0xffff); /* beyond the part */
}

/* SFP init list: id, offset .. until ffff; the offset's words end in ffff too. */
static void eeprom_module_list(void **state)
{
    struct guest *g = *state;
    uint32_t at = serial_eerd(g, 0x2b) + 1u;

    for (uint32_t id = 3; id <= 6; id++, at += 2) {
        assert_int_equal(serial_eerd(g, at), id);
        assert_int_equal(serial_eerd(g, serial_eerd(g, at + 1) + 1u), X82599_CORECTL_OF(id));
        assert_int_equal(serial_eerd(g, serial_eerd(g, at + 1) + 2u), 0xffff);
    }
    assert_int_equal(serial_eerd(g, at), 0xffff);
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
        assert_int_equal((value >> 8 | value << 8) & 0xffff, serial_eerd(g, word));
    }
    guest_write(g, EEC, 0x2);
    assert_int_equal(guest_read(g, EEC) & 0x80, 0);
}

static void i2c_reads_module(void **state)
{
    struct guest *g = *state;
    char vendor[17] = "";

    serial_i2c_start(g);
    assert_true(serial_i2c_send(g, 0xa0));
    assert_true(serial_i2c_send(g, 0x14));
    serial_i2c_start(g); /* repeated */
    assert_true(serial_i2c_send(g, 0xa1));
    for (unsigned i = 0; i < 16; i++)
        vendor[i] = (char)serial_i2c_receive(g, i < 15);
    serial_i2c_stop(g);
    assert_string_equal(vendor, "Intel Corp      ");
    serial_i2c_start(g);
    assert_false(serial_i2c_send(g, 0x50)); /* nobody else on the bus */
    serial_i2c_stop(g);
    serial_i2c_start(g);
    assert_true(serial_i2c_send(g, 0xa0));
    assert_true(serial_i2c_send(g, 0));
    serial_i2c_start(g);
    assert_true(serial_i2c_send(g, 0xa1));
    assert_int_equal(serial_i2c_receive(g, false), 3);
    serial_i2c_stop(g);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(eeprom_sum, setup, teardown),
        cmocka_unit_test_setup_teardown(eeprom_module_list, setup, teardown),
        cmocka_unit_test_setup_teardown(spi_reads_words, setup, teardown),
        cmocka_unit_test_setup_teardown(i2c_reads_module, setup, teardown),
        cmocka_unit_test_setup_teardown(mdio_of_both, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

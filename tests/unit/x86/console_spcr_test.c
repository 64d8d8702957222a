/* SPDX-License-Identifier: BSD-2-Clause */
/* The port that firmware names, and one that goes away. */
#include "../../../rt/x86/console.c"

#include <string.h>

#include "cmocka_all.h"
#include "console_fake.h"

/* Forms of the table, and the divisor that is in the UART then; LEFT: as firmware set it. */
enum { LEFT = 0xabcd, STAYS = 0 };

static const struct spcr_case {
    const char *what;
    struct acpi_spcr spcr;
    uint32_t divisor; /* STAYS: the port is not used */
    uint32_t stride_bytes;
} spcr_cases[] = {
#define IO(at, size) {.address = (at), .space = ACPI_SPACE_IO, .access = (size)}
#define MEMORY(size) {.address = 0xfe030000, .space = ACPI_SPACE_MEMORY, .access = (size)}
    {"COM2, clock unknown", {true, 0, IO(0x2f8, 1), 3, 115200, 0}, LEFT, 1},
    {"COM2, 1.8432 MHz", {true, 0, IO(0x2f8, 1), 3, 115200, 1843200}, 1, 1},
    {"COM2, 9600", {true, 0, IO(0x2f8, 1), 3, 9600, 1843200}, 12, 1},
    {"COM2, speed unknown", {true, 0, IO(0x2f8, 1), 3, 0, 1843200}, LEFT, 1},
    {"16450", {true, 1, IO(0x2f8, 0), 3, 115200, 1843200}, 1, 1},
    {"type 0x12", {true, 0x12, IO(0x2f8, 1), 3, 115200, 1843200}, 1, 1},
    {"ports are a byte apart", {true, 0, IO(0x2f8, 3), 3, 115200, 1843200}, 1, 1},
    {"24 MHz", {true, 0x12, MEMORY(1), 3, 115200, 24000000}, 13, 1},
    {"48 MHz", {true, 0x12, MEMORY(3), 3, 115200, 48000000}, 26, 4},
    {"memory, clock unknown", {true, 0, MEMORY(3), 3, 115200, 0}, LEFT, 4},
    {"words", {true, 0x12, MEMORY(2), 3, 57600, 48000000}, 52, 2},
    {"access undefined", {true, 0, MEMORY(0), 3, 115200, 24000000}, 13, 1},
    {"a divisor too large", {true, 0, MEMORY(1), 3, 1, 48000000}, LEFT, 1},
    {"qwords", {true, 0, MEMORY(4), 3, 115200, 24000000}, STAYS, 1},
    {"PL011", {true, 3, MEMORY(3), 3, 115200, 24000000}, STAYS, 1},
    {"nothing answers there", {true, 0, IO(0x3e8, 1), 3, 115200, 0}, STAYS, 1},
    {"port too large", {true, 0, IO(0xfffc, 1), 3, 115200, 0}, STAYS, 1},
    {"another space", {true, 0, {.address = 0x2f8, .space = 2}, 3, 115200, 0}, STAYS, 1},
    {"no table", {false, 0, IO(0x2f8, 1), 3, 115200, 0}, STAYS, 1},
#undef IO
#undef MEMORY
};

/* Plain memory keeps what is written, so what was written last to a register is read back. */
static uint32_t divisor_left(const struct spcr_case *c)
{
    if (c->spcr.base.space == ACPI_SPACE_IO)
        return divisor;
    if (memory_uart[c->stride_bytes * UART_DATA] == 0xff)
        return LEFT; /* nobody wrote a divisor (nor a byte) */
    return memory_uart[c->stride_bytes * UART_DATA] |
           (uint32_t)memory_uart[c->stride_bytes * UART_IER] << 8;
}

static void forms_of_spcr(void **state)
{
    for (unsigned i = 0; i < RT_ARRAY_SIZE(spcr_cases); i++) {
        const struct spcr_case *c = &spcr_cases[i];

        setup(NULL);
        console_init();
        there_at = 0x2f8;
        divisor = LEFT;
        memset(memory_uart, 0xff, sizeof(memory_uart));
        memory_uart[c->stride_bytes * UART_LSR] = LSR_THR_EMPTY;
        if (console_use_spcr(&c->spcr) != (c->divisor != STAYS))
            fail_msg("%s: used %d", c->what, c->divisor == STAYS);
        assert_string_equal(console_name(), c->divisor == STAYS ? "com1" : "spcr");
        if (c->divisor == STAYS)
            continue;
        if (divisor_left(c) != c->divisor)
            fail_msg("%s: divisor %u, not %u", c->what, divisor_left(c), c->divisor);
        if (c->spcr.base.space != ACPI_SPACE_MEMORY)
            continue;
        /* The whole register is written, no byte beside it. */
        assert_int_equal(memory_uart[c->stride_bytes * UART_LCR], LCR_8N1);
        for (unsigned k = 1; k < c->stride_bytes; k++)
            assert_int_equal(memory_uart[c->stride_bytes * UART_LCR + k], 0);
    }
}

static void the_same_port_stays(void **state)
{
    const struct acpi_spcr spcr = {
        .present = true, .base = {.address = COM1_PORT, .space = ACPI_SPACE_IO, .access = 1}};

    console_init();
    assert_false(console_use_spcr(&spcr));
    assert_string_equal(console_name(), "com1");
}

/* Who listens there reads everything from the first line on; COM1 says where it went. */
static void all_is_said_again_at_the_new_port(void **state)
{
    static const char early[] = "boot entry=linux\n", later[] = "argument mistake\n";
    const struct acpi_spcr spcr = {
        .present = true, .base = {.address = 0x2f8, .space = ACPI_SPACE_IO, .access = 1}};

    second_at = 0x2f8;
    console_init();
    sent_bytes = 0;
    hal_console_write(early, sizeof(early) - 1);
    assert_memory_equal(sent, early, sizeof(early) - 1); /* COM1 has it at once */
    assert_true(console_use_spcr(&spcr));
    sent[sent_bytes] = '\0';
    assert_non_null(strstr(sent, "SPCR"));
    there_at = 0x2f8;
    second_at = 0;
    sent_bytes = 0;
    console_buffer();
    hal_console_write(later, sizeof(later) - 1);
    console_flush();
    sent[sent_bytes] = '\0';
    assert_string_equal(sent, "boot entry=linux\nargument mistake\n");
}

static void at_one_port_nothing_is_said_twice(void **state)
{
    console_init();
    hal_console_write("early\n", 6);
    sent_bytes = 0;
    console_buffer();
    console_flush();
    hal_console_write("exit\n", 5);
    console_flush();
    assert_int_equal(sent_bytes, 5);
}

/* A BMC's virtual port that is gone reads all ones, "data ready" among them. */
static void a_port_that_went_away_has_no_bytes(void **state)
{
    console_init();
    input = "abc";
    assert_int_equal(hal_console_read(), 'a');
    there_at = 0;
    assert_int_equal(hal_console_read(), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(forms_of_spcr, setup),
        cmocka_unit_test_setup(the_same_port_stays, setup),
        cmocka_unit_test_setup(all_is_said_again_at_the_new_port, setup),
        cmocka_unit_test_setup(at_one_port_nothing_is_said_twice, setup),
        cmocka_unit_test_setup(a_port_that_went_away_has_no_bytes, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

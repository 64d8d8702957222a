/* SPDX-License-Identifier: BSD-2-Clause */
/* A UART that works, one that is not there, and one that never drains. */
#include "../../../rt/x86/console.c"

#include <string.h>
#include <ucontext.h>

#include "cmocka_all.h"

static uint16_t there_at; /* port of the UART, 0: none */
static uint16_t second_at; /* of one that answers, and keeps nothing */
static uint32_t divisor;
static bool full;         /* the transmitter never empties */
static uint8_t scratch, fcr;
static char sent[4096];
static uint32_t sent_bytes, reads;
static uint8_t fifo_bits;
static const char *input;
static uint8_t memory_uart[64];

void fb_console_write(const char *text, size_t bytes)
{
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    assert_true(bytes <= sizeof(memory_uart));
    mmio->base = memory_uart;
    mmio->bytes = bytes;
    return RT_OK;
}

uint64_t hal_now_us(void)
{
    return fake.cycles / 1000;
}

static uint32_t in(uint16_t port)
{
    reads++;
    if (second_at != 0 && port >= second_at && port <= second_at + 7)
        return port - second_at == UART_SCRATCH ? scratch : 0;
    if (there_at == 0 || port < there_at || port > there_at + 7)
        return 0xff;
    switch (port - there_at) {
    case UART_DATA:
        return (uint8_t)*input++;
    case UART_FCR_IIR:
        return fifo_bits;
    case UART_LSR:
        return (full ? 0u : (uint32_t)LSR_THR_EMPTY | LSR_IDLE) |
               (input != NULL && *input != '\0' ? (uint32_t)LSR_DATA_READY : 0);
    case UART_SCRATCH:
        return scratch;
    default:
        return 0;
    }
}

static bool dlab;
static void (*on_byte)(void); /* each byte has just left */

static void out(uint16_t port, uint32_t value)
{
    if (second_at != 0 && port >= second_at && port <= second_at + 7) {
        scratch = port - second_at == UART_SCRATCH ? (uint8_t)value : scratch;
        return;
    }
    if (there_at == 0 || port < there_at || port > there_at + 7)
        return;
    if (dlab && port - there_at == UART_DATA)
        divisor = (divisor & 0xff00) | value;
    if (dlab && port - there_at == UART_IER)
        divisor = (divisor & 0xff) | value << 8;
    if (port - there_at == UART_SCRATCH)
        scratch = (uint8_t)value;
    if (port - there_at == UART_LCR)
        dlab = (value & LCR_DLAB) != 0;
    if (port - there_at == UART_FCR_IIR)
        fcr = (uint8_t)value;
    if (port - there_at == UART_DATA && !dlab && sent_bytes < sizeof(sent)) {
        sent[sent_bytes++] = (char)value;
        if (on_byte != NULL)
            on_byte();
    }
}

static int setup(void **state)
{
    fake_reset();
    fake.in = in;
    fake.out = out;
    there_at = COM1_PORT;
    second_at = 0;
    full = false;
    fifo_bits = IIR_FIFO_ON;
    input = NULL;
    sent_bytes = reads = 0;
    on_byte = NULL;
    memset(&pending, 0, sizeof(pending));
    memset(memory_uart, 0, sizeof(memory_uart));
    return 0;
}

static void works(void **state)
{
    console_init();
    assert_string_equal(console_name(), "com1");
    assert_int_equal(fcr, FCR_ENABLE_CLEAR);
    sent_bytes = 0;
    hal_console_write("hello\n", 6);
    assert_int_equal(sent_bytes, 6);
    assert_memory_equal(sent, "hello\n", 6);
    assert_int_equal(hal_console_read(), -1);
    input = "ab";
    assert_int_equal(hal_console_read(), 'a');
    assert_int_equal(hal_console_read(), 'b');
    assert_int_equal(hal_console_read(), -1);
}

/* With a FIFO the line status is looked at once in 16 bytes, without one for each. */
static void fifo_saves_reads(void **state)
{
    char text[160];

    memset(text, 'x', sizeof(text));
    console_init();
    reads = 0;
    hal_console_write(text, sizeof(text));
    assert_int_equal(reads, 10);
    fifo_bits = 0;
    console_init();
    reads = 0;
    hal_console_write(text, sizeof(text));
    assert_int_equal(reads, 160);
}

static void not_there(void **state)
{
    there_at = 0;
    console_init();
    assert_string_equal(console_name(), "none");
    reads = 0;
    hal_console_write("x", 1);
    console_flush();
    assert_int_equal(hal_console_read(), -1);
    assert_int_equal(reads, 0);
}

/* Flow control held for ever: waits once, then looks only once a write. */
static void never_drains(void **state)
{
    console_init();
    full = true;
    sent_bytes = reads = 0;
    hal_console_write("hello", 5);
    assert_int_equal(sent_bytes, 0);
    assert_int_equal(reads, UART_WAIT_READS);
    reads = 0;
    hal_console_write("hello", 5);
    assert_int_equal(reads, 1);
    full = false;
    hal_console_write("hello", 5);
    assert_int_equal(sent_bytes, 5);
}

/* Buffered: nothing leaves at the write, a pump sends some, a flush the rest, in order. */
static void buffered(void **state)
{
    char text[100];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('0' + i % 64);
    console_init();
    console_buffer();
    sent_bytes = 0;
    hal_console_write(text, sizeof(text));
    assert_int_equal(sent_bytes, 0);
    assert_true(hal_console_pump());
    assert_int_equal(sent_bytes, PUMP_BYTES);
    full = true;
    assert_true(hal_console_pump()); /* a full port takes nothing, and nobody waits for it */
    assert_int_equal(sent_bytes, PUMP_BYTES);
    for (unsigned i = 0; i < UART_WAIT_READS; i++)
        (void)hal_console_pump();
    assert_false(hal_console_pump()); /* stuck: an idle core may halt */
    full = false;
    assert_true(hal_console_pump());
    console_flush();
    assert_int_equal(sent_bytes, sizeof(text));
    assert_memory_equal(sent, text, sizeof(text));
    assert_false(hal_console_pump());
    hal_console_write("!", 1); /* a flush ends the buffering */
    assert_int_equal(sent_bytes, sizeof(text) + 1);
}

/* More than fits goes out at once, in order; a port that takes nothing costs the newest. */
static void buffer_overflows(void **state)
{
    static char text[OUT_BYTES + 10];

    memset(text, 'a', sizeof(text));
    memset(&text[OUT_BYTES], 'b', 10);
    console_init();
    console_buffer();
    sent_bytes = 0;
    hal_console_write(text, sizeof(text));
    assert_int_equal(sent_bytes, UART_FIFO_BYTES);
    assert_int_equal(out_waiting(), sizeof(text) - UART_FIFO_BYTES);
    full = true;
    hal_console_write(text, sizeof(text));
    assert_int_equal(out_waiting(), OUT_BYTES);
    full = false;
    console_flush();
    assert_int_equal(out_waiting(), 0);
}

/* ---- another core is inside a burst when this one ends the run ---- */

enum { STACK_BYTES = 256 * 1024 };

static ucontext_t this_core, other_core;
static uint32_t stop_at; /* the other core stands still when so many bytes have left */
static bool other_done, other_halted;

static void other_pumps(void)
{
    (void)hal_console_pump();
    other_done = true;
    swapcontext(&other_core, &this_core);
}

static void other_stands(void)
{
    if (!other_done && sent_bytes == stop_at)
        swapcontext(&other_core, &this_core);
}

static void other_goes_on(void)
{
    fake.cycles += 1000;
    if (!other_done && !other_halted)
        swapcontext(&this_core, &other_core);
}

static void interrupt_burst(uint32_t at, const char *text, uint32_t bytes)
{
    static char stack[STACK_BYTES];

    setup(NULL);
    console_init();
    console_buffer();
    hal_console_write(text, bytes);
    sent_bytes = 0;
    stop_at = at;
    other_done = other_halted = false;
    on_byte = other_stands;
    fake.pause = other_goes_on;
    getcontext(&other_core);
    other_core.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof(stack)};
    makecontext(&other_core, other_pumps, 0);
    swapcontext(&this_core, &other_core);
}

/* It gets the time to end its burst: each byte leaves once, in order, wherever it was. */
static void a_flush_waits_for_the_core_that_sends(void **state)
{
    static const char text[] = "report {\"cores\":[0,0,0,10,0]} and what comes behind it\n";

    for (uint32_t at = 1; at <= PUMP_BYTES; at++) {
        interrupt_burst(at, text, sizeof(text) - 1);
        console_take(); /* then the others are stopped */
        other_halted = true;
        console_flush();
        assert_int_equal(sent_bytes, sizeof(text) - 1);
        assert_memory_equal(sent, text, sizeof(text) - 1);
        assert_false(hal_console_pump()); /* whoever comes now finds the port taken */
    }
}

/* Halted inside its burst (a panic): the byte that may have left leaves again, no other. */
static void a_flush_gets_over_a_halted_core(void **state)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH\n";

    for (uint32_t at = 1; at <= PUMP_BYTES; at++) {
        interrupt_burst(at, text, sizeof(text) - 1);
        other_halted = true;
        console_flush();
        assert_in_range(sent_bytes, sizeof(text) - 1, sizeof(text));
        assert_memory_equal(sent, text, at);
        assert_memory_equal(sent + at + (sent_bytes - (sizeof(text) - 1)), text + at,
                            sizeof(text) - 1 - at);
    }
}

/* ---- the port that firmware names ---- */

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
        cmocka_unit_test_setup(works, setup),
        cmocka_unit_test_setup(fifo_saves_reads, setup),
        cmocka_unit_test_setup(not_there, setup),
        cmocka_unit_test_setup(never_drains, setup),
        cmocka_unit_test_setup(buffered, setup),
        cmocka_unit_test_setup(buffer_overflows, setup),
        cmocka_unit_test_setup(a_flush_waits_for_the_core_that_sends, setup),
        cmocka_unit_test_setup(a_flush_gets_over_a_halted_core, setup),
        cmocka_unit_test_setup(forms_of_spcr, setup),
        cmocka_unit_test_setup(the_same_port_stays, setup),
        cmocka_unit_test_setup(all_is_said_again_at_the_new_port, setup),
        cmocka_unit_test_setup(at_one_port_nothing_is_said_twice, setup),
        cmocka_unit_test_setup(a_port_that_went_away_has_no_bytes, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

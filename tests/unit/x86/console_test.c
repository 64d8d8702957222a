/* SPDX-License-Identifier: BSD-2-Clause */
/* A UART that works, one that is not there, and one that never drains. */
#include "../../../rt/x86/console.c"

#include <string.h>
#include <ucontext.h>

#include "cmocka_all.h"
#include "console_fake.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

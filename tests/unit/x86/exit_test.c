/* SPDX-License-Identifier: BSD-2-Clause */
/* The order in which a machine ends, and what it does when the end itself fails. */
#include "../../../rt/core/fmt.c"
#include "../../../rt/x86/exit.c"

#include <rt/assert.h>
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

struct rt_config rt_config;

static char story[256]; /* what was done, a word each */
static bool screen, qemu, exit_device, cards_fault;

static void tell(const char *word)
{
    strncat(story, word, sizeof(story) - strlen(story) - 1);
    strncat(story, " ", sizeof(story) - strlen(story) - 1);
}

/* Does not return, as on the machine. */
RT_NORETURN static void gone(const char *word)
{
    tell(word);
    rt_panic("%s", word);
    __builtin_unreachable();
}

void core_stop_others(void)
{
    tell("stop");
}

void core_halt_for_good(void)
{
    x86_halt_forever();
}

void rt_quiesce_all(void)
{
    tell("quiesce");
    if (cards_fault) /* brings the machine here again, as panic.c does */
        exit_machine(70, true);
}

void pci_silence(void)
{
    tell("nodma");
}

void console_take(void)
{
    tell("take");
}

void console_flush(void)
{
}

void hal_console_write(const char *text, size_t bytes)
{
    char word[16];

    if (sscanf(text, "exit action=%15s", word) == 1)
        tell(word);
    else
        tell("code");
}

bool fb_console_present(void)
{
    return screen;
}

void power_wait_s(uint32_t s)
{
    assert_int_equal(s, READ_S);
    tell("wait");
}

void power_off(void)
{
    gone("off");
}

void power_reset(void)
{
    gone("anew");
}

static uint32_t port_in(uint16_t port)
{
    static const char answer[] = "QEMU";
    static unsigned at;

    assert_int_equal(port, FW_CFG_SELECTOR_PORT + 1);
    return (uint8_t)answer[at++ % 4];
}

static void port_out(uint16_t port, uint32_t value)
{
    if (port == DEBUG_EXIT_PORT && exit_device)
        gone("debug");
}

static int setup(void **state)
{
    fake_reset();
    fake.in = port_in;
    fake.out = port_out;
    story[0] = '\0';
    screen = qemu = exit_device = cards_fault = false;
    rt_config = (struct rt_config){.at_stop = RT_STOP_POWEROFF, .at_panic = RT_STOP_RESET};
    return 0;
}

static const char *ends(int code, bool panicking)
{
    story[0] = '\0';
    if (qemu)
        fake_cpuid(1, 0, 0, 1u << 31, 0);
    EXPECT_PANIC(exit_machine(code, panicking));
    return story;
}

static void good_end(void **state)
{
    assert_string_equal(ends(0, false), "take stop quiesce nodma code off ");
    screen = true;
    assert_string_equal(ends(0, false), "take stop quiesce nodma code off ");
    rt_config.at_stop = RT_STOP_RESET;
    assert_string_equal(ends(0, false), "take stop quiesce nodma code anew ");
    rt_config.at_stop = RT_STOP_HALT;
    assert_string_equal(ends(0, false), "take stop quiesce nodma code ");
    assert_string_equal(fake.panic_text, "halted for ever");
}

/* Where only a serial line is, its other end has the text already. */
static void error_at_start(void **state)
{
    assert_string_equal(ends(2, false), "take stop quiesce nodma code off ");
    screen = true;
    assert_string_equal(ends(2, false), "take stop quiesce nodma code poweroff wait off ");
}

static void panics(void **state)
{
    assert_string_equal(ends(70, true), "quiesce nodma code reset wait anew ");
    rt_config.at_panic = RT_STOP_POWEROFF;
    assert_string_equal(ends(70, true), "quiesce nodma code poweroff wait off ");
    rt_config.at_panic = RT_STOP_HALT;
    assert_string_equal(ends(70, true), "quiesce nodma code ");
}

/* Tests get their code at once; a QEMU without the device is a machine like any other. */
static void under_an_emulator(void **state)
{
    qemu = exit_device = true;
    assert_string_equal(ends(70, true), "quiesce nodma code debug ");
    screen = true;
    assert_string_equal(ends(2, false), "take stop quiesce nodma code debug ");
    exit_device = false;
    assert_string_equal(ends(70, true), "quiesce nodma code reset wait anew ");
}

/* Cards that fault each time they are silenced: the machine ends all the same. */
static void cards_that_fault(void **state)
{
    cards_fault = true;
    EXPECT_PANIC(exit_machine(70, true));
    assert_non_null(strstr(story, "quiesce quiesce"));
    assert_string_equal(fake.panic_text, "anew");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good_end, setup),
        cmocka_unit_test_setup(error_at_start, setup),
        cmocka_unit_test_setup(panics, setup),
        cmocka_unit_test_setup(under_an_emulator, setup),
        cmocka_unit_test_setup(cards_that_fault, setup), /* last: uses up the tries */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

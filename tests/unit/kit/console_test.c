/* SPDX-License-Identifier: BSD-2-Clause */
/* The console from typed bytes to commands: the kit's table and the application's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "state.h"

#include <rt/config.h>
#include <rt/host.h>
#include <rt/log.h>
#include <string.h>

static struct kit kit;
static struct kit_core core;
static struct boot_info boot;
static char console[65536], poked[32];

static void command_poke(struct kit *of, const char *text)
{
    assert_ptr_equal(of, &kit);
    strcpy(poked, text);
}

static void command_zap(struct kit *of, const char *text)
{
    strcpy(poked, "zapped");
}

static const struct kit_command commands[] = {
    {"poke", "where", command_poke},
    {"zap", NULL, command_zap},
};
static const struct kit_app app = {
    .path_bytes = sizeof(struct kit_path), .commands = commands, .command_count = 2};
static const struct arg_table *const tables[] = {&rt_arg_table, &kit_arg_table, NULL};
const struct rt_app rt_app = {.name = "own", .tables = tables};

static void no_line(void *ctx, const char *line)
{
    fail_msg("%s", line);
}

static void start(const char *args)
{
    host_memory_reset();
    host_set_core_count(1);
    host_clock_virtual(0);
    assert_int_equal(args_parse(tables, args, no_line, NULL).mistakes, 0);
    kit = (struct kit){.app = &app, .boot = &boot, .core_count = 1};
    kit.cores[0] = &core;
    rt_loop_init(&core.loop, 32, 0);
    poked[0] = console[0] = '\0';
    host_console_capture(console, sizeof(console));
    kit_console_start(&kit);
}

static int fresh(void **state)
{
    start("");
    return 0;
}

static int teardown(void **state)
{
    host_console_input("");
    host_console_capture(NULL, 0);
    host_clock_real();
    return 0;
}

/* Timers fire for so long. */
static void run_us(uint64_t us)
{
    uint64_t end_us = hal_now_us() + us;

    while (hal_now_us() < end_us) {
        host_clock_advance_us(100);
        timer_run(&core.loop.timers, hal_now_us(), 32);
    }
}

static void type(const char *text)
{
    console[0] = '\0';
    host_console_capture(console, sizeof(console));
    host_console_input(text);
    run_us(400000);
}

static bool said(const char *text)
{
    return strstr(console, text) != NULL;
}

static void the_applications_commands_run(void **state)
{
    type("poke the cat\n");
    assert_string_equal(poked, "the cat");
    type("poke\n");
    assert_string_equal(poked, "");
    type("zap\n");
    assert_string_equal(poked, "zapped");
    assert_string_equal(console, "");
}

static void help_names_every_command(void **state)
{
    type("help\n");
    assert_true(said("commands: stop | report | stats | gaps | pools | memory | trace |"
                     " set name=value | args | counters | help | poke where | zap\n"));
}

/* More than a line has room for; none may end the machine. */
static void help_of_many_commands_is_several_lines(void **state)
{
    enum { MANY = 60 };
    static struct kit_command many[MANY];
    static char names[MANY][24];
    struct kit_app of_many = app;
    const char *at = console;
    uint32_t lines = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        rt_snprintf(names[i], sizeof(names[i]), "connection_%u", i);
        many[i] = (struct kit_command){names[i], "name=value", command_poke};
    }
    of_many.commands = many;
    of_many.command_count = MANY;
    kit.app = &of_many;
    type("help\n");
    assert_true(said("connection_0 name=value") && said("| connection_59 name=value\n"));
    for (; (at = strstr(at, "commands:")) != NULL; at++)
        lines++;
    assert_true(lines > 1 && lines < MANY);
}

static void what_takes_no_text_gets_none(void **state)
{
    type("zap all\nstop it\n");
    assert_true(said("error=\"no such command\" text=\"zap all\""));
    assert_true(said("text=\"stop it\""));
    assert_string_equal(poked, "");
    assert_false(core.loop.stop);
}

static void stop_ends_the_loop(void **state)
{
    type("stop\n");
    assert_true(core.loop.stop);
}

static void settings_change(void **state)
{
    type("set spin_us=700\n");
    assert_true(said("setting spin_us=700"));
    assert_int_equal(rt_config.poll.spin_us, 700);
    type("set batch=5\n"); /* not while running */
    assert_int_equal(kit_options.batch, 32);
    assert_false(said("setting"));
}

static unsigned tables_printed(void)
{
    unsigned count = 0;

    for (const char *at = console; (at = strstr(at, "stat uptime_us=")) != NULL; at++)
        count++;
    return count;
}

static void a_period_prints_until_it_is_off(void **state)
{
    type("set stats_s=1\n");
    run_us(3000000);
    assert_int_equal(tables_printed(), 3);
    type("set stats_s=0\n");
    run_us(3000000);
    assert_int_equal(tables_printed(), 0);
}

static void counters_are_explained(void **state)
{
    type("counters\n");
    assert_true(said("counter of=port name=no_replacement kind=drop unit=frames what=\"no"
                     " buffer for the receive ring\""));
    assert_true(said("counter of=core name=turns kind=traffic unit=turns"));
}

static void memory_says_who_took_it(void **state)
{
    assert_non_null(hal_alloc(4096, 64, "thing"));
    type("memory\n");
    assert_true(said("memory used_bytes="));
    assert_true(said(" thing=4096"));
}

static void it_stops_by_itself(void **state)
{
    start("run_s=2");
    run_us(1900000);
    assert_false(core.loop.stop);
    run_us(200000);
    assert_true(core.loop.stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_applications_commands_run, fresh, teardown),
        cmocka_unit_test_setup_teardown(help_names_every_command, fresh, teardown),
        cmocka_unit_test_setup_teardown(help_of_many_commands_is_several_lines, fresh,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_takes_no_text_gets_none, fresh, teardown),
        cmocka_unit_test_setup_teardown(stop_ends_the_loop, fresh, teardown),
        cmocka_unit_test_setup_teardown(settings_change, fresh, teardown),
        cmocka_unit_test_setup_teardown(a_period_prints_until_it_is_off, fresh, teardown),
        cmocka_unit_test_setup_teardown(counters_are_explained, fresh, teardown),
        cmocka_unit_test_setup_teardown(memory_says_who_took_it, fresh, teardown),
        cmocka_unit_test_setup_teardown(it_stops_by_itself, fresh, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

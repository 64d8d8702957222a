/* SPDX-License-Identifier: BSD-2-Clause */
/* Mistakes in an application's tables are lines, each by itself, and none of a good one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "state.h"

#include <rt/host.h>
#include <string.h>

struct own {
    struct kit_path path;
    uint64_t seen, gone;
};

static struct kit_counter counters[2];
static struct kit_command commands[2];
static struct kit_app app;
static char console[4096];

const struct rt_app rt_app = {.name = "own"};

static uint32_t poll(void *path, uint64_t now_us)
{
    return 0;
}

static void command(struct kit *kit, const char *text)
{
}

static int good_one(void **state)
{
    counters[0] = (struct kit_counter){"seen", "frames", "a", KIT_COUNT,
                                       offsetof(struct own, seen)};
    counters[1] = (struct kit_counter){"gone", "frames", "b", KIT_DROP,
                                       offsetof(struct own, gone)};
    commands[0] = (struct kit_command){"poke", "where", command};
    commands[1] = (struct kit_command){"zap", NULL, command};
    app = (struct kit_app){
        .running = "listening", .path_bytes = sizeof(struct own), .poll = poll,
        .counters = counters, .counter_count = 2, .commands = commands, .command_count = 2};
    console[0] = '\0';
    host_console_capture(console, sizeof(console));
    return 0;
}

static int done(void **state)
{
    host_console_capture(NULL, 0);
    return 0;
}

/* The tables have one mistake, of which this is said; then they are good again. */
static void expect(const char *line)
{
    assert_false(kit_app_is_good(&app));
    if (strstr(console, line) == NULL)
        fail_msg("no %s in: %s", line, console);
    assert_ptr_equal(strchr(console, '\n'), console + strlen(console) - 1); /* one line */
    (void)good_one(NULL);
}

static void a_good_one_says_nothing(void **state)
{
    assert_true(kit_app_is_good(&app));
    app.running = NULL;
    assert_true(kit_app_is_good(&app));
    assert_string_equal(console, "");
}

static void the_head(void **state)
{
    app.running = "is up";
    expect("own error=app running=\"is up\"");
    app.poll = NULL;
    expect("it has no poll");
    app.path_bytes = sizeof(struct kit_path) - 1;
    expect("path_bytes");
}

static void counters_are_looked_at(void **state)
{
    counters[1].name = "Bad-Name";
    expect("counter=\"Bad-Name\" what=\"a name is");
    counters[1].name = "seen";
    expect("counter=\"seen\" what=\"there is one");
    counters[0].name = "rx_packets";
    expect("counter=\"rx_packets\" what=\"there is one");
    counters[0].unit = NULL;
    expect("counter=\"seen\" what=\"it has no unit");
    counters[0].kind = KIT_TRAFFIC;
    expect("counter=\"seen\" what=\"its kind");
    counters[0].offset = sizeof(struct own);
    expect("counter=\"seen\" what=\"its place");
    counters[0].offset = SIZE_MAX - 7;
    expect("counter=\"seen\" what=\"its place");
}

static void commands_are_looked_at(void **state)
{
    commands[0].name = "two words";
    expect("command=\"two words\" what=\"a name is");
    commands[0].name = "";
    expect("command=\"\" what=\"a name is");
    commands[1].name = "poke";
    expect("command=\"poke\" what=\"there is one");
    commands[1].name = "stop";
    expect("command=\"stop\" what=\"there is one");
    commands[1].run = NULL;
    expect("command=\"zap\" what=\"it does nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_one_says_nothing, good_one, done),
        cmocka_unit_test_setup_teardown(the_head, good_one, done),
        cmocka_unit_test_setup_teardown(counters_are_looked_at, good_one, done),
        cmocka_unit_test_setup_teardown(commands_are_looked_at, good_one, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

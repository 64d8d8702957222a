/* SPDX-License-Identifier: BSD-2-Clause */
/* The table and the report: what a card or its driver has counted is in both, zeros are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "state.h"

#include <rt/boot_info.h>
#include <rt/host.h>
#include <rt/log.h>
#include <string.h>

enum { COUNTERS = 70 };

static struct nic nic;
static struct nic_counter counters[COUNTERS];
static char names[COUNTERS][32];
static struct boot_info boot;
static struct kit kit;

/* An application that counts two things. */
struct own_path {
    struct kit_path kit;
    uint64_t seen, lost;
};
static struct own_path paths[2];
static const struct kit_counter own_counters[] = {
    {"seen", "frames", "that it saw", KIT_COUNT, offsetof(struct own_path, seen)},
    {"lost", "frames", "that it lost", KIT_DROP, offsetof(struct own_path, lost)},
};
static const struct kit_app own = {
    .path_bytes = sizeof(struct own_path), .counters = own_counters, .counter_count = 2};
static const struct kit_app bare = {.path_bytes = sizeof(struct kit_path)};
const struct rt_app rt_app = {.name = "own"};

static char console[65536];

static int setup(void **state)
{
    for (unsigned i = 0; i < COUNTERS; i++) {
        rt_snprintf(names[i], sizeof(names[i]), "counter_with_a_long_name_%u", i);
        counters[i] = (struct nic_counter){names[i], i % 3 == 0 ? 0 : UINT64_MAX - i};
    }
    nic = (struct nic){
        .name = "nic0",
        .counters = counters,
        .counter_count = COUNTERS,
        .stats = {.rx_missed = 11, .rx_no_buffer = 12, .rx_crc_errors = 13,
                  .rx_length_errors = 14, .tx_errors = 15},
    };
    kit = (struct kit){.app = &bare, .boot = &boot};
    kit.ports[1] = &nic;
    host_clock_virtual(0);
    memset(console, 0, sizeof(console));
    host_console_capture(console, sizeof(console));
    return 0;
}

static int teardown(void **state)
{
    host_console_capture(NULL, 0);
    host_clock_real();
    return 0;
}

static bool said(const char *text)
{
    return strstr(console, text) != NULL;
}

/* Name and value of each counter, between these texts: there when it is not zero, else its name
 * is not. */
static void all_counters(const char *before, const char *between)
{
    for (unsigned i = 0; i < COUNTERS; i++) {
        char text[96], name[64];

        rt_snprintf(name, sizeof(name), "%s%s%s", before, names[i], between);
        rt_snprintf(text, sizeof(text), "%s%lu", name, counters[i].value);
        assert_int_equal(said(text), counters[i].value != 0);
        assert_int_equal(said(name), counters[i].value != 0);
    }
}

static void table_has_all(void **state)
{
    static const char *const drops[] = {
        "stat port=1 drop=card_missed packets=11", "stat port=1 drop=card_no_buffer packets=12",
        "stat port=1 drop=card_crc packets=13", "stat port=1 drop=card_length packets=14",
        "stat port=1 drop=card_tx packets=15",
    };

    kit_print_table(&kit);
    for (size_t i = 0; i < RT_ARRAY_SIZE(drops); i++)
        assert_true(said(drops[i]));
    all_counters(" ", "=");
}

static void table_has_no_zeros(void **state)
{
    memset(counters, 0, sizeof(counters));
    nic.stats = (struct nic_stats){0};
    kit_print_table(&kit);
    assert_false(said("drop="));
    assert_false(said("stat port=1 card"));
    assert_true(said("stat port=1 link=down"));
}

static void report_has_all(void **state)
{
    kit_print_report(&kit);
    assert_true(said("\"rx_missed\":11,\"rx_no_buffer\":12,\"rx_crc_errors\":13"));
    assert_true(said("\"rx_length_errors\":14,\"tx_errors\":15,\"card\":{\"counter_"));
    all_counters("\"", "\":");
}

/* The sum over the paths that receive at the port, by the application's own table. */
static void own_counters_are_in_both(void **state)
{
    kit.app = &own;
    kit.plan.count = 2;
    for (unsigned i = 0; i < 2; i++) {
        paths[i] = (struct own_path){.kit.rx_port = 1, .seen = 40 + i, .lost = 7};
        kit.paths[i] = &paths[i].kit;
    }
    kit_print_table(&kit);
    assert_true(said("stat port=1 count=seen frames=81"));
    assert_true(said("stat port=1 drop=lost packets=14"));
    kit_print_report(&kit);
    assert_true(said("\"tx_bad\":0,\"lost\":14},\"counts\":{\"seen\":81}}"));
}

/* What other programs read by name. */
static void report_keeps_its_names(void **state)
{
    kit_print_report(&kit);
    assert_true(said("\"link_changes\":0,\"rx_packets\":0,\"rx_bytes\":0,\"tx_packets\":0,"
                     "\"tx_bytes\":0,\"rx_missed\":11"));
    assert_true(said("\"drops\":{\"no_replacement\":0,\"rx_error\":0,\"rx_hostile\":0,"
                     "\"rx_too_long\":0,\"tx_bad\":0}}"));
    assert_false(said("\"counts\""));
}

static uint32_t poll_nothing(void *path, uint64_t now_us)
{
    return 0;
}

/* A structure of a path without room for the kit's head is found before a card is touched. */
static void a_path_has_room_for_the_head(void **state)
{
    static const struct kit_app small = {.path_bytes = sizeof(struct kit_path) - 1,
                                         .poll = poll_nothing};

    assert_int_equal(kit_run(&small, &boot), KIT_EXIT_APP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table_has_all, setup, teardown),
        cmocka_unit_test_setup_teardown(table_has_no_zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(report_has_all, setup, teardown),
        cmocka_unit_test_setup_teardown(own_counters_are_in_both, setup, teardown),
        cmocka_unit_test_setup_teardown(report_keeps_its_names, setup, teardown),
        cmocka_unit_test_setup_teardown(a_path_has_room_for_the_head, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

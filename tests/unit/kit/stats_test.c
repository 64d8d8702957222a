/* SPDX-License-Identifier: BSD-2-Clause */
/* The table and the report: whatever a card or its driver has counted is in both, zeros are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "l2fwd.h"

#include <rt/boot_info.h>
#include <rt/host.h>
#include <rt/log.h>
#include <string.h>

enum { COUNTERS = 70 };

static struct nic nic;
static struct nic_counter counters[COUNTERS];
static char names[COUNTERS][32];
static struct boot_info boot;
static struct l2fwd app;
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
    app = (struct l2fwd){.boot = &boot};
    app.ports[1] = &nic;
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

    l2fwd_print_table(&app);
    for (size_t i = 0; i < RT_ARRAY_SIZE(drops); i++)
        assert_true(said(drops[i]));
    all_counters(" ", "=");
}

static void table_has_no_zeros(void **state)
{
    memset(counters, 0, sizeof(counters));
    nic.stats = (struct nic_stats){0};
    l2fwd_print_table(&app);
    assert_false(said("drop="));
    assert_false(said("stat port=1 card"));
    assert_true(said("stat port=1 link=down"));
}

static void report_has_all(void **state)
{
    l2fwd_print_report(&app);
    assert_true(said("\"rx_missed\":11,\"rx_no_buffer\":12,\"rx_crc_errors\":13"));
    assert_true(said("\"rx_length_errors\":14,\"tx_errors\":15,\"card\":{\"counter_"));
    all_counters("\"", "\":");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table_has_all, setup, teardown),
        cmocka_unit_test_setup_teardown(table_has_no_zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(report_has_all, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

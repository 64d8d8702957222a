/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot argument ip=: what Linux takes, and what has no meaning here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "net_address.h"

static const struct {
    const char *text, *addr, *gateway;
    uint32_t bits;
} good[] = {
    {"192.0.2.1::192.0.2.254:255.255.255.0", "192.0.2.1", "192.0.2.254", 24},
    {"192.0.2.1:::255.255.255.0", "192.0.2.1", NULL, 24},
    {"10.0.0.1:::255.0.0.0", "10.0.0.1", NULL, 8},
    {"10.0.0.1:::255.255.255.255", "10.0.0.1", NULL, 32},
    {"10.0.0.1::10.9.9.9:0.0.0.0", "10.0.0.1", "10.9.9.9", 0},
};

static const char *const bad[] = {
    "", "192.0.2.1", "192.0.2.1:::", "192.0.2.1:::255.255.0.255", "192.0.2.1:::24",
    "192.0.2.1:192.0.2.3::255.255.255.0", "192.0.2.1:::255.255.255.0:name",
    "192.0.2.1::198.51.100.1:255.255.255.0", "192.0.2.1::x:255.255.255.0",
    "224.0.0.1:::255.255.255.0", "0.0.0.0:::255.0.0.0", "2001:db8::1:::255.255.255.0",
    "192.0.2.1000000000000000000000000000000000000000000000:::255.255.255.0",
};

static void run_good(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(good); i++) {
        struct net_address a;
        const char *why;
        char text[IP_ADDR_TEXT_BYTES];

        if (!net_address_parse(good[i].text, &a, &why))
            fail_msg("%s: %s", good[i].text, why);
        assert_string_equal(ip_addr_format(&a.addr, text), good[i].addr);
        assert_int_equal(a.prefix_bits, good[i].bits);
        assert_int_equal(a.has_gateway, good[i].gateway != NULL);
        if (a.has_gateway)
            assert_string_equal(ip_addr_format(&a.gateway, text), good[i].gateway);
    }
}

static void run_bad(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(bad); i++) {
        struct net_address a;
        const char *why = NULL;

        if (net_address_parse(bad[i], &a, &why))
            fail_msg("%s", bad[i]);
        assert_non_null(why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_good), cmocka_unit_test(run_bad)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

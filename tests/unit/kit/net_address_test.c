/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot argument ip=: what Linux takes, for several ports, and what has no meaning here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "net_address.h"

static const struct {
    const char *text, *addr, *gateway; /* of port 0 */
    uint32_t bits;
} good[] = {
    {"192.0.2.1::192.0.2.254:255.255.255.0", "192.0.2.1", "192.0.2.254", 24},
    {"192.0.2.1:::255.255.255.0", "192.0.2.1", NULL, 24},
    {"10.0.0.1:::255.0.0.0", "10.0.0.1", NULL, 8},
    {"10.0.0.1:::255.255.255.255", "10.0.0.1", NULL, 32},
    {"10.0.0.0:::255.255.255.254", "10.0.0.0", NULL, 31},
    {"10.0.0.1::10.9.9.9:0.0.0.0", "10.0.0.1", "10.9.9.9", 0},
    {"192.0.2.1:192.0.2.3::255.255.255.0", "192.0.2.1", NULL, 24}, /* a server of no use here */
    {"192.0.2.1:::255.255.255.0:name", "192.0.2.1", NULL, 24},
    {"192.0.2.1:::255.255.255.0:name:eth0:off", "192.0.2.1", NULL, 24},
    {"192.0.2.1:::255.255.255.0::0:none:8.8.8.8:8.8.4.4:192.0.2.9", "192.0.2.1", NULL, 24},
    {"192.0.2.1:::255.255.255.0::port0", "192.0.2.1", NULL, 24},
};

static const char *const bad[] = {
    "", "192.0.2.1", "192.0.2.1:::", "192.0.2.1:::255.255.0.255", "192.0.2.1:::24",
    "192.0.2.1::198.51.100.1:255.255.255.0", "192.0.2.1::x:255.255.255.0",
    "192.0.2.1::192.0.2.1:255.255.255.0", "192.0.2.1:::255.255.255.0,", ",dhcp", "dhcpx",
    "192.0.2.255:::255.255.255.0", "192.0.2.0:::255.255.255.0",
    "224.0.0.1:::255.255.255.0", "0.0.0.0:::255.0.0.0", "2001:db8::1:::255.255.255.0",
    "192.0.2.1000000000000000000000000000000000000000000000:::255.255.255.0",
    "192.0.2.1:::255.255.255.0::wlan0", "192.0.2.1:::255.255.255.0::eth", ":::::0:bootp",
    "192.0.2.1:::255.255.255.0::0:none:1:2:3:4", "192.0.2.1:::255.255.255.0::1000",
    "x:::::0:dhcp", "off,off,off,off,off,off,off,off,off,off,off,off,off,off,off,off,off",
};

static void parse(const char *text, struct net_addresses *all)
{
    const char *why;
    uint32_t entry;

    if (!net_addresses_parse(text, all, &why, &entry))
        fail_msg("%s: entry %u: %s", text, entry, why);
}

static void run_good(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(good); i++) {
        struct net_addresses all;
        struct net_setup setup;
        const struct net_address *dhcp;
        char text[IP_ADDR_TEXT_BYTES];

        parse(good[i].text, &all);
        assert_true(net_addresses_of(&all, 0, &setup, &dhcp));
        assert_null(dhcp);
        assert_int_equal(setup.count, 1);
        assert_true(setup.probe);
        assert_string_equal(ip_addr_format(&setup.addrs[0].addr, text), good[i].addr);
        assert_int_equal(setup.addrs[0].prefix_bits, good[i].bits);
        assert_int_equal(setup.has_gateway, good[i].gateway != NULL);
        if (setup.has_gateway)
            assert_string_equal(ip_addr_format(&setup.gateway, text), good[i].gateway);
    }
}

static void run_bad(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(bad); i++) {
        struct net_addresses all;
        const char *why = NULL;
        uint32_t entry = 0;

        if (net_addresses_parse(bad[i], &all, &why, &entry))
            fail_msg("%s", bad[i]);
        assert_non_null(why);
        assert_int_not_equal(entry, 0);
    }
}

/* In port order, or by the device; several of one port; nobody's port has none. */
static void run_ports(void **state)
{
    static const struct {
        const char *text;
        uint32_t counts[3]; /* addresses of ports 0, 1, 2 */
        bool dhcp[3];
    } rows[] = {
        {"dhcp", {0, 0, 0}, {true, true, true}},
        {"on", {0, 0, 0}, {true, true, true}},
        {"off", {0, 0, 0}, {false, false, false}},
        {"192.0.2.1:::255.255.255.0", {1, 0, 0}, {false, false, false}},
        {"192.0.2.1:::255.255.255.0,198.51.100.1:::255.255.255.0", {1, 1, 0},
         {false, false, false}},
        {"192.0.2.1:::255.255.255.0::1,192.0.2.2:::255.255.255.0::1", {0, 2, 0},
         {false, false, false}},
        {"192.0.2.1:::255.255.255.0::0,:::::2:dhcp", {1, 0, 0}, {false, false, true}},
        {"192.0.2.1:::255.255.255.0,:::::1:off,192.0.2.3:::255.255.255.0::2", {1, 0, 1},
         {false, false, false}},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct net_addresses all;

        parse(rows[i].text, &all);
        for (uint32_t port = 0; port < 3; port++) {
            struct net_setup setup;
            const struct net_address *dhcp;

            assert_true(net_addresses_of(&all, port, &setup, &dhcp));
            assert_int_equal(setup.count, rows[i].counts[port]);
            assert_int_equal(dhcp != NULL, rows[i].dhcp[port]);
        }
    }
}

/* A lease beside fixed addresses, or nine of them, cannot be; one that we had can. */
static void run_dhcp(void **state)
{
    struct net_addresses all;
    struct net_setup setup;
    const struct net_address *dhcp;

    parse("dhcp,192.0.2.1:::255.255.255.0::0", &all);
    assert_false(net_addresses_of(&all, 0, &setup, &dhcp));
    assert_true(net_addresses_of(&all, 1, &setup, &dhcp));
    parse("192.0.2.7:::::0:dhcp", &all);
    assert_true(net_addresses_of(&all, 0, &setup, &dhcp));
    assert_int_equal(dhcp->addr.bytes[15], 7);
    all.count = NET_ADDRS_MAX + 1;
    for (uint32_t i = 0; i < all.count; i++)
        all.entry[i] = (struct net_address){.port = 2};
    assert_false(net_addresses_of(&all, 2, &setup, &dhcp));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_good),
        cmocka_unit_test(run_bad),
        cmocka_unit_test(run_ports),
        cmocka_unit_test(run_dhcp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <tcp/addr.h>

/* Text that comes out as itself, or in another form. NULL: no address. */
static const struct {
    const char *in, *out;
} texts[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"2001:DB8::1", "2001:db8::1"},
    {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"::ffff:192.0.2.1", "192.0.2.1"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"fe80::1", "fe80::1"},
    {"", NULL}, {"1", NULL}, {"1.2.3", NULL}, {"1.2.3.4.5", NULL}, {"1.2.3.256", NULL},
    {"01.2.3.4", NULL}, {"1.2.3.4 ", NULL}, {"1.2..4", NULL}, {"1.2.3.", NULL},
    {"0x1.2.3.4", NULL}, {"1.2.3.1000", NULL},
    {":", NULL}, {":1", NULL}, {"1:", NULL}, {":::", NULL}, {"1:::2", NULL}, {"1::2::3", NULL},
    {"1:2:3:4:5:6:7", NULL}, {"1:2:3:4:5:6:7:8:9", NULL}, {"1:2:3:4:5:6:7:8::", NULL},
    {"::1:2:3:4:5:6:7:8", NULL}, {"12345::", NULL}, {"g::", NULL}, {"::1.2.3.4:5", NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL}, {"fe80::1%0", NULL}, {"2001:db8::/32", NULL},
};

static void run_texts(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(texts); i++) {
        struct ip_addr addr = {.bytes = {1}};
        char out[IP_ADDR_TEXT_BYTES];
        const bool good = ip_addr_parse(texts[i].in, &addr);

        if (good != (texts[i].out != NULL))
            fail_msg("%s", texts[i].in);
        if (good)
            assert_string_equal(ip_addr_format(&addr, out), texts[i].out);
        else
            assert_int_equal(addr.bytes[0], 1);
    }
}

/* The longest text fits. */
static void run_longest(void **state)
{
    struct ip_addr addr;
    char out[IP_ADDR_TEXT_BYTES];

    memset(&addr, 0xee, sizeof(addr));
    assert_int_equal(strlen(ip_addr_format(&addr, out)), 39);
    assert_true(ip_addr_parse(out, &addr));
    assert_int_equal(addr.bytes[15], 0xee);
}

static struct ip_addr parse(const char *text)
{
    struct ip_addr addr;

    assert_true(ip_addr_parse(text, &addr));
    return addr;
}

enum { HOST = 1, MULTICAST = 2, LOOPBACK = 4, UNSPECIFIED = 8, LINK_LOCAL = 16 };

static const struct {
    const char *text;
    unsigned kinds;
} kinds[] = {
    {"192.0.2.1", HOST},   {"0.0.0.0", UNSPECIFIED}, {"127.0.0.1", LOOPBACK},
    {"224.0.0.1", MULTICAST}, {"239.255.255.255", MULTICAST}, {"240.0.0.1", 0},
    {"255.255.255.255", 0}, {"2001:db8::1", HOST}, {"::", UNSPECIFIED}, {"::1", LOOPBACK},
    {"ff02::1", MULTICAST}, {"fe80::1", HOST | LINK_LOCAL}, {"febf::1", HOST | LINK_LOCAL},
    {"fec0::1", HOST},
};

static void run_kinds(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(kinds); i++) {
        const struct ip_addr addr = parse(kinds[i].text);
        const unsigned found = (ip_addr_is_host(&addr) ? HOST : 0) |
                               (ip_addr_is_multicast(&addr) ? MULTICAST : 0) |
                               (ip_addr_is_loopback(&addr) ? LOOPBACK : 0) |
                               (ip_addr_is_unspecified(&addr) ? UNSPECIFIED : 0) |
                               (ip_addr_is_link_local(&addr) ? LINK_LOCAL : 0);

        if (found != kinds[i].kinds)
            fail_msg("%s: 0x%x", kinds[i].text, found);
    }
}

static const struct {
    const char *a, *b;
    uint32_t bits;
    bool same;
} prefixes[] = {
    {"192.0.2.1", "192.0.2.254", 24, true}, {"192.0.2.1", "192.0.3.1", 24, false},
    {"192.0.2.1", "192.0.3.1", 23, true},   {"192.0.2.1", "192.0.2.1", 32, true},
    {"192.0.2.1", "192.0.2.0", 32, false},  {"192.0.2.1", "10.0.0.1", 0, true},
    {"192.0.2.1", "2001:db8::1", 0, false}, {"2001:db8::1", "2001:db8::2", 64, true},
    {"2001:db8::1", "2001:db9::1", 32, false}, {"2001:db8::1", "2001:db9::1", 31, true},
    {"::1", "::2", 128, false}, {"::1", "::1", 128, true},
};

static void run_prefixes(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(prefixes); i++) {
        const struct ip_addr a = parse(prefixes[i].a), b = parse(prefixes[i].b);

        if (ip_addr_same_prefix(&a, &b, prefixes[i].bits) != prefixes[i].same)
            fail_msg("%s %s /%u", prefixes[i].a, prefixes[i].b, prefixes[i].bits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_texts),
        cmocka_unit_test(run_longest),
        cmocka_unit_test(run_kinds),
        cmocka_unit_test(run_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

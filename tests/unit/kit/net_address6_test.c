/* SPDX-License-Identifier: BSD-2-Clause */
/* What ip6= means for which port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <net_address6.h>
#include <string.h>

static struct net_address6 a;
static struct net_address6_error error;

static bool parses(const char *text, uint32_t port)
{
    error = (struct net_address6_error){.why = NULL};
    return net_address6_parse(text, port, &a, &error);
}

static void is_addr(const struct ip_addr *addr, const char *text)
{
    char is[IP_ADDR_TEXT_BYTES];

    assert_string_equal(ip_addr_format(addr, is), text);
}

static void run_words(void **state)
{
    assert_true(parses("auto", 0));
    assert_true(a.automatic && !a.off && a.count == 0 && !a.has_gateway);
    assert_true(parses("auto", 7)); /* for all ports */
    assert_true(a.automatic);
    assert_true(parses("link", 1));
    assert_true(!a.automatic && !a.off);
    assert_true(parses("off", 1));
    assert_true(a.off);
}

static void run_by_hand(void **state)
{
    assert_true(parses("2001:db8::1/64,fd00::7/48,via=fe80::1", 0));
    assert_int_equal(a.count, 2);
    is_addr(&a.addrs[0].addr, "2001:db8::1");
    assert_int_equal(a.addrs[0].prefix_bits, 64);
    is_addr(&a.addrs[1].addr, "fd00::7");
    assert_int_equal(a.addrs[1].prefix_bits, 48);
    assert_true(a.has_gateway && !a.automatic);
    is_addr(&a.gateway, "fe80::1");
    assert_true(parses("2001:db8::1/64", 1)); /* one address is of one port */
    assert_true(a.off);
    assert_true(parses("auto,2001:db8::1/128", 0));
    assert_true(a.automatic && a.count == 1);
}

static void run_ports(void **state)
{
    static const char text[] = "off;2001:db8::1/64,via=2001:db8::fe;auto";

    assert_true(parses(text, 0));
    assert_true(a.off);
    assert_true(parses(text, 1));
    is_addr(&a.addrs[0].addr, "2001:db8::1");
    assert_true(parses(text, 2));
    assert_true(a.automatic);
    assert_true(parses(text, 15));
    assert_true(a.automatic);
}

static void run_wrong(void **state)
{
    static const char *const wrong[] = {
        "", ",", "auto,", "auto;", "maybe", "2001:db8::1", "2001:db8::1/", "2001:db8::1/0",
        "2001:db8::1/129", "2001:db8::1/6x", "2001:db8::1/0064", "192.0.2.1/24", "ff02::1/64",
        "::/64", "::1/128", "::ffff:192.0.2.1/128", "via=", "via=192.0.2.1", "via=ff02::1",
        "via=fe80::1,via=fe80::2", "off,auto", "off,2001:db8::1/64", "off,via=fe80::1",
        "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0001/64",
        "1::1/9,1::2/9,1::3/9,1::4/9,1::5/9,1::6/9,1::7/9,1::8/9",
        "auto,auto,auto,auto,auto,auto,auto,auto,auto,auto,auto,auto,auto,auto,auto,auto,auto",
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(wrong); i++)
        if (parses(wrong[i], 15) || error.why == NULL)
            fail_msg("\"%s\"", wrong[i]);
    assert_true(parses("1::1/9,1::2/9,1::3/9,1::4/9,1::5/9,1::6/9,1::7/9", 0));
}

/* Each mistake is told by its word, and how it is right. */
static void run_says(void **state)
{
    static const struct {
        const char *text, *word, *says;
    } rows[] = {
        {"2001:db8::1", "2001:db8::1", "prefix behind it, as 2001:db8::1/64"},
        {"auto,ff02::1/64", "ff02::1/64", "no IPv6 address of a host"},
        {"auto;/200;off", "/200", "no IPv6 address of a host"},
        {"2001:db8::1/200,auto", "2001:db8::1/200", "1 to 128 bits"},
        {"link,xyz", "xyz", "none of auto, link"},
        {"via=ff02::1", "via=ff02::1", "as via=fe80::1"},
        {"via=fe80::1,via=fe80::2", "via=fe80::2", "one gateway"},
        {"1::1/9,1::2/9,1::3/9,1::4/9,1::5/9,1::6/9,1::7/9,1::8/9", "1::8/9", "up to seven"},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        assert_false(parses(rows[i].text, 1));
        assert_int_equal(error.word_bytes, strlen(rows[i].word));
        assert_memory_equal(error.word, rows[i].word, error.word_bytes);
        if (strstr(error.why, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].text, error.why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_words),
        cmocka_unit_test(run_by_hand),
        cmocka_unit_test(run_ports),
        cmocka_unit_test(run_wrong),
        cmocka_unit_test(run_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

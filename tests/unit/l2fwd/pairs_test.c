/* SPDX-License-Identifier: BSD-2-Clause */
/* What each card is for: every form of a name, every mistake, cards that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "pairs.h"

#include <rt/log.h>

#include <stdio.h>
#include <string.h>

static struct kit_portmap map;
static struct kit_card all[NIC_PORTS_MAX];
static char said[4096];

static void keep_line(void *ctx, const char *line)
{
    size_t used = strlen(said);

    snprintf(said + used, sizeof(said) - used, "%s\n", line);
}

/* Card n is 0n:00.0 with the address 52:54:00:00:00:0n. */
static void new_cards(void)
{
    for (unsigned i = 0; i < NIC_PORTS_MAX; i++) {
        const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, (uint8_t)i};

        memcpy(all[i].mac, mac, sizeof(mac));
        snprintf(all[i].place, sizeof(all[i].place), "%02x:00.0", i);
        all[i].failed = false;
    }
}

static int fresh(void **state)
{
    new_cards();
    return 0;
}

static void fails(unsigned card)
{
    all[card].failed = true;
    memset(all[card].mac, 0, sizeof(all[card].mac));
}

static enum rt_status make(const char *ports, const char *portmap, const char *boot_mac,
                           uint32_t count)
{
    struct kit_cards cards = {.app = "l2fwd", .card = all, .count = count,
                              .report = keep_line};
    enum rt_status st;

    said[0] = '\0';
    memset(map.peer, KIT_NO_PORT, sizeof(map.peer));
    st = kit_cards_choose(&cards, ports, boot_mac);
    return st == RT_OK ? l2fwd_pairs_make(&cards, portmap, &map) : st;
}

static void check_peers(const char *wanted) /* one digit a port, - when not used */
{
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        char c = p < strlen(wanted) ? wanted[p] : '-';

        assert_int_equal(map.peer[p], c == '-' ? KIT_NO_PORT : c - '0');
    }
}

static void check_said(const char *text)
{
    if (strstr(said, text) == NULL)
        fail_msg("wanted \"%s\", said: %s", text, said);
}

static void neighbours(void **state)
{
    static const struct {
        const char *ports;
        uint32_t count;
        const char *peers;
    } rows[] = {
        {"0", 2, "10"},   {"", 4, "1032"},        {"0x5", 4, "2-0"},  {"5", 4, "2-0"},
        {"0x6", 4, "-21"}, {"0xffff", 2, "10"},   {"(0,1)", 2, "10"}, {"(2,0)", 3, "2-0"},
        {"(03:00.0,52:54:00:00:00:01)", 4, "-3-1"},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        assert_int_equal(make(rows[i].ports, "", "", rows[i].count), RT_OK);
        check_peers(rows[i].peers);
        assert_string_equal(said, "");
    }
}

/* On a network with one cable to this machine a reflector moves other hosts' addresses on the
 * switch: nothing is sent back unless somebody asked. */
static void an_odd_port_stays_idle(void **state)
{
    assert_int_equal(make("0", "", "", 3), RT_OK);
    check_peers("10");
    check_said("nic2 role=idle reason=\"has no partner; portmap=(2,2) makes it send back");
    assert_int_equal(make("0xe", "", "", 4), RT_OK);
    check_peers("-21");
    check_said("nic3 role=idle");
    assert_int_equal(make("0", "", "", 1), RT_INVALID);
    check_peers("");
    check_said("nic0 role=idle");
    check_said("a single port needs portmap=(0,0)");
    assert_int_equal(make("0", "(0,0)", "", 1), RT_OK);
    check_peers("0");
    assert_string_equal(said, "");
}

static void the_card_booted_from_is_left_alone(void **state)
{
    static const char *const forms[] = {
        "52:54:00:00:00:02", "52-54-00-00-00-02", "01-52-54-00-00-00-02", "52:54:00:00:00:02",
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(forms); i++) {
        assert_int_equal(make("0", "", forms[i], 3), RT_OK);
        check_peers("10");
        assert_string_equal(said, "nic2 role=management reason=\"booted from it; name it in"
                                  " ports= to use it\"\n");
    }
    assert_int_equal(make("0", "", "52:54:00:00:00:00", 3), RT_OK); /* first in PCI order */
    check_peers("-21");
    assert_int_equal(make("0", "", "52:54:00:00:00:01", 3), RT_OK);
    check_peers("2-0");
    assert_int_equal(make("0", "", "52:54:00:00:00:01", 2), RT_INVALID); /* 0 is odd then */
    check_said("nic0 role=idle");
    assert_int_equal(make("0", "", "aa:bb:cc:00:00:01", 2), RT_OK); /* a card without driver */
    check_peers("10");
    assert_string_equal(said, "");
    memcpy(all[0].mac, all[3].mac, 6); /* two with one address: both */
    assert_int_equal(make("0", "", "52:54:00:00:00:03", 4), RT_OK);
    check_peers("-21");
}

static void the_card_booted_from_is_used_when_named(void **state)
{
    static const char *const ports[] = {"3", "0x3", "(0,1)", "(00:00.0,01:00.0)"};

    for (size_t i = 0; i < RT_ARRAY_SIZE(ports); i++) {
        assert_int_equal(make(ports[i], "", "52:54:00:00:00:01", 2), RT_OK);
        check_peers("10");
    }
    assert_int_equal(make("(0,1)", "(1,1)", "52:54:00:00:00:01", 3), RT_OK);
    check_peers("-1");
}

/* A number may mean another card than the user thinks: the network that the machine was booted
 * from is not bridged by it. */
static void portmap_alone_does_not_take_it(void **state)
{
    static const char *const maps[] = {"(0,1)", "(1,0)", "(1,1)", "(2,3)(0,1)",
                                       "(52:54:00:00:00:01,0)"};

    for (size_t i = 0; i < RT_ARRAY_SIZE(maps); i++) {
        assert_int_equal(make("0", maps[i], "52:54:00:00:00:01", 4), RT_INVALID);
        assert_int_equal(map.peer[1], KIT_NO_PORT);
        check_said("what=\"portmap= names it, but the machine was booted from it\"");
    }
    assert_int_equal(make("0", "(0,2)", "52:54:00:00:00:01", 4), RT_OK);
    check_peers("2-0");
}

static void a_boot_mac_that_cannot_be_read(void **state)
{
    static const char *const forms[] = {"5254", "52:54:00:00:00:0g", "52:54:00:00:00:02:03",
                                        "02-52-54-00-00-00-02", "52.54.00.00.00.02"};

    for (size_t i = 0; i < RT_ARRAY_SIZE(forms); i++) {
        assert_int_equal(make("0", "", forms[i], 2), RT_OK);
        check_said("is no MAC address: the card that the machine was booted from is not known");
    }
}

static void maps(void **state)
{
    static const struct {
        const char *ports, *portmap, *peers;
    } rows[] = {
        {"0", "(0,3)(1,2)", "3210"},
        {"0", "(0,2)", "2-0"}, /* what is not named is not used */
        {"0", "(1,1)(0,0)", "01"},
        {"0x6", "(2,1)", "-21"},
        {"0", "(00:00.0,02:00.0)", "2-0"},
        {"0", "(0000:00:00.0,02:00.0)", "2-0"},
        {"0", "(52:54:00:00:00:01,03:00.0)(0,2)", "2301"},
        {"0", "(52-54-00-00-00-01,3)", "-3-1"},
        {"(0,01:00.0)", "(0,1)", "10"},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        assert_int_equal(make(rows[i].ports, rows[i].portmap, "", 4), RT_OK);
        check_peers(rows[i].peers);
        assert_string_equal(said, "");
    }
    strcpy(all[1].place, "0001:00:00.0"); /* a segment of its own: not the same card */
    assert_int_equal(make("0", "(0000:00:00.0,0001:00:00.0)", "", 4), RT_OK);
    check_peers("10");
    strcpy(all[1].place, "0a:0f.1");
    assert_int_equal(make("0", "(0A:0F.1,0)", "", 4), RT_OK);
    check_peers("10");
}

static void mistakes(void **state)
{
    static const struct {
        const char *ports, *portmap, *want;
        uint32_t count;
    } rows[] = {
        {"0", "0,1", "cannot be read", 2},
        {"0", "(0,1", "cannot be read", 2},
        {"0", "(0,1)x", "cannot be read", 2},
        {"0", "(0,1)(", "cannot be read", 2},
        {"0", "(,1)", "cannot be read", 2},
        {"0", "(0,)", "cannot be read", 2},
        {"0", "(0;1)", "cannot be read", 2},
        {"0", "(0,1,2)", "cannot be read", 3},
        {"0", "(0)", "cannot be read", 3},
        {"0", "(99999,1)", "card=\"99999\" what=\"is no number, PCI address or MAC\"", 2},
        {"0", "(zz:00.0,1)", "card=\"zz:00.0\" what=\"is no number", 2},
        {"0", "(00000000000000000000000000000000,1)", "is no number", 2},
        {"0", "(0,2)", "card=2 what=\"is not there: 2 were found\"", 2},
        {"0", "(0,9999)", "card=9999 what=\"is not there", 2},
        {"1", "(0,1)", "card=1 what=\"portmap= names it, ports= does not\"", 2},
        {"0", "(0,1)(1,2)", "card=1 what=\"portmap= names it twice\"", 3},
        {"0", "(0,1)(00:00.0,1)", "card=00:00.0 what=\"portmap= names it twice\"", 2},
        {"0", "(1,1)(1,1)", "names it twice", 2},
        {"0x4", "", "none of the 2 cards", 2},
        {"0", "", "none of the 0 cards", 0},
        {"-1", "", "text=\"-1\" what=\"cannot be read\"", 2},
        {"0x", "", "cannot be read", 2},
        {"0x10000", "", "cannot be read", 2},
        {"4294967297", "", "cannot be read", 2},
        {"3a", "", "cannot be read", 2},
        {"(0,1", "", "cannot be read", 2},
        {"(", "", "cannot be read", 2},
        {"()", "", "cannot be read", 2},
        {"(0,1)2", "", "cannot be read", 2},
        {"(0,2)", "", "card=2 what=\"is not there", 2},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        assert_int_equal(make(rows[i].ports, rows[i].portmap, "", rows[i].count), RT_INVALID);
        check_said(rows[i].want);
    }
}

/* The first of three fails: 1 and 2 are not partners, neither by number nor by default. */
static void a_failed_card_renumbers_nobody(void **state)
{
    fails(0);
    assert_int_equal(make("0", "", "", 3), RT_INVALID);
    check_peers("");
    check_said("nic0 role=idle reason=\"the card failed, see above\"");
    check_said("nic1 role=idle reason=\"its partner nic0 failed\"");
    check_said("nic2 role=idle reason=\"has no partner");
    assert_int_equal(make("0", "", "", 4), RT_OK);
    check_peers("--32");
    assert_int_equal(make("0", "(0,1)(2,3)", "", 4), RT_OK);
    check_peers("--32");
    assert_int_equal(make("0", "(0,0)(2,3)", "", 4), RT_OK);
    check_peers("--32");
    assert_int_equal(make("0", "(00:00.0,01:00.0)(02:00.0,03:00.0)", "", 4), RT_OK);
    check_peers("--32");
}

/* An address that no card has: a card that died altogether, or whose MAC was never read. */
static void a_missing_card_stops_its_pair_only(void **state)
{
    assert_int_equal(make("0", "(09:00.0,1)(2,3)", "", 4), RT_OK);
    check_peers("--32");
    check_said("card=09:00.0 warning=\"no card that a driver knows has this address\"");
    check_said("nic1 role=idle reason=\"its partner is not there\"");
    fails(0);
    assert_int_equal(make("0", "(52:54:00:00:00:00,1)(2,3)", "", 4), RT_OK);
    check_peers("--32");
    assert_int_equal(make("0", "(0a:00.0,0a:00.0)(2,3)", "", 4), RT_OK);
    check_peers("--32");
    assert_int_equal(make("(0a:00.0)", "", "", 4), RT_INVALID); /* not: all of them */
    check_peers("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(neighbours, fresh),
        cmocka_unit_test_setup(an_odd_port_stays_idle, fresh),
        cmocka_unit_test_setup(the_card_booted_from_is_left_alone, fresh),
        cmocka_unit_test_setup(the_card_booted_from_is_used_when_named, fresh),
        cmocka_unit_test_setup(portmap_alone_does_not_take_it, fresh),
        cmocka_unit_test_setup(a_boot_mac_that_cannot_be_read, fresh),
        cmocka_unit_test_setup(maps, fresh),
        cmocka_unit_test_setup(mistakes, fresh),
        cmocka_unit_test_setup(a_failed_card_renumbers_nobody, fresh),
        cmocka_unit_test_setup(a_missing_card_stops_its_pair_only, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

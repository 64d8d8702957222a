/* SPDX-License-Identifier: BSD-2-Clause */
/* Which cards an application gets that has no pairs (names: l2fwd/pairs_test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <kit/cards.h>

#include <stdio.h>
#include <string.h>

static struct kit_card all[3];
static struct kit_portmap map;
static char said[1024];

static void keep_line(void *ctx, const char *line)
{
    size_t used = strlen(said);

    snprintf(said + used, sizeof(said) - used, "%s\n", line);
}

static enum rt_status make(const char *ports, const char *boot_mac)
{
    struct kit_cards cards = {.app = "echo", .card = all, .count = 3, .report = keep_line};
    enum rt_status st;

    said[0] = '\0';
    memset(map.peer, KIT_NO_PORT, sizeof(map.peer));
    st = kit_cards_choose(&cards, ports, boot_mac);
    return st == RT_OK ? kit_cards_to_self(&cards, &map) : st;
}

static int fresh(void **state)
{
    for (uint8_t i = 0; i < 3; i++)
        all[i] = (struct kit_card){.mac = {0x52, 0x54, 0, 0, 0, i}};
    return 0;
}

static void check(const char *wanted) /* each is its own partner, - when not used */
{
    for (uint8_t p = 0; p < 3; p++)
        assert_int_equal(map.peer[p], wanted[p] == '-' ? KIT_NO_PORT : p);
}

static void all_of_them(void **state)
{
    assert_int_equal(make("0", ""), RT_OK);
    check("012");
    assert_string_equal(said, "");
    assert_int_equal(make("(2)", ""), RT_OK);
    check("--2");
}

static void not_the_one_booted_from(void **state)
{
    assert_int_equal(make("", "52:54:00:00:00:01"), RT_OK);
    check("0-2");
    assert_string_equal(said, "nic1 role=management reason=\"booted from it; name it in ports="
                              " to use it\"\n");
    assert_int_equal(make("7", "52:54:00:00:00:01"), RT_OK);
    check("012");
}

static void not_one_that_failed(void **state)
{
    all[0].failed = true;
    assert_int_equal(make("0", ""), RT_OK);
    check("-12");
    assert_non_null(strstr(said, "nic0 role=idle reason=\"the card failed, see above\""));
    assert_int_equal(make("1", ""), RT_INVALID);
    assert_non_null(strstr(said, "echo error=ports what=\"none of the 3 cards can be used\""));
}

/* A Linux process has ports that are no cards: by their places, letter by letter. */
static void by_place(void **state)
{
    strcpy(all[0].place, "02:00.0");
    strcpy(all[1].place, "tap:left");
    strcpy(all[2].place, "tap:Left");
    assert_int_equal(make("(tap:Left,02:00.0)", ""), RT_OK);
    check("0-2");
    assert_int_equal(make("(tap:left)", ""), RT_OK);
    check("-1-");
    assert_int_equal(make("(tap:lef)", ""), RT_INVALID);
    assert_non_null(strstr(said, "card=\"tap:lef\" what=\"is no number, PCI address or MAC\""));
}

static void mistakes_bear_its_name(void **state)
{
    assert_int_equal(make("(5)", ""), RT_INVALID);
    assert_string_equal(said, "echo error=ports card=5 what=\"is not there: 3 were found\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_of_them, fresh),
        cmocka_unit_test_setup(not_the_one_booted_from, fresh),
        cmocka_unit_test_setup(not_one_that_failed, fresh),
        cmocka_unit_test_setup(by_place, fresh),
        cmocka_unit_test_setup(mistakes_bear_its_name, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

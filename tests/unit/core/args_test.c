/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments: every type, and one line for each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/args.h>
#include <rt/host.h>
#include <rt/log.h>
#include <stdio.h>
#include <string.h>

static struct {
    uint32_t batch, mask, mode;
    bool promiscuous;
    char name[8];
} got;

static const struct arg first_args[] = {
    {.name = "batch", .type = ARG_U32, .unit = "packets", .min = 1, .max = 64, .preset = "32",
     .dst = &got.batch, .live = true, .help = "packets at a time"},
    {.name = "mask", .type = ARG_U32, .unit = "", .max = UINT32_MAX, .preset = "0",
     .dst = &got.mask, .help = "ports"},
    {.name = "mode", .type = ARG_CHOICE, .unit = "", .preset = "mac",
     .choices = "io|mac|macswap", .dst = &got.mode, .help = "what to do"},
};
static const struct arg second_args[] = {
    {.name = "promiscuous", .type = ARG_BOOL, .unit = "", .preset = "off",
     .dst = &got.promiscuous, .help = "take all"},
    {.name = "name", .type = ARG_STRING, .unit = "", .max = sizeof(got.name), .preset = "none",
     .dst = got.name, .help = "a name"},
};
static const struct arg_table first = {"first", first_args, RT_ARRAY_SIZE(first_args)};
static const struct arg_table second = {"second", second_args, RT_ARRAY_SIZE(second_args)};
static const struct arg_table *const tables[] = {&first, &second, NULL};

static char lines[4096];
static unsigned line_count;

static void keep(void *ctx, const char *line)
{
    assert_ptr_equal(ctx, lines);
    strncat(lines, line, sizeof(lines) - strlen(lines) - 2);
    strcat(lines, "\n");
    line_count++;
}

static struct arg_result parse(const char *line)
{
    lines[0] = '\0';
    line_count = 0;
    memset(&got, 0xee, sizeof(got));
    got.promiscuous = true;
    return args_parse(tables, line, keep, lines);
}

static void defaults(void **state)
{
    struct arg_result r = parse("");

    assert_int_equal(r.mistakes, 0);
    assert_false(r.help_asked);
    assert_int_equal(got.batch, 32);
    assert_int_equal(got.mask, 0);
    assert_int_equal(got.mode, 1);
    assert_false(got.promiscuous);
    assert_string_equal(got.name, "none");
    assert_int_equal(line_count, 0);
}

static void all_types(void **state)
{
    struct arg_result r =
        parse("  batch=64 mask=0xFFffffff\tmode=macswap promiscuous name=a=b\n");

    assert_int_equal(r.mistakes, 0);
    assert_int_equal(got.batch, 64);
    assert_int_equal(got.mask, UINT32_MAX);
    assert_int_equal(got.mode, 2);
    assert_true(got.promiscuous);
    assert_string_equal(got.name, "a=b");
}

static void suffixes_and_bools(void **state)
{
    static const struct {
        const char *line;
        uint32_t mask;
        bool on;
    } rows[] = {
        {"mask=2k promiscuous=1", 2000, true},
        {"mask=3M promiscuous=yes", 3000000, true},
        {"mask=0x10 promiscuous=off", 16, false},
        {"mask=4294967295 promiscuous=no", UINT32_MAX, false},
        {"mask=4294k promiscuous=on", 4294000, true},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        assert_int_equal(parse(rows[i].line).mistakes, 0);
        assert_int_equal(got.mask, rows[i].mask);
        assert_int_equal(got.promiscuous, rows[i].on);
    }
}

static void words_of_loaders(void **state)
{
    struct arg_result r = parse("BOOT_IMAGE=/boot/l2fwd.img initrd=a.cpio batch=2");

    assert_int_equal(r.mistakes, 0);
    assert_int_equal(got.batch, 2);
}

/* One line each, that names the word, the reason and what would be right. */
static void each_mistake_is_one_line(void **state)
{
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"btach=3", "text=\"btach=3\" mistake=\"no such argument\" nearest=batch"},
        {"promisc", "text=\"promisc\" mistake=\"no such argument\" nearest=promiscuous"},
        {"zzzzzzzzzzzzzzz=1", "mistake=\"no such argument\" (help prints all)"},
        {"=", "mistake=\"no such argument\""},
        {"batch=0", "mistake=\"out of range\" allowed=\"1..64 packets\""},
        {"batch=65", "mistake=\"out of range\" allowed=\"1..64 packets\""},
        {"batch=4294967297", "mistake=\"out of range\""},
        {"batch=99999999999999999999999", "mistake=\"out of range\""},
        {"mask=4295k", NULL},
        {"mask=5000M", "mistake=\"out of range\""},
        {"batch=", "mistake=\"not a number\""},
        {"batch=0x", "mistake=\"not a number\""},
        {"batch=-1", "mistake=\"not a number\""},
        {"batch=1x", "mistake=\"not a number\""},
        {"batch=1kk", "mistake=\"not a number\""},
        {"batch=0x1k", "mistake=\"not a number\""},
        {"batch", "mistake=\"needs a value\" allowed=\"1..64 packets\""},
        {"mode=macswp", "allowed=\"io|mac|macswap\" nearest=macswap"},
        {"mode=", "mistake=\"not one of the choices\""},
        {"mode=ma", "mistake=\"not one of the choices\""},
        {"mode=io|mac", "mistake=\"not one of the choices\""},
        {"promiscuous=maybe", "mistake=\"neither on nor off\" allowed=\"on|off\""},
        {"name=eightlet", "mistake=\"too long\" allowed=\"text of at most 7 bytes\""},
        {"batch=1 batch=1", "mistake=\"given twice\""},
        {"help=1", "mistake=\"no such argument\""},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct arg_result r = parse(rows[i].line);

        assert_int_equal(r.mistakes, rows[i].want != NULL);
        assert_int_equal(line_count, r.mistakes);
        if (rows[i].want != NULL && strstr(lines, rows[i].want) == NULL)
            fail_msg("%s gave: %s", rows[i].line, lines);
    }
}

static void mistakes_add_up_and_change_nothing(void **state)
{
    struct arg_result r = parse("batch=0 mode=x nonsense mask=7 name=toolongname");

    assert_int_equal(r.mistakes, 4);
    assert_int_equal(line_count, 4);
    assert_int_equal(got.batch, 32);
    assert_int_equal(got.mode, 1);
    assert_int_equal(got.mask, 7);
    assert_string_equal(got.name, "none");
}

static void help(void **state)
{
    assert_true(parse("batch=2 help").help_asked);
    lines[0] = '\0';
    line_count = 0;
    args_help(tables, keep, lines);
    assert_int_equal(line_count, 2 + 5);
    assert_non_null(strstr(lines, "batch=32  [1..64 packets] live  packets at a time"));
    assert_non_null(strstr(lines, "mode=mac  [io|mac|macswap]  what to do"));
}

static void live(void **state)
{
    parse("");
    assert_int_equal(args_set_live(tables, "batch=5", keep, lines), RT_OK);
    assert_int_equal(got.batch, 5);
    assert_int_equal(args_set_live(tables, "mask=5", keep, lines), RT_INVALID);
    assert_non_null(strstr(lines, "cannot change while running"));
    assert_int_equal(got.mask, 0);
    assert_int_equal(args_set_live(tables, "batch=0", keep, lines), RT_INVALID);
    assert_int_equal(args_set_live(tables, "", keep, lines), RT_INVALID);
    assert_int_equal(args_set_live(tables, "batch=1 batch=2", keep, lines), RT_INVALID);
    assert_int_equal(got.batch, 5);
}

/* A wrong word as long as a command line is shown cut, in one line. */
static void endless_word(void **state)
{
    char word[3000];

    memset(word, 'a', sizeof(word));
    word[sizeof(word) - 1] = '\0';
    assert_int_equal(parse(word).mistakes, 1);
    assert_true(strlen(lines) < 400);
}

/* ---- as many as there may be ---- */

enum { MOST = 256 };

static char names[MOST + 1][16];
static struct arg many[MOST + 1];
static bool values[MOST + 1];
static struct arg_table many_table = {.title = "many", .args = many};
static const struct arg_table *const many_tables[] = {&many_table, NULL};

static struct arg_result parse_many(uint32_t count, const char *cmdline)
{
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "a%u", i);
        many[i] = (struct arg){.name = names[i], .type = ARG_BOOL, .preset = "off",
                               .dst = &values[i], .help = ""};
    }
    many_table.count = count;
    line_count = 0;
    lines[0] = '\0';
    return args_parse(many_tables, cmdline, keep, lines);
}

static void parse_too_many(void *arg)
{
    (void)parse_many(MOST + 1, "a0 a256");
}

/* No two arguments share what says "given twice". */
static void the_last_argument_is_its_own(void **state)
{
    char message[200];

    assert_int_equal(parse_many(MOST, "a0 a63 a64 a255 a191").mistakes, 0);
    assert_true(values[0] && values[63] && values[64] && values[191] && values[255]);
    assert_int_equal(parse_many(MOST, "a255 a0 a255").mistakes, 1);
    assert_true(host_catch(parse_too_many, NULL, message, sizeof(message)));
    assert_non_null(strstr(message, "257"));
}

/* ---- rows that are wrong ---- */

static uint32_t number;
static const struct arg good = {.name = "n", .type = ARG_U32, .unit = "", .min = 1, .max = 4,
                                .preset = "2", .dst = &number, .help = ""};

static void parse_rows(void *arg)
{
    many_table.count = 2;
    line_count = 0;
    lines[0] = '\0';
    (void)args_parse(many_tables, "", keep, lines);
}

static void check_panic(const char *says)
{
    char message[200];

    assert_true(host_catch(parse_rows, NULL, message, sizeof(message)));
    assert_non_null(strstr(message, says));
}

/* Each is a bug of an application; the panic says which row it is in. */
static void a_wrong_row_is_named(void **state)
{
    many[0] = many[1] = good;
    check_panic("argument n is in two tables, or twice in one");
    many[1].name = "m";
    many[1].preset = NULL;
    check_panic("argument m: its row lacks preset");
    many[1].preset = "9";
    parse_rows(NULL);
    assert_non_null(strstr(lines, "arg text=\"m=9\" mistake=\"out of range\""));
    many[1] = (struct arg){.name = "c", .type = ARG_CHOICE, .preset = "x", .dst = &number,
                           .help = ""};
    check_panic("argument c: its row lacks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(all_types),
        cmocka_unit_test(suffixes_and_bools),
        cmocka_unit_test(words_of_loaders),
        cmocka_unit_test(each_mistake_is_one_line),
        cmocka_unit_test(mistakes_add_up_and_change_nothing),
        cmocka_unit_test(help),
        cmocka_unit_test(live),
        cmocka_unit_test(endless_word),
        cmocka_unit_test(the_last_argument_is_its_own),
        cmocka_unit_test(a_wrong_row_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

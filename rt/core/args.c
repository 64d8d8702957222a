/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot arguments: words of the command line against tables of struct arg.
 *
 * Everything is pure and bounded by the length of the line; the line comes from a loader
 * or from the console and may be anything. A value is checked whole before `dst` is written.
 */
#include <rt/args.h>
#include <rt/assert.h>
#include <rt/log.h>

#include "args_part.h"

enum {
    ARGS_MAX = 256, /* of all tables together: one bit each to find duplicates */
    LINE_BYTES = 400,
    SHOWN_BYTES_MAX = 64, /* of a wrong word */
};

struct parse {
    const struct arg_table *const *tables;
    arg_report_fn *report;
    void *ctx;
    struct arg_result result;
    uint64_t seen[ARGS_MAX / 64];
};

static void say(struct parse *p, struct word w, const char *what, const char *more)
{
    char line[LINE_BYTES];

    p->result.mistakes++;
    rt_snprintf(line, sizeof(line), "arg text=\"%.*s\" mistake=\"%s\"%s",
                (int)RT_MIN(w.bytes, (size_t)SHOWN_BYTES_MAX), w.text, what, more);
    p->report(p->ctx, line);
}

static void say_unknown(struct parse *p, struct word w, struct word name)
{
    char more[WORD_NAME_BYTES_MAX + 32] = " (help prints all)";
    uint32_t best = word_distance_limit(name);

    for (const struct arg_table *const *t = p->tables; *t != NULL; t++) {
        for (uint32_t i = 0; i < (*t)->count; i++) {
            const char *known = (*t)->args[i].name;
            uint32_t d = word_distance_of_name(name, known, best);

            if (d >= best)
                continue;
            best = d;
            rt_snprintf(more, sizeof(more), " nearest=%s", known);
        }
    }
    say(p, w, "no such argument", more);
}

static void say_value(struct parse *p, struct word w, const struct arg *arg, const char *what,
                      struct word value)
{
    char allowed[160];
    char more[240];
    size_t n;
    struct word choice;
    const char *at = arg->type == ARG_CHOICE ? arg->choices : "";
    uint32_t best = word_distance_limit(value);

    args_allowed(arg, allowed, sizeof(allowed));
    n = rt_snprintf(more, sizeof(more), " allowed=\"%s\"", allowed);
    n = RT_MIN(n, sizeof(more) - 1);
    while (word_next_choice(&at, &choice)) {
        uint32_t d = word_distance(value, choice, best);

        if (d >= best)
            continue;
        best = d;
        rt_snprintf(more + n, sizeof(more) - n, " nearest=%.*s", (int)choice.bytes,
                    choice.text);
    }
    say(p, w, what, more);
}

/* The argument of that name and its number over all tables; NULL when there is none. */
static const struct arg *find(struct parse *p, struct word name, uint32_t *number)
{
    *number = 0;
    for (const struct arg_table *const *t = p->tables; *t != NULL; t++) {
        for (uint32_t i = 0; i < (*t)->count; i++, (*number)++) {
            if (word_is(name, (*t)->args[i].name))
                return &(*t)->args[i];
        }
    }
    return NULL;
}

static bool is_complete(const struct arg *arg)
{
    const bool has_unit = arg->type == ARG_U32 || arg->type == ARG_STRING;

    return arg->preset != NULL && arg->dst != NULL && arg->help != NULL &&
           (!has_unit || arg->unit != NULL) && (arg->type != ARG_CHOICE || arg->choices != NULL);
}

/* A row that is wrong is a bug of ours: the panic names it. */
static void check_row(struct parse *p, const struct arg *arg, uint32_t number)
{
    uint32_t first;

    if (!is_complete(arg))
        rt_panic("argument %s: its row lacks preset, dst, help, unit or choices", arg->name);
    (void)find(p, word_of(arg->name), &first);
    if (first != number)
        rt_panic("argument %s is in two tables, or twice in one", arg->name);
}

static void set_default(struct parse *p, const struct arg *arg)
{
    const struct word preset = word_of(arg->preset);
    const char *mistake = args_store(arg, preset);
    char text[SHOWN_BYTES_MAX];

    if (mistake == NULL)
        return;
    rt_snprintf(text, sizeof(text), "%s=%s", arg->name, arg->preset);
    say_value(p, word_of(text), arg, mistake, preset);
}

/* Checks the tables, and sets every argument to its default. */
static void begin(struct parse *p)
{
    uint32_t total = 0;

    for (const struct arg_table *const *t = p->tables; *t != NULL; t++) {
        const struct arg_table *table = *t;

        for (uint32_t i = 0; i < table->count; i++, total++) {
            check_row(p, &table->args[i], total);
            set_default(p, &table->args[i]);
        }
    }
    RT_ASSERT_LE(total, (uint32_t)ARGS_MAX); /* each has its own bit in `seen` */
}

static bool seen_before(struct parse *p, uint32_t number)
{
    uint64_t bit = UINT64_C(1) << (number % 64);
    uint64_t *seen = &p->seen[number / 64];
    bool before = (*seen & bit) != 0;

    *seen |= bit;
    return before;
}

static void apply(struct parse *p, struct word w, bool running)
{
    struct word name = {w.text, 0};
    struct word value = {"on", 2};
    uint32_t number;
    const struct arg *arg;
    const char *mistake;
    bool bare;

    while (name.bytes < w.bytes && w.text[name.bytes] != '=')
        name.bytes++;
    bare = name.bytes == w.bytes;
    if (!bare)
        value = (struct word){w.text + name.bytes + 1, w.bytes - name.bytes - 1};
    arg = find(p, name, &number);
    if (arg == NULL) {
        say_unknown(p, w, name);
    } else if (running && !arg->live) {
        say(p, w, "cannot change while running", "");
    } else if (seen_before(p, number)) {
        say(p, w, "given twice", "");
    } else if (bare && arg->type != ARG_BOOL) {
        say_value(p, w, arg, "needs a value", (struct word){"", 0});
    } else {
        mistake = args_store(arg, value);
        if (mistake != NULL)
            say_value(p, w, arg, mistake, value);
    }
}

/* GRUB and Linux loaders add these by themselves. */
static bool is_loader_word(struct word w)
{
    return word_starts(w, "BOOT_IMAGE=") || word_starts(w, "initrd=");
}

struct arg_result args_parse(const struct arg_table *const *tables, const char *cmdline,
                             arg_report_fn *report, void *ctx)
{
    struct parse p = {.tables = tables, .report = report, .ctx = ctx};
    const char *at = cmdline;
    struct word w;

    begin(&p);
    for (w = word_next(&at); w.bytes != 0; w = word_next(&at)) {
        if (word_is(w, "help"))
            p.result.help_asked = true;
        else if (!is_loader_word(w))
            apply(&p, w, false);
    }
    return p.result;
}

enum rt_status args_set_live(const struct arg_table *const *tables, const char *assignment,
                             arg_report_fn *report, void *ctx)
{
    struct parse p = {.tables = tables, .report = report, .ctx = ctx};
    const char *at = assignment;
    struct word w = word_next(&at);
    struct word rest = word_next(&at);

    if (w.bytes == 0 || rest.bytes != 0)
        say(&p, w, "wanted is one name=value", "");
    else
        apply(&p, w, true);
    return p.result.mistakes == 0 ? RT_OK : RT_INVALID;
}

void args_help(const struct arg_table *const *tables, arg_report_fn *report, void *ctx)
{
    char line[LINE_BYTES];
    char allowed[160];

    for (const struct arg_table *const *t = tables; *t != NULL; t++) {
        rt_snprintf(line, sizeof(line), "%s:", (*t)->title);
        report(ctx, line);
        for (uint32_t i = 0; i < (*t)->count; i++) {
            const struct arg *arg = &(*t)->args[i];

            args_allowed(arg, allowed, sizeof(allowed));
            rt_snprintf(line, sizeof(line), "  %s=%s  [%s]%s  %s", arg->name, arg->preset,
                        allowed, arg->live ? " live" : "", arg->help);
            report(ctx, line);
        }
    }
}

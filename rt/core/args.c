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

enum {
    ARGS_MAX = 256, /* of all tables together: one bit each to find duplicates */
    NAME_BYTES_MAX = 32,
    LINE_BYTES = 400,
    SHOWN_BYTES_MAX = 64, /* of a wrong word */
};

struct word {
    const char *text; /* not ended by a NUL */
    size_t bytes;
};

struct parse {
    const struct arg_table *const *tables;
    arg_report_fn *report;
    void *ctx;
    struct arg_result result;
    uint64_t seen[ARGS_MAX / 64];
};

static size_t length_of(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0')
        n++;
    return n;
}

static bool word_is(struct word w, const char *text)
{
    for (size_t i = 0; i < w.bytes; i++) {
        if (text[i] != w.text[i]) /* a shorter text ends here by its NUL */
            return false;
    }
    return text[w.bytes] == '\0';
}

static bool word_starts(struct word w, const char *text)
{
    size_t bytes = length_of(text);

    return w.bytes >= bytes && word_is((struct word){w.text, bytes}, text);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next word at *at, which moves behind it; empty at the end. */
static struct word word_next(const char **at)
{
    struct word w;

    while (is_space(**at))
        (*at)++;
    w = (struct word){*at, 0};
    while (**at != '\0' && !is_space(**at))
        (*at)++;
    w.bytes = (size_t)(*at - w.text);
    return w;
}

/* The choice at *at of "a|b|c", which moves behind it; false at the end. */
static bool choice_next(const char **at, struct word *choice)
{
    if (**at == '\0')
        return false;
    *choice = (struct word){*at, 0};
    while (**at != '\0' && **at != '|')
        (*at)++;
    choice->bytes = (size_t)(*at - choice->text);
    if (**at == '|')
        (*at)++;
    return true;
}

/* Insertions, deletions and changes between two names; names are cut at NAME_BYTES_MAX.
 * From `limit` on the exact number does not matter. */
static uint32_t edit_distance(struct word a, struct word b, uint32_t limit)
{
    uint32_t row[NAME_BYTES_MAX + 1];
    size_t na = RT_MIN(a.bytes, (size_t)NAME_BYTES_MAX);
    size_t nb = RT_MIN(b.bytes, (size_t)NAME_BYTES_MAX);
    uint32_t least = 0;

    if (RT_MAX(na, nb) - RT_MIN(na, nb) >= limit)
        return limit;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (uint32_t)j;
    for (size_t i = 1; i <= na && least < limit; i++) {
        uint32_t diagonal = row[0];

        least = row[0] = (uint32_t)i;
        for (size_t j = 1; j <= nb; j++) {
            uint32_t above = row[j];
            uint32_t change = diagonal + (a.text[i - 1] == b.text[j - 1] ? 0 : 1);

            row[j] = RT_MIN(RT_MIN(above, row[j - 1]) + 1, change);
            least = RT_MIN(least, row[j]);
            diagonal = above;
        }
    }
    return RT_MAX(row[nb], least);
}

/* How far a wrong name is from a known one; the beginning of a long name is near. */
static uint32_t name_distance(struct word wrong, const char *known, uint32_t limit)
{
    struct word w = {known, length_of(known)};

    if (wrong.bytes >= 3 && wrong.bytes < w.bytes &&
        edit_distance(wrong, (struct word){known, wrong.bytes}, 1) == 0)
        return 1;
    return edit_distance(wrong, w, limit);
}

/* Far enough that the hint would puzzle more than help. */
static uint32_t distance_limit(struct word w)
{
    return (uint32_t)RT_MIN(w.bytes, (size_t)NAME_BYTES_MAX) / 2 + 1;
}

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
    char more[NAME_BYTES_MAX + 32] = " (help prints all)";
    uint32_t best = distance_limit(name);

    for (const struct arg_table *const *t = p->tables; *t != NULL; t++) {
        for (uint32_t i = 0; i < (*t)->count; i++) {
            const char *known = (*t)->args[i].name;
            uint32_t d = name_distance(name, known, best);

            if (d >= best)
                continue;
            best = d;
            rt_snprintf(more, sizeof(more), " nearest=%s", known);
        }
    }
    say(p, w, "no such argument", more);
}

void args_allowed(const struct arg *arg, char *out, size_t bytes)
{
    switch (arg->type) {
    case ARG_U32:
        rt_snprintf(out, bytes, "%u..%u%s%s", arg->min, arg->max, arg->unit[0] ? " " : "",
                    arg->unit);
        break;
    case ARG_BOOL:
        rt_snprintf(out, bytes, "on|off");
        break;
    case ARG_CHOICE:
        rt_snprintf(out, bytes, "%s", arg->choices);
        break;
    case ARG_STRING:
        rt_snprintf(out, bytes, "%s%stext of at most %u bytes", arg->unit,
                    arg->unit[0] ? ", " : "", arg->max - 1);
        break;
    }
}

static void say_value(struct parse *p, struct word w, const struct arg *arg, const char *what,
                      struct word value)
{
    char allowed[160];
    char more[240];
    size_t n;
    struct word choice;
    const char *at = arg->type == ARG_CHOICE ? arg->choices : "";
    uint32_t best = distance_limit(value);

    args_allowed(arg, allowed, sizeof(allowed));
    n = rt_snprintf(more, sizeof(more), " allowed=\"%s\"", allowed);
    n = RT_MIN(n, sizeof(more) - 1);
    while (choice_next(&at, &choice)) {
        uint32_t d = edit_distance(value, choice, best);

        if (d >= best)
            continue;
        best = d;
        rt_snprintf(more + n, sizeof(more) - n, " nearest=%.*s", (int)choice.bytes,
                    choice.text);
    }
    say(p, w, what, more);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* NULL on success, else the mistake. */
static const char *read_u32(struct word w, const struct arg *arg, uint32_t *out)
{
    int base = word_starts(w, "0x") || word_starts(w, "0X") ? 16 : 10;
    size_t i = base == 16 ? 2 : 0;
    size_t first = i;
    uint64_t value = 0;

    for (; i < w.bytes && digit_of(w.text[i]) < base; i++) {
        value = value * (uint64_t)base + (uint64_t)digit_of(w.text[i]);
        if (value > UINT32_MAX)
            return "out of range";
    }
    if (i == first)
        return "not a number";
    if (i + 1 == w.bytes && base == 10 && (w.text[i] == 'k' || w.text[i] == 'M')) {
        value *= w.text[i] == 'k' ? 1000 : 1000000;
        i++;
    }
    if (i != w.bytes)
        return "not a number";
    if (value < arg->min || value > arg->max)
        return "out of range";
    *out = (uint32_t)value;
    return NULL;
}

static const char *read_bool(struct word w, bool *out)
{
    static const char *const on[] = {"on", "1", "yes", "true"};
    static const char *const off[] = {"off", "0", "no", "false"};

    for (size_t i = 0; i < RT_ARRAY_SIZE(on); i++) {
        if (word_is(w, on[i]) || word_is(w, off[i])) {
            *out = word_is(w, on[i]);
            return NULL;
        }
    }
    return "neither on nor off";
}

static const char *read_choice(struct word w, const struct arg *arg, uint32_t *out)
{
    const char *at = arg->choices;
    struct word choice;

    for (uint32_t i = 0; choice_next(&at, &choice); i++) {
        if (choice.bytes != w.bytes)
            continue;
        for (size_t k = 0; k < w.bytes && choice.text[k] == w.text[k]; k++) {
            if (k + 1 == w.bytes) {
                *out = i;
                return NULL;
            }
        }
    }
    return "not one of the choices";
}

static const char *read_string(struct word w, const struct arg *arg, char *out)
{
    if (w.bytes + 1 > arg->max)
        return "too long";
    for (size_t i = 0; i < w.bytes; i++)
        out[i] = w.text[i];
    out[w.bytes] = '\0';
    return NULL;
}

/* Checks and stores; NULL on success, else the mistake. */
static const char *store(const struct arg *arg, struct word value)
{
    switch (arg->type) {
    case ARG_U32:
        return read_u32(value, arg, arg->dst);
    case ARG_BOOL:
        return read_bool(value, arg->dst);
    case ARG_CHOICE:
        return read_choice(value, arg, arg->dst);
    case ARG_STRING:
        return read_string(value, arg, arg->dst);
    }
    return "of an unknown type";
}

/* Each argument has its own bit in `seen`. */
static void check_total(const struct arg_table *const *tables)
{
    uint32_t total = 0;

    for (const struct arg_table *const *t = tables; *t != NULL; t++)
        total += (*t)->count;
    RT_ASSERT_LE(total, (uint32_t)ARGS_MAX);
}

static void set_defaults(struct parse *p)
{
    for (const struct arg_table *const *t = p->tables; *t != NULL; t++) {
        for (uint32_t i = 0; i < (*t)->count; i++) {
            const struct arg *arg = &(*t)->args[i];
            struct word preset = {arg->preset, length_of(arg->preset)};
            const char *mistake = store(arg, preset);

            if (mistake != NULL)
                say_value(p, preset, arg, mistake, preset);
        }
    }
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
        mistake = store(arg, value);
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

    check_total(tables);
    set_defaults(&p);
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

    check_total(tables);
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

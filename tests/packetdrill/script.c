/* SPDX-License-Identifier: BSD-2-Clause */
#include "script.h"

#include "call_text.h"
#include "packet_text.h"

#include <stdlib.h>
#include <string.h>

enum { SCRIPT_BYTES_MAX = 64 * 1024, TOLERANCE_DEFAULT_US = 4000 };

/* ---- what stands in front ---- */

static void read_setting(struct cursor *c, struct script_settings *s)
{
    const struct {
        const char *name;
        uint32_t *value;
    } settings[] = {{"rx_window", &s->rx_window}, {"tx_room", &s->tx_room},
                    {"conns", &s->conns}, {"quick_acks", &s->quick_acks},
                    {"mss_max", &s->mss_max}};
    uint32_t i = 0;

    cursor_need(c, "sysctl -q millrace.");
    while (i < RT_ARRAY_SIZE(settings) && !cursor_take_word(c, settings[i].name))
        i++;
    if (i == RT_ARRAY_SIZE(settings))
        cursor_fail(c, "no setting of the stack", "");
    cursor_need(c, "=");
    *settings[i].value = cursor_number(c);
    cursor_need(c, "`");
}

static void read_settings(struct cursor *c, struct script_settings *s)
{
    *s = (struct script_settings){.tolerance_us = TOLERANCE_DEFAULT_US};
    for (;;) { /* ends with the text, at last */
        if (cursor_take(c, "--tolerance_usecs="))
            s->tolerance_us = cursor_number(c);
        else if (cursor_take(c, "--mtu="))
            s->mtu_bytes = cursor_number(c);
        else if (cursor_take(c, "`"))
            read_setting(c, s);
        else
            return;
    }
}

/* ---- events ---- */

static void read_time(struct cursor *c, struct script_time *t)
{
    *t = (struct script_time){.kind = TIME_ABSOLUTE};
    if (cursor_take(c, "*")) {
        t->kind = TIME_ANY;
        return;
    }
    if (cursor_take(c, "+"))
        t->kind = TIME_RELATIVE;
    t->from_us = cursor_seconds(c);
    t->to_us = t->from_us;
    if (cursor_take(c, "~")) {
        cursor_take(c, "+");
        t->is_range = true;
        t->to_us = cursor_seconds(c);
    }
}

/* %{ assert NAME OP VALUE }%: the part of Python that scripts of ours need. */
static void read_assert(struct cursor *c, struct script_assert *check)
{
    static const char *const ops[] = {"==", "!=", "<=", ">=", "<", ">"};
    char word[SCRIPT_WORD_BYTES];
    uint32_t i = 0;

    cursor_need(c, "assert");
    cursor_word(c, check->name);
    while (i < RT_ARRAY_SIZE(ops) && !cursor_take(c, ops[i]))
        i++;
    if (i == RT_ARRAY_SIZE(ops))
        cursor_fail(c, "expected a comparison", "");
    strcpy(check->op, ops[i]);
    cursor_blanks(c);
    if (cursor_has_digit(c))
        check->value = cursor_number(c);
    else
        check->value = call_text_symbol(c, cursor_word(c, word));
    cursor_need(c, "}%");
}

static void read_event(struct cursor *c, struct script_event *e)
{
    memset(e, 0, sizeof(*e));
    e->line = c->line;
    read_time(c, &e->time);
    if (cursor_take(c, "<") || cursor_take(c, ">")) {
        e->kind = c->at[-1] == '<' ? EVENT_IN : EVENT_OUT;
        packet_text_read(c, &e->packet);
    } else if (cursor_take(c, "%{")) {
        e->kind = EVENT_ASSERT;
        read_assert(c, &e->check);
    } else {
        e->kind = EVENT_CALL;
        e->call.blocks = cursor_take(c, "...");
        if (e->call.blocks)
            e->call.end_us = cursor_seconds(c);
        call_text_read(c, &e->call);
    }
    if (e->time.kind == TIME_ANY && e->kind != EVENT_OUT)
        cursor_fail(c, "`*` is for packets that leave", "");
}

static char *read_file(const char *path, FILE *errors)
{
    char *text = calloc(1, SCRIPT_BYTES_MAX);
    FILE *f = fopen(path, "r");
    size_t bytes = 0;

    if (f != NULL && text != NULL)
        bytes = fread(text, 1, SCRIPT_BYTES_MAX - 1, f);
    if (bytes == 0 || bytes == SCRIPT_BYTES_MAX - 1) {
        fprintf(errors, "%s: cannot be read, is empty or longer than any script\n", path);
        free(text);
        text = NULL;
    }
    if (f != NULL)
        fclose(f);
    return text;
}

/* A mistake leads back here (cursor_fail()). */
static bool parse(struct script *script, const char *text, FILE *errors)
{
    jmp_buf out;
    struct cursor c = {.at = text, .path = script->path, .line = 1, .errors = errors,
                       .out = &out};

    if (setjmp(out) != 0)
        return false;
    read_settings(&c, &script->settings);
    for (cursor_blanks(&c); *c.at != '\0'; cursor_blanks(&c)) {
        if (script->event_count == SCRIPT_EVENTS_MAX)
            cursor_fail(&c, "too many events", "");
        read_event(&c, &script->events[script->event_count++]);
    }
    return true;
}

bool script_read(struct script *script, const char *path, FILE *errors)
{
    char *text = read_file(path, errors);
    bool good;

    script->path = path;
    script->event_count = 0;
    if (text == NULL)
        return false;
    good = parse(script, text, errors);
    free(text);
    return good;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What an argument may be, and what a word means as its value. */
#include <rt/assert.h>
#include <rt/log.h>

#include "args_part.h"

void args_allowed(const struct arg *arg, char *out, size_t bytes)
{
    RT_ASSERT_NE(bytes, 0u);
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

/* These return NULL on success, else the mistake. */
static const char *read_u32(struct word w, const struct arg *arg, uint32_t *out)
{
    int base = word_starts(w, "0x") || word_starts(w, "0X") ? 16 : 10;
    size_t i = base == 16 ? 2 : 0;
    size_t first = i;
    uint64_t value = 0;

    RT_ASSERT_LE(arg->min, arg->max);
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

    for (uint32_t i = 0; word_next_choice(&at, &choice); i++) {
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
    RT_ASSERT_NE(arg->max, 0u); /* room for the NUL */
    if (w.bytes + 1 > arg->max)
        return "too long";
    for (size_t i = 0; i < w.bytes; i++)
        out[i] = w.text[i];
    out[w.bytes] = '\0';
    return NULL;
}

const char *args_store(const struct arg *arg, struct word value)
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the console; see the header. */
#include "input.h"

#include <rt/assert.h>

/* Every line that a running application prints begins with one of these, or with its name. */
static const char *const own_lines[] = {
    " ",    "arg ",  "args ", "boot ",    "commands:", "console ", "core ",  "counter ",
    "gap ", "irq",   "kit:",  "loop ",    "memory ",   "model ",   "nic",    "panic",
    "pci ", "pool ", "report {",          "runtime:",  "setting ", "stat ",  "trace core=",
};

bool kit_input_take(struct kit_input *in, char c)
{
    if (in->complete) {
        in->complete = in->overlong = false;
        in->used = 0;
    }
    RT_ASSERT_LT(in->used, (uint32_t)sizeof(in->line));
    if (c == '\r')
        return false;
    if (c == '\n') {
        in->line[in->used] = '\0';
        in->complete = true;
        return in->used != 0;
    }
    if (in->used + 1 < sizeof(in->line))
        in->line[in->used++] = c;
    else
        in->overlong = true;
    return false;
}

bool kit_input_within_line(const struct kit_input *in)
{
    return !in->complete && in->used != 0;
}

/* What stands behind `start` in `line`; NULL when the line does not begin so. */
static const char *behind(const char *line, const char *start)
{
    for (; *start != '\0'; line++, start++) {
        if (*line != *start)
            return NULL;
    }
    return line;
}

const char *kit_input_match(const char *line, const char *name)
{
    const char *rest = behind(line, name);

    if (rest == NULL || (*rest != '\0' && *rest != ' '))
        return NULL;
    return *rest == ' ' ? rest + 1 : rest;
}

static bool is_own(const struct kit_input *in)
{
    if (behind(in->line, in->app) != NULL)
        return true;
    for (size_t i = 0; i < RT_ARRAY_SIZE(own_lines); i++) {
        if (behind(in->line, own_lines[i]) != NULL)
            return true;
    }
    return false;
}

bool kit_input_complain(struct kit_input *in, uint64_t now_us, uint32_t *swallowed)
{
    RT_ASSERT(in->complete);
    RT_ASSERT_LE(in->complaints, (uint32_t)KIT_COMPLAINTS_MAX);
    if (is_own(in))
        return false;
    if (now_us - in->period_us >= KIT_COMPLAINTS_US) {
        in->period_us = now_us;
        in->complaints = 0;
    }
    if (in->complaints == KIT_COMPLAINTS_MAX) {
        in->swallowed++;
        return false;
    }
    in->complaints++;
    *swallowed = in->swallowed;
    in->swallowed = 0;
    return true;
}

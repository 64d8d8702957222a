/* SPDX-License-Identifier: BSD-2-Clause */
#include "cursor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void cursor_fail(const struct cursor *c, const char *what, const char *text)
{
    const int shown = (int)strcspn(c->at, "\n");

    fprintf(c->errors, "%s:%u: %s%s, at: %.*s\n", c->path, c->line, what, text, shown, c->at);
    longjmp(*c->out, 1);
}

static void skip_to(struct cursor *c, const char *end)
{
    while (*c->at != '\0' && strncmp(c->at, end, strlen(end)) != 0)
        c->line += *c->at++ == '\n';
}

void cursor_blanks(struct cursor *c)
{
    while (*c->at != '\0') {
        if (isspace((unsigned char)*c->at)) {
            c->line += *c->at++ == '\n';
        } else if (strncmp(c->at, "//", 2) == 0 || *c->at == '#') {
            skip_to(c, "\n");
        } else if (strncmp(c->at, "/*", 2) == 0) {
            skip_to(c, "*/");
            c->at += *c->at != '\0' ? 2 : 0;
        } else {
            return;
        }
    }
}

bool cursor_take(struct cursor *c, const char *text)
{
    cursor_blanks(c);
    if (strncmp(c->at, text, strlen(text)) != 0)
        return false;
    c->at += strlen(text);
    return true;
}

void cursor_need(struct cursor *c, const char *text)
{
    if (!cursor_take(c, text))
        cursor_fail(c, "expected ", text);
}

static bool is_word(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_';
}

const char *cursor_word(struct cursor *c, char word[SCRIPT_WORD_BYTES])
{
    uint32_t bytes = 0;

    cursor_blanks(c);
    while (is_word(c->at[bytes]))
        bytes++;
    if (bytes >= SCRIPT_WORD_BYTES)
        cursor_fail(c, "a word too long", "");
    memcpy(word, c->at, bytes);
    word[bytes] = '\0';
    c->at += bytes;
    return word;
}

bool cursor_take_word(struct cursor *c, const char *word)
{
    cursor_blanks(c);
    if (strncmp(c->at, word, strlen(word)) != 0 || is_word(c->at[strlen(word)]))
        return false;
    c->at += strlen(word);
    return true;
}

bool cursor_has_digit(const struct cursor *c)
{
    return isdigit((unsigned char)*c->at);
}

uint32_t cursor_number(struct cursor *c)
{
    char *end;
    unsigned long value;

    cursor_blanks(c);
    if (!cursor_has_digit(c))
        cursor_fail(c, "expected a number", "");
    value = strtoul(c->at, &end, 0);
    if (value > UINT32_MAX)
        cursor_fail(c, "a number of more than 32 bits", "");
    c->at = end;
    return (uint32_t)value;
}

uint64_t cursor_seconds(struct cursor *c)
{
    uint64_t us = 0, digit_us = 1000000;

    cursor_blanks(c);
    if (!cursor_has_digit(c) && *c->at != '.')
        cursor_fail(c, "expected a time in seconds", "");
    for (; cursor_has_digit(c); c->at++)
        us = us * 10 + (uint64_t)(*c->at - '0') * 1000000;
    if (*c->at != '.' || c->at[1] == '.') /* `...` follows */
        return us;
    for (c->at++; cursor_has_digit(c); c->at++) {
        digit_us /= 10;
        us += (uint64_t)(*c->at - '0') * digit_us;
    }
    return us;
}

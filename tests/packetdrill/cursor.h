/* SPDX-License-Identifier: BSD-2-Clause */
/* A place in the text of a script, and what is read from there. */
#ifndef TESTS_PACKETDRILL_CURSOR_H
#define TESTS_PACKETDRILL_CURSOR_H

#include "script.h"

#include <setjmp.h>

struct cursor {
    const char *at;
    const char *path;
    uint32_t line;
    FILE *errors;
    jmp_buf *out; /* where a mistake leads */
};

/* Says what is wrong at the cursor's line, and leaves. */
_Noreturn void cursor_fail(const struct cursor *c, const char *what, const char *text);
/* Skips blanks, newlines and comments. */
void cursor_blanks(struct cursor *c);
/* True, and it is passed: this text comes next. */
bool cursor_take(struct cursor *c, const char *text);
void cursor_need(struct cursor *c, const char *text);
/* Letters, digits and _; empty: none is there. Returns `word`. */
const char *cursor_word(struct cursor *c, char word[SCRIPT_WORD_BYTES]);
bool cursor_take_word(struct cursor *c, const char *word);
bool cursor_has_digit(const struct cursor *c);
uint32_t cursor_number(struct cursor *c);
/* Seconds, with a fraction or without; in microseconds. */
uint64_t cursor_seconds(struct cursor *c);

#endif

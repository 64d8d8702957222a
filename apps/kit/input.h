/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arrives on the console: bytes to lines, and which lines deserve an answer. Pure.
 *
 * Terminal servers, modems and loose cables send back what they get, so every line that we
 * print may come in as if somebody had typed it. The answers to a line must be fewer than the
 * line: no line of ours begins with the name of a command (but for `report`, whose rest is no
 * command's), what looks like a line of ours gets no answer, and complaints are limited.
 */
#ifndef L2FWD_INPUT_H
#define L2FWD_INPUT_H

#include <rt/base.h>

#define L2FWD_LINE_BYTES 160
#define L2FWD_COMPLAINTS_MAX 4 /* in a period of ... */
#define L2FWD_COMPLAINTS_US 10000000

struct l2fwd_input {
    uint32_t used;
    bool overlong, complete;
    uint32_t complaints, swallowed;
    uint64_t period_us; /* begin of the period that `complaints` belong to */
    char line[L2FWD_LINE_BYTES]; /* the beginning when the line is overlong */
};

/* True: `line` is whole and not empty. It stays until the next call. */
bool l2fwd_input_take(struct l2fwd_input *in, char c);
/* Something has come of the next line. */
bool l2fwd_input_within_line(const struct l2fwd_input *in);
/* The text behind the name and a space; "" for the name alone; NULL: another line. */
const char *l2fwd_input_match(const char *line, const char *name);
/* A line that is no command: false when it looks like our own, or too many came. Else
 * *swallowed is how many complaints were kept back since the last. */
bool l2fwd_input_complain(struct l2fwd_input *in, uint64_t now_us, uint32_t *swallowed);

#endif

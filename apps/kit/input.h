/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arrives on the console: bytes to lines, and which lines deserve an answer. Pure.
 *
 * Terminal servers, modems and loose cables send back what they get, so every line that we
 * print may come in as if somebody had typed it. The answers to a line must be fewer than the
 * line: no line of ours begins with the name of a command (but for `report`, whose rest is no
 * command's), what looks like a line of ours gets no answer, and complaints are limited.
 */
#ifndef KIT_INPUT_H
#define KIT_INPUT_H

#include <rt/base.h>

#define KIT_LINE_BYTES 160
#define KIT_COMPLAINTS_MAX 4 /* in a period of ... */
#define KIT_COMPLAINTS_US 10000000

struct kit_input {
    const char *app; /* its name: our own lines may begin with it */
    uint32_t used;
    bool overlong, complete;
    uint32_t complaints, swallowed;
    uint64_t period_us; /* begin of the period that `complaints` belong to */
    char line[KIT_LINE_BYTES]; /* the beginning when the line is overlong */
};

/* True: `line` is whole and not empty. It stays until the next call. */
bool kit_input_take(struct kit_input *in, char c);
/* Something has come of the next line. */
bool kit_input_within_line(const struct kit_input *in);
/* The text behind the name and a space; "" for the name alone; NULL: another line. */
const char *kit_input_match(const char *line, const char *name);
/* A line that is no command: false when it looks like our own, or too many came. Else
 * *swallowed is how many complaints were kept back since the last. */
bool kit_input_complain(struct kit_input *in, uint64_t now_us, uint32_t *swallowed);

#endif

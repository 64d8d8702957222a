/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of args.c: words of a line (args_word.c), and values (args_value.c). All pure. */
#ifndef RT_ARGS_PART_H
#define RT_ARGS_PART_H

#include <rt/args.h>

enum { WORD_NAME_BYTES_MAX = 32 }; /* of a name that is compared with others */

struct word {
    const char *text; /* not ended by a NUL */
    size_t bytes;
};

struct word word_of(const char *text);
bool word_is(struct word w, const char *text);
bool word_starts(struct word w, const char *text);

/* The next word at *at, which moves behind it; empty at the end. */
struct word word_next(const char **at);

/* The choice at *at of "a|b|c", which moves behind it; false at the end. */
bool word_next_choice(const char **at, struct word *choice);

/* Insertions, deletions and changes between two names; names are cut at WORD_NAME_BYTES_MAX.
 * From `limit` on the exact number does not matter. */
uint32_t word_distance(struct word a, struct word b, uint32_t limit);

/* How far a wrong name is from a known one; the beginning of a long name is near. */
uint32_t word_distance_of_name(struct word wrong, const char *known, uint32_t limit);

/* Far enough that a hint would puzzle more than help. */
uint32_t word_distance_limit(struct word w);

/* Checks a value whole, then stores it in `dst` of the argument. NULL on success; else the
 * mistake, and `dst` is as before. */
const char *args_store(const struct arg *arg, struct word value);

#endif

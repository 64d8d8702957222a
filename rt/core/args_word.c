/* SPDX-License-Identifier: BSD-2-Clause */
#include "args_part.h"

struct word word_of(const char *text)
{
    struct word w = {text, 0};

    while (text[w.bytes] != '\0')
        w.bytes++;
    return w;
}

bool word_is(struct word w, const char *text)
{
    for (size_t i = 0; i < w.bytes; i++) {
        if (text[i] != w.text[i]) /* a shorter text ends here by its NUL */
            return false;
    }
    return text[w.bytes] == '\0';
}

bool word_starts(struct word w, const char *text)
{
    const size_t bytes = word_of(text).bytes;

    return w.bytes >= bytes && word_is((struct word){w.text, bytes}, text);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct word word_next(const char **at)
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

bool word_next_choice(const char **at, struct word *choice)
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

uint32_t word_distance(struct word a, struct word b, uint32_t limit)
{
    uint32_t row[WORD_NAME_BYTES_MAX + 1];
    size_t na = RT_MIN(a.bytes, (size_t)WORD_NAME_BYTES_MAX);
    size_t nb = RT_MIN(b.bytes, (size_t)WORD_NAME_BYTES_MAX);
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

uint32_t word_distance_of_name(struct word wrong, const char *known, uint32_t limit)
{
    const struct word w = word_of(known);

    if (wrong.bytes >= 3 && wrong.bytes < w.bytes &&
        word_distance(wrong, (struct word){known, wrong.bytes}, 1) == 0)
        return 1;
    return word_distance(wrong, w, limit);
}

uint32_t word_distance_limit(struct word w)
{
    return (uint32_t)RT_MIN(w.bytes, (size_t)WORD_NAME_BYTES_MAX) / 2 + 1;
}

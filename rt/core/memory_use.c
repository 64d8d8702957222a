/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of names and sums; the idea is in the header. */
#include <rt/assert.h>
#include <rt/log.h>
#include <rt/memory_use.h>

enum {
    LINE_BYTES = 480,
    ENTRY_BYTES_MAX = 64, /* a name, its value and what is between */
};

static struct memory_use uses[MEMORY_USES_MAX];
static uint32_t use_count;

static bool same_text(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The entry of that name; the last one when there is no room for another. */
static struct memory_use *entry_of(const char *what)
{
    for (uint32_t i = 0; i < use_count; i++) {
        if (uses[i].what == NULL || same_text(uses[i].what, what))
            return &uses[i];
    }
    RT_ASSERT_LT(use_count, (uint32_t)MEMORY_USES_MAX);
    uses[use_count].what = use_count == MEMORY_USES_MAX - 1 ? NULL : what;
    return &uses[use_count++];
}

void memory_use_add(const char *what, uint64_t bytes)
{
    struct memory_use *use;

    RT_ASSERT(what != NULL);
    use = entry_of(what);
    use->bytes += bytes;
    use->pieces++;
}

void memory_use_reset(void)
{
    __builtin_memset(uses, 0, sizeof(uses));
    use_count = 0;
}

bool memory_use_get(uint32_t index, struct memory_use *use)
{
    if (index >= use_count)
        return false;
    *use = uses[index];
    return true;
}

/* The largest entry that comes behind `last` (NULL: the first of all) by bytes, then by place. */
static const struct memory_use *largest_after(const struct memory_use *last)
{
    const struct memory_use *best = NULL;

    for (const struct memory_use *use = uses; use != uses + use_count; use++) {
        bool behind = last == NULL || use->bytes < last->bytes ||
                      (use->bytes == last->bytes && use > last);

        if (behind && (best == NULL || use->bytes > best->bytes))
            best = use;
    }
    return best;
}

/* " pool_buffers=4194304": a name is one word. */
static size_t put_use(char *text, size_t room, const struct memory_use *use)
{
    const char *what = use->what != NULL ? use->what : "others";
    size_t n = 1;

    text[0] = ' ';
    for (; *what != '\0' && n < ENTRY_BYTES_MAX / 2; what++)
        text[n++] = *what == ' ' ? '_' : *what;
    return n + rt_snprintf(text + n, room - n, "=%lu", use->bytes);
}

void memory_use_log(void)
{
    const struct memory_use *use = largest_after(NULL);
    char text[LINE_BYTES];
    uint64_t sum = 0;
    size_t n;

    for (uint32_t i = 0; i < use_count; i++)
        sum += uses[i].bytes;
    n = rt_snprintf(text, sizeof(text), " used_bytes=%lu", sum);
    for (; use != NULL; use = largest_after(use)) { /* each comes once */
        if (n > sizeof(text) - ENTRY_BYTES_MAX) {
            rt_log("memory%s", text);
            n = 0;
        }
        n += put_use(text + n, sizeof(text) - n, use);
    }
    rt_log("memory%s", text);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line against the runtime's own table, and one with every type at its edges.
 * Beyond what the sanitizers see: a line without mistakes leaves every value in its range,
 * every mistake is reported by exactly one line, and the same line gives the same result.
 */
#include <rt/app.h>
#include <rt/args.h>
#include <rt/assert.h>
#include <rt/config.h>
#include <stdlib.h>
#include <string.h>

static struct {
    uint32_t small, any, choice;
    bool flag;
    char guard_before[8], text[8], guard_after[8];
} got;

static const struct arg edge_args[] = {
    {.name = "small", .type = ARG_U32, .unit = "", .min = 3, .max = 5, .preset = "4",
     .dst = &got.small, .live = true, .help = "narrow"},
    {.name = "any", .type = ARG_U32, .unit = "", .max = UINT32_MAX, .preset = "0xffffffff",
     .dst = &got.any, .help = "all of 32 bits"},
    {.name = "choice", .type = ARG_CHOICE, .unit = "", .preset = "b", .choices = "a|b|cc",
     .dst = &got.choice, .live = true, .help = "short names"},
    {.name = "flag", .type = ARG_BOOL, .unit = "", .preset = "off", .dst = &got.flag,
     .help = "a flag"},
    {.name = "text", .type = ARG_STRING, .unit = "", .max = sizeof(got.text), .preset = "",
     .dst = got.text, .help = "seven bytes"},
};
static const struct arg_table edge_table = {"edges", edge_args, RT_ARRAY_SIZE(edge_args)};
static const struct arg_table *const edges[] = {&edge_table, NULL};
static const struct arg_table *const edges_and_runtime[] = {&edge_table, &rt_arg_table, NULL};

static void count_line(void *ctx, const char *line)
{
    uint32_t *lines = ctx;

    RT_ASSERT(strlen(line) < 400);
    (*lines)++;
}

static void check_values(void)
{
    static const char zeros[8];

    RT_ASSERT(got.small >= 3 && got.small <= 5);
    RT_ASSERT(got.choice <= 2);
    RT_ASSERT(memchr(got.text, '\0', sizeof(got.text)) != NULL);
    RT_ASSERT(memcmp(got.guard_before, zeros, 8) == 0 && memcmp(got.guard_after, zeros, 8) == 0);
    RT_ASSERT(rt_config.poll.mode <= POLL_IRQ);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    /* The long table costs its names in comparisons: now and then is enough. */
    const struct arg_table *const *tables = bytes % 16 == 0 ? edges_and_runtime : edges;
    char *line = malloc(bytes + 1); /* exactly as long: reading beyond is seen */
    uint32_t lines = 0, lines_again = 0;
    struct arg_result first, second;

    if (line == NULL)
        return 0;
    memcpy(line, data, bytes);
    line[bytes] = '\0';
    first = args_parse(tables, line, count_line, &lines);
    RT_ASSERT_EQ(first.mistakes, lines);
    check_values();
    if (bytes % 8 == 0) { /* not each time: it halves the speed */
        second = args_parse(tables, line, count_line, &lines_again);
        RT_ASSERT_EQ(first.mistakes, second.mistakes);
        RT_ASSERT_EQ(first.help_asked, second.help_asked);
    }
    lines = 0;
    RT_ASSERT_EQ(args_set_live(tables, line, count_line, &lines) == RT_OK, lines == 0);
    check_values();
    free(line);
    return 0;
}

void rt_assert_failed(const char *file, int line, const char *expr, uint64_t left,
                      uint64_t right)
{
    abort();
}

void rt_panic(const char *fmt, ...)
{
    abort();
}

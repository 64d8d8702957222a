/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's commands, by table: the kit's own, then the application's. On core 0, between
 * two turns of its loop. */
#include "counters.h"
#include "input.h"

#include <rt/assert.h>
#include <rt/log.h>
#include <rt/memory_use.h>
#include <rt/trace.h>

enum {
    TRACE_LINES = 32,
    HELP_BYTES = 512,
};

static void say(void *ctx, const char *line)
{
    rt_log("%s", line);
}

static void say_text(const char *line)
{
    rt_log("%s", line);
}

static void command_stop(struct kit *kit, const char *text)
{
    kit_ask_stop(kit);
}

static void command_report(struct kit *kit, const char *text)
{
    kit_links_read_all(kit);
    kit_print_report(kit);
}

static void command_stats(struct kit *kit, const char *text)
{
    kit_links_read_all(kit);
    kit_print_table(kit);
}

static void command_gaps(struct kit *kit, const char *text)
{
    kit_print_gaps(kit);
}

/* While running: where the buffers are, not whether one is missing. */
static void command_pools(struct kit *kit, const char *text)
{
    for (const struct pool *p = pool_first(); p != NULL; p = p->next) {
        rt_log("pool name=%s core=%u total=%u free=%u nic=%u stack=%u ring=%u empty=%lu",
               p->name, p->core, p->total, p->free, pool_count_owner(p, BUF_NIC),
               pool_count_owner(p, BUF_STACK), pool_count_owner(p, BUF_RING), p->stats.empty);
    }
}

static void command_memory(struct kit *kit, const char *text)
{
    memory_use_log();
}

static void command_trace(struct kit *kit, const char *text)
{
    RT_ASSERT_LE(kit->core_count, (uint32_t)HAL_CORES_MAX);
    for (uint32_t i = 0; i < kit->core_count; i++)
        rt_trace_dump(i, TRACE_LINES, say_text);
}

static void command_set(struct kit *kit, const char *text)
{
    if (args_set_live(rt_app.tables, text, say, NULL) != RT_OK)
        return;
    rt_log("setting %s", text); /* not "set": it may come back as input */
    for (uint32_t i = 1; i < kit->core_count; i++)
        hal_core_kick(i); /* a sleeping core looks at its settings after it wakes */
    kit_console_period(kit);
}

static void command_args(struct kit *kit, const char *text)
{
    args_help(rt_app.tables, say, NULL);
}

static void command_counters(struct kit *kit, const char *text)
{
    kit_counters_explain(kit);
}

static void command_help(struct kit *kit, const char *text);

static const struct kit_command commands[] = {
    {"stop", NULL, command_stop},   {"report", NULL, command_report},
    {"stats", NULL, command_stats}, {"gaps", NULL, command_gaps},
    {"pools", NULL, command_pools}, {"memory", NULL, command_memory},
    {"trace", NULL, command_trace}, {"set", "name=value", command_set},
    {"args", NULL, command_args},   {"counters", NULL, command_counters},
    {"help", NULL, command_help},
};

bool kit_commands_know(const char *name)
{
    for (size_t i = 0; name != NULL && i < RT_ARRAY_SIZE(commands); i++) {
        if (__builtin_strcmp(commands[i].name, name) == 0)
            return true;
    }
    return false;
}

/* A line of names so far; a full one is said, and the next begins. */
struct help_line {
    size_t used;
    char text[HELP_BYTES];
};

static void say_names(struct help_line *line)
{
    RT_ASSERT_LT(line->used, sizeof(line->text));
    rt_log("commands:%s", line->text);
    line->used = 0;
}

static void add_names(struct help_line *line, const struct kit_command *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = row[i].text != NULL ? row[i].text : "";
        /* with " | ", " " and the end */
        size_t bytes = __builtin_strlen(row[i].name) + __builtin_strlen(text) + 5;

        if (line->used != 0 && bytes > HELP_BYTES - line->used)
            say_names(line);
        line->used += rt_snprintf(line->text + line->used, HELP_BYTES - line->used, "%s %s%s%s",
                                  line->used == 0 ? "" : " |", row[i].name,
                                  text[0] != '\0' ? " " : "", text);
        line->used = RT_MIN(line->used, sizeof(line->text) - 1); /* a name as long as a line */
    }
}

static void command_help(struct kit *kit, const char *text)
{
    struct help_line line = {.used = 0};

    add_names(&line, commands, RT_ARRAY_SIZE(commands));
    add_names(&line, kit->app->commands, kit->app->command_count);
    say_names(&line);
}

static bool run_from(struct kit *kit, const struct kit_command *row, size_t count,
                     const char *line)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = kit_input_match(line, row[i].name);

        if (text != NULL && (row[i].text != NULL || *text == '\0')) {
            row[i].run(kit, text);
            return true;
        }
    }
    return false;
}

bool kit_command_run(struct kit *kit, const char *line)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    return run_from(kit, commands, RT_ARRAY_SIZE(commands), line) ||
           run_from(kit, kit->app->commands, kit->app->command_count, line);
}

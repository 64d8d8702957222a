/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application says of itself, looked at once, before anything is started: a mistake in a
 * table is a line now, and no riddle or fault when somebody types `stats`. */
#include "counters.h"

#include <rt/assert.h>
#include <rt/log.h>

/* As keys of lines and of JSON want it. */
static bool is_word(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return false;
    for (; *text != '\0'; text++) {
        bool letter = *text >= 'a' && *text <= 'z', digit = *text >= '0' && *text <= '9';

        if (!letter && !digit && *text != '_')
            return false;
    }
    return true;
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && __builtin_strcmp(a, b) == 0;
}

/* Returns whether it is good. */
static bool demand(bool good, const char *what, const char *name, const char *why)
{
    if (!good)
        rt_log("%s error=app %s=\"%s\" what=\"%s\"", rt_app.name, what,
               name != NULL ? name : "", why);
    return good;
}

static bool counter_is_good(const struct kit_app *app, uint32_t number)
{
    const struct kit_counter *row = &app->counters[number];
    bool good = demand(is_word(row->name), "counter", row->name, "a name is [a-z0-9_]");
    bool known = kit_counters_know(row->name);

    RT_ASSERT_LT(number, app->counter_count);
    for (uint32_t i = 0; i < number; i++)
        known |= same(app->counters[i].name, row->name);
    good &= demand(!known, "counter", row->name, "there is one of that name");
    good &= demand(row->unit != NULL && row->help != NULL, "counter", row->name,
                   "it has no unit or no help");
    good &= demand(row->kind == KIT_COUNT || row->kind == KIT_DROP, "counter", row->name,
                   "its kind is KIT_COUNT or KIT_DROP");
    good &= demand(row->offset <= app->path_bytes - sizeof(uint64_t) &&
                       row->offset % sizeof(uint64_t) == 0, "counter", row->name,
                   "its place is not in the structure of a path");
    return good;
}

static bool command_is_good(const struct kit_app *app, uint32_t number)
{
    const struct kit_command *row = &app->commands[number];
    bool good = demand(is_word(row->name), "command", row->name, "a name is [a-z0-9_]");
    bool known = kit_commands_know(row->name);

    RT_ASSERT_LT(number, app->command_count);
    for (uint32_t i = 0; i < number; i++)
        known |= same(app->commands[i].name, row->name);
    good &= demand(!known, "command", row->name, "there is one of that name");
    good &= demand(row->run != NULL, "command", row->name, "it does nothing");
    return good;
}

bool kit_app_is_good(const struct kit_app *app)
{
    bool good = demand(app->poll != NULL, "app", rt_app.name, "it has no poll");

    if (!demand(app->path_bytes >= sizeof(struct kit_path), "app", rt_app.name,
                "path_bytes is less than a struct kit_path"))
        return false;
    if (app->running != NULL)
        good &= demand(is_word(app->running), "running", app->running, "a word is [a-z0-9_]");
    for (uint32_t i = 0; i < app->counter_count; i++)
        good &= counter_is_good(app, i);
    for (uint32_t i = 0; i < app->command_count; i++)
        good &= command_is_good(app, i);
    return good;
}

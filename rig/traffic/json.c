/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char *skip_space(char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* Cuts the string at *at (behind its opening quote); NULL when it does not end. Of the
 * escapes only \" and \\ mean something here: paths and names hold no others. */
static char *cut_string(char **at)
{
    char *text = *at, *out = text, *in = text;
    while (*in && *in != '"') {
        if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
            in++;
        *out++ = *in++;
    }
    if (*in != '"')
        return NULL;
    *out = 0;
    *at = in + 1;
    return text;
}

/* A bare word ends before , } or a blank. Its end is cut by the caller, which reads it. */
static char *cut_word(char **at, char *ended_by)
{
    char *text = *at, *in = text;
    while (isalnum((unsigned char)*in) || *in == '-' || *in == '+' || *in == '.')
        in++;
    if (in == text)
        return NULL;
    *ended_by = *in;
    *in = 0;
    *at = in;
    return text;
}

static const char *parse_field(struct json_object *object, char **at, char *ended_by)
{
    struct json_field *field = &object->fields[object->count];
    if (object->count == JSON_FIELDS_MAX)
        return "too many fields";
    if (**at != '"')
        return "a name in quotes is wanted";
    *at += 1;
    field->name = cut_string(at);
    if (!field->name)
        return "a name does not end";
    *at = skip_space(*at);
    if (**at != ':')
        return "a colon is wanted";
    *at = skip_space(*at + 1);
    *ended_by = '"';
    if (**at == '"') {
        *at += 1;
        field->value = cut_string(at);
    } else {
        field->value = cut_word(at, ended_by);
    }
    object->count++;
    return field->value ? NULL : "a value is wanted (text, number, true, false)";
}

const char *json_parse(struct json_object *object, char *line)
{
    object->count = 0;
    char *at = skip_space(line);
    if (*at != '{')
        return "an object is wanted";
    at = skip_space(at + 1);
    while (*at && *at != '}') {
        char ended_by = 0;
        const char *wrong = parse_field(object, &at, &ended_by);
        if (wrong)
            return wrong;
        if (ended_by != '"') { /* give back what the cut overwrote */
            if (ended_by == '}' || ended_by == 0)
                return ended_by ? NULL : "the object does not end";
            if (ended_by == ',') {
                at = skip_space(at + 1);
                continue;
            }
            if (!isspace((unsigned char)ended_by))
                return "a comma or the end is wanted";
            at++;
        }
        at = skip_space(at);
        if (*at == ',')
            at = skip_space(at + 1);
        else if (*at != '}')
            return "a comma or the end is wanted";
    }
    return *at == '}' ? NULL : "the object does not end";
}

const char *json_text(const struct json_object *object, const char *name, const char *preset)
{
    for (uint32_t i = 0; i < object->count; i++)
        if (strcmp(object->fields[i].name, name) == 0)
            return object->fields[i].value;
    return preset;
}

uint64_t json_number(const struct json_object *object, const char *name, uint64_t preset,
                     uint64_t max)
{
    const char *text = json_text(object, name, NULL);
    if (!text)
        return preset;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return text[0] == 't';
    char *end;
    unsigned long long v = strtoull(text, &end, 10);
    return *end || end == text || text[0] == '-' || v > max ? max + 1 : v;
}

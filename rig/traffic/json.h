/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands are one JSON object a line, flat: strings, numbers, true and false. Nothing is
 * allocated; the line is cut up in place and must outlive the object.
 */
#ifndef RIG_JSON_H
#define RIG_JSON_H

#include <stdbool.h>
#include <stdint.h>

#define JSON_FIELDS_MAX 32

struct json_field {
    const char *name;
    const char *value; /* text without quotes */
};

struct json_object {
    uint32_t count;
    struct json_field fields[JSON_FIELDS_MAX];
};

/* NULL on success, else what is wrong. */
const char *json_parse(struct json_object *object, char *line);
const char *json_text(const struct json_object *object, const char *name, const char *preset);
/* A value that is no number, or above `max`, gives `max + 1` (so the caller can refuse it). */
uint64_t json_number(const struct json_object *object, const char *name, uint64_t preset,
                     uint64_t max);

#endif

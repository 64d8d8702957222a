/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot arguments: one table says name, unit, range, default and help for each.
 *
 * A folder that has arguments exports a table; the application lists the tables it takes
 * in struct rt_app. The start parses the command line `name=value name=value ...` against
 * all of them. Each mistake gives one line (what, allowed range, nearest name) and any
 * mistake stops the start: nothing is ever ignored in silence. `help` prints the table.
 * Words of loaders (BOOT_IMAGE=, initrd=) are skipped. docs/boot-args.md is made from the
 * same tables. All functions are pure; the table's `dst` is written only on success.
 */
#ifndef RT_ARGS_H
#define RT_ARGS_H

#include <rt/base.h>

enum arg_type {
    ARG_U32,    /* decimal or 0x hex, min..max; suffixes k, M (1000s) where max allows */
    ARG_BOOL,   /* on|off|1|0|yes|no; a bare name means on */
    ARG_CHOICE, /* one of `choices`, stored as its index (uint32_t) */
    ARG_STRING, /* at most `max` bytes with the NUL, stored in a char array */
};

/* `dst` has room for the type, and stays its owner's. No pointer that the type uses is NULL. */
struct arg {
    const char *name; /* once in all tables of an application */
    enum arg_type type;
    const char *unit;    /* "us", "packets", "" */
    uint32_t min, max;   /* ARG_U32: range; ARG_STRING: max = bytes of dst */
    const char *preset;  /* default, in the words a user would type */
    const char *choices; /* ARG_CHOICE: "a|b|c" */
    void *dst;           /* uint32_t, bool, uint32_t index, char[] by type */
    bool live;           /* may be changed while running (`set name=value` on the console) */
    const char *help;
};

/* All tables of an application together: at most 256 arguments. */
struct arg_table {
    const char *title;
    const struct arg *args;
    uint32_t count;
};

/* Where the mistakes go: one call a line. */
typedef void arg_report_fn(void *ctx, const char *line);

struct arg_result {
    uint32_t mistakes;
    bool help_asked;
};

/* Sets every argument to its default, then applies the line. `tables` ends with NULL. A row that
 * is not complete and a name that is there twice are panics that name it. Core 0, at the start. */
struct arg_result args_parse(const struct arg_table *const *tables, const char *cmdline,
                             arg_report_fn *report, void *ctx);

/* Applies one `name=value` to a running system, whose tables args_parse() has checked; refused
 * (RT_INVALID) unless `live`. Core 0: others read what `dst` holds. */
RT_NODISCARD enum rt_status args_set_live(const struct arg_table *const *tables,
                                          const char *assignment, arg_report_fn *report,
                                          void *ctx);

/* The allowed values in words: "1..64 packets", "on|off". Cut to `bytes` with the NUL. */
void args_allowed(const struct arg *arg, char *out, size_t bytes);

/* One line for each argument, for `help`. */
void args_help(const struct arg_table *const *tables, arg_report_fn *report, void *ctx);

#endif

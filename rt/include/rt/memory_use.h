/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who took the machine's memory. hal_alloc() notes what each piece is for; pieces of the same
 * name are one entry. After the seal nothing changes any more.
 */
#ifndef RT_MEMORY_USE_H
#define RT_MEMORY_USE_H

#include <rt/base.h>

#define MEMORY_USES_MAX 48 /* names; more of them share the last entry */

struct memory_use {
    const char *what; /* as given to hal_alloc(), whose literal it is; NULL: the last ones */
    uint64_t bytes;
    uint32_t pieces;
};

/* For hal_alloc() alone, under its lock. */
void memory_use_add(const char *what, uint64_t bytes);
/* For the host's tests: nothing is taken. */
void memory_use_reset(void);
/* Entry `index`, in the order of their first pieces; false past the last one. Any core. */
bool memory_use_get(uint32_t index, struct memory_use *use);
/* Log lines "memory used_bytes=N what=bytes ...", those that took most first. Any core. */
void memory_use_log(void);

#endif

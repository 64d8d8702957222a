/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the status codes, for log lines. */
#include <rt/base.h>

const char *rt_status_name(enum rt_status st)
{
    static const char *const names[] = {
        [-RT_OK] = "ok",
        [-RT_TIMEOUT] = "timeout",
        [-RT_NO_MEMORY] = "no_memory",
        [-RT_NOT_FOUND] = "not_found",
        [-RT_INVALID] = "invalid",
        [-RT_BUSY] = "busy",
        [-RT_IO] = "io",
        [-RT_UNSUPPORTED] = "unsupported",
        [-RT_TRUNCATED] = "truncated",
        [-RT_FULL] = "full",
    };
    int index = -(int)st;

    if (index < 0 || index >= (int)RT_ARRAY_SIZE(names))
        return "unknown";
    return names[index];
}

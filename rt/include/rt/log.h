/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines: `object key=value key=value`, one line a call, the newline is added.
 * Any core may log; a line is never torn. Not for the data path: count there instead.
 * Formatting is ours in both worlds: %s %c %d %u %x %p %%, width, 0, -, .precision, h hh l ll z.
 */
#ifndef RT_LOG_H
#define RT_LOG_H

#include <rt/base.h>
#include <stdarg.h>

#define RT_LOG_LINE_BYTES 1024

/* One line; what is too long is cut and ends in '~', what is not printable becomes '?'. Any
 * core. */
void rt_log(const char *fmt, ...) RT_PRINTF(1, 2);

/* A finished line of any length (reports), not changed but for the newline that is added. */
void rt_log_line(const char *line, size_t bytes);

/* As snprintf: writes at most `bytes` with the final NUL, returns the length it wanted. */
size_t rt_snprintf(char *out, size_t bytes, const char *fmt, ...) RT_PRINTF(3, 4);
size_t rt_vsnprintf(char *out, size_t bytes, const char *fmt, va_list args);

/* State of one rate-limited message: a static at the call site. */
struct rt_log_limit {
    uint64_t next_us;
    uint32_t swallowed;
};
/* At most one line a second from this call site; says how many were swallowed. */
void rt_log_limited(struct rt_log_limit *limit, const char *fmt, ...) RT_PRINTF(2, 3);

#endif

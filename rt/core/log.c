/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines. A line is made on the caller's stack and written in one go under a lock, so
 * that lines of several cores never mix. The lock wait is bounded: a core that died inside
 * the console must not take the others (or the panic that reports it) with it.
 */
#include <rt/hal.h>
#include <rt/log.h>

enum {
    LOG_LOCK_TRIES = 1 << 22, /* a slow serial line needs up to 0.1 s for one line */
    LOG_LIMIT_US = 1000000,
};

static bool log_lock;

static bool lock_take(void)
{
    for (uint32_t i = 0; i < LOG_LOCK_TRIES; i++) {
        if (!__atomic_test_and_set(&log_lock, __ATOMIC_ACQUIRE))
            return true;
        hal_pause();
    }
    return false; /* a mixed line is better than silence */
}

/* Text from a loader or a device may be in the line: it must not steer a terminal. */
static void make_printable(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
    }
}

static void write_locked(const char *text, size_t bytes, const char *end, size_t end_bytes)
{
    bool locked = lock_take();

    hal_console_write(text, bytes);
    if (end_bytes != 0)
        hal_console_write(end, end_bytes);
    if (locked)
        __atomic_clear(&log_lock, __ATOMIC_RELEASE);
}

void rt_log_line(const char *line, size_t bytes)
{
    write_locked(line, bytes, "\n", 1);
}

static void log_line(const char *fmt, va_list args, uint32_t swallowed)
{
    char line[RT_LOG_LINE_BYTES];
    size_t bytes = rt_vsnprintf(line, sizeof(line) - 1, fmt, args);

    if (swallowed != 0 && bytes < sizeof(line) - 1)
        bytes += rt_snprintf(line + bytes, sizeof(line) - 1 - bytes, " swallowed=%u",
                             swallowed);
    if (bytes > sizeof(line) - 2) {
        bytes = sizeof(line) - 2;
        line[bytes - 1] = '~'; /* cut */
    }
    make_printable(line, bytes);
    line[bytes++] = '\n';
    write_locked(line, bytes, "", 0);
}

void rt_log(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_line(fmt, args, 0);
    va_end(args);
}

void rt_log_limited(struct rt_log_limit *limit, const char *fmt, ...)
{
    uint64_t now_us = hal_now_us();
    uint32_t swallowed;
    va_list args;

    if (now_us < __atomic_load_n(&limit->next_us, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&limit->swallowed, 1, __ATOMIC_RELAXED);
        return;
    }
    __atomic_store_n(&limit->next_us, now_us + LOG_LIMIT_US, __ATOMIC_RELAXED);
    swallowed = __atomic_exchange_n(&limit->swallowed, 0, __ATOMIC_RELAXED);
    va_start(args, fmt);
    log_line(fmt, args, swallowed);
    va_end(args);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Panic on the host: print and abort, or hand the message to the test that expects it. */
#include "host.h"

#include <rt/assert.h>
#include <rt/log.h>
#include <setjmp.h>
#include <stdlib.h>

struct catcher {
    jmp_buf back;
    char *message;
    size_t bytes;
};

static _Thread_local struct catcher *catching;

void host_caught(const char *message)
{
    struct catcher *c = catching;

    if (c == NULL)
        return;
    catching = NULL;
    rt_snprintf(c->message, c->bytes, "%s", message);
    longjmp(c->back, 1);
}

bool host_catch(void (*fn)(void *), void *arg, char *message, size_t bytes)
{
    struct catcher c = {.message = message, .bytes = bytes};

    if (setjmp(c.back) != 0)
        return true;
    catching = &c;
    fn(arg);
    catching = NULL;
    return false;
}

void rt_panic(const char *fmt, ...)
{
    char message[RT_LOG_LINE_BYTES / 2];
    va_list args;

    va_start(args, fmt);
    rt_vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    host_caught(message);
    rt_log("panic core=%u %s", hal_core_id(), message);
    abort();
}

void rt_assert_failed(const char *file, int line, const char *expr, uint64_t left,
                      uint64_t right)
{
    rt_panic("assert file=%s:%d expr=\"%s\" left=%lu right=%lu", file, line, expr, left, right);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of a Linux process: standard output and input, or a test's buffers. */
#include <rt/assert.h>

#include "host.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static char *capture;
static size_t capture_room;
static const char *input = "";
static bool from_stdin;

static void write_out(const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(STDOUT_FILENO, text, bytes);

        if (n <= 0)
            return; /* nobody reads us any more */
        text += n;
        bytes -= (size_t)n;
    }
}

void hal_console_write(const char *text, size_t bytes)
{
    size_t n = RT_MIN(bytes, capture_room);

    if (capture == NULL) {
        write_out(text, bytes);
        return;
    }
    memcpy(capture, text, n);
    capture += n;
    capture_room -= n;
    *capture = '\0';
}

bool hal_console_pump(void)
{
    return false; /* the kernel buffers */
}

int hal_console_read(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char c;

    if (*input != '\0')
        return (unsigned char)*input++;
    if (!from_stdin || poll(&p, 1, 0) <= 0 || read(STDIN_FILENO, &c, 1) != 1)
        return -1;
    return c;
}

void host_console_capture(char *out, size_t bytes)
{
    RT_ASSERT(out == NULL || bytes != 0); /* room for the NUL */
    capture = out;
    capture_room = out != NULL ? bytes - 1 : 0;
    if (out != NULL)
        *out = '\0';
}

void host_console_input(const char *text)
{
    input = text;
}

void host_console_stdin(bool on)
{
    from_stdin = on;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A UNIX stream socket with QEMU's framing. One peer at a time; without one frames are lost. */
#include "wire/backend.h"

#include <errno.h>
#include <poll.h>
#include <rt/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX 16384u
#define BUFFER_BYTES (512u * 1024)
#define LENGTH_BYTES 4u
#define PATIENCE_MS 100 /* how long a full peer holds the device up */

struct stream {
    struct backend b;
    int listen_fd;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    size_t in_at, in_end, out_end;
    uint8_t in[BUFFER_BYTES], out[BUFFER_BYTES];
    uint8_t padded[BACKEND_FRAME_MIN];
};

static void hang_up(struct stream *s)
{
    RT_ASSERT_NE(s->b.fd, s->listen_fd);
    close(s->b.fd);
    s->b.fd = s->listen_fd; /* the next peer */
    s->in_at = s->in_end = s->out_end = 0;
}

static bool connected(const struct stream *s)
{
    return s->b.fd != s->listen_fd;
}

static void stream_readable(struct backend *b)
{
    struct stream *s = (struct stream *)b;
    ssize_t got;

    RT_ASSERT_LE(s->in_end, (size_t)BUFFER_BYTES);
    if (!connected(s)) {
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0)
            b->fd = fd;
        return;
    }
    memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
    s->in_end -= s->in_at;
    s->in_at = 0;
    if (s->in_end == BUFFER_BYTES)
        return;
    got = recv(b->fd, s->in + s->in_end, BUFFER_BYTES - s->in_end, 0);
    if (got > 0)
        s->in_end += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        hang_up(s);
}

static const uint8_t *stream_receive(struct backend *b, uint32_t *bytes)
{
    struct stream *s = (struct stream *)b;
    const uint8_t *p = s->in + s->in_at;
    uint32_t length;

    RT_ASSERT_LE(s->in_at, s->in_end);
    if (s->in_end - s->in_at < LENGTH_BYTES)
        return NULL;
    length = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    if (length == 0 || length > FRAME_MAX) { /* out of step: nothing after it makes sense */
        hang_up(s);
        return NULL;
    }
    if (s->in_end - s->in_at - LENGTH_BYTES < length)
        return NULL;
    s->in_at += LENGTH_BYTES + length;
    b->received++;
    *bytes = length;
    p += LENGTH_BYTES;
    if (length >= BACKEND_FRAME_MIN)
        return p;
    memset(s->padded, 0, sizeof(s->padded));
    memcpy(s->padded, p, length);
    *bytes = BACKEND_FRAME_MIN;
    return s->padded;
}

/* Writes what is there; waits for a peer that is slow, but not for one that sleeps. */
static void stream_flush(struct backend *b)
{
    struct stream *s = (struct stream *)b;
    size_t done = 0;

    RT_ASSERT_LE(s->out_end, (size_t)BUFFER_BYTES);
    while (done < s->out_end) { /* progress, or the end by time or error */
        ssize_t n = send(b->fd, s->out + done, s->out_end - done, MSG_NOSIGNAL);
        struct pollfd p = {.fd = b->fd, .events = POLLOUT};

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            hang_up(s);
            return;
        } else if (poll(&p, 1, PATIENCE_MS) == 0) {
            break;
        }
    }
    /* what did not go out stays for the next flush: a frame is never cut */
    memmove(s->out, s->out + done, s->out_end - done);
    s->out_end -= done;
}

static void stream_transmit(struct backend *b, const uint8_t *frame, uint32_t bytes)
{
    struct stream *s = (struct stream *)b;
    uint8_t *p;

    if (!connected(s)) {
        b->lost++;
        return;
    }
    if (BUFFER_BYTES - s->out_end < LENGTH_BYTES + bytes)
        stream_flush(b);
    if (!connected(s) || BUFFER_BYTES - s->out_end < LENGTH_BYTES + bytes) {
        b->lost++;
        return;
    }
    p = s->out + s->out_end;
    p[0] = (uint8_t)(bytes >> 24);
    p[1] = (uint8_t)(bytes >> 16);
    p[2] = (uint8_t)(bytes >> 8);
    p[3] = (uint8_t)bytes;
    memcpy(p + LENGTH_BYTES, frame, bytes);
    s->out_end += LENGTH_BYTES + bytes;
    b->sent++;
}

static void stream_close(struct backend *b)
{
    struct stream *s = (struct stream *)b;

    if (connected(s))
        close(b->fd);
    close(s->listen_fd);
    unlink(s->path);
    free(s);
}

struct backend *backend_stream_open(const char *path)
{
    static const struct backend_ops ops = {stream_receive, stream_transmit, stream_flush,
                                           stream_readable, NULL, stream_close};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stream *s;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    s = malloc(sizeof(*s));
    if (s == NULL)
        return NULL;
    memcpy(address.sun_path, path, strlen(path) + 1);
    memcpy(s->path, path, strlen(path) + 1);
    unlink(path);
    s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    s->b = (struct backend){.ops = &ops, .fd = s->listen_fd};
    s->in_at = s->in_end = s->out_end = 0;
    if (s->listen_fd < 0 ||
        bind(s->listen_fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(s->listen_fd, 1) != 0) {
        if (s->listen_fd >= 0)
            close(s->listen_fd);
        free(s);
        return NULL;
    }
    return &s->b;
}

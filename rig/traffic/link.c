/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LENGTH_BYTES 4u
#define OUT_BYTES ((FRAME_MAX_BYTES + LENGTH_BYTES) * 2200u) /* a whole window, and some */
#define IN_BYTES (256u << 10)
#define FRAME_BYTES_LIMIT 65536u
#define CONNECT_RETRY_NS 5000000

_Static_assert(IN_BYTES >= 2 * FRAME_BYTES_LIMIT, "a whole frame always fits");

static const char *connect_to(int fd, const char *path, uint32_t timeout_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timespec pause = {0, CONNECT_RETRY_NS};
    if (strlen(path) >= sizeof(address.sun_path))
        return "socket path too long";
    memcpy(address.sun_path, path, strlen(path) + 1);
    for (uint64_t tries = UINT64_C(1000000) * timeout_ms / CONNECT_RETRY_NS + 1; tries; tries--) {
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return NULL;
        (void)nanosleep(&pause, NULL);
    }
    return "cannot connect";
}

const char *link_open(struct link *link, const char *path, uint32_t timeout_ms)
{
    *link = (struct link){.out_bytes = OUT_BYTES, .in_bytes = IN_BYTES};
    link->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (link->fd < 0)
        return "no socket";
    link->out = malloc(OUT_BYTES);
    link->in = malloc(IN_BYTES);
    const char *wrong = link->out && link->in ? connect_to(link->fd, path, timeout_ms)
                                              : "no memory";
    if (wrong)
        link_close(link);
    return wrong;
}

void link_close(struct link *link)
{
    (void)close(link->fd);
    free(link->out);
    free(link->in);
    *link = (struct link){.fd = -1};
}

uint8_t *link_room(struct link *link, size_t bytes)
{
    size_t want = bytes + LENGTH_BYTES;
    if (link->out_bytes - link->out_tail < want && link->out_head > 0) {
        memmove(link->out, link->out + link->out_head, link->out_tail - link->out_head);
        link->out_tail -= link->out_head;
        link->out_head = 0;
    }
    if (link->out_bytes - link->out_tail < want)
        return NULL;
    return link->out + link->out_tail + LENGTH_BYTES;
}

void link_commit(struct link *link, size_t bytes)
{
    uint8_t *at = link->out + link->out_tail;
    at[0] = (uint8_t)(bytes >> 24);
    at[1] = (uint8_t)(bytes >> 16);
    at[2] = (uint8_t)(bytes >> 8);
    at[3] = (uint8_t)bytes;
    link->out_tail += LENGTH_BYTES + bytes;
}

bool link_flush(struct link *link)
{
    while (link->out_head < link->out_tail) {
        ssize_t n = send(link->fd, link->out + link->out_head, link->out_tail - link->out_head,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        link->out_head += (size_t)n;
    }
    link->out_head = 0;
    link->out_tail = 0;
    return true;
}

static size_t frame_length(const struct link *link)
{
    const uint8_t *at = link->in + link->in_head;
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

bool link_receive(struct link *link)
{
    memmove(link->in, link->in + link->in_head, link->in_tail - link->in_head);
    link->in_tail -= link->in_head;
    link->in_head = 0;
    ssize_t n = recv(link->fd, link->in + link->in_tail, link->in_bytes - link->in_tail,
                     MSG_DONTWAIT);
    if (n == 0)
        return false;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    link->in_tail += (size_t)n;
    return link->in_tail < LENGTH_BYTES || frame_length(link) <= FRAME_BYTES_LIMIT;
}

const uint8_t *link_next(struct link *link, size_t *bytes)
{
    size_t left = link->in_tail - link->in_head;
    if (left < LENGTH_BYTES)
        return NULL;
    size_t length = frame_length(link);
    if (length > FRAME_BYTES_LIMIT || length > left - LENGTH_BYTES)
        return NULL;
    const uint8_t *frame = link->in + link->in_head + LENGTH_BYTES;
    link->in_head += LENGTH_BYTES + length;
    *bytes = length;
    return frame;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket: messages that came, their answers, and accesses to registers. */
#include "vfio/vfu_int.h"

#include <errno.h>
#include <rt/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    CMD_VERSION = 1,
    CMD_DMA_MAP = 2,
    CMD_DMA_UNMAP = 3,
    CMD_DEVICE_INFO = 4,
    CMD_REGION_INFO = 5,
    CMD_IRQ_INFO = 7,
    CMD_SET_IRQS = 8,
    CMD_REGION_READ = 9,
    CMD_REGION_WRITE = 10,
    CMD_RESET = 13,
    CMD_WRITE_MULTI = 15,
};

struct access {
    uint64_t offset;
    uint32_t region, bytes;
};
_Static_assert(sizeof(struct access) == 16, "vfio-user: REGION_READ and REGION_WRITE");
#define ACCESS_MAX 4096u

struct multi {
    struct access access;
    uint8_t data[8];
};

/* ---- replies ---- */

static void send_all(struct vfu *vfu, const struct vfu_header *header, const void *body,
                     uint32_t bytes, int fd)
{
    struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t)header, .iov_len = sizeof(*header)},
                             {.iov_base = (void *)(uintptr_t)body, .iov_len = bytes}};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = bytes > 0 ? 2 : 1};

    RT_ASSERT_EQ(header->bytes, (uint32_t)sizeof(*header) + bytes);
    if (fd >= 0) {
        struct cmsghdr *c = &control.align;

        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    if (sendmsg(vfu->fd, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE)
        perror("vfio-user: reply");
}

void vfu_reply(struct vfu *vfu, const struct vfu_message *m, const void *body, uint32_t bytes,
                  int fd)
{
    struct vfu_header header = {m->header.id, m->header.command,
                            (uint32_t)sizeof(header) + bytes, VFU_FLAG_REPLY, 0};

    if ((m->header.flags & VFU_FLAG_NO_REPLY) == 0)
        send_all(vfu, &header, body, bytes, fd);
}

void vfu_refuse(struct vfu *vfu, const struct vfu_message *m, int error)
{
    struct vfu_header header = {m->header.id, m->header.command, sizeof(header),
                            VFU_FLAG_REPLY | VFU_FLAG_ERROR, (uint32_t)error};

    RT_ASSERT_LT(0, error);
    if ((m->header.flags & VFU_FLAG_NO_REPLY) == 0)
        send_all(vfu, &header, NULL, 0, -1);
}

/* ---- registers ---- */

static void do_read(struct vfu *vfu, const struct vfu_message *m)
{
    struct {
        struct access access;
        uint8_t data[ACCESS_MAX];
    } r;

    if (m->bytes < sizeof(r.access)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&r.access, m->body, sizeof(r.access));
    if (r.access.region >= VFU_REGIONS || r.access.bytes > ACCESS_MAX) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memset(r.data, 0xff, r.access.bytes);
    vfu->reads++;
    vfu->ops->read(vfu->ctx, r.access.region, r.access.offset, r.data, r.access.bytes);
    vfu_reply(vfu, m, &r, (uint32_t)sizeof(r.access) + r.access.bytes, -1);
}

static void do_write(struct vfu *vfu, const struct vfu_message *m)
{
    struct access access;

    if (m->bytes < sizeof(access)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&access, m->body, sizeof(access));
    if (access.region >= VFU_REGIONS || access.bytes > m->bytes - sizeof(access)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    if ((m->header.flags & VFU_FLAG_NO_REPLY) != 0)
        vfu->posted++;
    vfu->ops->write(vfu->ctx, access.region, access.offset, m->body + sizeof(access),
                    access.bytes);
    vfu_reply(vfu, m, &access, sizeof(access), -1);
}

static void do_write_multi(struct vfu *vfu, const struct vfu_message *m)
{
    uint64_t count;

    if (m->bytes < sizeof(count)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&count, m->body, sizeof(count));
    if (count > (m->bytes - sizeof(count)) / sizeof(struct multi)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        struct multi one;

        memcpy(&one, m->body + sizeof(count) + i * sizeof(one), sizeof(one));
        if (one.access.region >= VFU_REGIONS || one.access.bytes > sizeof(one.data))
            continue;
        vfu->posted++;
        vfu->ops->write(vfu->ctx, one.access.region, one.access.offset, one.data,
                        one.access.bytes);
    }
    vfu_reply(vfu, m, &count, sizeof(count), -1);
}

/* ---- messages ---- */

static void handle(struct vfu *vfu, struct vfu_message *m)
{
    vfu->messages++;
    switch (m->header.command) {
    case CMD_VERSION:
        vfu_do_version(vfu, m);
        return;
    case CMD_DMA_MAP:
        vfu_do_map(vfu, m);
        return;
    case CMD_DMA_UNMAP:
        vfu_do_unmap(vfu, m);
        return;
    case CMD_DEVICE_INFO:
        vfu_do_device_info(vfu, m);
        return;
    case CMD_REGION_INFO:
        vfu_do_region_info(vfu, m);
        return;
    case CMD_IRQ_INFO:
        vfu_do_irq_info(vfu, m);
        return;
    case CMD_SET_IRQS:
        vfu_do_set_irqs(vfu, m);
        return;
    case CMD_REGION_READ:
        do_read(vfu, m);
        return;
    case CMD_REGION_WRITE:
        do_write(vfu, m);
        return;
    case CMD_WRITE_MULTI:
        do_write_multi(vfu, m);
        return;
    case CMD_RESET:
        vfu->ops->reset(vfu->ctx);
        vfu_reply(vfu, m, NULL, 0, -1);
        return;
    default:
        vfu_refuse(vfu, m, ENOTSUP);
        return;
    }
}

static void close_fds(struct vfu_message *m)
{
    RT_ASSERT_LE(m->fd_count, VFU_FDS);
    for (unsigned i = 0; i < m->fd_count; i++)
        if (m->fd[i] >= 0)
            close(m->fd[i]);
    m->fd_count = 0;
}

/* False: not a message of this protocol. */
static bool handle_all(struct vfu *vfu, struct vfu_message *m)
{
    struct vfu_message none = {0};
    size_t at = 0;

    RT_ASSERT_LE(vfu->filled, (size_t)VFU_BUFFER_BYTES);
    while (vfu->filled - at >= sizeof(struct vfu_header)) { /* each turn takes a header at least */
        struct vfu_message *use;
        size_t left = vfu->filled - at;
        struct vfu_header header;

        memcpy(&header, vfu->buffer + at, sizeof(header));
        if (header.bytes < sizeof(header) || header.bytes > VFU_BUFFER_BYTES)
            return false;
        if (left < header.bytes)
            break;
        /* recvmsg() stops behind the data that descriptors came with: theirs is the last one */
        use = left - header.bytes < sizeof(header) ? m : &none;
        use->header = header;
        use->body = vfu->buffer + at + sizeof(header);
        use->bytes = header.bytes - (uint32_t)sizeof(header);
        handle(vfu, use);
        at += header.bytes;
    }
    memmove(vfu->buffer, vfu->buffer + at, vfu->filled - at);
    vfu->filled -= at;
    return true;
}

static void drop_client(struct vfu *vfu)
{
    RT_ASSERT_LE(0, vfu->fd);
    vfu_unmap_all(vfu);
    vfu_forget_irqs(vfu);
    close(vfu->fd);
    vfu->fd = -1;
    vfu->filled = 0;
}

static void take_fds(struct msghdr *message, struct vfu_message *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        size_t count;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count && m->fd_count < VFU_FDS; i++)
            memcpy(&m->fd[m->fd_count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
}

bool vfu_process(struct vfu *vfu)
{
    union {
        char space[CMSG_SPACE(VFU_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {vfu->buffer + vfu->filled, VFU_BUFFER_BYTES - vfu->filled};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    ssize_t got = recvmsg(vfu->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    struct vfu_message m = {0};
    bool ok;

    RT_ASSERT_LT(vfu->filled, (size_t)VFU_BUFFER_BYTES);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0) {
        drop_client(vfu);
        return false;
    }
    take_fds(&message, &m);
    vfu->filled += (size_t)got;
    ok = handle_all(vfu, &m);
    close_fds(&m);
    if (!ok)
        drop_client(vfu);
    return ok;
}

bool vfu_listen(struct vfu *vfu, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    vfu->path = path;
    vfu->fd = -1;
    for (unsigned index = 0; index < VFU_IRQS; index++)
        for (unsigned i = 0; i < VFU_VECTORS; i++)
            vfu->irq_fd[index][i] = -1;
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    vfu->buffer = malloc(VFU_BUFFER_BYTES);
    vfu->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return vfu->buffer != NULL && vfu->listen_fd >= 0 &&
           bind(vfu->listen_fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
           listen(vfu->listen_fd, 1) == 0;
}

bool vfu_accept(struct vfu *vfu)
{
    RT_ASSERT_LT(vfu->fd, 0); /* one client */
    vfu->fd = accept4(vfu->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    return vfu->fd >= 0;
}

void vfu_close(struct vfu *vfu)
{
    if (vfu->fd >= 0)
        drop_client(vfu);
    if (vfu->listen_fd >= 0) {
        close(vfu->listen_fd);
        unlink(vfu->path);
    }
    free(vfu->buffer);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "vfio/vfu.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

struct header {
    uint16_t id, command;
    uint32_t bytes, flags, error;
};
_Static_assert(sizeof(struct header) == 16, "vfio-user: message header");
#define FLAG_REPLY 1u
#define FLAG_NO_REPLY 0x10u
#define FLAG_ERROR 0x20u

struct dma_map {
    uint32_t argsz, flags;
    uint64_t offset, phys, bytes;
};
_Static_assert(sizeof(struct dma_map) == 32, "vfio-user: DMA_MAP");
#define MAP_WRITEABLE 2u

struct dma_unmap {
    uint32_t argsz, flags;
    uint64_t phys, bytes;
};
_Static_assert(sizeof(struct dma_unmap) == 24, "vfio-user: DMA_UNMAP");
#define UNMAP_ALL 2u

struct access {
    uint64_t offset;
    uint32_t region, bytes;
};
_Static_assert(sizeof(struct access) == 16, "vfio-user: REGION_READ and REGION_WRITE");
#define ACCESS_MAX 4096u

/* vfio_region_info with its sparse mmap capability */
struct region_reply {
    struct vfio_region_info info;
    struct vfio_info_cap_header header;
    uint32_t area_count, reserved;
    struct vfio_region_sparse_mmap_area area[VFU_AREAS];
};
_Static_assert(offsetof(struct region_reply, area) ==
                   sizeof(struct vfio_region_info) +
                       offsetof(struct vfio_region_info_cap_sparse_mmap, areas),
               "vfio: areas follow the capability");

struct multi {
    struct access access;
    uint8_t data[8];
};

/* A message, and the descriptors that came with it: what stays in `fd` is closed afterwards. */
struct message {
    struct header header;
    const uint8_t *body;
    uint32_t bytes; /* of the body */
    int fd[VFU_FDS];
    unsigned fd_count;
};

/* ---- replies ---- */

static void send_all(struct vfu *vfu, const struct header *header, const void *body,
                     uint32_t bytes, int fd)
{
    struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t)header, .iov_len = sizeof(*header)},
                             {.iov_base = (void *)(uintptr_t)body, .iov_len = bytes}};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = bytes > 0 ? 2 : 1};

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

static void reply(struct vfu *vfu, const struct message *m, const void *body, uint32_t bytes,
                  int fd)
{
    struct header header = {m->header.id, m->header.command,
                            (uint32_t)sizeof(header) + bytes, FLAG_REPLY, 0};

    if ((m->header.flags & FLAG_NO_REPLY) == 0)
        send_all(vfu, &header, body, bytes, fd);
}

static void refuse(struct vfu *vfu, const struct message *m, int error)
{
    struct header header = {m->header.id, m->header.command, sizeof(header),
                            FLAG_REPLY | FLAG_ERROR, (uint32_t)error};

    if ((m->header.flags & FLAG_NO_REPLY) == 0)
        send_all(vfu, &header, NULL, 0, -1);
}

/* ---- guest memory ---- */

static bool covers(const struct vfu_map *map, uint64_t phys, uint32_t bytes)
{
    return phys >= map->phys && bytes <= map->bytes && phys - map->phys <= map->bytes - bytes;
}

void *vfu_dma(struct vfu *vfu, uint64_t phys, uint32_t bytes, bool device_writes)
{
    unsigned i = vfu->map_last;

    if (i >= vfu->map_count || !covers(&vfu->map[i], phys, bytes))
        for (i = 0; i < vfu->map_count; i++)
            if (covers(&vfu->map[i], phys, bytes))
                break;
    if (i == vfu->map_count || (device_writes && !vfu->map[i].writable))
        return NULL;
    vfu->map_last = i;
    return vfu->map[i].at + (phys - vfu->map[i].phys);
}

static void do_map(struct vfu *vfu, struct message *m)
{
    struct vfu_map *map = &vfu->map[vfu->map_count];
    struct dma_map r;
    void *at;

    if (m->bytes < sizeof(r)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&r, m->body, sizeof(r));
    if (m->fd_count == 0) { /* memory that is not shared: the device cannot reach it */
        vfu->unmapped++;
        reply(vfu, m, NULL, 0, -1);
        return;
    }
    if (vfu->map_count == VFU_MAPS || r.bytes == 0 || r.phys > UINT64_MAX - r.bytes) {
        refuse(vfu, m, EINVAL);
        return;
    }
    at = mmap(NULL, r.bytes, PROT_READ | ((r.flags & MAP_WRITEABLE) != 0 ? PROT_WRITE : 0),
              MAP_SHARED, m->fd[0], (off_t)r.offset);
    if (at == MAP_FAILED) {
        refuse(vfu, m, errno);
        return;
    }
    *map = (struct vfu_map){r.phys, r.bytes, at, (r.flags & MAP_WRITEABLE) != 0};
    vfu->map_count++;
    reply(vfu, m, NULL, 0, -1);
}

static void unmap_range(struct vfu *vfu, uint64_t phys, uint64_t bytes, bool all)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < vfu->map_count; i++) {
        const struct vfu_map *map = &vfu->map[i];

        if (all || (map->phys >= phys && map->phys - phys < bytes))
            munmap(map->at, map->bytes);
        else
            vfu->map[kept++] = *map;
    }
    vfu->map_count = kept;
    vfu->map_last = 0;
}

static void do_unmap(struct vfu *vfu, const struct message *m)
{
    struct dma_unmap r;

    if (m->bytes < sizeof(r)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&r, m->body, sizeof(r));
    unmap_range(vfu, r.phys, r.bytes, (r.flags & UNMAP_ALL) != 0);
    reply(vfu, m, &r, sizeof(r), -1);
}

/* ---- what the device is ---- */

static void do_version(struct vfu *vfu, const struct message *m)
{
    /* major 0, minor 0, then JSON with its NUL */
    static const char body[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8,"
                               "\"max_data_xfer_size\":65536,\"write_multiple\":true}}";

    reply(vfu, m, body, sizeof(body), -1);
}

static void do_device_info(struct vfu *vfu, const struct message *m)
{
    uint32_t info[4] = {sizeof(info), VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
                        VFU_REGIONS, VFU_IRQS};

    reply(vfu, m, info, sizeof(info), -1);
}

static void do_region_info(struct vfu *vfu, const struct message *m)
{
    struct region_reply r = {0};
    struct vfio_region_info ask;
    uint32_t need = sizeof(r.info);
    int fd = -1;

    if (m->bytes < sizeof(ask)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&ask, m->body, sizeof(ask));
    if (ask.index >= VFU_REGIONS) {
        refuse(vfu, m, EINVAL);
        return;
    }
    r.info.index = ask.index;
    r.info.size = vfu->region_bytes[ask.index];
    r.info.offset = (uint64_t)ask.index << 40;
    if (r.info.size > 0)
        r.info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    if (ask.index == VFU_BAR0 && vfu->share_fd >= 0) {
        r.info.flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
        r.info.cap_offset = sizeof(r.info);
        r.info.offset = 0; /* the mapping is at the BAR's offsets in the descriptor */
        r.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
        r.header.version = 1;
        r.area_count = vfu->area_count;
        for (unsigned i = 0; i < vfu->area_count; i++) {
            r.area[i].offset = vfu->area[i].offset;
            r.area[i].size = vfu->area[i].bytes;
        }
        need = (uint32_t)(offsetof(struct region_reply, area) +
                          vfu->area_count * sizeof(r.area[0]));
        fd = vfu->share_fd;
    }
    r.info.argsz = need;
    reply(vfu, m, &r, ask.argsz < need && ask.argsz >= sizeof(r.info) ? ask.argsz : need, fd);
}

/* ---- interrupts ---- */

static void do_irq_info(struct vfu *vfu, const struct message *m)
{
    struct vfio_irq_info ask;

    if (m->bytes < sizeof(ask)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&ask, m->body, sizeof(ask));
    ask.argsz = sizeof(ask);
    ask.flags = VFIO_IRQ_INFO_EVENTFD;
    if (ask.index == VFU_INTX)
        ask.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    ask.count = ask.index < VFU_IRQS ? vfu->irq_count[ask.index] : 0;
    reply(vfu, m, &ask, sizeof(ask), -1);
}

static void forget_irq(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void set_triggers(struct vfu *vfu, const struct vfio_irq_set *set, struct message *m)
{
    int *fds = vfu->irq_fd[set->index];

    if ((set->flags & VFIO_IRQ_SET_DATA_NONE) != 0 && set->count == 0) {
        for (unsigned i = 0; i < VFU_VECTORS; i++)
            forget_irq(&fds[i]);
        return;
    }
    if ((set->flags & VFIO_IRQ_SET_DATA_EVENTFD) == 0)
        return;
    for (unsigned i = 0; i < set->count; i++) { /* count is checked: at most VFU_VECTORS */
        forget_irq(&fds[set->start + i]);
        if (i >= m->fd_count)
            continue; /* without a descriptor: off */
        fds[set->start + i] = m->fd[i];
        m->fd[i] = -1;
    }
}

static void do_set_irqs(struct vfu *vfu, struct message *m)
{
    struct vfio_irq_set set;

    if (m->bytes < sizeof(set)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&set, m->body, sizeof(set));
    if (set.index >= VFU_IRQS || set.count > VFU_VECTORS || set.start > VFU_VECTORS - set.count) {
        refuse(vfu, m, EINVAL);
        return;
    }
    if ((set.flags & VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
        set_triggers(vfu, &set, m);
    reply(vfu, m, NULL, 0, -1);
    if ((set.flags & VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
        vfu->ops->irqs_changed(vfu->ctx);
    else if ((set.flags & VFIO_IRQ_SET_ACTION_UNMASK) != 0)
        vfu->ops->unmasked(vfu->ctx);
}

bool vfu_signal(struct vfu *vfu, enum vfu_irq index, unsigned vector)
{
    uint64_t one = 1;

    if (vector >= VFU_VECTORS || vfu->irq_fd[index][vector] < 0)
        return false;
    if (write(vfu->irq_fd[index][vector], &one, sizeof(one)) != sizeof(one))
        return false;
    vfu->irqs++;
    return true;
}

/* ---- registers ---- */

static void do_read(struct vfu *vfu, const struct message *m)
{
    struct {
        struct access access;
        uint8_t data[ACCESS_MAX];
    } r;

    if (m->bytes < sizeof(r.access)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&r.access, m->body, sizeof(r.access));
    if (r.access.region >= VFU_REGIONS || r.access.bytes > ACCESS_MAX) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memset(r.data, 0xff, r.access.bytes);
    vfu->reads++;
    vfu->ops->read(vfu->ctx, r.access.region, r.access.offset, r.data, r.access.bytes);
    reply(vfu, m, &r, (uint32_t)sizeof(r.access) + r.access.bytes, -1);
}

static void do_write(struct vfu *vfu, const struct message *m)
{
    struct access access;

    if (m->bytes < sizeof(access)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&access, m->body, sizeof(access));
    if (access.region >= VFU_REGIONS || access.bytes > m->bytes - sizeof(access)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    if ((m->header.flags & FLAG_NO_REPLY) != 0)
        vfu->posted++;
    vfu->ops->write(vfu->ctx, access.region, access.offset, m->body + sizeof(access),
                    access.bytes);
    reply(vfu, m, &access, sizeof(access), -1);
}

static void do_write_multi(struct vfu *vfu, const struct message *m)
{
    uint64_t count;

    if (m->bytes < sizeof(count)) {
        refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&count, m->body, sizeof(count));
    if (count > (m->bytes - sizeof(count)) / sizeof(struct multi)) {
        refuse(vfu, m, EINVAL);
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
    reply(vfu, m, &count, sizeof(count), -1);
}

/* ---- messages ---- */

static void handle(struct vfu *vfu, struct message *m)
{
    vfu->messages++;
    switch (m->header.command) {
    case CMD_VERSION:
        do_version(vfu, m);
        return;
    case CMD_DMA_MAP:
        do_map(vfu, m);
        return;
    case CMD_DMA_UNMAP:
        do_unmap(vfu, m);
        return;
    case CMD_DEVICE_INFO:
        do_device_info(vfu, m);
        return;
    case CMD_REGION_INFO:
        do_region_info(vfu, m);
        return;
    case CMD_IRQ_INFO:
        do_irq_info(vfu, m);
        return;
    case CMD_SET_IRQS:
        do_set_irqs(vfu, m);
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
        reply(vfu, m, NULL, 0, -1);
        return;
    default:
        refuse(vfu, m, ENOTSUP);
        return;
    }
}

static void close_fds(struct message *m)
{
    for (unsigned i = 0; i < m->fd_count; i++)
        if (m->fd[i] >= 0)
            close(m->fd[i]);
    m->fd_count = 0;
}

/* False: not a message of this protocol. */
static bool handle_all(struct vfu *vfu, struct message *m)
{
    struct message none = {0};
    size_t at = 0;

    while (vfu->filled - at >= sizeof(struct header)) { /* each turn takes a header at least */
        struct message *use;
        size_t left = vfu->filled - at;
        struct header header;

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
    unmap_range(vfu, 0, 0, true);
    for (unsigned index = 0; index < VFU_IRQS; index++)
        for (unsigned i = 0; i < VFU_VECTORS; i++)
            forget_irq(&vfu->irq_fd[index][i]);
    close(vfu->fd);
    vfu->fd = -1;
    vfu->filled = 0;
}

static void take_fds(struct msghdr *message, struct message *m)
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
    struct message m = {0};
    bool ok;

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

/* SPDX-License-Identifier: BSD-2-Clause */
/* The vfio-user transport, from the other end of its socket: what QEMU does, and what nobody
 * should. */
#include "vfio/vfu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define MAP_BYTES 8192u

struct header {
    uint16_t id, command;
    uint32_t bytes, flags, error;
};

struct server {
    struct vfu vfu;
    int client;
    char path[64];
    unsigned resets, changes, unmasks, writes;
    uint64_t last_offset;
    uint32_t last_bytes;
};

static void on_read(void *ctx, unsigned region, uint64_t offset, void *out, uint32_t bytes)
{
    memset(out, (int)region, bytes);
}

static void on_write(void *ctx, unsigned region, uint64_t offset, const void *in,
                     uint32_t bytes)
{
    struct server *s = ctx;
    volatile uint8_t sum = 0;

    for (uint32_t i = 0; i < bytes; i++) /* ASan looks whether it is there */
        sum = (uint8_t)(sum + ((const uint8_t *)in)[i]);
    s->writes++;
    s->last_offset = offset;
    s->last_bytes = bytes;
}

static void on_reset(void *ctx)
{
    ((struct server *)ctx)->resets++;
}

static void on_change(void *ctx)
{
    ((struct server *)ctx)->changes++;
}

static void on_unmask(void *ctx)
{
    ((struct server *)ctx)->unmasks++;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int setup(void **state)
{
    static const struct vfu_ops ops = {on_read, on_write, on_reset, on_change, on_unmask};
    struct server *s = calloc(1, sizeof(*s));

    snprintf(s->path, sizeof(s->path), "vfu-%d.sock", (int)getpid());
    s->vfu.ops = &ops;
    s->vfu.ctx = s;
    s->vfu.share_fd = -1;
    s->vfu.region_bytes[VFU_BAR0] = 0x20000;
    s->vfu.irq_count[VFU_MSIX] = 64;
    assert_true(vfu_listen(&s->vfu, s->path));
    s->client = connect_to(s->path);
    assert_true(vfu_accept(&s->vfu));
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct server *s = *state;

    close(s->client);
    vfu_close(&s->vfu);
    free(s);
    return 0;
}

static void tell(struct server *s, unsigned command, const void *body, uint32_t bytes, int fd)
{
    struct header header = {7, (uint16_t)command, (uint32_t)sizeof(header) + bytes, 0, 0};
    uint8_t all[sizeof(header) + 512];
    struct iovec part = {all, sizeof(header) + bytes};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    assert_true(bytes <= 512);
    memcpy(all, &header, sizeof(header));
    if (bytes > 0)
        memcpy(all + sizeof(header), body, bytes);
    if (fd >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        control.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
                                         .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
    }
    assert_int_equal(sendmsg(s->client, &message, 0), (ssize_t)part.iov_len);
}

/* The error of the answer; its body goes to `out`. */
static uint32_t answer(struct server *s, void *out, size_t bytes)
{
    uint8_t all[sizeof(struct header) + 512];
    struct header header;
    ssize_t got;

    assert_true(vfu_process(&s->vfu));
    got = recv(s->client, all, sizeof(all), MSG_DONTWAIT);
    assert_true(got >= (ssize_t)sizeof(header));
    memcpy(&header, all, sizeof(header));
    assert_int_equal(header.id, 7);
    assert_int_equal(header.bytes, got);
    if (out != NULL)
        memcpy(out, all + sizeof(header), bytes);
    return header.error;
}

static void memory_comes_and_goes(void **state)
{
    struct server *s = *state;
    int fd = memfd_create("guest", 0);
    struct {
        uint32_t argsz, flags;
        uint64_t offset, phys, bytes;
    } map = {32, 3, 4096, 0x100000, MAP_BYTES - 4096};
    struct {
        uint32_t argsz, flags;
        uint64_t phys, bytes;
    } unmap = {24, 0, 0x100000, MAP_BYTES - 4096};
    uint8_t *p;

    assert_int_equal(ftruncate(fd, MAP_BYTES), 0);
    assert_int_equal(pwrite(fd, "seen", 4, 4096), 4);
    tell(s, 2, &map, sizeof(map), fd);
    assert_int_equal(answer(s, NULL, 0), 0);
    p = vfu_dma(&s->vfu, 0x100000, 4096, true);
    assert_non_null(p);
    assert_memory_equal(p, "seen", 4);
    assert_null(vfu_dma(&s->vfu, 0x100000, 4097, false));
    assert_null(vfu_dma(&s->vfu, 0xfffff, 2, false));
    assert_null(vfu_dma(&s->vfu, UINT64_MAX, 2, false));
    assert_null(vfu_dma(&s->vfu, 0x100000 + 4096, 1, false));
    tell(s, 3, &unmap, sizeof(unmap), -1);
    assert_int_equal(answer(s, NULL, 0), 0);
    assert_null(vfu_dma(&s->vfu, 0x100000, 1, false));
    map.flags = 1; /* read only */
    tell(s, 2, &map, sizeof(map), fd);
    assert_int_equal(answer(s, NULL, 0), 0);
    assert_null(vfu_dma(&s->vfu, 0x100000, 1, true));
    assert_non_null(vfu_dma(&s->vfu, 0x100000, 1, false));
    map.phys = UINT64_MAX - 10;
    tell(s, 2, &map, sizeof(map), fd);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
    tell(s, 2, &map, sizeof(map), -1); /* not shared: taken, never reachable */
    assert_int_equal(answer(s, NULL, 0), 0);
    assert_int_equal(s->vfu.unmapped, 1);
    close(fd);
}

static void interrupts(void **state)
{
    struct server *s = *state;
    int fd = eventfd(0, EFD_NONBLOCK);
    uint32_t set[5] = {20, 4 | 32, VFU_MSIX, 5, 1}; /* eventfd, trigger; vector 5 */
    uint64_t count = 0;

    assert_false(vfu_signal(&s->vfu, VFU_MSIX, 5));
    tell(s, 8, set, sizeof(set), fd);
    assert_int_equal(answer(s, NULL, 0), 0);
    assert_int_equal(s->changes, 1);
    assert_true(vfu_signal(&s->vfu, VFU_MSIX, 5));
    assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
    assert_int_equal(count, 1);
    assert_false(vfu_signal(&s->vfu, VFU_MSIX, 6));
    assert_false(vfu_signal(&s->vfu, VFU_MSIX, 64));
    set[3] = 60; /* 60 + 10 vectors */
    set[4] = 10;
    tell(s, 8, set, sizeof(set), -1);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
    set[3] = UINT32_MAX;
    tell(s, 8, set, sizeof(set), -1);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
    set[1] = 1 | 16; /* unmask */
    set[2] = VFU_INTX;
    set[3] = 0;
    set[4] = 1;
    tell(s, 8, set, sizeof(set), -1);
    assert_int_equal(answer(s, NULL, 0), 0);
    assert_int_equal(s->unmasks, 1);
    close(fd);
}

static void registers(void **state)
{
    struct server *s = *state;
    struct {
        uint64_t offset;
        uint32_t region, bytes;
        uint8_t data[16];
    } access = {0x10, VFU_BAR0, 4, {1, 2, 3, 4}};
    uint8_t back[24] = {0};

    access.region = VFU_BAR4;
    tell(s, 9, &access, 16, -1);
    assert_int_equal(answer(s, back, 20), 0);
    assert_int_equal(back[16], VFU_BAR4);
    access.region = VFU_BAR0;
    tell(s, 10, &access, 20, -1);
    assert_int_equal(answer(s, NULL, 0), 0);
    assert_int_equal(s->last_offset, 0x10);
    access.bytes = 17; /* says more than it brings */
    tell(s, 10, &access, sizeof(access), -1);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
    access.bytes = 4097;
    tell(s, 9, &access, 16, -1);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
    access.bytes = 4;
    access.region = VFU_REGIONS;
    tell(s, 9, &access, 16, -1);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
    assert_int_equal(s->writes, 1);
}

static void many_writes(void **state)
{
    struct server *s = *state;
    struct {
        uint64_t count;
        struct {
            uint64_t offset;
            uint32_t region, bytes;
            uint8_t data[8];
        } one[3];
    } multi = {3, {{0x18, 0, 4, {1}}, {0x20, 0, 9, {1}}, {0x28, 0, 8, {1}}}};

    tell(s, 15, &multi, sizeof(multi), -1);
    assert_int_equal(answer(s, NULL, 0), 0);
    assert_int_equal(s->writes, 2); /* nine bytes do not fit in eight */
    multi.count = 4;
    tell(s, 15, &multi, sizeof(multi), -1);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
    multi.count = UINT64_MAX;
    tell(s, 15, &multi, sizeof(multi), -1);
    assert_int_equal(answer(s, NULL, 0), EINVAL);
}

/* Each command with each size from nothing to 64 bytes, filled with ones. */
static void short_messages(void **state)
{
    struct server *s = *state;
    uint8_t body[64];

    memset(body, 0xff, sizeof(body));
    for (unsigned command = 0; command < 20; command++) {
        for (uint32_t bytes = 0; bytes <= sizeof(body); bytes += 4) {
            tell(s, command, body, bytes, -1);
            (void)answer(s, NULL, 0);
        }
    }
    assert_int_equal(s->resets, 17);
}

static void garbage_ends_the_client(void **state)
{
    struct server *s = *state;
    struct header header = {1, 1, 3, 0, 0}; /* shorter than itself */

    assert_int_equal(send(s->client, &header, sizeof(header), 0), sizeof(header));
    assert_false(vfu_process(&s->vfu));
    assert_int_equal(s->vfu.fd, -1);
    close(s->client);
    s->client = connect_to(s->path); /* the next one is welcome */
    assert_true(vfu_accept(&s->vfu));
    header.bytes = UINT32_MAX;
    assert_int_equal(send(s->client, &header, sizeof(header), 0), sizeof(header));
    assert_false(vfu_process(&s->vfu));
}

/* A message that arrives byte by byte. */
static void slow_client(void **state)
{
    struct server *s = *state;
    struct header header = {7, 13, sizeof(header), 0, 0};

    for (size_t i = 0; i < sizeof(header); i++) {
        assert_int_equal(s->resets, 0);
        assert_int_equal(send(s->client, (const uint8_t *)&header + i, 1, 0), 1);
        assert_true(vfu_process(&s->vfu));
    }
    assert_int_equal(s->resets, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_comes_and_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(registers, setup, teardown),
        cmocka_unit_test_setup_teardown(many_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(short_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_ends_the_client, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_client, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The back ends of a cable, from their other end. */
#include "wire/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

static void generator_checks(void **state)
{
    char error[128], report[256];
    struct backend *b = backend_open("gen:64,4", mac, error, sizeof(error));
    uint8_t frame[64];
    uint32_t bytes;

    assert_non_null(b);
    for (unsigned i = 0; i < 4; i++) {
        memcpy(frame, b->ops->receive(b, &bytes), sizeof(frame));
        assert_int_equal(bytes, 64);
        frame[0] ^= 4; /* addresses may change */
        if (i == 2)
            frame[50] ^= 1;
        b->ops->transmit(b, frame, bytes);
    }
    b->ops->transmit(b, frame, bytes); /* again: out of order */
    frame[13] = 6;
    b->ops->transmit(b, frame, bytes);
    b->ops->report(b, report, sizeof(report));
    assert_string_equal(report, ",\"corrupt\":1,\"reordered\":1,\"foreign\":1");
    backend_close(b);
    assert_null(backend_open("gen:59", mac, error, sizeof(error)));
    assert_null(backend_open("gen:1515", mac, error, sizeof(error)));
    assert_null(backend_open("gen:64,0", mac, error, sizeof(error)));
    assert_null(backend_open("nothing", mac, error, sizeof(error)));
    (void)state;
}

static void stream_frames(void **state)
{
    char text[96], error[128];
    uint8_t frame[64] = {1, 2, 3}, back[68];
    struct backend *b;
    const uint8_t *got;
    uint32_t bytes;
    int peer;

    snprintf(text, sizeof(text), "stream:stream-%d.sock", (int)getpid());
    b = backend_open(text, mac, error, sizeof(error));
    assert_non_null(b);
    b->ops->transmit(b, frame, 64); /* nobody there */
    assert_int_equal(b->lost, 1);
    peer = connect_to(text + 7);
    b->ops->readable(b);
    assert_int_equal(send(peer, "\0\0\0\x2a", 4, 0), 4);
    b->ops->readable(b);
    assert_null(b->ops->receive(b, &bytes)); /* half of it */
    assert_int_equal(send(peer, frame, 42, 0), 42);
    b->ops->readable(b);
    got = b->ops->receive(b, &bytes);
    assert_non_null(got);
    assert_int_equal(bytes, 60); /* padded */
    assert_memory_equal(got, frame, 42);
    b->ops->transmit(b, frame, 64);
    b->ops->flush(b);
    assert_int_equal(recv(peer, back, sizeof(back), 0), 68);
    assert_memory_equal(back, "\0\0\0\x40\1\2\3", 7);
    assert_int_equal(send(peer, "\xff\0\0\0", 4, 0), 4); /* no frame is that long */
    b->ops->readable(b);
    assert_null(b->ops->receive(b, &bytes));
    assert_int_equal(recv(peer, back, sizeof(back), 0), 0); /* hung up */
    close(peer);
    backend_close(b);
    (void)state;
}

static void pcap_there_and_back(void **state)
{
    char text[128], name[64], error[128];
    uint8_t frame[100] = {9, 8, 7};
    struct backend *b;
    const uint8_t *got;
    uint32_t bytes;

    snprintf(name, sizeof(name), "model-%d.pcap", (int)getpid());
    snprintf(text, sizeof(text), "pcap:,%s", name);
    b = backend_open(text, mac, error, sizeof(error));
    assert_non_null(b);
    assert_null(b->ops->receive(b, &bytes));
    b->ops->transmit(b, frame, 100);
    backend_close(b);
    snprintf(text, sizeof(text), "pcap:%s", name);
    b = backend_open(text, mac, error, sizeof(error));
    assert_non_null(b);
    got = b->ops->receive(b, &bytes);
    assert_int_equal(bytes, 100);
    assert_memory_equal(got, frame, 100);
    assert_null(b->ops->receive(b, &bytes));
    backend_close(b);
    assert_int_equal(truncate(name, 60), 0); /* a record that says more than there is */
    b = backend_open(text, mac, error, sizeof(error));
    assert_null(b->ops->receive(b, &bytes));
    backend_close(b);
    assert_int_equal(truncate(name, 10), 0);
    assert_null(backend_open(text, mac, error, sizeof(error)));
    unlink(name);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_checks),
        cmocka_unit_test(stream_frames),
        cmocka_unit_test(pcap_there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

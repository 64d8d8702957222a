/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream port against a socket that this test listens at, as QEMU does: frames both ways, in
 * pieces and many at once, a far end that does not read, one that goes, one that says nonsense. */
#include "host_port.h"

#include <fcntl.h>
#include <pmd/stream.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_US 10000000

static struct host_port port;
static int far_fd; /* QEMU's */

static void open_stream(uint16_t frame_max_bytes)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct nic *nic = NULL;
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    host_clock_real();
    snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/millrace-stream-%d", getpid());
    unlink(at.sun_path);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(stream_open(at.sun_path, &nic), RT_OK);
    far_fd = accept(listener, NULL, NULL);
    assert_true(far_fd >= 0);
    close(listener);
    unlink(at.sun_path);
    port = (struct host_port){.nic = NULL};
    host_port_start(&port, nic, 0, frame_max_bytes);
}

static void close_stream(void)
{
    host_port_stop(&port);
    assert_int_equal(buf_refusals(), 0);
    close(far_fd);
}

/* A frame as it is in the socket; its bytes there. */
static size_t put_frame(uint8_t *text, uint8_t number, uint32_t bytes)
{
    const be32_t length = be32_put(bytes);

    memcpy(text, &length, sizeof(length));
    memset(text + 4, number, bytes);
    memset(text + 4, 0xff, 6); /* for anybody */
    return 4 + bytes;
}

/* The next frames, until `count` have come; the last byte of each is its number. */
static void expect_frames(uint8_t first, uint32_t count, uint32_t bytes)
{
    const uint64_t end_us = hal_now_us() + WAIT_US;
    struct buf_batch batch = {.count = 0};
    uint32_t got = 0;

    while (got < count) {
        assert_true(hal_now_us() < end_us);
        (void)host_port_receive(&port, &batch);
        for (uint32_t i = 0; i < batch.count; i++, got++) {
            assert_int_equal(batch.buf[i]->pkt_len, bytes);
            assert_int_equal(buf_data(batch.buf[i])[20], (uint8_t)(first + got));
        }
        buf_batch_free(&batch);
    }
}

/* Whole, byte by byte, and as many at once as the socket takes. */
static void run_received(void **state)
{
    static uint8_t text[200 * 1004];
    size_t bytes;

    open_stream(1514);
    bytes = put_frame(text, 1, 100);
    for (size_t i = 0; i < bytes; i++) {
        struct buf_batch none = {.count = 0};

        assert_int_equal(host_port_receive(&port, &none), 0);
        assert_int_equal(send(far_fd, text + i, 1, 0), 1);
    }
    expect_frames(1, 1, 100);
    bytes = 0;
    for (uint32_t i = 0; i < 100; i++)
        bytes += put_frame(text + bytes, (uint8_t)(2 + i), 1000);
    assert_int_equal(send(far_fd, text, bytes, 0), bytes);
    expect_frames(2, 100, 1000);
    close_stream();
}

/* A far end that reads nothing for a while: frames wait in the ring, none is lost. */
static void run_sent(void **state)
{
    const struct timeval patience = {.tv_sec = WAIT_US / 1000000};
    const int small = 4096;
    struct buf_batch none = {.count = 0};
    uint8_t head[4], text[1514];
    uint32_t sent = 0, got = 0;

    open_stream(1514);
    (void)setsockopt(far_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    assert_int_equal(setsockopt(far_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    while (host_port_send(&port, frame_make(port.pool, sent, 1000)))
        assert_in_range(++sent, 1, 100000);
    assert_in_range(sent, HOST_PORT_DESCS / 2, 100000);
    for (; got < sent; got++) {
        assert_int_equal(host_port_receive(&port, &none), 0); /* moves what waits */
        assert_int_equal(recv(far_fd, head, sizeof(head), MSG_WAITALL), sizeof(head));
        assert_int_equal(head[2] << 8 | head[3], 1000);
        (void)host_port_receive(&port, &none);
        assert_int_equal(recv(far_fd, text, 1000, MSG_WAITALL), 1000);
        assert_int_equal(text[14] | text[15] << 8, got);
    }
    nic_poll_stats(port.nic, NIC_STATS_ALL);
    assert_int_equal(port.nic->stats.tx_errors, 0);
    close_stream();
}

/* An armed core sleeps until a frame comes; the far end's going takes the link, and does not wake
 * it again and again. */
static void run_arm_and_end(void **state)
{
    uint8_t text[104];
    const size_t bytes = put_frame(text, 7, 100);
    const uint64_t end_us = hal_now_us() + WAIT_US;
    struct nic_rxq *rxq;
    struct buf_batch none = {.count = 0};
    uint64_t irqs;

    open_stream(1514);
    rxq = port.nic->rxq[0];
    nic_poll_link(port.nic);
    assert_true(port.nic->link.up);
    assert_false(nic_rx_arm(rxq));
    irqs = *rxq->irq.count;
    assert_int_equal(send(far_fd, text, bytes, 0), bytes);
    while (*(volatile uint64_t *)rxq->irq.count == irqs) {
        assert_true(hal_now_us() < end_us);
        hal_wait(end_us);
    }
    nic_rx_disarm(rxq);
    expect_frames(7, 1, 100);
    close(far_fd);
    far_fd = -1;
    (void)host_port_receive(&port, &none);
    nic_poll_link(port.nic);
    assert_false(port.nic->link.up);
    assert_false(nic_rx_arm(rxq));
    irqs = *rxq->irq.count;
    hal_wait(hal_now_us() + 20000);
    assert_in_range(*rxq->irq.count, irqs, irqs + 1);
    assert_true(host_port_send(&port, frame_make(port.pool, 1, 60)));
    nic_poll_stats(port.nic, NIC_STATS_ALL);
    assert_int_equal(port.nic->stats.tx_errors, 1);
    close_stream();
}

/* A length that no frame has: nothing behind it is believed. */
static void run_nonsense(void **state)
{
    struct buf_batch none = {.count = 0};
    uint8_t text[204];

    open_stream(1514);
    memset(text, 0xff, 4);
    (void)put_frame(text + 4, 1, 100);
    assert_int_equal(send(far_fd, text, 108, 0), 108);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(host_port_receive(&port, &none), 0);
    nic_poll_link(port.nic);
    assert_false(port.nic->link.up);
    close_stream();
}

static void run_refused(void **state)
{
    char path[200];
    struct nic *nic = NULL;

    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(stream_open(path, &nic), RT_INVALID);
    assert_int_equal(stream_open("", &nic), RT_INVALID);
    assert_int_equal(stream_open("/nobody/listens", &nic), RT_IO);
    assert_int_equal(nic_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(run_received),    HOST_TEST(run_sent),    HOST_TEST(run_arm_and_end),
        HOST_TEST(run_nonsense),    HOST_TEST(run_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

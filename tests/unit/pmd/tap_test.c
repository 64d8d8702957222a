/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TAP port against Linux, in a namespace of this program's own: what a packet socket on the
 * interface sends arrives at the port and the other way round, Linux's stack answers, an armed
 * queue ends a halt.
 */
#define _GNU_SOURCE /* unshare() */
#include "host_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pmd/tap.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUR_TYPE 0x88b5 /* for experiments: Linux sends frames of its own, too */
#define WAIT_US 10000000

static struct host_port port;
static int raw_fd = -1, ask_fd = -1;
static const char *no_tap; /* why there is none here; NULL: there is */

/* A user's own namespace, in which it may make interfaces, and so may programs that it runs, as
 * its user is root in there. */
static const char *enter_namespace(void)
{
    const unsigned user = getuid();
    FILE *map;

    if (access("/dev/net/tun", R_OK | W_OK) != 0)
        return "/dev/net/tun is not there";
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return "user namespaces are not allowed here";
    map = fopen("/proc/self/uid_map", "w");
    if (map == NULL || fprintf(map, "0 %u 1", user) < 0 || fclose(map) != 0)
        return "the user cannot be root in a namespace of its own";
    return NULL;
}

static void set_flags(bool up)
{
    struct ifreq ask = {.ifr_name = "millrace0"};

    assert_int_equal(ioctl(ask_fd, SIOCGIFFLAGS, &ask), 0);
    ask.ifr_flags = (short)(up ? ask.ifr_flags | IFF_UP : ask.ifr_flags & ~IFF_UP);
    assert_int_equal(ioctl(ask_fd, SIOCSIFFLAGS, &ask), 0);
}

static void open_raw(void)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(OUR_TYPE),
                             .sll_ifindex = (int)if_nametoindex("millrace0")};

    raw_fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(OUR_TYPE));
    assert_true(raw_fd >= 0);
    assert_int_equal(bind(raw_fd, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void open_tap(uint16_t frame_max_bytes)
{
    struct nic *nic = NULL;

    if (no_tap != NULL) {
        printf("skip: %s\n", no_tap);
        skip();
    }
    host_clock_real();
    port = (struct host_port){.nic = NULL};
    assert_int_equal(tap_open("millrace0", &nic), RT_OK);
    ask_fd = socket(AF_INET, SOCK_DGRAM, 0);
    set_flags(true);
    open_raw();
    host_port_start(&port, nic, 0, frame_max_bytes);
}

/* The interface goes with its descriptor, which a port keeps for good: it is renamed away. */
static void close_tap(void)
{
    static unsigned closed;
    struct ifreq ask = {.ifr_name = "millrace0"};

    host_port_stop(&port);
    assert_int_equal(buf_refusals(), 0);
    set_flags(false);
    snprintf(ask.ifr_newname, sizeof(ask.ifr_newname), "old%u", closed++);
    assert_int_equal(ioctl(ask_fd, SIOCSIFNAME, &ask), 0);
    close(raw_fd);
    close(ask_fd);
}

static void set_type(uint8_t *frame)
{
    frame[12] = OUR_TYPE >> 8;
    frame[13] = OUR_TYPE & 0xff;
}

/* The next frame of our type from Linux; the batch has it alone. */
static struct buf *receive(struct buf_batch *batch)
{
    uint64_t end_us = hal_now_us() + WAIT_US;

    while (hal_now_us() < end_us) {
        batch->count = 0;
        if (nic_rx(port.nic->rxq[0], batch, 1) == 0)
            continue;
        if (buf_data(batch->buf[0])[12] == OUR_TYPE >> 8)
            return batch->buf[0];
        buf_batch_free(batch);
    }
    fail_msg("no frame came from Linux");
    return NULL;
}

/* What Linux got; 0: nothing in a second. */
static ssize_t linux_receives(uint8_t *frame, size_t room)
{
    uint64_t end_us = hal_now_us() + 1000000;
    ssize_t n = -1;

    while (n <= 0 && hal_now_us() < end_us)
        n = recv(raw_fd, frame, room, 0);
    return RT_MAX(n, 0);
}

static void run_both_ways(void **state)
{
    open_tap(1514);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t bytes = 60 + i * 7;
        struct buf *frame = frame_make(port.pool, i, bytes);
        struct buf_batch batch;
        uint8_t text[1600];

        set_type(buf_data(frame));
        assert_true(host_port_send(&port, frame));
        assert_int_equal(linux_receives(text, sizeof(text)), bytes);
        text[5]++; /* to somebody: the port is promiscuous */
        assert_int_equal(send(raw_fd, text, bytes, 0), bytes);
        frame = receive(&batch);
        assert_int_equal(frame->pkt_len, bytes);
        assert_memory_equal(buf_data(frame), text, bytes);
        assert_int_equal(frame_number(frame), i);
        buf_batch_free(&batch);
    }
    close_tap();
}

/* Of several buffers, in both directions. */
static void run_long_frames(void **state)
{
    struct ifreq ask = {.ifr_name = "millrace0", .ifr_mtu = 9000};
    static uint8_t text[9014];
    struct buf_batch batch;
    struct buf *frame;

    open_tap(9014);
    assert_int_equal(ioctl(ask_fd, SIOCSIFMTU, &ask), 0);
    frame = frame_make(port.pool, 1, sizeof(text));
    set_type(buf_data(frame));
    assert_true(host_port_send(&port, frame));
    assert_int_equal(linux_receives(text, sizeof(text)), sizeof(text));
    assert_int_equal(send(raw_fd, text, sizeof(text), 0), sizeof(text));
    frame = receive(&batch);
    assert_int_equal(frame->segments, 5);
    set_type(text);
    text[12] = buf_data(frame)[12];
    assert_memory_equal(buf_data(frame), text, BUF_ROOM_BYTES);
    assert_memory_equal(buf_data(frame->next->next), text + 2 * BUF_ROOM_BYTES, BUF_ROOM_BYTES);
    buf_batch_free(&batch);
    close_tap();
}

/* "Who has 10.9.0.1?", and Linux answers to the port's address. */
static void run_linux_answers(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct ifreq ask = {.ifr_name = "millrace0"};
    uint8_t arp[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
                       [28] = 10, 9, 0, 2, [38] = 10, 9, 0, 1};
    uint64_t end_us = hal_now_us() + WAIT_US;
    struct buf_batch batch = {.count = 0};
    bool answered = false;
    struct buf *frame;

    open_tap(1514);
    address.sin_addr.s_addr = htonl(0x0a090001);
    memcpy(&ask.ifr_addr, &address, sizeof(address));
    assert_int_equal(ioctl(ask_fd, SIOCSIFADDR, &ask), 0);
    memcpy(arp + 6, port.nic->mac, 6);
    memcpy(arp + 22, port.nic->mac, 6);
    frame = take(port.pool);
    memcpy(buf_data(frame), arp, sizeof(arp));
    frame->data_len = sizeof(arp);
    frame->pkt_len = sizeof(arp);
    assert_int_equal(nic_set_promiscuous(port.nic, false), RT_OK);
    assert_true(host_port_send(&port, frame));
    while (!answered && hal_now_us() < end_us) {
        for (uint32_t i = nic_rx(port.nic->rxq[0], &batch, 32); i > 0; i--) {
            const uint8_t *got = buf_data(batch.buf[batch.count - i]);

            answered |= memcmp(got, port.nic->mac, 6) == 0 && got[13] == 6 && got[21] == 2;
        }
        buf_batch_free(&batch);
    }
    assert_true(answered);
    close_tap();
}

/* An armed queue's core halts until Linux sends; a polled one gets no interrupt. */
static void run_arm(void **state)
{
    uint8_t text[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    struct buf_batch batch = {.count = 0};
    struct nic_rxq *rxq;
    uint64_t before_us, irqs;

    open_tap(1514);
    rxq = port.nic->rxq[0];
    set_type(text);
    assert_true(rxq->irq_reaches);
    for (uint32_t i = 0; i < 20; i++) {
        while (nic_rx(rxq, &batch, 32) != 0 || nic_rx_arm(rxq))
            buf_batch_free(&batch);
        irqs = *rxq->irq.count;
        before_us = hal_now_us();
        assert_int_equal(send(raw_fd, text, sizeof(text), 0), sizeof(text));
        while (*(volatile uint64_t *)rxq->irq.count == irqs) {
            assert_true(hal_now_us() - before_us < WAIT_US);
            hal_wait(before_us + WAIT_US);
        }
        nic_rx_disarm(rxq);
        (void)receive(&batch);
        buf_batch_free(&batch);
    }
    irqs = *rxq->irq.count;
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(send(raw_fd, text, sizeof(text), 0), sizeof(text));
        (void)receive(&batch);
        buf_batch_free(&batch);
    }
    assert_in_range(*rxq->irq.count, irqs, irqs + 1); /* one may have been under way */
    close_tap();
}

/* Link follows the interface; what is sent while it is down is counted, not kept. */
static void run_link(void **state)
{
    struct buf *frame;

    open_tap(1514);
    nic_poll_link(port.nic);
    assert_true(port.nic->link.up);
    set_flags(false);
    nic_poll_link(port.nic);
    assert_false(port.nic->link.up);
    frame = frame_make(port.pool, 1, 60);
    assert_true(host_port_send(&port, frame));
    nic_poll_stats(port.nic, NIC_STATS_ALL);
    assert_int_equal(port.nic->stats.tx_errors, 1);
    set_flags(true);
    nic_poll_link(port.nic);
    assert_true(port.nic->link.up);
    close_tap();
}

/* Link down for good, and a core that is armed sleeps on. */
static void run_deleted(void **state)
{
    struct nic_rxq *rxq;
    struct buf_batch batch = {.count = 0};
    uint64_t irqs, end_us;

    open_tap(1514);
    rxq = port.nic->rxq[0];
    if (system("ip link del millrace0 2>/dev/null") != 0) {
        printf("skip: no `ip`\n");
        host_port_stop(&port);
        skip();
    }
    nic_poll_link(port.nic);
    assert_false(port.nic->link.up);
    while (nic_rx(rxq, &batch, 32) != 0 || nic_rx_arm(rxq))
        buf_batch_free(&batch);
    irqs = *rxq->irq.count;
    for (end_us = hal_now_us() + 50000; hal_now_us() < end_us;)
        hal_wait(end_us);
    assert_in_range(*rxq->irq.count, irqs, irqs + 1);
    assert_true(host_port_send(&port, frame_make(port.pool, 1, 60)));
    host_port_stop(&port);
    close(raw_fd);
    close(ask_fd);
}

static void run_names(void **state)
{
    struct nic *nic = NULL;

    assert_int_equal(tap_open("", &nic), RT_INVALID);
    assert_int_equal(tap_open("a-name-of-16-byt", &nic), RT_INVALID);
    assert_int_equal(tap_open("tap%d", &nic), RT_INVALID);
    assert_int_equal(tap_open("lo/../x", &nic), RT_IO); /* Linux knows no such names */
    assert_int_equal(nic_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(run_both_ways), HOST_TEST(run_long_frames), HOST_TEST(run_linux_answers),
        HOST_TEST(run_arm),       HOST_TEST(run_link),        HOST_TEST(run_deleted),
        HOST_TEST(run_names),
    };

    no_tap = enter_namespace();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

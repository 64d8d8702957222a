/* SPDX-License-Identifier: BSD-2-Clause */
/* What is ours, of two interfaces: never on a wire, never from one (RFC 1122 3.2.1.3, 3.3.4.2). */
#include "datagrams.h"

#include "wire/ip.h"

#include <string.h>

#define OTHER_IP 10, 0, 0, 1

static void never(void *ctx, struct buf_batch *frames)
{
    assert_int_equal(frames->count, 0);
}

/* A second interface with an address of its own, on which nothing may leave. */
static void start(struct station *s)
{
    const struct net_if_config config = {.mac = {2, 0, 0, 0, 0, 9}, .mtu_bytes = 1500,
                                         .send = never};
    const struct ip_addr addr = ip_addr_v4_of(OTHER_IP);
    uint32_t iface;

    datagrams_start(s, 64);
    assert_int_equal(net_if_add(s->net, &config, &iface), RT_OK);
    assert_int_equal(net_addr_add(s->net, iface, &addr, 24), RT_OK);
}

/* From one address of ours to the other, and the answer back: within a few turns, and inside. */
static void run_inside(void **state)
{
    struct station s;
    struct seen server, client;
    struct udp_way way = {.peer = ip_addr_v4_of(OTHER_IP), .own = ours(), .port = 7};
    struct udp_sock *sock;
    struct buf *b;

    start(&s);
    datagrams_open(&s, &server, 7);
    server.echo = true;
    sock = datagrams_open(&s, &client, OUR_PORT);
    b = filled(&s, 333);
    assert_int_equal(udp_try_send(sock, &way, &b), RT_OK);
    for (uint32_t turns = 0; turns < 4; turns++)
        net_turn(s.net, s.now_us);
    assert_int_equal(server.received, 1);
    assert_memory_equal(&server.way.peer.bytes[12], ((uint8_t[]){OUR_IP}), 4);
    assert_memory_equal(&server.way.own.bytes[12], ((uint8_t[]){OTHER_IP}), 4);
    assert_int_equal(client.received, 1);
    assert_int_equal(client.bytes, 333);
    assert_int_equal(client.data[5], 15);
    assert_memory_equal(&client.way.peer.bytes[12], ((uint8_t[]){OTHER_IP}), 4);
    station_silent(&s);
    assert_int_equal(net_counters(s.net)->arp_out, 0);
    station_stop(&s);
}

/* From the wire with an address of ours as its source, also of the other interface; to the address
 * of the other interface: dropped. */
static void run_outside(void **state)
{
    struct station s;
    struct seen seen;
    struct frame f;

    start(&s);
    datagrams_open(&s, &seen, OUR_PORT);
    for (uint32_t i = 0; i < 3; i++) {
        const uint8_t own[] = {OUR_IP}, other[] = {OTHER_IP};

        frame_udp(&f, ours(), OUR_PORT, 10)->checksum = be16_put(0);
        memcpy(f.data + (i == 2 ? 30 : 26), i == 0 ? own : other, 4);
        frame_ip_sum((struct ipv4_header *)(void *)(f.data + 14));
        station_give(&s, &f, 0);
    }
    assert_int_equal(seen.received, 0);
    assert_int_equal(net_counters(s.net)->ip_in_addr_errors, 3);
    station_silent(&s);
    station_stop(&s);
}

/* More to ourselves than there is room for: refused, as a device would. */
static void run_full(void **state)
{
    struct station s;
    struct seen seen;
    const struct udp_way way = {.peer = ip_addr_v4_of(OTHER_IP), .port = 7};
    struct udp_sock *sock;
    uint32_t sent = 0;

    start(&s);
    sock = datagrams_open(&s, &seen, 7);
    for (; sent < 100; sent++) {
        struct buf *b = pool_take(s.pool);

        if (b == NULL)
            break;
        b->data_len = 1;
        if (udp_try_send(sock, &way, &b) == RT_OK)
            continue;
        buf_free(b);
        break;
    }
    assert_in_range(sent, 60, 64);
    net_turn(s.net, s.now_us);
    assert_int_equal(seen.received, sent);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_inside),
        cmocka_unit_test(run_outside),
        cmocka_unit_test(run_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

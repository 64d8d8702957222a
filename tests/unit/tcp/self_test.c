/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections to our own address, two listeners at one port, and the ports that we choose. */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

static const struct tcp_config config = {.conns = 64, .rx_window = 32768, .tx_room = 65536};
static const struct tcp_listen listen = {.backlog = 8};

static struct tcp_conn *own_end(const struct talk *t, bool passive)
{
    for (uint32_t i = 0; i < config.conns; i++) {
        struct tcp_conn *conn = &t->s.net->tcp->conns[i];

        if (conn->state != TCP_CLOSED && conn->passive == passive)
            return conn;
    }
    return NULL;
}

static struct tcp_conn *connect_to_us(struct talk *t)
{
    const struct ip_addr us = ours();
    struct tcp_conn *conn;

    assert_int_equal(tcp_connect(t->s.net, &us, TALK_PORT, &talk_ops, NULL, &conn), RT_OK);
    talk_wait_ms(t, 10);
    assert_int_equal(told.connected, 1);
    assert_int_equal(told.accepted, 1);
    return conn;
}

/* So many bytes, as fast as there is room. */
static void stream(struct talk *t, struct tcp_conn *conn, uint32_t total)
{
    uint32_t given = 0;

    told.received_bytes = 0;
    for (uint32_t turn = 0; turn < 100000 && told.received_bytes < total; turn++) {
        while (given < total && tcp_room(conn) >= 2000) {
            struct buf *b = pool_take(t->s.pool);
            const uint32_t bytes = RT_MIN(1 + given % 2000, total - given);

            if (b == NULL)
                break;
            for (uint32_t i = 0; i < bytes; i++)
                buf_data(b)[i] = (uint8_t)(1 + given + i);
            b->data_len = (uint16_t)bytes;
            b->pkt_len = bytes;
            given += bytes;
            assert_true(tcp_try_send(conn, &b, 0));
        }
        talk_wait_ms(t, 1);
    }
    assert_int_equal(told.received_bytes, total);
}

/* Data in both directions, nothing on the wire, both ends over at last. */
static void run_stream(void **state)
{
    struct talk t;
    struct tcp_conn *conn;

    talk_start(&t, &config, listen);
    t.checks = true;
    talk_drop_all(&t);
    conn = connect_to_us(&t);
    stream(&t, conn, 300000);
    stream(&t, own_end(&t, true), 100000);
    t.closes = true;
    tcp_close(conn);
    talk_wait_ms(&t, 100);
    assert_int_equal(told.closed, 2);
    assert_int_equal(told.reason, TCP_DONE);
    talk_silent(&t);
    assert_true(POOL_HOSTILE || net_counters(t.s.net)->tcp_retrans_segs == 0);
    talk_stop(&t);
}

/* A buffer of the application's, wider than ours, and a segment size that takes it whole. */
static void run_wide(void **state)
{
    const struct pool_config wide = {.name = "wide", .cores = 1, .count = 1,
                                     .headroom_bytes = 128, .room_bytes = 8000};
    struct talk t;
    struct tcp_conn *conn;
    struct pool *pool;
    struct buf *b;

    talk_start(&t, &config, listen);
    t.checks = true;
    t.s.net->ifs[0].config.mtu_bytes = 9000;
    assert_int_equal(pool_create_config(&wide, &pool), RT_OK);
    conn = connect_to_us(&t);
    b = pool_take(pool);
    b->data_len = 8000;
    b->pkt_len = 8000;
    for (uint32_t i = 0; i < 8000; i++)
        buf_data(b)[i] = (uint8_t)(1 + i);
    assert_true(tcp_try_send(conn, &b, 0));
    talk_wait_ms(&t, 100);
    assert_int_equal(told.received_bytes, 8000);
    assert_int_equal(pool->free, 1);
    talk_stop(&t);
}

/* Nobody listens there: refused at once. Broken off: the other end hears of it. */
static void run_refused(void **state)
{
    const struct ip_addr us = ours();
    struct talk t;
    struct tcp_conn *conn;

    talk_start(&t, &config, listen);
    assert_int_equal(tcp_connect(t.s.net, &us, TALK_PORT + 1, &talk_ops, NULL, &conn), RT_OK);
    talk_wait_ms(&t, 10);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_REFUSED);
    conn = connect_to_us(&t);
    tcp_abort(conn);
    talk_wait_ms(&t, 10);
    assert_int_equal(told.closed, 3);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    talk_stop(&t);
}

/* Nobody talks to itself: the port of a connection to ourselves is never the one it is for. */
static void run_never_itself(void **state)
{
    const struct ip_addr us = ours();
    struct talk t;

    talk_start(&t, &config, listen);
    for (uint32_t i = 0; i < TCP_PORTS; i++)
        assert_int_not_equal(tcp_port_choose(t.s.net, &us, &us, TCP_PORT_FIRST + 5),
                             TCP_PORT_FIRST + 5);
    talk_stop(&t);
}

/* ---- listeners ---- */

static uint32_t one_accepted;

static void on_one_accepted(struct tcp_conn *conn)
{
    one_accepted++;
}

static void on_one_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    tcp_give_back(conn->net, chain_owned);
}

/* One for every address, one for this: the nearer one is asked, and each port is one's own. */
static void run_two_listeners(void **state)
{
    static const struct tcp_ops ops = {.accepted = on_one_accepted, .received = on_one_received};
    const struct ip_addr us = ours(), other = ip_addr_v4_of(192, 0, 2, 77);
    const struct tcp_listen one = {.addr = &us, .port = TALK_PORT, .backlog = 1, .ops = &ops};
    const struct tcp_listen another = {.addr = &other, .port = TALK_PORT, .backlog = 1,
                                       .ops = &ops};
    struct talk t;
    struct tcp_listener *first, *second;

    talk_start(&t, &config, listen);
    one_accepted = 0;
    assert_int_equal(tcp_listen(t.s.net, &one, &first), RT_OK);
    assert_int_equal(tcp_listen(t.s.net, &one, &second), RT_BUSY);
    assert_int_equal(tcp_listen(t.s.net, &another, &second), RT_OK);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    talk_give(&t, A, 1, 1, 0);
    assert_int_equal(one_accepted, 1);
    assert_int_equal(told.accepted, 0);
    tcp_unlisten(first);
    talk_accept(&t, 1001);
    assert_int_equal(told.accepted, 1);
    talk_stop(&t);
}

/* ---- ports (RFC 6056) ---- */

static int by_value(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Towards one peer none comes twice in a round; towards many they show no order. */
static void run_ports(void **state)
{
    enum { COUNT = 2000 };
    static uint16_t ports[COUNT];
    struct talk t;
    const struct ip_addr us = ours(), to = peer();
    uint32_t next = 0, upper = 0;

    talk_start(&t, &config, listen);
    for (uint32_t i = 0; i < COUNT; i++)
        ports[i] = tcp_port_choose(t.s.net, &us, &to, 7);
    qsort(ports, COUNT, sizeof(ports[0]), by_value);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(ports[i] >= TCP_PORT_FIRST);
        assert_true(i == 0 || ports[i] != ports[i - 1]);
    }
    for (uint16_t i = 0; i < COUNT; i++) {
        ports[i] = tcp_port_choose(t.s.net, &us, &to, 1000 + i);
        next += i != 0 && ports[i] == ports[i - 1] + 1;
        upper += ports[i] >= TCP_PORT_FIRST + TCP_PORTS / 2;
    }
    assert_true(next < 5);
    assert_in_range(upper, COUNT * 2 / 5, COUNT * 3 / 5);
    talk_stop(&t);
}

/* A port that is taken, by a connection or a listener, is passed over; when all are, there is
 * none. */
static void run_ports_taken(void **state)
{
    const struct tcp_config many = {.conns = TCP_PORTS + 8, .listeners = 4};
    struct talk t;
    const struct ip_addr us = ours(), to = peer();
    struct tcp_conn *conn = NULL;
    uint8_t *seen = calloc(TCP_PORTS, 1);
    const struct tcp_listen one = {.port = TCP_PORT_FIRST + 3, .backlog = 1, .ops = &talk_ops};
    struct tcp_listener *listener;

    assert_non_null(seen);
    talk_start(&t, &many, listen);
    assert_int_equal(tcp_listen(t.s.net, &one, &listener), RT_OK);
    for (uint32_t i = 0; i < TCP_PORTS - 1; i++) {
        const uint16_t port = tcp_port_choose(t.s.net, &us, &to, 7);

        assert_true(port >= TCP_PORT_FIRST);
        assert_false(seen[port - TCP_PORT_FIRST]++);
        conn = conn_make(t.s.net, &us, port, &to, 7);
        assert_non_null(conn);
        conn->state = TCP_ESTABLISHED;
    }
    assert_false(seen[3]);
    assert_int_equal(tcp_port_choose(t.s.net, &us, &to, 7), 0);
    assert_int_not_equal(tcp_port_choose(t.s.net, &us, &to, 8), 0);
    free(seen);
    for (uint32_t i = 0; i < many.conns; i++) {
        struct tcp_conn *each = &t.s.net->tcp->conns[i];

        if (each->state != TCP_CLOSED)
            conn_end(each, TCP_STOPPED);
    }
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_stream),
        cmocka_unit_test(run_wide),
        cmocka_unit_test(run_refused),
        cmocka_unit_test(run_never_itself),
        cmocka_unit_test(run_two_listeners),
        cmocka_unit_test(run_ports),
        cmocka_unit_test(run_ports_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

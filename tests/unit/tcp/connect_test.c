/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that never stand, and what strangers say to one that does: segment by segment. */
#include "station.h"

#include "state.h"
#include "tcp/conn.h"
#include "wire/tcp.h"

#include <mempool/pool.h>
#include <tcp/tcp.h>

enum { PORT = 80 };

static uint32_t connected, closed, received, empty;
static uint32_t cut; /* where frames of the peer are cut; 0: nowhere */
static enum tcp_reason why;

static void on_connected(struct tcp_conn *conn)
{
    connected++;
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    received += bytes;
    for (const struct buf *b = chain_owned; b != NULL; b = b->next)
        empty += b->data_len == 0;
    tcp_give_back(conn->net, chain_owned);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    closed++;
    why = reason;
}

static const struct tcp_ops ops = {
    .connected = on_connected, .received = on_received, .closed = on_closed};

static void start(struct station *s)
{
    static const struct tcp_config config = {.conns = 1};

    connected = closed = received = empty = cut = 0;
    station_start(s, 64);
    assert_int_equal(tcp_create(s->net, &config), RT_OK);
}

/* Nobody answers for the peer, and for the second SYN nobody either: told once, no timer is left,
 * and the place serves again. */
static void run_unreachable(void **state)
{
    const struct ip_addr nobody = ip_addr_v4_of(192, 0, 2, 99);
    struct station s;
    struct tcp_conn *conn;

    start(&s);
    for (uint32_t round = 1; round <= 3; round++) {
        const uint64_t began_us = s.now_us;

        assert_int_equal(tcp_connect(s.net, &nobody, PORT, &ops, NULL, &conn), RT_OK);
        for (uint32_t i = 0; i < 1000 && closed < round; i++)
            station_advance_us(&s, 100000);
        assert_int_equal(closed, round);
        assert_int_equal(why, TCP_UNREACHABLE);
        assert_in_range(s.now_us - began_us, 2000000, 20000000);
    }
    station_advance_us(&s, 20000000); /* the neighbour is forgotten, too */
    assert_int_equal(net_next_us(s.net), UINT64_MAX);
    station_stop(&s);
}

/* Questions that we had no buffer for were not left unanswered: the connection waits. */
static void run_no_buffers(void **state)
{
    const struct ip_addr to = peer();
    struct buf_batch taken = {.count = 0};
    struct station s;
    struct tcp_conn *conn;

    start(&s);
    while (pool_take_batch(s.pool, &taken, 64 - taken.count) != 0)
        ;
    assert_int_equal(taken.count, 64);
    assert_int_equal(tcp_connect(s.net, &to, PORT, &ops, NULL, &conn), RT_OK);
    station_advance_us(&s, 12000000);
    station_silent(&s);
    assert_int_equal(closed, 0);
    buf_batch_free(&taken);
    station_advance_us(&s, 20000000); /* a SYN comes, then a question */
    assert_non_null(station_next(&s));
    assert_int_equal(closed, 0);
    tcp_abort(conn);
    station_advance_us(&s, 1);
    station_stop(&s);
}

/* A segment of the peer of the one connection, to its port. */
static void give_segment(struct station *s, const struct tcp_conn *conn, uint32_t seq,
                         uint32_t ack, uint16_t flags, uint32_t bytes)
{
    struct tcp_header tcp = {
        .src = be16_put(PORT),
        .dst = be16_put(conn->local_port),
        .seq = be32_put(seq),
        .ack = be32_put(ack),
        .offset_flags = be16_put((uint16_t)(5 << TCP_OFFSET_SHIFT | flags)),
        .window = be16_put(1000),
    };
    uint8_t data[2000] = {0};
    struct frame f;

    frame_ip(&f, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP), 6,
             (uint32_t)sizeof(tcp) + bytes);
    frame_add(&f, &tcp, sizeof(tcp));
    frame_add(&f, data, bytes);
    station_give_flags(s, &f, cut, BUF_RX_L4_GOOD);
}

static struct tcp_conn *establish(struct station *s)
{
    const struct ip_addr to = peer();
    struct tcp_conn *conn;

    station_meet(s, to);
    assert_int_equal(tcp_connect(s->net, &to, PORT, &ops, NULL, &conn), RT_OK);
    station_advance_us(s, 1);
    give_segment(s, conn, 7000, conn->iss + 1, TCP_SYN | TCP_ACK, 0);
    assert_int_equal(connected, 1);
    return conn;
}

/* Of nothing that was sent: not believed (RFC 5961 5). */
static void run_blind_ack(void **state)
{
    struct station s;
    struct tcp_conn *conn;
    struct buf *b;

    start(&s);
    conn = establish(&s);
    b = pool_take(s.pool);
    assert_non_null(b);
    b->data_len = 100;
    b->pkt_len = 100;
    assert_true(tcp_try_send(conn, &b, 0));
    station_advance_us(&s, 1);
    give_segment(&s, conn, 7001, conn->iss + 102, TCP_ACK, 0);
    assert_int_equal(conn->snd_una, conn->iss + 1);
    give_segment(&s, conn, 7001, conn->iss + 101, TCP_ACK, 0);
    assert_int_equal(conn->snd_una, conn->iss + 101);
    tcp_abort(conn);
    station_advance_us(&s, 1);
    assert_int_equal(closed, 1);
    station_stop(&s);
}

/* Cut behind the headers: no buffer without bytes goes up, which nobody could send back. */
static void run_headers_alone(void **state)
{
    struct station s;
    struct tcp_conn *conn;

    start(&s);
    conn = establish(&s);
    cut = 14 + 20 + 20;
    give_segment(&s, conn, 7001, conn->iss + 1, TCP_ACK, 50);
    assert_int_equal(received, 50);
    assert_int_equal(empty, 0);
    tcp_abort(conn);
    station_advance_us(&s, 1);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_unreachable),
        cmocka_unit_test(run_no_buffers),
        cmocka_unit_test(run_blind_ack),
        cmocka_unit_test(run_headers_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

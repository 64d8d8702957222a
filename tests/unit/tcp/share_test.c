/* SPDX-License-Identifier: BSD-2-Clause */
/* Several stacks with one address: what comes in by one of them reaches the one that it is
 * for, and nobody is refused. */
#include "datagrams.h"
#include "stacks.h"

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <string.h>

enum { L3 = 14, L4 = 14 + 20 };

static const struct net_counters *counters(const struct stacks *t, uint32_t number)
{
    return net_counters(t->one[number].net);
}

static uint64_t resets(const struct stacks *t)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < t->count; i++)
        sum += counters(t, i)->tcp_out_rsts;
    return sum;
}

/* Whichever queue segments come by, the connection is where its flow is at home, and is
 * served. */
static void run_segments(void **state)
{
    struct stacks *t = stacks_start_ready(3);
    const struct tcp_header *tcp;
    struct frame f;
    uint32_t iss, by;

    for (uint16_t port = 4000; port < 4009; port++) {
        const uint32_t queue = port % 3, where = stacks_home(t, port, STACKS_PORT);

        stacks_accept(t, queue, port, &iss);
        for (uint32_t i = 0; i < 3; i++) { /* by each queue once */
            frame_tcp_data(&f, port, STACKS_PORT, 1001 + 100 * i, iss + 1 + 100 * i, 100);
            stacks_give(t, i, &f);
            tcp = stacks_hear(t, &by);
            assert_int_equal(by, where);
            assert_int_equal(be32_get(tcp->ack), 1101 + 100 * i);
            stacks_silent(t);
        }
    }
    assert_int_equal(stacks_told.received_bytes, 9 * 300);
    assert_int_equal(resets(t), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(counters(t, i)->tcp_passive_opens, 3);
    frame_tcp(&f, 9, 9, TCP_SYN, 1, 0); /* nobody listens: its home says so, once */
    stacks_give(t, 1, &f);
    tcp = stacks_hear(t, &by);
    assert_int_equal(by, stacks_home(t, 9, 9));
    assert_int_equal(be16_get(tcp->offset_flags) & TCP_FLAGS, TCP_RST | TCP_ACK);
    stacks_silent(t);
    stacks_stop(t);
}

/* Pieces of a segment come by one queue, whatever its ports; what they become goes home. */
static void run_fragments(void **state)
{
    struct stacks *t = stacks_start_ready(2);
    struct frame whole, piece;
    struct ipv4_header *ip;
    uint32_t iss, by;

    stacks_accept(t, 0, 4001, &iss);
    frame_tcp_data(&whole, 4001, STACKS_PORT, 1001, iss + 1, 100);
    for (uint32_t at = 0; at < 120; at += 64) {
        const uint32_t bytes = RT_MIN(64u, 120 - at);

        ip = frame_ip(&piece, peer(), ours(), IP_TCP, bytes);
        ip->id = be16_put(7);
        ip->fragment =
            be16_put((uint16_t)((at + bytes < 120 ? IPV4_MORE_FRAGMENTS : 0) | at / 8));
        frame_ip_sum(ip);
        frame_add(&piece, whole.data + L4 + at, bytes);
        stacks_give(t, 0, &piece);
    }
    assert_int_equal(stacks_told.received_bytes, 100);
    stacks_hear(t, &by);
    assert_int_equal(by, 1);
    assert_int_equal(counters(t, 0)->ip_reasm_oks, 1);
    assert_int_equal(counters(t, 1)->ip_reasm_reqds, 0);
    stacks_stop(t);
}

/* A router's error comes by the queue of the router's address. */
static void give_too_big(struct stacks *t, uint32_t number, const struct frame *quoted,
                         uint16_t mtu_bytes)
{
    struct icmp_header icmp = {.type = ICMP_UNREACHABLE, .code = ICMP_FRAGMENTATION_NEEDED,
                               .sequence = be16_put(mtu_bytes)};
    struct frame f;

    icmp.checksum =
        csum_fold(csum_add(csum_add(0, &icmp, sizeof(icmp)), quoted->data + L3, 28));
    frame_ip(&f, ip_addr_v4_of(FAR_IP), ours(), IP_ICMP, sizeof(icmp) + 28);
    frame_add(&f, &icmp, sizeof(icmp));
    frame_add(&f, quoted->data + L3, 28);
    stacks_give(t, number, &f);
}

static void run_errors(void **state)
{
    struct stacks *t = stacks_start_ready(2);
    const struct frame *answer;
    struct frame f, quoted;
    uint32_t iss, by;

    stacks_accept(t, 0, 4001, &iss);
    frame_tcp_data(&f, 4001, STACKS_PORT, 1001, iss + 1, 1460);
    stacks_give(t, 0, &f);
    answer = stacks_next(t, &by); /* 1460 bytes, sent back and not acknowledged */
    assert_non_null(answer);
    quoted = *answer;
    give_too_big(t, 0, &quoted, 1000);
    assert_int_equal(counters(t, 0)->tcp_mtu_lowered, 0);
    assert_int_equal(counters(t, 1)->tcp_mtu_lowered, 1);
    quoted.data[L4 + 3] ^= 2; /* of no connection, but at home in the other stack: dropped */
    give_too_big(t, 0, &quoted, 900);
    assert_int_equal(counters(t, 1)->tcp_mtu_lowered, 1);
    stacks_stop(t);
}

/* Connections that a stack begins have ports by which the answers come to it. */
static void run_connect(void **state)
{
    const struct ip_addr to = peer();
    struct stacks *t = stacks_start_ready(3);
    const struct tcp_header *tcp;
    struct tcp_conn *conn;
    struct frame f;
    uint32_t by;

    for (uint32_t i = 0; i < 30; i++) {
        const uint16_t port = (uint16_t)(7 + i % 2);

        assert_int_equal(tcp_connect(stacks_on(t, i % 3), &to, port, &stacks_ops, NULL, &conn),
                         RT_OK);
        stacks_turn(t);
        tcp = stacks_hear(t, &by);
        assert_int_equal(by, i % 3);
        assert_int_equal(stacks_home(t, port, be16_get(tcp->src)), i % 3);
        frame_tcp(&f, port, be16_get(tcp->src), TCP_SYN | TCP_ACK, 5000,
                  be32_get(tcp->seq) + 1);
        stacks_give(t, i % 3, &f);
        assert_int_equal(stacks_told.connected, i + 1);
        stacks_hear(t, &by);
    }
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(counters(t, i)->share_out, i == 0 ? counters(t, 0)->share_out : 0);
    stacks_stop(t);
}

/* One stack has a socket: datagrams find it by any queue; where nobody has one, one answers. */
static void run_datagrams(void **state)
{
    struct stacks *t = stacks_start_ready(3);
    struct seen seen = {.net = t->one[2].net};
    const struct udp_open open = {.port = OUR_PORT, .ops = &seen_ops, .ctx = &seen};
    const struct frame *answer;
    struct udp_sock *sock;
    struct frame f;
    uint32_t by;

    assert_int_equal(udp_open(stacks_on(t, 2), &open, &sock), RT_OK);
    frame_udp(&f, ours(), OUR_PORT, 100);
    for (uint32_t i = 0; i < 3; i++) {
        stacks_give(t, i, &f);
        assert_int_equal(seen.received, i + 1);
        assert_int_equal(seen.bytes, 100);
        stacks_silent(t);
    }
    frame_udp(&f, ours(), OUR_PORT + 1, 100);
    for (uint32_t i = 0; i < 3; i++) {
        stacks_give(t, i, &f);
        answer = stacks_next(t, &by);
        assert_non_null(answer);
        assert_int_equal(answer->data[L4], ICMP_UNREACHABLE);
        assert_memory_equal(answer->data + L4 + 8, f.data + L3, 28); /* it quotes the header */
        stacks_silent(t);
    }
    assert_int_equal(seen.received, 3);
    stacks_stop(t);
}

/* Connections between two cores never reach the wire, and both ends are where they are at
 * home. */
static void run_own(void **state)
{
    const struct ip_addr to = ours();
    struct stacks *t = stacks_start_ready(3);
    struct tcp_conn *conn;
    struct buf *b;

    for (uint32_t i = 0; i < 12; i++) {
        struct net *net = stacks_on(t, i % 3);

        assert_int_equal(tcp_connect(net, &to, STACKS_PORT, &stacks_ops, NULL, &conn), RT_OK);
        stacks_turn(t);
        assert_int_equal(stacks_told.connected, i + 1);
        assert_int_equal(stacks_told.accepted, i + 1);
        stacks_on(t, i % 3);
        b = pool_take(t->one[i % 3].pool);
        assert_non_null(b);
        b->data_len = 500;
        b->pkt_len = 500;
        memset(buf_data(b), 7, 500);
        assert_true(tcp_try_send(conn, &b, 0));
        stacks_wait_us(t, 100000);
        assert_int_equal(stacks_told.received_bytes, 1000 * (i + 1)); /* there, and back */
    }
    stacks_silent(t);
    assert_int_equal(resets(t), 0);
    stacks_stop(t);
}

/* A ring that is full is a wire that loses: the SYN comes again. */
static void run_full(void **state)
{
    struct stacks *t = stacks_start_ready(2);
    struct frame f;
    uint32_t iss;

    t->mail_room = 0;
    frame_tcp(&f, 4001, STACKS_PORT, TCP_SYN, 1000, 0);
    stacks_give(t, 0, &f);
    stacks_silent(t);
    assert_int_equal(counters(t, 0)->share_full, 1);
    t->mail_room = STACKS_MAIL;
    stacks_accept(t, 0, 4001, &iss);
    stacks_stop(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_segments),
        cmocka_unit_test(run_fragments),
        cmocka_unit_test(run_errors),
        cmocka_unit_test(run_connect),
        cmocka_unit_test(run_datagrams),
        cmocka_unit_test(run_own),
        cmocka_unit_test(run_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fast path leaves to the steps: frames by another interface, a way that changes, an
 * application that holds more than the window. */
#include "talk.h"

#include "wire/eth.h"

#include <mempool/ext.h>
#include <string.h>

enum { SMALL_WINDOW = 8192, TINY = 8, BEGIN = 1 + TINY };

static void send_by_other(void *ctx, struct buf_batch *frames)
{
    uint32_t *left = ctx;

    for (uint32_t i = 0; i < frames->count; i++)
        for (struct buf *b = frames->buf[i], *next; b != NULL; b = next) {
            next = b->next;
            buf_to_nic(b->owner);
            buf_sent((struct buf_ref){b, b->owner});
        }
    *left += frames->count;
    frames->count = 0;
}

/* A connection with timestamps, by a card that checks and fills in checksums. Its first segment
 * takes the steps: the application has just been told of it. */
static struct tcp_conn *start(struct talk *t, const struct tcp_config *config)
{
    talk_start(t, config, (struct tcp_listen){.backlog = 4});
    t->options.time_on = true;
    talk_give(t, S, 0, 0, 0);
    talk_expect(t, S | A, 0, 1, 0);
    t->s.net->ifs[0].config.tx_ip_checksum = true;
    t->s.net->ifs[0].config.tx_l4_checksum = true;
    talk_give(t, A, 1, 1, 0);
    tcp_set_nodelay(told.conn, true);
    talk_give(t, A, 1, 1, TINY);
    assert_int_equal(told.received_bytes, TINY);
    assert_int_equal(t->s.net->tcp->fast_segs, 0);
    return told.conn;
}

/* Another interface of the same MAC: nothing in a frame says by which of them it came. `left`:
 * frames that leave by it. */
static uint32_t add_interface(struct talk *t, uint8_t last, uint32_t *left)
{
    struct net_if_config config = {.mtu_bytes = 1500, .tx_ip_checksum = true,
                                   .tx_l4_checksum = true, .send = send_by_other, .ctx = left};
    const struct ip_addr addr = ip_addr_v4_of(192, 0, 2, last);
    uint32_t iface;

    memcpy(config.mac, our_mac, 6);
    assert_int_equal(net_if_add(t->s.net, &config, &iface), RT_OK);
    assert_int_equal(net_addr_add(t->s.net, iface, &addr, 29), RT_OK);
    return iface;
}

/* The peer's segment comes in by that interface; its checksums are right, says the card. */
static void give_by(struct talk *t, uint32_t iface, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    t->batch = true;
    talk_give(t, A, seq, ack, bytes);
    t->batch = false;
    t->waiting.buf[0]->flags |= BUF_RX_IP_GOOD;
    net_input(t->s.net, iface, &t->waiting, t->s.now_us);
    net_turn(t->s.net, t->s.now_us);
}

/* The peer asks for an address of ours on that interface, and is known there. */
static void meet_by(struct talk *t, uint32_t iface, uint8_t last)
{
    struct buf_batch batch = {.count = 1};
    struct frame f;
    struct buf *b = pool_take(t->s.pool);

    assert_non_null(b);
    frame_arp(&f, ARP_REQUEST, peer(), ip_addr_v4_of(192, 0, 2, last));
    memcpy(buf_data(b), f.data, f.bytes);
    b->data_len = (uint16_t)f.bytes;
    b->pkt_len = f.bytes;
    batch.buf[0] = b;
    net_input(t->s.net, iface, &batch, t->s.now_us);
    net_turn(t->s.net, t->s.now_us);
}

/* The address is of the first interface: what comes for it by the second is dropped. */
static void run_in_by_another(void **state)
{
    uint32_t other, left = 0;
    struct talk t;

    start(&t, &(struct tcp_config){.conns = 2});
    give_by(&t, 0, BEGIN, 1, 100);
    assert_int_equal(t.s.net->tcp->fast_segs, 1);
    other = add_interface(&t, 201, &left);
    give_by(&t, other, BEGIN + 100, 1, 100);
    assert_int_equal(t.s.net->tcp->fast_segs, 1);
    assert_int_equal(told.received_bytes, TINY + 100);
    assert_int_equal(net_counters(t.s.net)->ip_in_addr_errors, 1);
    give_by(&t, 0, BEGIN + 100, 1, 100);
    assert_int_equal(t.s.net->tcp->fast_segs, 2);
    assert_int_equal(told.received_bytes, TINY + 200);
    talk_stop(&t);
}

/* The peer is nearer by another interface from now on: what waits at the old one is taken back, and
 * the fast path goes on by the new one as soon as the peer is known there. */
static void run_out_by_another(void **state)
{
    uint32_t other, left = 0;
    struct tcp_conn *conn;
    struct talk t;

    conn = start(&t, &(struct tcp_config){.conns = 2});
    talk_send(&t, conn, 100, 100);
    assert_ptr_equal(conn->path.neigh->iface, &t.s.net->ifs[0]);
    t.s.accepts = 0;
    talk_send(&t, conn, 100, 100);
    assert_int_equal(t.s.net->ifs[0].out.count, 1);
    other = add_interface(&t, 5, &left);
    talk_send(&t, conn, 100, 100);
    assert_null(conn->path.neigh);
    assert_ptr_equal(conn->iface, &t.s.net->ifs[other]);
    assert_int_equal(t.s.net->ifs[0].out.count, 0);
    meet_by(&t, other, 5);
    left = 0;
    talk_send(&t, conn, 100, 100);
    assert_int_not_equal(left, 0);
    assert_ptr_equal(conn->path.neigh->iface, &t.s.net->ifs[other]);
    talk_stop(&t);
}

/* Tiny segments, each in a buffer that the application keeps: what it holds beyond the window, in
 * true size, is for the steps, which look whether buffers are few. */
static void run_held_beyond(void **state)
{
    const struct tcp_config config = {.conns = 2, .rx_window = SMALL_WINDOW};
    struct tcp_conn *conn;
    struct talk t;
    uint32_t i = 0;

    conn = start(&t, &config);
    t.keeps = true;
    for (; i < 100 && conn->held_bytes <= SMALL_WINDOW; i++)
        give_by(&t, 0, BEGIN + i * TINY, 1, TINY);
    assert_in_range(i, 2, 99);
    assert_int_equal(t.s.net->tcp->fast_segs, i);
    give_by(&t, 0, BEGIN + i * TINY, 1, TINY);
    assert_int_equal(t.s.net->tcp->fast_segs, i);
    assert_int_equal(told.received_bytes, (i + 2) * TINY);
    talk_give_back(&t);
    give_by(&t, 0, BEGIN + (i + 1) * TINY, 1, TINY);
    assert_int_equal(t.s.net->tcp->fast_segs, i + 1);
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_in_by_another),
        cmocka_unit_test(run_out_by_another),
        cmocka_unit_test(run_held_beyond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

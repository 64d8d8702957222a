/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers that must be cut before they can be sent: wide ones, those of a frame that the device has
 * not taken yet, and what a link that carries less from now on cannot take whole. */
#include "dialog.h"

#include "state.h"

#include <mempool/pool.h>

#define WINDOW 60000

static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7); /* as dialog.c wants it */
}

/* The peer takes what is next, until it has `end`; each segment is of `most` bytes at most. */
static void take_all(struct dialog *t, uint32_t end, uint32_t most)
{
    uint32_t next = 1;
    struct said said;

    for (uint32_t i = 0; i < 1000 && next < end; i++) {
        while (dialog_next(t, &said)) {
            assert_true(said.bytes <= most);
            if (said.seq <= next && said.seq + said.bytes > next)
                next = said.seq + said.bytes;
        }
        dialog_ack(t, next, WINDOW, NULL);
        dialog_wait_us(t, 1000);
    }
    assert_int_equal(next, end);
}

static void give_wide(struct dialog *t, struct buf *b, uint32_t bytes)
{
    b->data_off = 0;
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    for (uint32_t i = 0; i < bytes; i++)
        buf_data(b)[i] = byte_at(t->given + i);
    t->given += bytes;
    assert_true(tcp_try_send(t->conn, &b, 0));
    dialog_wait_us(t, 0);
}

/* Headroom and room full of data, and a peer that takes 64 bytes at a time: what is cut off is
 * more than the room of the buffer that takes it. */
static void run_full_buffer(void **state)
{
    const uint32_t bytes = BUF_HEADROOM_BYTES + BUF_ROOM_BYTES;
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 64, .window = WINDOW, .time = true});
    give_wide(&t, pool_take(t.s.pool), bytes);
    take_all(&t, bytes + 1, 52);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    dialog_stop(&t);
}

/* A pool of the application's own, with rooms of many segments. */
static void run_wide_buffer(void **state)
{
    const struct pool_config config = {.name = "wide", .cores = 1, .count = 4,
                                       .headroom_bytes = 128, .room_bytes = 40000};
    struct dialog t;
    struct pool *pool;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    assert_int_equal(pool_create_config(&config, &pool), RT_OK);
    give_wide(&t, pool_take(pool), 40000);
    take_all(&t, 40001, 1460);
    assert_int_equal(pool->free, pool->total);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    dialog_stop(&t);
}

/* A frame waits for its device, headers and all, when its data must be cut: not before it has
 * left. */
static void run_waits(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    tcp_set_nodelay(t.conn, true);
    t.s.accepts = 0;
    dialog_send(&t, 2000, 1000, 0);
    pmtu_too_big(t.conn, 700);
    dialog_wait_us(&t, 200);
    dialog_silent(&t);
    t.s.accepts = UINT32_MAX;
    dialog_wait_us(&t, 0);
    dialog_expect(&t, 1, 1000);
    dialog_expect(&t, 1001, 1000);
    take_all(&t, 2001, 660);
    dialog_stop(&t);
}

static void nothing_leaves(void *ctx, struct buf_batch *frames)
{
}

/* A frame waits for its device, and its peer is reached by another interface from now on (a lease,
 * or a router, says so): when its data is acknowledged it must not be there any more. */
static void run_other_way(void **state)
{
    const struct net_if_config config = {.mac = {2, 0, 0, 0, 0, 9}, .mtu_bytes = 1500,
                                         .send = nothing_leaves};
    const struct ip_addr nearer = ip_addr_v4_of(192, 0, 2, 5);
    struct dialog t;
    uint32_t iface;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    tcp_set_nodelay(t.conn, true);
    t.s.accepts = 0;
    dialog_send(&t, 2000, 1000, 0);
    assert_int_equal(t.s.net->ifs[0].out.count, 2);
    assert_int_equal(net_if_add(t.s.net, &config, &iface), RT_OK);
    assert_int_equal(net_addr_add(t.s.net, iface, &nearer, 29), RT_OK);
    dialog_send(&t, 1000, 1000, 0);
    assert_ptr_equal(t.conn->iface, &t.s.net->ifs[iface]);
    dialog_ack(&t, 2001, WINDOW, NULL);
    assert_int_equal(pool_count_owner(t.s.pool, BUF_KEPT), 1);
    t.s.accepts = UINT32_MAX;
    station_advance_us(&t.s, 1000);
    dialog_silent(&t);
    assert_int_equal(buf_refusals(), 0);
    dialog_stop(&t);
}

/* A lease says so, or a router: what was agreed on is too long now. */
static void run_link_carries_less(void **state)
{
    struct dialog t;
    struct net_setup setup;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW, .time = true});
    net_setup_get(t.s.net, 0, &setup);
    setup.mtu_bytes = 1000;
    assert_int_equal(net_setup_apply(t.s.net, 0, &setup), RT_OK);
    dialog_send(&t, 10000, 2000, 0);
    take_all(&t, 10001, 948);
    setup.mtu_bytes = 300;
    assert_int_equal(net_setup_apply(t.s.net, 0, &setup), RT_OK);
    dialog_send(&t, 1000, 2000, 0);
    dialog_wait_us(&t, 1000000);
    assert_int_equal(t.conn->mss, 248);
    dialog_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_full_buffer), cmocka_unit_test(run_wide_buffer),
        cmocka_unit_test(run_waits),       cmocka_unit_test(run_other_way),
        cmocka_unit_test(run_link_carries_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

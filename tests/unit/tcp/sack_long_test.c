/* SPDX-License-Identifier: BSD-2-Clause */
/* SACK and a queue of 4 MB: holes of a byte everywhere cost nothing (CVE-2019-11477, "SACK
 * panic"), half of all segments lost are sent again once each, and a peer of tiny segments does not
 * make us hold buffers without end. */
#include "dialog.h"

#include "tcp/sendq.h"

#include <mempool/pool.h>
#include <string.h>

enum {
    SEGMENT = 1460,
    SEGMENTS = POOL_HOSTILE ? 60 : 2872, /* 4 MB */
    BUFFERS = 3200,
    SCALE = 7,
    WINDOW = 60000,
    BLOCKS = 4,
    TINY_ROOM = POOL_HOSTILE ? 16384 : 128 * 1024,
    TINY_BUFS = TINY_ROOM / BUF_ROOM_BYTES * 8,
};

/* All of it is on its way. */
static void start(struct dialog *t)
{
    dialog_start(t, &(struct dialog_how){.window = WINDOW, .scale = SCALE, .sack = true,
                                         .buffers = BUFFERS,
                                         .config = {.tx_room = 4u << 20}});
    dialog_ack(t, 1, WINDOW, NULL); /* that of the SYN is not scaled */
    t->conn->cc.cwnd = 8u << 20;
    t->conn->cc.sent_us = (uint32_t)t->s.now_us; /* no pause: it is not too old */
    dialog_send(t, SEGMENTS * SEGMENT, SEGMENT, 0);
    assert_int_equal(t->conn->snd_nxt - t->our_iss, 1 + SEGMENTS * SEGMENT);
    t->s.seen = t->s.sent;
}

/* Blocks of a byte at every second byte of a segment, at every segment. */
static void run_every_byte(void **state)
{
    struct dialog t;
    uint32_t free;

    start(&t);
    free = t.s.pool->free;
    for (uint32_t i = 0; i < SEGMENTS * 2; i++) {
        uint32_t blocks[2 * BLOCKS + 1] = {0};

        for (uint32_t k = 0; k < BLOCKS; k++) {
            blocks[2 * k] = 2 + i / 2 * SEGMENT + (i % 2 * BLOCKS + k) * 2;
            blocks[2 * k + 1] = blocks[2 * k] + 1;
        }
        dialog_ack(&t, 1, WINDOW, blocks);
        t.s.seen = t.s.sent;
    }
    assert_int_equal(t.conn->recovery.sacked_bytes, 0);
    assert_int_equal(t.conn->queue.bufs, SEGMENTS);
    assert_int_equal(t.s.pool->free, free);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    dialog_stop(&t);
}

/* ---- a peer that got every second segment ---- */
static bool has[SEGMENTS];

static uint32_t next_hole(uint32_t from)
{
    while (from < SEGMENTS && has[from])
        from++;
    return from;
}

/* An ACK: what came last, in front of the blocks before it. */
static void acknowledge(struct dialog *t, uint32_t last, uint32_t una)
{
    uint32_t blocks[2 * BLOCKS + 1] = {0}, count = 0;

    for (uint32_t at = last; count < BLOCKS && at > una && at < SEGMENTS; count++) {
        uint32_t first = at, end = at;

        while (first > una && has[first - 1])
            first--;
        while (end < SEGMENTS && has[end])
            end++;
        blocks[2 * count] = 1 + first * SEGMENT;
        blocks[2 * count + 1] = 1 + end * SEGMENT;
        for (at = first - 1; at > una && !has[at]; at--)
            continue;
    }
    dialog_ack(t, 1 + una * SEGMENT, WINDOW, blocks[0] != 0 ? blocks : NULL);
}

/* What was sent again arrives. */
static void take_repeated(struct dialog *t, uint32_t *una)
{
    uint32_t came[256], count = 0;
    struct said said;

    while (dialog_next(t, &said)) {
        assert_int_equal((said.seq - 1) % SEGMENT, 0);
        assert_int_equal(said.bytes, SEGMENT);
        came[count++] = (said.seq - 1) / SEGMENT;
    }
    for (uint32_t i = 0; i < count; i++) {
        has[came[i]] = true;
        *una = next_hole(*una);
        acknowledge(t, came[i], *una);
    }
}

static void run_every_second(void **state)
{
    const uint32_t lost = SEGMENTS / 2;
    struct dialog t;
    uint32_t una = 0;

    start(&t);
    memset(has, 0, sizeof(has));
    dialog_wait_us(&t, 10000); /* half a round trip there, half back */
    for (uint32_t i = 1; i < SEGMENTS; i += 2) {
        has[i] = true;
        acknowledge(&t, i, una);
        if (i % 16 == 1)
            take_repeated(&t, &una);
    }
    for (uint32_t i = 0; i < 5000 && una < SEGMENTS; i++) {
        dialog_wait_us(&t, 1000);
        take_repeated(&t, &una);
    }
    assert_int_equal(una, SEGMENTS);
    assert_int_equal(t.conn->snd_una, t.conn->snd_nxt);
    assert_int_equal(dialog_counters(&t)->tcp_time_outs, 0);
    assert_in_range(dialog_counters(&t)->tcp_retrans_segs, lost, lost + lost / 50);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    dialog_stop(&t);
}

/* Segments of 64 bytes: each takes a buffer, and those are bounded. */
static void run_tiny(void **state)
{
    struct dialog t;
    struct said said;
    uint32_t next = 1;

    dialog_start(&t, &(struct dialog_how){.mss = 64, .window = WINDOW, .scale = SCALE, .sack = true,
                                         .buffers = BUFFERS,
                                         .config = {.tx_room = TINY_ROOM}});
    dialog_ack(&t, 1, WINDOW, NULL);
    t.conn->cc.cwnd = 8u << 20;
    t.conn->cc.sent_us = (uint32_t)t.s.now_us;
    dialog_send(&t, TINY_ROOM, BUF_ROOM_BYTES, 0);
    for (uint32_t i = 0; i < 3000 && next <= TINY_ROOM; i++) {
        assert_true(t.conn->queue.bufs <= TINY_BUFS);
        while (t.s.sent - t.s.seen > STATION_FRAMES)
            t.s.seen++; /* too many to look at: they were next in order, too */
        while (dialog_next(&t, &said))
            next = RT_MAX(next, said.seq + said.bytes);
        dialog_ack(&t, next, WINDOW, NULL);
        dialog_wait_us(&t, 1000);
    }
    assert_int_equal(next, TINY_ROOM + 1);
    assert_int_equal(dialog_counters(&t)->tcp_time_outs, 0);
    dialog_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_every_byte),
        cmocka_unit_test(run_every_second),
        cmocka_unit_test(run_tiny),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

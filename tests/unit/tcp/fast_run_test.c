/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments of several buffers, or behind a header buffer, are the same frames to the last bit by
 * the way that is known (fast_run.c) and by the steps. */
#include "pinned_value.h"

#include "state.h"
#include "tcp/fast_run.h"

#include <mempool/pool.h>
#include <string.h>

enum { FRAMES = 32, FRAME_BYTES = 1600, FIRST_BYTES = 100, VALUE_BYTES = 8000 };

static struct seen {
    uint32_t count;
    uint32_t bytes[FRAMES], flags[FRAMES], segments[FRAMES];
    uint8_t data[FRAMES][FRAME_BYTES];
} fast, steps, *seen;

/* The card: notes what it is given, and what it is asked to do. */
static void note(void *ctx, struct buf_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct buf *frame = batch->buf[i];
        struct buf *next;

        assert_true(seen->count < FRAMES);
        seen->flags[seen->count] = frame->flags | (uint32_t)frame->l2_bytes << 8 | frame->l3_bytes;
        seen->segments[seen->count] = frame->segments;
        for (struct buf *b = batch->buf[i]; b != NULL; b = next) {
            next = b->next;
            assert_true(seen->bytes[seen->count] + b->data_len <= FRAME_BYTES);
            memcpy(seen->data[seen->count] + seen->bytes[seen->count], buf_start(b), b->data_len);
            seen->bytes[seen->count] += b->data_len;
            buf_to_nic(b->owner);
            buf_sent((struct buf_ref){b, b->owner});
        }
        seen->count++;
    }
    batch->count = 0;
}

static struct buf *made(struct dialog *t, uint32_t from, uint32_t bytes, uint16_t data_off)
{
    struct buf *b = pool_take(t->s.pool);

    assert_non_null(b);
    b->data_off = data_off;
    for (uint32_t i = 0; i < bytes; i++)
        buf_data(b)[i] = value_byte(from + i);
    b->data_len = (uint16_t)bytes;
    return b;
}

/* A turn with this chain; then all of it is acknowledged. */
static void leave(struct dialog *t, struct buf *chain, uint32_t end_seq, bool by_steps)
{
    assert_true(tcp_try_send(t->conn, &chain, 0));
    if (by_steps)
        t->conn->predict = 0;
    else if (end_seq > FIRST_BYTES + 1) /* from the second one on the connection is as usual */
        assert_true(fast_run_possible(t->conn));
    dialog_wait_us(t, 0);
    dialog_ack(t, end_seq, VALUE_WINDOW, NULL);
    t->peer_time_ms++;
    dialog_wait_us(t, 1000);
}

static void play(struct seen *to, bool by_steps)
{
    struct dialog t;
    struct buf *chain;

    *to = (struct seen){.count = 0};
    seen = to;
    value_begin(&t, (struct dialog_how){.time = true, .our_iss = 4711}, VALUE_BYTES);
    t.s.net->ifs[0].config.tx_ip_checksum = t.s.net->ifs[0].config.tx_l4_checksum = true;
    t.s.net->ifs[0].config.send = note;
    leave(&t, made(&t, 0, FIRST_BYTES, BUF_HEADROOM_BYTES), FIRST_BYTES + 1, by_steps);
    leave(&t, value_name(100, 900), 1001, by_steps);
    chain = made(&t, 1000, 40, BUF_HEADROOM_BYTES);
    chain->next = value_name(1040, 5000);
    leave(&t, chain, 6041, by_steps);
    leave(&t, made(&t, 6040, 1000, 0), 7041, by_steps);
    chain = made(&t, 7040, 10, BUF_HEADROOM_BYTES);
    chain->next = made(&t, 7050, 20, BUF_HEADROOM_BYTES);
    chain->next->next = value_name(7070, 30);
    leave(&t, chain, 7101, by_steps);
    buf_pin_put(&value.pin);
    value_end(&t);
}

static void run_same_frames(void **state)
{
    play(&fast, false);
    play(&steps, true);
    assert_int_equal(fast.count, steps.count);
    assert_true(fast.count >= 8);
    for (uint32_t i = 0; i < fast.count; i++) {
        assert_int_equal(fast.flags[i], steps.flags[i]);
        assert_int_equal(fast.segments[i], steps.segments[i]);
        assert_int_equal(fast.bytes[i], steps.bytes[i]);
        assert_memory_equal(fast.data[i], steps.data[i], fast.bytes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_same_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

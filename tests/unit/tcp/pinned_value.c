/* SPDX-License-Identifier: BSD-2-Clause */
#include "pinned_value.h"

#include <mempool/pool.h>
#include <stdlib.h>

uint8_t value_byte(uint32_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7); /* as dialog.c wants it */
}

struct value value;
struct pool *value_headers;

static void release(struct buf_pin *pin)
{
    struct value *v = RT_CONTAINER_OF(pin, struct value, pin);

    v->released++;
    free(v->bytes);
    v->bytes = NULL;
}

void value_begin(struct dialog *t, struct dialog_how how, uint32_t bytes)
{
    const struct pool_config config = {.name = "headers", .cores = 1, .count = VALUE_HEADERS};

    how.window = VALUE_WINDOW;
    dialog_start(t, &how);
    tcp_set_nodelay(t->conn, true);
    assert_int_equal(pool_create_config(&config, &value_headers), RT_OK);
    value = (struct value){.bytes = malloc(bytes)};
    assert_non_null(value.bytes);
    for (uint32_t i = 0; i < bytes; i++)
        value.bytes[i] = value_byte(i);
    buf_pin_init(&value.pin, release);
}

struct buf *value_name(uint32_t from, uint32_t bytes)
{
    struct buf *b = buf_ext_take(value_headers, &value.pin, value.bytes + from, bytes);

    assert_non_null(b);
    return b;
}

void value_send(struct dialog *t, uint32_t from, uint32_t bytes)
{
    struct buf *b = value_name(from, bytes);

    assert_true(tcp_try_send(t->conn, &b, 0));
    assert_null(b);
    buf_pin_put(&value.pin);
    dialog_wait_us(t, 0);
}

void value_end(struct dialog *t)
{
    dialog_device_done(t);
    t->device_holds = false;
    if (t->closed == 0)
        tcp_abort(t->conn);
    dialog_wait_us(t, 1);
    assert_int_equal(value.released, 1);
    assert_int_equal(value_headers->free, value_headers->total);
    dialog_stop(t);
}

void value_take_all(struct dialog *t, uint32_t end_seq, uint32_t most)
{
    uint32_t next = dialog_una(t);
    struct said said;

    for (uint32_t i = 0; i < 1000 && next < end_seq; i++) {
        while (dialog_next(t, &said)) {
            assert_true(said.bytes <= most);
            if (said.seq <= next && said.seq + said.bytes > next)
                next = said.seq + said.bytes;
        }
        dialog_ack(t, next, VALUE_WINDOW, NULL);
        dialog_wait_us(t, 1000);
    }
    assert_int_equal(next, end_seq);
}

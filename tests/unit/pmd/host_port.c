/* SPDX-License-Identifier: BSD-2-Clause */
#include "host_port.h"

#include "nic_driver.h"

#include <string.h>

#define NUMBER_AT 14
#define POOL_BUFS 1024

int host_set_up(void **state)
{
    nic_ports_forget();
    host_irq_reset();
    return set_up(state);
}

int host_tear_down(void **state)
{
    nic_ports_forget();
    return tear_down(state);
}

void host_port_start(struct host_port *port, struct nic *nic, unsigned core,
                     uint16_t frame_max_bytes)
{
    const struct nic_config config = {.rxqs = 1, .txqs = 1, .rx_descs = HOST_PORT_DESCS,
                                      .tx_descs = HOST_PORT_DESCS,
                                      .frame_max_bytes = frame_max_bytes, .promiscuous = true};

    if (port->pool == NULL)
        port->pool = make(nic->name, core, POOL_BUFS);
    port->nic = nic;
    port->core = core;
    assert_int_equal(nic_configure(nic, &config), RT_OK);
    assert_int_equal(nic_rxq_setup(nic, 0, core, port->pool), RT_OK);
    assert_int_equal(nic_txq_setup(nic, 0, core, port->pool), RT_OK);
    assert_int_equal(nic_start(nic), RT_OK);
}

void host_port_stop(struct host_port *port)
{
    host_set_core(0);
    nic_stop(port->nic);
    host_set_core(port->core);
    (void)pool_collect(port->pool);
    host_set_core(0);
    assert_int_equal(port->pool->free, port->pool->total);
}

uint32_t host_port_receive(struct host_port *port, struct buf_batch *out)
{
    uint32_t n;

    host_set_core(port->core);
    n = nic_rx(port->nic->rxq[0], out, BUF_BATCH_MAX - out->count);
    host_set_core(0);
    return n;
}

bool host_port_send(struct host_port *port, struct buf *frame_owned)
{
    struct buf_batch batch = {.count = 1, .buf = {frame_owned}};
    bool took;

    host_set_core(port->core);
    nic_tx(port->nic->txq[0], &batch);
    took = batch.count == 0;
    buf_batch_free(&batch);
    host_set_core(0);
    return took;
}

static uint8_t byte_of(uint32_t number, uint32_t at)
{
    if (at < 6)
        return 0xff; /* for anybody */
    if (at >= NUMBER_AT && at < NUMBER_AT + 4)
        return (uint8_t)(number >> (8 * (at - NUMBER_AT)));
    return (uint8_t)(at * 7 + number * 13 + (at >> 8));
}

static struct buf *segment(struct pool *pool, uint32_t number, uint32_t from, uint32_t bytes)
{
    struct buf *b = take(pool);

    if (b == NULL)
        return NULL;
    b->data_len = (uint16_t)bytes;
    for (uint32_t i = 0; i < bytes; i++)
        buf_data(b)[i] = byte_of(number, from + i);
    return b;
}

struct buf *frame_make(struct pool *pool, uint32_t number, uint32_t bytes)
{
    struct buf *first = NULL, **end = &first;

    assert_true(bytes >= FRAME_BYTES_MIN);
    for (uint32_t done = 0; done < bytes; done += BUF_ROOM_BYTES) {
        uint32_t part = RT_MIN(bytes - done, (uint32_t)BUF_ROOM_BYTES);

        *end = segment(pool, number, done, part);
        if (*end == NULL) {
            buf_free(first);
            return NULL;
        }
        end = &(*end)->next;
    }
    first->pkt_len = bytes;
    first->segments = (uint8_t)((bytes + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES);
    return first;
}

void frame_check(const struct buf *frame, uint32_t number, uint32_t bytes)
{
    const uint32_t padded = RT_MAX(bytes, 60u);
    const struct buf *s = frame;
    uint32_t at = 0;

    assert_int_equal(frame->pkt_len, padded);
    assert_int_equal(frame->segments, (padded + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES);
    for (uint32_t left = frame->segments; left > 0; left--, s = s->next) {
        assert_non_null(s);
        for (uint32_t i = 0; i < s->data_len; i++, at++)
            assert_int_equal(buf_data(s)[i], at < bytes ? byte_of(number, at) : 0);
    }
    assert_null(s);
    assert_int_equal(at, padded);
}

uint32_t frame_number(const struct buf *frame)
{
    const uint8_t *at = buf_data(frame) + NUMBER_AT;

    assert_true(frame->data_len >= NUMBER_AT + 4);
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

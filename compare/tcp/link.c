/* SPDX-License-Identifier: BSD-2-Clause */
/* The link: both ends' drivers, and the copy between their pools that DMA makes. */
#include "bench.h"

#include <mempool/ext.h>
#include <mempool/take.h>
#include <rt/assert.h>
#include <string.h>

#define LINK_L4_GOOD (1u << 5) /* the one of the two bits of BUF_RX_L4_GOOD that ixgbe sets */

void link_init(struct wire *wire, uint32_t bufs, uint32_t report_every)
{
    *wire = (struct wire){.count = 1, .report_every = report_every};
    while (wire->count < bufs)
        wire->count *= 2;
    wire->slots = hal_alloc(wire->count * sizeof(*wire->slots), RT_CACHE_LINE, "wire");
    RT_ASSERT(wire->slots != NULL);
    RT_ASSERT(RT_IS_POW2(report_every));
}

static void reclaim(struct wire *wire, uint32_t end)
{
    for (; wire->clean != end; wire->clean++)
        buf_sent(wire->slots[wire->clean & (wire->count - 1)].ref);
}

static void put(struct wire *wire, struct buf *b)
{
    RT_ASSERT(buf_is_mine(b->owner));
    wire->slots[wire->put & (wire->count - 1)] = (struct wire_slot){
        .ref = {b, b->owner}, .data = buf_start(b), .bytes = b->data_len, .last = b->next == NULL};
    buf_to_nic(b->owner);
    wire->put++;
    RT_ASSERT_LE(wire->put - wire->clean, wire->count);
}

void link_send(void *ctx, struct buf_batch *frames)
{
    struct wire *wire = ((struct bench_side *)ctx)->out;

    reclaim(wire, wire->clean + RT_ALIGN_DOWN(wire->got - wire->clean, wire->report_every));
    for (uint32_t i = 0; i < frames->count; i++)
        for (struct buf *b = frames->buf[i], *next; b != NULL; b = next) {
            next = b->next;
            put(wire, b);
        }
    wire->frames += frames->count;
    frames->count = 0;
}

/* One frame into a buffer, as a card writes it and a driver finds it. */
static void receive_one(struct wire *wire, struct buf *b)
{
    const struct wire_slot *slot;
    uint32_t bytes = 0;

    do {
        slot = &wire->slots[wire->got++ & (wire->count - 1)];
        RT_ASSERT_LE(slot->bytes, BUF_ROOM_BYTES - bytes);
        memcpy(buf_data(b) + bytes, slot->data, slot->bytes);
        bytes += slot->bytes;
    } while (!slot->last); /* a frame's slots were put together */
    b->flags = BUF_RX_IP_GOOD | LINK_L4_GOOD;
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    wire->bytes += bytes;
}

void link_receive(struct bench_side *side, struct buf_batch *batch)
{
    struct wire *wire = side->in;

    batch->count = 0;
    while (batch->count < BENCH_BATCH && wire->got != wire->put) {
        struct buf *b = pool_take_inline(side->rx);

        RT_ASSERT(b != NULL);
        receive_one(wire, b);
        batch->buf[batch->count++] = b;
    }
}

void link_close(struct wire *wire)
{
    reclaim(wire, wire->put);
    wire->got = wire->put;
}

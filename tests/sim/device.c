/* SPDX-License-Identifier: BSD-2-Clause */
/* A device of the test's own: what it was given to send is on the line at once, and its own for
 * a while longer. It takes few frames at a time, if the seed says so. */
#include "sim.h"

#include <mempool/ext.h>
#include <string.h>

enum { HELD_MAX = 1024 };

struct held_frame {
    uint64_t due_us, sum; /* what it looked like when the device got it */
    struct buf_ref refs[BUF_BATCH_MAX];
    uint32_t ref_count;
    uint32_t lengths[BUF_BATCH_MAX];
    const uint8_t *data[BUF_BATCH_MAX];
};

struct device {
    struct side *side;
    uint32_t hold_us, takes_max; /* frames it takes at once */
    struct held_frame held[HELD_MAX];
    uint32_t held_count;
};

static struct device devices[2]; /* of each side */

typedef uint64_t loose_word __attribute__((may_alias, aligned(1)));

/* All bytes of a frame, where they lie. A card reads them also when nobody else may any more. */
__attribute__((no_sanitize("address"))) static uint64_t sum_of(const struct held_frame *h)
{
    uint64_t sum = 14695981039346656037u;

    for (uint32_t i = 0; i < h->ref_count; i++) {
        uint32_t j = 0;

        for (; j + 8 <= h->lengths[i]; j += 8)
            sum = (sum ^ *(const loose_word *)(h->data[i] + j)) * 1099511628211u;
        for (; j < h->lengths[i]; j++)
            sum = (sum ^ h->data[i][j]) * 1099511628211u;
    }
    return sum;
}

static void copy_out(struct sim *sim, unsigned to, const struct held_frame *h)
{
    uint8_t data[SIM_FRAME_BYTES];
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < h->ref_count; i++) {
        RT_ASSERT_LE(h->lengths[i], SIM_FRAME_BYTES - bytes);
        memcpy(data + bytes, h->data[i], h->lengths[i]);
        bytes += h->lengths[i];
    }
    line_put(sim, to, data, bytes);
}

/* As a driver: every segment is the device's until it was sent. */
static void take_frame(struct device *d, struct buf *frame)
{
    struct held_frame *h = &d->held[d->held_count++];
    struct sim *sim = d->side->sim;
    struct buf *next;

    RT_ASSERT_LE(d->held_count, (uint32_t)HELD_MAX);
    *h = (struct held_frame){.due_us = sim->now_us};
    if (d->hold_us != 0)
        h->due_us += sim_random(sim, d->hold_us);
    for (struct buf *b = frame; b != NULL; b = next) {
        next = b->next;
        if (!buf_is_mine(b->owner))
            sim_fail(sim, "side %u sends a buffer that is not its own: %s", d->side->number,
                     buf_owner_name(*b->owner));
        h->lengths[h->ref_count] = buf_bytes(b);
        h->data[h->ref_count] = buf_start(b); /* while its byte says where */
        buf_to_nic(b->owner);
        h->refs[h->ref_count++] = (struct buf_ref){b, b->owner};
    }
    h->sum = sum_of(h);
    copy_out(sim, !d->side->number, h);
}

static void send(void *ctx, struct buf_batch *batch)
{
    struct device *d = ctx;
    uint32_t taken = 0;

    while (taken < batch->count && taken < d->takes_max && d->held_count < HELD_MAX)
        take_frame(d, batch->buf[taken++]);
    batch->count -= taken;
    memmove(batch->buf, batch->buf + taken, batch->count * sizeof(batch->buf[0]));
}

/* What was sent comes back; nobody may have written to it meanwhile. */
static void give_back(struct device *d, bool all)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < d->held_count; i++) {
        const struct held_frame *h = &d->held[i];

        if (!all && h->due_us > d->side->sim->now_us) {
            if (kept != i)
                d->held[kept] = *h;
            kept++;
            continue;
        }
        if (sum_of(h) != h->sum)
            sim_fail(d->side->sim, "side %u: bytes changed while the device had them",
                     d->side->number);
        for (uint32_t j = 0; j < h->ref_count; j++)
            buf_sent(h->refs[j]);
    }
    d->held_count = kept;
}

/* Frames that are due come in, as far as there are buffers; a card drops the others. */
static void receive(struct side *s)
{
    struct buf_batch batch = {.count = 0};
    struct flying f;

    while (batch.count < BUF_BATCH_MAX && line_take(s->sim, s->number, &f)) {
        struct buf *b = pool_take(s->pool);

        if (b == NULL)
            continue;
        watch_arrived(s->sim, !s->number, f.data, f.bytes);
        memcpy(buf_data(b), f.data, f.bytes);
        b->data_len = (uint16_t)f.bytes;
        b->pkt_len = f.bytes;
        batch.buf[batch.count++] = b;
    }
    if (batch.count != 0)
        net_input(s->net, 0, &batch, s->sim->now_us);
}

uint32_t device_buffers(void)
{
    return 0;
}

/* They are always there, */
void devices_begin(struct sim *sim)
{
}

void device_start(struct side *side, struct net_if_config *config)
{
    struct device *d = &devices[side->number];

    d->side = side;
    d->held_count = 0;
    d->hold_us = sim_random(side->sim, 3) != 0 ? sim_random(side->sim, 10000) : 0;
    d->takes_max = sim_random(side->sim, 3) != 0 ? BUF_BATCH_MAX : 1 + sim_random(side->sim, 4);
    config->send = send;
    config->ctx = d;
}

void device_turn(struct side *side)
{
    give_back(&devices[side->number], false);
    receive(side);
}

uint64_t device_next_us(const struct side *side)
{
    const struct device *d = &devices[side->number];
    uint64_t next_us = UINT64_MAX;

    for (uint32_t i = 0; i < d->held_count; i++)
        next_us = RT_MIN(next_us, d->held[i].due_us);
    return next_us;
}

void device_stop(struct side *side)
{
    give_back(&devices[side->number], true);
}

/* and stay. */
void devices_end(const struct sim *sim)
{
}

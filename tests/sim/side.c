/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <mempool/ext.h>
#include <string.h>

enum { BUFFERS_MIN = 40, BUFFERS_MAX = 160 };

struct ip_addr side_addr(unsigned number)
{
    return ip_addr_v4_of(192, 0, 2, (uint8_t)(1 + number));
}

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
static void take_frame(struct side *s, struct buf *frame)
{
    struct held_frame *h = &s->held[s->held_count++];
    struct buf *next;

    RT_ASSERT_LE(s->held_count, (uint32_t)SIM_HELD_MAX);
    *h = (struct held_frame){.frame = frame};
    h->due_us = s->sim->now_us + (s->hold_us != 0 ? sim_random(s->sim, s->hold_us) : 0);
    for (struct buf *b = frame; b != NULL; b = next) {
        next = b->next;
        if (!buf_is_mine(b->owner))
            sim_fail(s->sim, "side %u sends a buffer that is not its own: %s", s->number,
                     buf_owner_name(*b->owner));
        buf_to_nic(b->owner);
        h->lengths[h->ref_count] = buf_bytes(b);
        h->data[h->ref_count] = buf_start(b);
        h->refs[h->ref_count++] = (struct buf_ref){b, b->owner};
    }
    h->sum = sum_of(h);
    copy_out(s->sim, !s->number, h);
}

static void device_send(void *ctx, struct buf_batch *batch)
{
    struct side *s = ctx;
    uint32_t taken = 0;

    while (taken < batch->count && taken < s->takes_max && s->held_count < SIM_HELD_MAX)
        take_frame(s, batch->buf[taken++]);
    batch->count -= taken;
    memmove(batch->buf, batch->buf + taken, batch->count * sizeof(batch->buf[0]));
}

/* What was sent comes back; nobody may have written to it meanwhile. */
static void device_return(struct side *s, bool all)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->held_count; i++) {
        const struct held_frame *h = &s->held[i];

        if (!all && h->due_us > s->sim->now_us) {
            if (kept != i)
                s->held[kept] = *h;
            kept++;
            continue;
        }
        if (sum_of(h) != h->sum)
            sim_fail(s->sim, "side %u: bytes changed while the device had them", s->number);
        for (uint32_t j = 0; j < h->ref_count; j++)
            buf_sent(h->refs[j]);
    }
    s->held_count = kept;
}

void side_drain(struct side *side)
{
    device_return(side, true);
}

static void expect(struct sim *sim, enum rt_status status, const char *what)
{
    if (status != RT_OK)
        sim_fail(sim, "%s", what);
}

void side_start(struct side *s, struct sim *sim, unsigned number)
{
    const struct net_if_config iface = {
        .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + number)},
        .mtu_bytes = (uint16_t)(sim_random(sim, 4) == 0 ? 576 + sim_random(sim, 900) : 1500),
        .send = device_send,
        .ctx = s,
    };
    const struct tcp_config tcp = {
        .conns = SIM_PAIRS_MAX * 2,
        .rx_window = 3000 + sim_random(sim, sim_random(sim, 2) != 0 ? 10000 : 300000),
        .tx_room = 4096 + sim_random(sim, 60000),
    };
    const uint32_t buffers = BUFFERS_MIN + sim_random(sim, BUFFERS_MAX - BUFFERS_MIN);
    const struct ip_addr addr = side_addr(number);
    struct net_config config = {.neighs = 8, .key = "key of one side"};
    uint32_t index;

    s->sim = sim;
    s->number = number;
    s->held_count = 0;
    memset(s->generation, 0, sizeof(s->generation));
    s->hold_us = sim_random(sim, 3) != 0 ? sim_random(sim, 10000) : 0;
    s->takes_max = sim_random(sim, 3) != 0 ? BUF_BATCH_MAX : 1 + sim_random(sim, 4);
    expect(sim, pool_create("side", 0, 1, buffers, &s->pool), "no pool");
    config.pool = s->pool;
    config.key[0] = (uint8_t)sim_random(sim, 256);
    config.key[15] = (uint8_t)number;
    expect(sim, net_create(&config, sim->now_us, &s->net), "no stack");
    expect(sim, net_if_add(s->net, &iface, &index), "no interface");
    expect(sim, net_addr_add(s->net, 0, &addr, 24), "no address");
    expect(sim, tcp_create(s->net, &tcp), "no TCP");
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

void side_turn(struct side *side)
{
    device_return(side, false);
    receive(side);
    net_turn(side->net, side->sim->now_us);
}

uint64_t side_next_us(const struct side *side)
{
    uint64_t next_us = net_next_us(side->net);

    for (uint32_t i = 0; i < side->held_count; i++)
        next_us = RT_MIN(next_us, side->held[i].due_us);
    return next_us;
}

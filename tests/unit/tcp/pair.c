/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair.h"

#include "cutter.h"

#include <mempool/ext.h>
#include <rt/host.h>
#include <stdlib.h>
#include <string.h>

#define FLYING_MAX 4096
#define FRAME_BYTES 1600
#define CARD_L4_GOOD (1u << 5) /* one of the bits of BUF_RX_L4_GOOD, as a card says it */

struct flying {
    uint64_t due_us;
    uint32_t bytes;
    uint8_t data[FRAME_BYTES];
};

/* A buffer that the device has sent and not given back yet. */
struct held {
    uint64_t due_us;
    struct buf_ref ref;
    const uint8_t *outside; /* of a header: its bytes, which the device still reads at the end */
    uint32_t bytes, sum;
};

struct side {
    struct pair *pair;
    struct net *net;
    struct pool *pool;
    struct flying *flying; /* towards it, in no order */
    uint32_t flying_count;
    struct held held[FLYING_MAX];
    uint32_t held_count;
};

uint32_t pair_random(struct pair *p, uint32_t below)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (uint32_t)(p->random >> 16) % below;
}

/* A packet on the wire. */
static void fly(void *ctx, const uint8_t *data, uint32_t bytes)
{
    struct side *to = ctx;
    struct pair *p = to->pair;
    struct flying *f = &to->flying[to->flying_count];

    if (pair_random(p, 1000) < p->rules.loss || to->flying_count == FLYING_MAX) {
        p->lost++;
        return;
    }
    f->due_us = p->now_us + p->rules.delay_us;
    if (pair_random(p, 1000) < p->rules.reorder) {
        f->due_us += 1 + pair_random(p, 1 + 4 * p->rules.delay_us);
        p->reordered++;
    }
    assert_true(bytes <= FRAME_BYTES);
    memcpy(f->data, data, bytes);
    f->bytes = bytes;
    to->flying_count++;
    p->carried++;
}

static uint32_t sum_of(const struct held *h)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; h->outside != NULL && i < h->bytes; i++)
        sum = sum * 31 + h->outside[i];
    return sum;
}

static void carry(struct side *to, const struct buf *frame)
{
    cutter_cut(frame, fly, to);
}

/* The device takes a frame as the drivers do, and keeps its buffers for a while. */
static void device_take(struct side *s, struct buf *frame)
{
    struct buf *next;

    for (struct buf *b = frame; b != NULL; b = next) {
        struct held *h = &s->held[s->held_count++];

        next = b->next;
        assert_true(buf_is_mine(b->owner));
        assert_true(s->held_count <= FLYING_MAX);
        *h = (struct held){.due_us = s->pair->now_us + s->pair->rules.hold_us,
                           .ref = {b, b->owner},
                           .outside = *b->owner == BUF_EXT ? buf_start(b) : NULL,
                           .bytes = b->data_len};
        h->sum = sum_of(h);
        buf_to_nic(b->owner);
    }
}

static void device_return(struct side *s, bool all)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->held_count; i++) {
        if (!all && s->held[i].due_us > s->pair->now_us) {
            s->held[kept++] = s->held[i];
            continue;
        }
        assert_int_equal(sum_of(&s->held[i]), s->held[i].sum);
        buf_sent(s->held[i].ref);
    }
    s->held_count = kept;
}

static void device_send(void *ctx, struct buf_batch *batch)
{
    struct side *s = ctx;
    struct side *to = s->pair->side[s == s->pair->side[0]];

    for (uint32_t i = 0; i < batch->count; i++) {
        assert_true(s->pair->rules.bufs == 0 || batch->buf[i]->segments <= s->pair->rules.bufs);
        carry(to, batch->buf[i]);
        if (pair_random(s->pair, 1000) < s->pair->rules.repeat) {
            s->pair->repeated++;
            carry(to, batch->buf[i]);
        }
        s->pair->frames++;
        device_take(s, batch->buf[i]);
    }
    batch->count = 0;
}

struct ip_addr pair_addr(unsigned side)
{
    return ip_addr_v4_of(192, 0, 2, (uint8_t)(1 + side));
}

static struct side *side_make(struct pair *p, unsigned number, uint32_t buffers,
                              const struct tcp_config *tcp)
{
    struct side *s = calloc(1, sizeof(*s));
    const struct net_if_config iface = {
        .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + number)}, .mtu_bytes = 1500,
        .tx_ip_checksum = p->rules.cards, .tx_l4_checksum = p->rules.cards,
        .tx_tso = p->rules.tso, .tx_bufs = p->rules.bufs,
        .send = device_send, .ctx = s};
    const struct ip_addr addr = pair_addr(number);
    uint32_t index;
    struct net_config config = {.key = "side of a pair"};

    assert_non_null(s);
    s->pair = p;
    s->flying = calloc(FLYING_MAX, sizeof(*s->flying));
    assert_non_null(s->flying);
    assert_int_equal(pool_create("side", 0, 1, buffers, &s->pool), RT_OK);
    config.pool = s->pool;
    config.key[15] = (uint8_t)number;
    assert_int_equal(net_create(&config, p->now_us, &s->net), RT_OK);
    assert_int_equal(net_if_add(s->net, &iface, &index), RT_OK);
    assert_int_equal(net_addr_add(s->net, 0, &addr, 24), RT_OK);
    assert_int_equal(tcp_create(s->net, tcp), RT_OK);
    return s;
}

void pair_start(struct pair *p, uint32_t buffers, const struct tcp_config *tcp,
                struct wire_rules rules, uint64_t seed)
{
    host_memory_reset();
    host_clock_virtual(1000000);
    host_set_core_count(1);
    *p = (struct pair){.now_us = 1000000, .random = seed * 2 + 1, .rules = rules};
    for (unsigned i = 0; i < 2; i++)
        p->side[i] = side_make(p, i, buffers, tcp);
}

void pair_stop(struct pair *p)
{
    for (unsigned i = 0; i < 2; i++) {
        net_close(p->side[i]->net);
        device_return(p->side[i], true);
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct pool *pool = p->side[i]->pool;

        if (pool->free != pool->total)
            pool_report();
        assert_int_equal(pool->free, pool->total);
        free(p->side[i]->flying);
        free(p->side[i]);
    }
    assert_int_equal(buf_refusals(), 0);
    pool_forget_all();
    host_memory_reset();
}

struct net *pair_net(const struct pair *p, unsigned side)
{
    return p->side[side]->net;
}

struct pool *pair_pool(const struct pair *p, unsigned side)
{
    return p->side[side]->pool;
}

static int by_due(const void *a, const void *b)
{
    const struct flying *x = a, *y = b;

    return x->due_us < y->due_us ? -1 : x->due_us > y->due_us;
}

/* Frames that are due come in, as far as there are buffers; the NIC drops the others. */
static void receive(struct side *s)
{
    struct buf_batch batch = {.count = 0};
    uint32_t kept = 0;

    qsort(s->flying, s->flying_count, sizeof(*s->flying), by_due);
    for (uint32_t i = 0; i < s->flying_count; i++) {
        const struct flying *f = &s->flying[i];
        struct buf *b;

        if (f->due_us > s->pair->now_us || batch.count == BUF_BATCH_MAX) {
            s->flying[kept++] = *f;
            continue;
        }
        b = pool_take(s->pool);
        if (b == NULL)
            continue;
        memcpy(buf_data(b), f->data, f->bytes);
        b->data_len = (uint16_t)f->bytes;
        b->pkt_len = f->bytes;
        if (s->pair->rules.cards)
            b->flags = BUF_RX_IP_GOOD | CARD_L4_GOOD;
        batch.buf[batch.count++] = b;
    }
    s->flying_count = kept;
    net_input(s->net, 0, &batch, s->pair->now_us);
}

static uint64_t next_us(const struct side *s)
{
    uint64_t next = net_next_us(s->net);

    for (uint32_t i = 0; i < s->flying_count; i++)
        next = RT_MIN(next, s->flying[i].due_us);
    for (uint32_t i = 0; i < s->held_count; i++)
        next = RT_MIN(next, s->held[i].due_us);
    return next;
}

bool pair_run(struct pair *p, uint64_t us, bool (*done)(void *ctx), void *ctx)
{
    const uint64_t end_us = p->now_us + us;

    for (uint64_t turns = 0; turns < 100000000; turns++) {
        uint64_t next;

        for (unsigned i = 0; i < 2; i++) {
            device_return(p->side[i], false);
            receive(p->side[i]);
            net_turn(p->side[i]->net, p->now_us);
        }
        if (done != NULL && done(ctx))
            return true;
        next = RT_MIN(next_us(p->side[0]), next_us(p->side[1]));
        if (next > end_us) {
            p->now_us = end_us;
            return false;
        }
        p->now_us = RT_MAX(p->now_us, next);
    }
    fail_msg("%s", "no end");
    return false;
}

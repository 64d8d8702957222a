/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CUBIC (RFC 9438): the window grows by the time since the last loss, along a cubic that is flat
 * where the loss was, and never slower than NewReno would. Whole numbers: bytes, milliseconds;
 * C = 0.4 segments a cubed second, beta = 0.7.
 */
#include "cc.h"

enum {
    EPOCH_MS_MAX = 100000, /* keeps the cube inside of 64 bits */
    BETA_TENTHS = 7,
};

/* The largest number whose cube is not above. */
static uint32_t cube_root(uint64_t value)
{
    uint32_t root = 0;

    for (uint32_t bit = 1u << 20; bit != 0; bit >>= 1) {
        const uint64_t tried = root + bit;

        if (tried * tried * tried <= value)
            root += bit;
    }
    return root;
}

/* C * t^3, in bytes. */
static uint64_t cube_bytes(uint64_t t_ms, uint32_t mss)
{
    return t_ms * t_ms * t_ms / 10000 * 4 * mss / 1000000;
}

/* W_cubic(t), 4.2 (1). */
static uint32_t window_at(const struct tcp_cubic *c, uint64_t t_ms, uint32_t mss)
{
    uint64_t grown;

    if (t_ms < c->k_ms) {
        grown = cube_bytes(c->k_ms - t_ms, mss);
        return grown < c->max ? c->max - (uint32_t)grown : 0;
    }
    grown = cube_bytes(t_ms - c->k_ms, mss) + c->max;
    return (uint32_t)RT_MIN(grown, (uint64_t)UINT32_MAX / 2);
}

static void begin(struct tcp_cc *cc, const struct cc_ack *ack)
{
    struct tcp_cubic *c = &cc->cubic;

    c->epoch_us = ack->now_us;
    c->estimate = cc->cwnd;
    c->counted = 0;
    c->k_ms = 0;
    if (cc->cwnd >= c->max)
        c->max = cc->cwnd;
    else /* 4.2 (2): K = cbrt((W_max - cwnd) / C) */
        c->k_ms = cube_root((uint64_t)(c->max - cc->cwnd) * 2500000 / ack->mss * 1000);
}

/* What NewReno with this beta would have (4.3): alpha = 3 (1 - beta) / (1 + beta) = 9 / 17, and 1
 * from where the last loss was. */
static void grow_estimate(struct tcp_cc *cc, const struct cc_ack *ack)
{
    struct tcp_cubic *c = &cc->cubic;
    const uint32_t step = c->estimate >= c->prior ? ack->mss : ack->mss * 9 / 17;

    c->counted += RT_MIN(ack->bytes, cc->cwnd);
    if (c->counted < cc->cwnd)
        return;
    c->counted -= cc->cwnd;
    c->estimate += step;
}

static void cubic_avoid(struct tcp_cc *cc, const struct cc_ack *ack)
{
    struct tcp_cubic *c = &cc->cubic;
    uint64_t t_ms;
    uint32_t target;

    if (c->epoch_us == 0)
        begin(cc, ack);
    t_ms = RT_MIN((ack->now_us - c->epoch_us) / 1000, (uint64_t)EPOCH_MS_MAX);
    grow_estimate(cc, ack);
    if (window_at(c, t_ms, ack->mss) < c->estimate) {
        cc->cwnd = RT_MAX(cc->cwnd, c->estimate);
        return;
    }
    /* 4.4, 4.5: towards where it should be a round trip from now, at most by half */
    target = window_at(c, t_ms + ack->srtt_us / 1000, ack->mss);
    target = RT_MIN(RT_MAX(target, cc->cwnd), cc->cwnd + cc->cwnd / 2);
    cc->cwnd += (uint32_t)((uint64_t)(target - cc->cwnd) * RT_MIN(ack->bytes, cc->cwnd) /
                           cc->cwnd);
}

static uint32_t cubic_reduced(struct tcp_cc *cc, uint32_t mss, uint32_t flight)
{
    struct tcp_cubic *c = &cc->cubic;
    const uint32_t window = RT_MAX(RT_MIN(cc->cwnd, flight), mss); /* 4.6: what was in use */

    c->prior = window;
    /* 4.7: less than last time: somebody else needs room */
    c->max = window < c->max ? (uint32_t)((uint64_t)window * 17 / 20) : window;
    c->epoch_us = 0;
    return (uint32_t)((uint64_t)window * BETA_TENTHS / 10);
}

const struct cc_ops cc_cubic = {.avoid = cubic_avoid, .reduced = cubic_reduced};

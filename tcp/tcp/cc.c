/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc.h"

#include <rt/assert.h>
#include <tcp/tcp.h>

enum { SEGMENTS_FIRST = 10, CWND_MAX = 1 << 30 };

static const struct cc_ops *const kinds[] = {
    [TCP_NEWRENO] = &cc_newreno,
    [TCP_CUBIC] = &cc_cubic,
};

/* RFC 6928 2 */
static uint32_t first_window(uint32_t mss)
{
    return RT_MIN(SEGMENTS_FIRST * mss, RT_MAX(2 * mss, 14600u));
}

void cc_init(struct tcp_cc *cc, uint32_t mss, uint32_t kind)
{
    RT_ASSERT_LT(kind, (uint32_t)RT_ARRAY_SIZE(kinds));
    *cc = (struct tcp_cc){
        .cwnd = first_window(mss),
        .ssthresh = CWND_MAX,
        .kind = (uint8_t)kind,
    };
}

void cc_acked(struct tcp_cc *cc, const struct cc_ack *ack)
{
    if (!ack->limited || cc->cwnd >= CWND_MAX)
        return;
    if (cc->cwnd < cc->ssthresh)
        cc->cwnd += RT_MIN(ack->bytes, ack->most);
    else
        kinds[cc->kind]->avoid(cc, ack);
}

void cc_lost(struct tcp_cc *cc, uint32_t mss, uint32_t flight)
{
    const uint32_t reduced = kinds[cc->kind]->reduced(cc, mss, flight); /* once: it remembers */

    cc->ssthresh = RT_MAX(reduced, 2 * mss);
    cc->counted = 0;
}

void cc_timed_out(struct tcp_cc *cc, uint32_t mss, uint32_t flight)
{
    cc_lost(cc, mss, flight);
    cc->cwnd = mss;
}

void cc_keep(struct tcp_cc *cc)
{
    cc->cubic.undo_max = cc->cubic.max;
}

void cc_undo(struct tcp_cc *cc, uint32_t cwnd, uint32_t ssthresh)
{
    cc->cwnd = RT_MAX(cc->cwnd, cwnd);
    cc->ssthresh = RT_MAX(cc->ssthresh, ssthresh);
    cc->cubic.max = cc->cubic.undo_max; /* RFC 9438 4.9 */
    cc->cubic.epoch_us = 0;
}

void cc_idle(struct tcp_cc *cc, uint32_t mss)
{
    cc->cwnd = RT_MIN(cc->cwnd, first_window(mss));
    cc->cubic.epoch_us = 0;
}

/* ---- NewReno ---- */

static void newreno_avoid(struct tcp_cc *cc, const struct cc_ack *ack)
{
    cc->counted += ack->bytes;
    if (cc->counted < cc->cwnd)
        return;
    cc->counted -= cc->cwnd; /* RFC 3465 2.1: a segment a window */
    cc->counted = RT_MIN(cc->counted, cc->cwnd);
    cc->cwnd += ack->mss;
}

static uint32_t newreno_reduced(struct tcp_cc *cc, uint32_t mss, uint32_t flight)
{
    return RT_MAX(flight / 2, 2 * mss); /* RFC 5681 (4) */
}

const struct cc_ops cc_newreno = {.avoid = newreno_avoid, .reduced = newreno_reduced};

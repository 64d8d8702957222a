/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc.h"

enum { SEGMENTS_FIRST = 10, CWND_MAX = 1 << 30 };

void cc_init(struct tcp_cc *cc, uint32_t mss)
{
    /* RFC 6928 2 */
    *cc = (struct tcp_cc){
        .cwnd = RT_MIN(SEGMENTS_FIRST * mss, RT_MAX(2 * mss, 14600u)),
        .ssthresh = CWND_MAX,
    };
}

void cc_acked(struct tcp_cc *cc, uint32_t mss, uint32_t bytes, bool limited)
{
    cc->duplicates = 0;
    if (!limited || cc->cwnd >= CWND_MAX)
        return; /* RFC 7661 1.1: what was not used says nothing */
    if (cc->cwnd < cc->ssthresh) {
        cc->cwnd += RT_MIN(bytes, 2 * mss); /* RFC 3465 2.2, L = 2 */
        return;
    }
    cc->counted += bytes;
    if (cc->counted >= cc->cwnd) { /* RFC 3465 2.1 */
        cc->counted -= cc->cwnd;
        cc->cwnd += mss;
    }
}

static uint32_t half(uint32_t flight, uint32_t mss)
{
    return RT_MAX(flight / 2, 2 * mss); /* RFC 5681 (4) */
}

void cc_lost(struct tcp_cc *cc, uint32_t mss, uint32_t flight, uint32_t recover)
{
    cc->ssthresh = half(flight, mss);
    cc->cwnd = cc->ssthresh + CC_DUPLICATES * mss;
    cc->recovering = true;
    cc->recover = recover;
    cc->counted = 0;
}

void cc_duplicate(struct tcp_cc *cc, uint32_t mss)
{
    if (cc->cwnd < CWND_MAX)
        cc->cwnd += mss;
}

/* RFC 6582 3.2, 5: deflated by what was acknowledged, and one segment more. */
void cc_partial(struct tcp_cc *cc, uint32_t mss, uint32_t bytes)
{
    cc->cwnd = cc->cwnd > bytes ? cc->cwnd - bytes : 0;
    cc->cwnd = RT_MAX(cc->cwnd + (bytes >= mss ? mss : 0), mss);
}

void cc_recovered(struct tcp_cc *cc, uint32_t mss, uint32_t flight)
{
    cc->cwnd = RT_MIN(cc->ssthresh, RT_MAX(flight, mss) + mss);
    cc->recovering = false;
    cc->duplicates = 0;
}

void cc_timed_out(struct tcp_cc *cc, uint32_t mss, uint32_t flight)
{
    cc->ssthresh = half(flight, mss);
    cc->cwnd = mss;
    cc->recovering = false;
    cc->duplicates = 0;
    cc->counted = 0;
}

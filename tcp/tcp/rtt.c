/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtt.h"

enum { BACKOFF_MAX = 16 };

void rtt_init(struct tcp_rtt *rtt, uint32_t rto_min_us, uint32_t step_us)
{
    *rtt = (struct tcp_rtt){
        .rto_us = RTT_RTO_FIRST_US,
        .min_us = UINT32_MAX,
        .rto_min_us = rto_min_us != 0 ? rto_min_us : RTT_RTO_MIN_US,
        .step_us = RT_MAX(step_us, 1u),
    };
}

/* RFC 6298 2.2, 2.3: alpha 1/8, beta 1/4, K 4. */
void rtt_sample(struct tcp_rtt *rtt, uint32_t us)
{
    const uint32_t sample = RT_MIN(RT_MAX(us, 1u), RTT_RTO_MAX_US);
    uint32_t rto;

    if (rtt->srtt_us == 0) {
        rtt->srtt_us = sample;
        rtt->rttvar_us = sample / 2;
    } else {
        const uint32_t off = sample > rtt->srtt_us ? sample - rtt->srtt_us
                                                   : rtt->srtt_us - sample;

        rtt->rttvar_us = rtt->rttvar_us - rtt->rttvar_us / 4 + off / 4;
        rtt->srtt_us = RT_MAX(rtt->srtt_us - rtt->srtt_us / 8 + sample / 8, 1u);
    }
    rtt->min_us = RT_MIN(rtt->min_us, sample);
    /* The minimum comes on top of the round trip: a peer may keep its ACK for as long. */
    rto = rtt->srtt_us +
          RT_MAX(4 * rtt->rttvar_us, RT_MAX(rtt->step_us, rtt->rto_min_us));
    rtt->rto_us = RT_MIN(rto, RTT_RTO_MAX_US);
    rtt->backoff = 0;
}

void rtt_syn_lost(struct tcp_rtt *rtt)
{
    rtt->rto_us = RTT_RTO_SYN_LOST_US;
    rtt->backoff = 0;
}

void rtt_back_off(struct tcp_rtt *rtt)
{
    if (rtt->backoff < BACKOFF_MAX)
        rtt->backoff++;
}

uint32_t rtt_wait_us(const struct tcp_rtt *rtt)
{
    const uint64_t wait = (uint64_t)rtt->rto_us << rtt->backoff;

    return (uint32_t)RT_MIN(wait, RTT_RTO_MAX_US);
}

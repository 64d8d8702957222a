/* SPDX-License-Identifier: BSD-2-Clause */
/* How long to wait for an acknowledgement (RFC 6298). Pure. */
#ifndef TCP_TCP_RTT_H
#define TCP_TCP_RTT_H

#include <rt/base.h>

#define RTT_RTO_FIRST_US 1000000u /* RFC 6298 2.1 */
#define RTT_RTO_MIN_US 200000u
#define RTT_RTO_MAX_US 60000000u /* RFC 6298 2.5 */
#define RTT_GRANULARITY_US 1000u

struct tcp_rtt {
    uint32_t srtt_us, rttvar_us; /* srtt_us 0: never measured */
    uint32_t rto_us;             /* without back-off */
    uint32_t backoff;            /* doublings since an answer came */
};

void rtt_init(struct tcp_rtt *rtt);
void rtt_sample(struct tcp_rtt *rtt, uint32_t us);
/* No answer came: the next wait is twice as long. */
void rtt_back_off(struct tcp_rtt *rtt);
uint32_t rtt_wait_us(const struct tcp_rtt *rtt);

#endif

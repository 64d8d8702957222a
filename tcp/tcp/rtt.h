/* SPDX-License-Identifier: BSD-2-Clause */
/* How long to wait for an acknowledgement (RFC 6298). Pure. */
#ifndef TCP_TCP_RTT_H
#define TCP_TCP_RTT_H

#include <rt/base.h>

#define RTT_RTO_FIRST_US 1000000u /* RFC 6298 2.1 */
#define RTT_RTO_SYN_LOST_US 3000000u /* RFC 6298 5.7 */
#define RTT_RTO_MIN_US 200000u /* unless set otherwise: Linux's */
#define RTT_RTO_MAX_US 60000000u /* RFC 6298 2.5 */

struct tcp_rtt {
    uint32_t srtt_us, rttvar_us; /* srtt_us 0: never measured */
    uint32_t rto_us;             /* without back-off */
    uint32_t backoff;            /* doublings since an answer came */
    uint32_t min_us;             /* the shortest round trip there was */
    uint32_t rto_min_us, step_us; /* settings: least 4 RTTVAR; steps of the clock (G) */
};

/* 0: the usual minimum, and a clock of 1 us. */
void rtt_init(struct tcp_rtt *rtt, uint32_t rto_min_us, uint32_t step_us);
void rtt_sample(struct tcp_rtt *rtt, uint32_t us);
/* Data begins, and the SYN had been lost. */
void rtt_syn_lost(struct tcp_rtt *rtt);
/* No answer came: the next wait is twice as long. */
void rtt_back_off(struct tcp_rtt *rtt);
uint32_t rtt_wait_us(const struct tcp_rtt *rtt);

#endif

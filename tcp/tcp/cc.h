/* SPDX-License-Identifier: BSD-2-Clause */
/* How much may be on its way: NewReno (RFC 5681, RFC 6582), first window of ten segments
 * (RFC 6928). Pure. */
#ifndef TCP_TCP_CC_H
#define TCP_TCP_CC_H

#include <rt/base.h>

#define CC_DUPLICATES 3 /* ACKs that mean a loss (RFC 5681 3.2) */

struct tcp_cc {
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t counted;        /* acknowledged since cwnd grew last, above ssthresh */
    uint32_t duplicates;
    bool recovering;
    uint32_t recover; /* RFC 6582: recovery ends when this is acknowledged */
};

void cc_init(struct tcp_cc *cc, uint32_t mss);
/* New bytes were acknowledged while we do not recover. `limited`: the window was used up. */
void cc_acked(struct tcp_cc *cc, uint32_t mss, uint32_t bytes, bool limited);
/* A loss, by three duplicates: recovery begins, and ends behind `recover`. */
void cc_lost(struct tcp_cc *cc, uint32_t mss, uint32_t flight, uint32_t recover);
/* Another duplicate meanwhile: a segment has left the network. */
void cc_duplicate(struct tcp_cc *cc, uint32_t mss);
/* ... and an acknowledgement of a part. */
void cc_partial(struct tcp_cc *cc, uint32_t mss, uint32_t bytes);
void cc_recovered(struct tcp_cc *cc, uint32_t mss, uint32_t flight);
/* The retransmission timer fired, for the first time since the peer moved. */
void cc_timed_out(struct tcp_cc *cc, uint32_t mss, uint32_t flight);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How large segments may be on a path (RFC 1191, RFC 8201): a router says that one was too big, or
 * big ones vanish without a word ("black hole": the second time-out in a row tries smaller ones,
 * RFC 4821 7.7). Either way what is on its way is sent again at once in smaller pieces, and cwnd
 * is not reduced for it. After a while the full size is tried again.
 */
#ifndef TCP_TCP_PMTU_H
#define TCP_TCP_PMTU_H

#include <rt/base.h>

struct tcp_conn;

struct tcp_pmtu {
    uint16_t mss_full; /* what the ends agreed on; conn->mss is not more */
    uint8_t found;     /* how often smaller ones were needed: the full size waits longer */
    uint64_t lower_us; /* since when */
};

/* conn->mss is what the ends agreed on. */
void pmtu_init(struct tcp_conn *conn);
/* A router, or somebody who says so, wants packets of at most so many bytes; 0: it does not say how
 * many. The quoted number is on its way (RFC 5927 7). */
void pmtu_too_big(struct tcp_conn *conn, uint32_t mtu_bytes);
/* True: the link carries so many bytes in a segment. Else it carries less than when the connection
 * began, as a lease or a router says: segments are smaller from now on. */
bool pmtu_carries(struct tcp_conn *conn, uint32_t bytes);
/* Another time-out without any answer. */
void pmtu_timed_out(struct tcp_conn *conn);
/* conn->mss is not the full size: is it time to try that again? */
void pmtu_raise(struct tcp_conn *conn);

#endif

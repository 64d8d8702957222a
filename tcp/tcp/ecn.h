/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Congestion that is told, not guessed from losses (RFC 3168): a router marks a packet (CE), its
 * receiver says so in every ACK (ECE) until the sender has answered (CWR), which reduces its
 * window once a round trip. New data alone carries the mark that allows it (ECT): repetitions,
 * probes and bare ACKs do not (6.1.4 to 6.1.6).
 */
#ifndef TCP_TCP_ECN_H
#define TCP_TCP_ECN_H

#include <rt/base.h>

struct tcp_conn;
struct tcp_segment;

struct tcp_ecn {
    bool on;   /* both sides agreed */
    bool echo; /* the peer is to be told of a mark: ECE in all we send */
    bool answer; /* our window was reduced: CWR in the next new data */
    uint32_t end; /* the next reduction is when more than this is acknowledged */
};

/* What our SYN, or SYN and ACK, says: flags. */
uint16_t ecn_offer(const struct tcp_conn *conn);
/* What the peer's said. */
void ecn_agree(struct tcp_conn *conn, const struct tcp_segment *syn);
/* An acceptable segment of a connection with ECN. */
void ecn_received(struct tcp_conn *conn, const struct tcp_segment *segment);
/* An acceptable ACK with ECE. */
void ecn_echoed(struct tcp_conn *conn);
/* Flags of a segment that leaves, and the two bits of its packet. `fresh`: new data. */
uint16_t ecn_flags(struct tcp_conn *conn, bool fresh, uint8_t *tos);

#endif

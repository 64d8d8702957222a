/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of RFC 9293 3.10.7 that a segment goes through, a file each. */
#ifndef TCP_TCP_RX_H
#define TCP_TCP_RX_H

#include "conn.h"
#include "lists.h"

/* input.c: all of them, of a connection that is not in state CLOSED. Consumes the segment. */
void rx_segment(struct tcp_conn *conn, struct tcp_segment *segment_owned);

/* rx_syn.c: 3.10.7.2, LISTEN; 3.10.7.3, SYN-SENT. Each consumes the segment. */
void rx_listen(struct tcp_listener *listener, struct tcp_segment *segment_owned);
void rx_syn_sent(struct tcp_conn *conn, struct tcp_segment *segment_owned);
/* In SYN-RECEIVED, an ACK of another number than ours. True: it is of a cookie, which answered the
 * same SYN before; the connection goes on as the one that the peer has. */
bool rx_other_answer(struct tcp_conn *conn, const struct tcp_segment *segment);
/* In SYN-RECEIVED, a segment with the number of their SYN. True: it is that SYN again, answered
 * as before. With an ACK of ours both began at once: the SYN, which we have, is taken off. */
bool rx_syn_again(struct tcp_conn *conn, struct tcp_segment *segment);
/* A peer that wants smaller segments is not served: of each byte sent most would be headers. */
#define RX_MSS_MIN 64
/* Largest segment that a SYN's sender takes (said, or by default), and that we take from it. */
uint32_t rx_mss_theirs(const struct tcp_segment *syn);
uint16_t rx_mss_ours(const struct net_if *iface, const struct ip_addr *peer);
uint8_t rx_scale_ours(const struct net *net); /* of windows that we offer */

/* rx_check.c: 3.10.7.4, first to fourth, and RFC 5961, RFC 7323 5. Trims the segment to the window.
 * False: go no further (answered, dropped, or the connection is over). */
bool rx_check(struct tcp_conn *conn, struct tcp_segment *segment);
/* The timestamp of a segment that is in order, whose ACK was right: a stranger's would make us
 * deaf (PAWS). */
void rx_keep_time(struct tcp_conn *conn, const struct tcp_segment *segment);
/* challenge.c: answers with an ACK, but not every time (RFC 5961 7); answers what is not
 * acceptable. */
void rx_challenge(struct tcp_conn *conn);
void rx_answer(struct tcp_conn *conn, const struct tcp_segment *segment);

/* rx_ack.c: fifth. False: go no further. */
bool rx_ack(struct tcp_conn *conn, const struct tcp_segment *segment);
/* The window of a SYN is not scaled (RFC 7323 2.2). */
void rx_window(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t scale);
/* The handshake is over: what it says about the round trip. */
void conn_first_rtt(struct tcp_conn *conn);
/* Both sides have said what they can: what is used from now on. */
void rx_agree(struct tcp_conn *conn, const struct tcp_segment *syn);

/* rx_data.c: seventh and eighth; consumes the segment. */
void rx_data(struct tcp_conn *conn, struct tcp_segment *segment_owned);

/* rx_close.c: what an acknowledged FIN of ours, and one of the peer, mean. */
void rx_fin_acked(struct tcp_conn *conn);
void rx_fin(struct tcp_conn *conn);
void rx_time_wait(struct tcp_conn *conn);
/* A connection request for one in TIME-WAIT (RFC 6191). True: the old one is gone, the segment says
 * where the new one's numbers may begin. */
bool rx_time_wait_reused(struct tcp_conn *conn, struct tcp_segment *segment);

#endif

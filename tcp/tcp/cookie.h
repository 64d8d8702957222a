/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYNs behind a full backlog are answered without keeping anything (RFC 4987 3.6): our sequence
 * number says, to us alone, that we sent it, and the peer's segment size by a table of eight. The
 * other options come back in the low bits of our timestamp, where the peer sends timestamps;
 * without them there is no window scale and no SACK.
 *
 * What it costs: an ACK that gets lost is not asked for again, so a peer that waits for us to
 * speak first waits for nothing. Peers that speak first try again, and are served then.
 */
#ifndef TCP_TCP_COOKIE_H
#define TCP_TCP_COOKIE_H

#include "listener.h"

struct tcp_segment;

void cookie_answer(struct tcp_listener *listener, const struct tcp_segment *syn);
/* True: the segment completes a handshake that a cookie began; `syn` is what its SYN must have
 * been. */
bool cookie_returns(struct tcp_listener *listener, const struct tcp_segment *segment,
                    struct tcp_segment *syn);

#endif

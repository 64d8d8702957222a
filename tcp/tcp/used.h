/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of cwnd is in use: what was not used says nothing about the path, so cwnd does not grow
 * for it (RFC 7661 3). What counts is the most that was on its way at once in this round trip, not
 * what is left of it when an ACK comes: else an answer that fills the window, and is all there is
 * to send, would let it grow for its first ACK only. In slow start the half is enough (4.2).
 */
#ifndef TCP_TCP_USED_H
#define TCP_TCP_USED_H

#include "conn.h"
#include "seq.h"

/* An ACK may belong to a round trip in which enough was used: used_look() must see it. `flight`:
 * what was on its way when it came; before snd_una moves. */
RT_INLINE bool used_may(const struct tcp_conn *conn, uint32_t flight)
{
    return 2 * flight > conn->cc.cwnd || seq_before(conn->snd_una, conn->used.end);
}

/* True: cwnd may grow for it. */
RT_INLINE bool used_look(struct tcp_conn *conn, uint32_t flight)
{
    struct tcp_used *used = &conn->used;
    const bool same_round = seq_before(conn->snd_una, used->end) &&
                            !seq_after(used->end, conn->snd_nxt);

    if (!same_round || flight > used->most) {
        used->most = flight;
        used->end = conn->snd_nxt;
    }
    return conn->cc.cwnd < conn->cc.ssthresh ? conn->cc.cwnd < 2 * used->most
                                             : conn->cc.cwnd < used->most + conn->mss;
}

#endif

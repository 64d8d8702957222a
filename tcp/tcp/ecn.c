/* SPDX-License-Identifier: BSD-2-Clause */
#include "ecn.h"

#include "../state.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"
#include "conn.h"
#include "seq.h"

#define ASKS (TCP_ECE | TCP_CWR)

/* A SYN that was not answered is repeated without: somebody on the way may not like it (RFC 3168
 * 6.1.1.1). */
uint16_t ecn_offer(const struct tcp_conn *conn)
{
    if (conn->state == TCP_SYN_RECEIVED)
        return conn->ecn.on ? TCP_ECE : 0;
    return conn->net->tcp->config.ecn == TCP_ECN_ASK && conn->retries == 0 ? ASKS : 0;
}

void ecn_agree(struct tcp_conn *conn, const struct tcp_segment *syn)
{
    const enum tcp_ecn_use use = conn->net->tcp->config.ecn;
    const uint16_t said = syn->flags & ASKS;

    if ((syn->flags & TCP_ACK) != 0) /* both bits in an answer: a mirror, not a peer */
        conn->ecn.on = use == TCP_ECN_ASK && conn->retries == 0 && said == TCP_ECE;
    else
        conn->ecn.on = use != TCP_ECN_OFF && said == ASKS;
    conn->ecn.end = conn->snd_una - 1;
}

void ecn_received(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if ((segment->flags & TCP_CWR) != 0)
        conn->ecn.echo = false; /* it has heard us */
    if (seq_after(conn->snd_una, conn->ecn.end))
        conn->ecn.end = conn->snd_una - 1; /* left behind, it would be ahead after half a circle */
    if ((segment->tos & IP_ECN_BITS) != IP_ECN_CE || segment->bytes == 0)
        return;
    conn->net->counters.tcp_ecn_marked++;
    conn->ecn.echo = true;
    conn->ack_now = true;
    conn_output(conn);
}

void ecn_echoed(struct tcp_conn *conn)
{
    RT_ASSERT(conn->ecn.on);
    if (!seq_after(conn->snd_una, conn->ecn.end))
        return; /* it cannot have seen our answer yet, which is behind that */
    conn->ecn.end = conn->snd_nxt;
    conn->ecn.answer = true;
    conn->net->counters.tcp_ecn_echoed++;
    if (conn->recovery.state != RECOVERY_NONE)
        return; /* reduced already in this round trip */
    cc_lost(&conn->cc, conn->mss, conn->snd_nxt - conn->snd_una);
    conn->cc.cwnd = RT_MIN(conn->cc.cwnd, conn->cc.ssthresh);
}

uint16_t ecn_flags(struct tcp_conn *conn, bool fresh, uint8_t *tos)
{
    uint16_t flags = conn->ecn.echo ? TCP_ECE : 0;

    if (!fresh)
        return flags;
    *tos = IP_ECN_ECT0;
    if (conn->ecn.answer)
        flags |= TCP_CWR;
    conn->ecn.answer = false;
    return flags;
}

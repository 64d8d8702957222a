/* SPDX-License-Identifier: BSD-2-Clause */
#include "adaptor.h"

#include "tcp/conn.h"
#include "tcp/sendq.h"

#include <linux/tcp.h>
#include <string.h>

enum { SSTHRESH_NONE = INT32_MAX };

uint32_t adaptor_info(const struct sock *s, void *to, uint32_t bytes)
{
    struct tcp_info info;
    const struct tcp_conn *c = s->conn;

    memset(&info, 0, sizeof(info));
    info.tcpi_state = sockets_linux_state(c, s->listening);
    if (c != NULL && c->state >= TCP_ESTABLISHED) {
        info.tcpi_snd_mss = c->mss;
        info.tcpi_snd_cwnd = c->cc.cwnd / c->mss;
        info.tcpi_snd_ssthresh = c->cc.ssthresh >= 1u << 30 ? (uint32_t)SSTHRESH_NONE
                                                            : c->cc.ssthresh / c->mss;
        info.tcpi_unacked = (c->snd_nxt - c->snd_una + c->mss - 1) / c->mss;
        info.tcpi_retransmits = (uint8_t)c->retries;
        info.tcpi_backoff = (uint8_t)c->rtt.backoff;
        info.tcpi_rto = c->rtt.rto_us;
        info.tcpi_rtt = c->rtt.srtt_us;
        info.tcpi_rttvar = c->rtt.rttvar_us;
        info.tcpi_bytes_acked = c->snd_una - c->iss - 1;
        info.tcpi_notsent_bytes = c->snd_end - c->snd_nxt;
    }
    memset(to, 0, bytes); /* a newer structure than we know: the rest is 0 */
    memcpy(to, &info, RT_MIN(bytes, (uint32_t)sizeof(info)));
    return bytes;
}

uint32_t adaptor_mss(const struct sock *s)
{
    enum { TIME_BYTES = 12 };

    return s->conn == NULL ? 0 : s->conn->mss + (s->conn->time_on ? (uint32_t)TIME_BYTES : 0);
}

uint32_t adaptor_unacked(const struct sock *s)
{
    return s->conn == NULL ? 0 : s->conn->queue.bytes;
}

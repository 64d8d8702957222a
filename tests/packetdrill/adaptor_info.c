/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP_INFO: Linux's names for what a connection knows of itself. Linux counts segments; the shim's
 * buffers are one each. */
#include "adaptor.h"

#include "state.h"
#include "tcp/conn.h"
#include "tcp/rx.h"
#include "tcp/sendq.h"

#include <linux/tcp.h>
#include <string.h>

enum {
    SSTHRESH_NONE = INT32_MAX,
    CA_OPEN = 0, /* include/net/tcp.h of Linux: enum tcp_ca_state */
    CA_DISORDER = 1,
    CA_RECOVERY = 3,
    CA_LOSS = 4,
};

static uint8_t ca_state(const struct tcp_conn *c)
{
    static const uint8_t states[] = {[RECOVERY_FAST] = CA_RECOVERY, [RECOVERY_LOSS] = CA_LOSS};

    if (c->recovery.state != RECOVERY_NONE)
        return states[c->recovery.state];
    return c->recovery.sacked_bytes != 0 || c->recovery.duplicates != 0 ? CA_DISORDER : CA_OPEN;
}

static uint8_t options(const struct tcp_conn *c)
{
    return (uint8_t)((c->time_on ? TCPI_OPT_TIMESTAMPS : 0) | (c->sack_on ? TCPI_OPT_SACK : 0) |
                     (c->scale_on ? TCPI_OPT_WSCALE : 0) | (c->ecn.on ? TCPI_OPT_ECN : 0));
}

/* What was lost stays so, for Linux, until it has arrived; what was sent again is on its way. */
static void count_marks(const struct tcp_conn *c, struct tcp_info *info)
{
    for (const struct buf *b = c->queue.first; b != c->queue.next; b = sendq_after(b)) {
        const bool lost = (b->vlan_tci & SENDQ_LOST) != 0;
        const bool sacked = (b->vlan_tci & SENDQ_SACKED) != 0;
        const bool again = (b->vlan_tci & SENDQ_AGAIN) != 0 && !lost && !sacked &&
                           c->recovery.state != RECOVERY_NONE;

        info->tcpi_sacked += sacked;
        info->tcpi_lost += lost || again;
        info->tcpi_retrans += again;
    }
}

static void fill_sender(const struct tcp_conn *c, struct tcp_info *info)
{
    const struct tcp_recovery *r = &c->recovery;

    info->tcpi_snd_mss = c->mss;
    info->tcpi_snd_cwnd = c->cc.cwnd / c->mss;
    info->tcpi_snd_ssthresh = c->cc.ssthresh >= 1u << 30 ? (uint32_t)SSTHRESH_NONE
                                                         : c->cc.ssthresh / c->mss;
    info->tcpi_unacked = (c->snd_nxt - c->snd_una + c->mss - 1) / c->mss;
    info->tcpi_retransmits = (uint8_t)(r->timer == TIMER_WINDOW ? 0 : c->retries);
    info->tcpi_probes = (uint8_t)(r->timer == TIMER_WINDOW ? c->retries : 0);
    info->tcpi_backoff = (uint8_t)c->rtt.backoff;
    info->tcpi_bytes_acked = c->snd_una - c->iss - 1;
    info->tcpi_notsent_bytes = c->snd_end - c->snd_nxt;
    info->tcpi_reordering = RT_MAX((uint32_t)RECOVERY_DUPLICATES, adaptor.overtaken);
    count_marks(c, info);
}

uint32_t adaptor_info(const struct sock *s, void *to, uint32_t bytes)
{
    struct tcp_info info;
    const struct tcp_conn *c = s->conn;

    memset(&info, 0, sizeof(info));
    info.tcpi_state = sockets_linux_state(c, s->listening);
    if (c != NULL && c->state >= TCP_ESTABLISHED) {
        info.tcpi_ca_state = ca_state(c);
        info.tcpi_options = options(c);
        info.tcpi_advmss = rx_mss_ours(c->iface, &c->remote);
        info.tcpi_pmtu = if_mtu(c->iface, &c->remote);
        info.tcpi_rto = c->rtt.rto_us;
        info.tcpi_rtt = c->rtt.srtt_us;
        info.tcpi_rttvar = c->rtt.rttvar_us;
        fill_sender(c, &info);
    }
    memset(to, 0, bytes); /* a newer structure than we know: the rest is 0 */
    memcpy(to, &info, RT_MIN(bytes, (uint32_t)sizeof(info)));
    return bytes;
}

uint32_t adaptor_mss(const struct sock *s)
{
    enum { TIME_BYTES = 12 };

    if (s->conn == NULL)
        return s->all->world->net->tcp->config.mss_max;
    return s->conn->mss + (s->conn->time_on ? (uint32_t)TIME_BYTES : 0);
}

uint32_t adaptor_unacked(const struct sock *s)
{
    return s->conn == NULL ? 0 : s->conn->queue.bytes;
}

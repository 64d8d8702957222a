/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of sockets, and what they are here. */
#include "sockets.h"

#include "state.h"
#include "tcp/conn.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* As Linux has them: two hours, 75 s, nine probes. */
enum { IDLE_S = 7200, INTERVAL_S = 75, PROBES = 9 };

void sockets_apply(struct sock *s)
{
    if (s->conn == NULL)
        return;
    tcp_set_nodelay(s->conn, s->nodelay);
    tcp_set_user_timeout(s->conn, s->user_timeout_ms);
    tcp_set_keepalive(s->conn, s->keepalive ? (s->idle_s != 0 ? s->idle_s : IDLE_S) * 1000 : 0,
                      (s->interval_s != 0 ? s->interval_s : INTERVAL_S) * 1000,
                      s->probes != 0 ? s->probes : PROBES);
}

static bool tcp_option(struct sock *s, int name, int value)
{
    switch (name) {
    case TCP_NODELAY:
        s->nodelay = value != 0;
        return true;
    case TCP_CORK:
        s->corked = value != 0;
        return true;
    case TCP_KEEPIDLE:
        s->idle_s = (uint32_t)value;
        return true;
    case TCP_KEEPINTVL:
        s->interval_s = (uint32_t)value;
        return true;
    case TCP_KEEPCNT:
        s->probes = (uint32_t)value;
        return true;
    case TCP_USER_TIMEOUT:
        s->user_timeout_ms = (uint32_t)value;
        return true;
    case TCP_MAXSEG: /* ours is of the whole stack; a script has one socket that sets it */
        s->all->world->net->tcp->config.mss_max = (uint16_t)value;
        return true;
    default:
        return false;
    }
}

bool sockets_option(struct sock *s, int level, int name, int value, int second)
{
    bool known = level == SOL_SOCKET && name == SO_REUSEADDR;

    if (level == SOL_SOCKET && name == SO_LINGER) {
        s->linger_off = value != 0 && second == 0;
        known = true;
    } else if (level == SOL_SOCKET && name == SO_KEEPALIVE) {
        s->keepalive = value != 0;
        known = true;
    } else if (level == IPPROTO_TCP) {
        known = tcp_option(s, name, value);
    }
    sockets_apply(s);
    return known;
}

uint8_t sockets_linux_state(const struct tcp_conn *conn, bool listening)
{
    static const uint8_t states[] = {
        [TCP_CLOSED] = 7,     [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3, [TCP_ESTABLISHED] = 1,
        [TCP_FIN_WAIT_1] = 4, [TCP_FIN_WAIT_2] = 5, [TCP_CLOSE_WAIT] = 8,   [TCP_CLOSING] = 11,
        [TCP_LAST_ACK] = 9,   [TCP_TIME_WAIT] = 6,
    };
    enum { LINUX_LISTEN = 10 };

    if (conn != NULL)
        return states[conn->state];
    return listening ? LINUX_LISTEN : states[TCP_CLOSED];
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "plain.h"

#include "../state.h"
#include "fast_frame.h"

/* Nothing is lost, nobody says so, and nothing was taken back. */
static bool loses_nothing(const struct tcp_conn *conn)
{
    const struct tcp_recovery *r = &conn->recovery;

    return r->state == RECOVERY_NONE && r->timer <= TIMER_TAIL && conn->retries == 0 &&
           (r->sacked_bytes | r->lost_bytes | r->duplicates) == 0 && !r->tail_out &&
           !r->tail_now && !r->override_now;
}

/* Both sides speak, and listen. */
static bool is_whole(const struct tcp_conn *conn)
{
    return conn->state == TCP_ESTABLISHED && !conn->fin_wanted && !conn->app_closed &&
           !conn->app_gone && !conn->fin_early && !conn->to_us;
}

void plain_predict(struct tcp_conn *conn)
{
    const bool plain = is_whole(conn) && loses_nothing(conn) && conn->order == NULL &&
                       !conn->holes.twice && !conn->ecn.on &&
                       conn->mss == conn->pmtu.mss_full && conn->time_on &&
                       !conn->more && conn->quick_left == 0 &&
                       ip_addr_is_v4(&conn->remote);

    conn->predict = plain ? FAST_FLAGS_ACK : 0;
}

/* A window's timer, or one of what is stuck, is not for the fast path. */
void plain_acked(struct tcp_conn *conn)
{
    timeout_arm(conn);
    if (conn->recovery.timer > TIMER_TAIL)
        plain_not_now(conn);
}

void plain_grow(struct tcp_conn *conn, uint32_t bytes)
{
    recovery_grow(conn, bytes, true);
}

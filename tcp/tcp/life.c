/* SPDX-License-Identifier: BSD-2-Clause */
#include "life.h"

#include "../state.h"
#include "conn.h"

#include <rt/assert.h>

#define ORPHAN_STUCK_US UINT64_C(120000000) /* RFC 9293 3.8.3: at least 100 s */

void life_begin(struct tcp_conn *conn)
{
    conn->life = (struct tcp_life){
        .user_timeout_ms = conn->net->tcp->config.user_timeout_ms,
        .linger_ms = LIFE_NO_LINGER,
    };
}

/* ---- lines ---- */

static void leave(struct tcp_conn *conn)
{
    struct tcp_life *l = &conn->life;
    struct tcp_line *line = l->line;

    if (line == NULL)
        return;
    RT_ASSERT_LT(0u, line->count);
    if (l->older != NULL)
        l->older->life.newer = l->newer;
    else
        line->oldest = l->newer;
    if (l->newer != NULL)
        l->newer->life.older = l->older;
    else
        line->newest = l->older;
    line->count--;
    l->line = NULL;
    l->older = l->newer = NULL;
}

static void join(struct tcp_line *line, struct tcp_conn *conn)
{
    struct tcp_life *l = &conn->life;

    leave(conn);
    l->line = line;
    l->older = line->newest;
    if (line->newest != NULL)
        line->newest->life.newer = conn;
    else
        line->oldest = conn;
    line->newest = conn;
    line->count++;
}

void life_end(struct tcp_conn *conn)
{
    leave(conn);
}

void life_wait(struct tcp_conn *conn)
{
    struct tcp_line *line = &conn->net->tcp->time_waits;

    RT_ASSERT_EQ(conn->state, (uint8_t)TCP_TIME_WAIT);
    join(line, conn);
    if (line->count <= line->most)
        return;
    conn->net->counters.tcp_time_wait_full++;
    conn_end(line->oldest, TCP_DONE);
}

void life_orphan(struct tcp_conn *conn)
{
    struct tcp_line *line = &conn->net->tcp->orphans;
    struct tcp_conn *oldest;

    RT_ASSERT(conn->app_closed);
    if (conn->state == TCP_CLOSED || conn->state == TCP_TIME_WAIT || conn->life.line == line)
        return;
    join(line, conn);
    if (line->count <= line->most)
        return;
    oldest = line->oldest;
    conn->net->counters.tcp_orphans_full++;
    conn_send_rst(oldest);
    conn_end(oldest, TCP_ABORTED);
}

void life_early(struct tcp_conn *conn)
{
    RT_ASSERT(conn->order != NULL);
    if (conn->life.line == NULL)
        join(&conn->net->tcp->early, conn);
}

void life_late(struct tcp_conn *conn)
{
    RT_ASSERT(conn->order == NULL);
    if (conn->life.line == &conn->net->tcp->early)
        leave(conn);
}

void life_make_room(struct net *net)
{
    struct tcp_conn *oldest = net->tcp->time_waits.oldest;

    if (oldest == NULL)
        return;
    RT_ASSERT_EQ(oldest->state, (uint8_t)TCP_TIME_WAIT);
    net->counters.tcp_time_wait_full++;
    conn_end(oldest, TCP_DONE);
}

/* ---- stuck ---- */

static uint64_t patience_us(const struct tcp_conn *conn)
{
    const uint64_t user_us = conn->life.user_timeout_ms * UINT64_C(1000);
    uint64_t us = conn->life.user_timeout_ms != 0 ? user_us : TCP_NEVER;

    return conn->app_closed ? RT_MIN(us, ORPHAN_STUCK_US) : us;
}

bool life_is_stuck(struct tcp_conn *conn)
{
    struct tcp_life *l = &conn->life;
    const uint64_t now_us = conn->net->now_us;

    if (l->stuck_us == 0 || l->una_seen != conn->snd_una) {
        l->una_seen = conn->snd_una;
        l->stuck_us = now_us - RT_MIN(rtt_wait_us(&conn->rtt), now_us - 1);
        return false;
    }
    return now_us - l->stuck_us >= patience_us(conn);
}

uint64_t life_retransmit_us(const struct tcp_conn *conn, uint64_t due_us)
{
    const uint64_t patience = patience_us(conn);

    if (patience == TCP_NEVER || conn->life.una_seen != conn->snd_una)
        return due_us;
    return RT_MIN(due_us, RT_MAX(conn->life.stuck_us + patience, conn->net->now_us + 1));
}

/* ---- silent ---- */

static bool may_ask(const struct tcp_conn *conn)
{
    return conn->state != TCP_CLOSED && conn->state != TCP_TIME_WAIT &&
           conn->state != TCP_SYN_SENT && conn->state != TCP_SYN_RECEIVED;
}

static uint64_t us_of(uint32_t ms)
{
    return ms * UINT64_C(1000);
}

void tcp_set_keepalive(struct tcp_conn *conn, uint32_t idle_ms, uint32_t interval_ms,
                       uint32_t count)
{
    struct tcp_life *l = &conn->life;

    RT_ASSERT(idle_ms == 0 || (interval_ms != 0 && count != 0));
    l->alive_idle_ms = idle_ms;
    l->alive_interval_ms = interval_ms;
    l->alive_count = (uint16_t)RT_MIN(count, (uint32_t)UINT16_MAX - 1);
    l->alive_asked = 0;
    l->heard_us = conn->net->now_us;
    conn->listens_alive = idle_ms != 0;
    if (conn->state != TCP_CLOSED)
        conn_at(conn, TCP_AT_ALIVE, idle_ms != 0 ? l->heard_us + us_of(idle_ms) : TCP_NEVER);
}

void life_heard(struct tcp_conn *conn)
{
    if (conn->life.alive_asked != 0) /* the next question may be sooner than the one behind it */
        conn_at(conn, TCP_AT_ALIVE, conn->net->now_us + us_of(conn->life.alive_idle_ms));
    conn->life.heard_us = conn->net->now_us;
    conn->life.alive_asked = 0;
}

/* Lazy: the deadline is not moved when something is heard, but looks when it comes. While data
 * is on its way its own timer asks. */
void life_alive_due(struct tcp_conn *conn)
{
    struct tcp_life *l = &conn->life;
    const uint64_t now_us = conn->net->now_us, idle_us = us_of(l->alive_idle_ms);

    if (l->alive_idle_ms == 0 || conn->state == TCP_TIME_WAIT)
        return;
    if (!may_ask(conn) || conn->snd_una != conn->snd_nxt) {
        conn_at(conn, TCP_AT_ALIVE, now_us + idle_us);
        return;
    }
    if (l->alive_asked == 0 && now_us - l->heard_us < idle_us) {
        conn_at(conn, TCP_AT_ALIVE, l->heard_us + idle_us);
        return;
    }
    if (l->alive_asked >= l->alive_count) {
        conn_send_rst(conn);
        conn_end(conn, TCP_TIMED_OUT);
        return;
    }
    l->alive_asked++;
    conn->net->counters.tcp_keepalives++;
    conn_send_probe(conn);
    conn_at(conn, TCP_AT_ALIVE, now_us + us_of(l->alive_interval_ms));
}

/* ---- set by the application ---- */

void tcp_set_user_timeout(struct tcp_conn *conn, uint32_t ms)
{
    conn->life.user_timeout_ms = ms;
}

void tcp_set_linger(struct tcp_conn *conn, uint32_t ms)
{
    conn->life.linger_ms = ms;
}

/* TIME-WAIT is over; or FIN-WAIT-2, of a connection that nobody reads; or the time that close
 * had. Only in the last case the peer has not got all of it: it is told. */
void life_end_due(struct tcp_conn *conn)
{
    if (conn->state != TCP_TIME_WAIT && conn->state != TCP_FIN_WAIT_2)
        conn_send_rst(conn);
    conn_end(conn, conn->state == TCP_TIME_WAIT ? TCP_DONE : TCP_TIMED_OUT);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One timer for all that a sender waits for (RFC 6298 5; RFC 8985 8). An ACK that moves starts it
 * anew, a duplicate never does. */
#include "../state.h"
#include "conn.h"
#include "recovery.h"
#include "seq.h"

enum {
    DATA_RETRIES = 15, /* RFC 9293 3.8.3: at least 100 s */
    STUCK_US_MIN = 1000,
    STUCK_US_MAX = 50000,
};

/* Nothing can be answered: the peer's window is closed, or nothing is on its way. */
static bool waits_for_window(const struct tcp_conn *conn)
{
    return conn->snd_wnd == 0 || conn->snd_nxt == conn->snd_una;
}

static void arm(struct tcp_conn *conn, enum recovery_timer kind, uint32_t us)
{
    conn->recovery.timer = (uint8_t)kind;
    conn_at(conn, TCP_AT_RETRANSMIT, life_retransmit_us(conn, conn->net->now_us + us));
}

void timeout_arm(struct tcp_conn *conn)
{
    const uint32_t wait_us = rtt_wait_us(&conn->rtt);
    uint32_t tail_us;

    if (conn->snd_nxt == conn->snd_una && conn->queue.next == NULL &&
        (!conn->fin_wanted || conn->fin_sent)) {
        conn->recovery.timer = TIMER_RTO;
        conn_at(conn, TCP_AT_RETRANSMIT, TCP_NEVER);
        return;
    }
    if (waits_for_window(conn)) {
        arm(conn, TIMER_WINDOW, wait_us);
        return;
    }
    tail_us = rack_tail_us(conn);
    if (tail_us != 0) /* at the latest in the time-out's place (RFC 8985 7.2) */
        arm(conn, TIMER_TAIL, RT_MIN(tail_us, wait_us));
    else
        arm(conn, TIMER_RTO, wait_us);
}

void timeout_arm_if_idle(struct tcp_conn *conn)
{
    const bool answers = conn->recovery.timer != TIMER_WINDOW || waits_for_window(conn);

    if (!conn_has_deadline(conn, TCP_AT_RETRANSMIT) || !answers)
        timeout_arm(conn);
}

void timeout_stuck(struct tcp_conn *conn)
{
    const bool runs = conn_has_deadline(conn, TCP_AT_RETRANSMIT);
    const uint32_t us = RT_MIN(RT_MAX(conn->rtt.srtt_us / 4, (uint32_t)STUCK_US_MIN),
                               (uint32_t)STUCK_US_MAX);

    if (runs && conn->deadlines_us[TCP_AT_RETRANSMIT] <= conn->net->now_us + us)
        return;
    arm(conn, TIMER_STUCK, us);
}

/* The window's timer: the peer is asked, or a segment smaller than wanted leaves. */
static void on_window(struct tcp_conn *conn)
{
    rtt_back_off(&conn->rtt);
    conn_output(conn); /* there may have been no buffer, or no way, before */
    if (seq_after(conn->snd_una + conn->snd_wnd, conn->snd_nxt))
        conn->recovery.override_now = true;
    else
        conn_send_probe(conn);
}

static void on_time_out(struct tcp_conn *conn)
{
    conn->net->counters.tcp_time_outs++;
    rtt_back_off(&conn->rtt);
    pmtu_timed_out(conn);
    recovery_timed_out(conn);
    conn_output(conn);
}

/* Nobody has moved for too long. False: the connection is over. */
static bool count_retry(struct tcp_conn *conn)
{
    if (!life_is_stuck(conn) && conn->retries++ < DATA_RETRIES)
        return true;
    conn_end(conn, TCP_TIMED_OUT);
    return false;
}

static void on_reorder(struct tcp_conn *conn)
{
    struct recovery_news news = {.acked = 0};

    conn->recovery.timer = TIMER_RTO;
    rack_detect(conn, &news);
    if (news.lost)
        recovery_enter(conn);
    conn_output(conn);
    timeout_arm_if_idle(conn);
}

/* No try, since nothing could leave; but who waits for the peer does not wait longer for that. */
static void on_stuck(struct tcp_conn *conn)
{
    if (life_is_stuck(conn))
        conn_end(conn, TCP_TIMED_OUT);
    else
        conn_output(conn);
}

void timeout_fired(struct tcp_conn *conn)
{
    const enum recovery_timer kind = (enum recovery_timer)conn->recovery.timer;

    RT_ASSERT_NE(conn->state, TCP_CLOSED);
    conn->recovery.timer = TIMER_RTO;
    if (kind == TIMER_REORDER) {
        on_reorder(conn);
        return;
    }
    if (kind == TIMER_STUCK) {
        on_stuck(conn);
        return;
    }
    if (kind == TIMER_TAIL && !waits_for_window(conn)) {
        conn->recovery.tail_now = true;
        conn->recovery.tail_out = true;
        conn->net->counters.tcp_tail_probes++;
        conn_output(conn);
        timeout_arm(conn);
        return;
    }
    if (!count_retry(conn))
        return;
    if (waits_for_window(conn))
        on_window(conn);
    else
        on_time_out(conn);
    if (conn->state != TCP_CLOSED) /* the neighbour may have failed: it has ended */
        timeout_arm(conn);
}

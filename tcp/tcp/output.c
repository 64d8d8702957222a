/* SPDX-License-Identifier: BSD-2-Clause */
/* What leaves, at the end of a turn: as much as both windows allow, in segments as full as what was
 * given until then (RFC 9293 3.7.4, 3.8.6; RFC 5681 3.1). */
#include "../link/neigh.h"
#include "../state.h"
#include "../wire/tcp.h"
#include "acks.h"
#include "fast_out.h"
#include "fast_run.h"
#include "lists.h"
#include "plain.h"
#include "rx.h"
#include "sendq.h"
#include "seq.h"
#include "transmit.h"
#include "tso.h"

#include <mempool/pool.h>

enum { SEGMENTS_MAX = 64 /* of a connection, in a turn */ };

/* Whoever calls this knows of something; the fast path calls lists_output(). */
void conn_output(struct tcp_conn *conn)
{
    plain_not_now(conn);
    lists_output(conn);
}

static bool may_send_data(const struct tcp_conn *conn)
{
    return conn->state == TCP_ESTABLISHED || conn->state == TCP_CLOSE_WAIT ||
           conn->state == TCP_FIN_WAIT_1 || conn->state == TCP_CLOSING ||
           conn->state == TCP_LAST_ACK;
}

/* Up to the right edge of the peer's window, which may have moved back. */
static uint32_t peer_room(const struct tcp_conn *conn, uint32_t seq)
{
    const uint32_t edge = conn->snd_una + conn->snd_wnd;

    return seq_after(edge, seq) ? edge - seq : 0;
}

static uint32_t path_room(const struct tcp_conn *conn)
{
    const uint32_t pipe = recovery_pipe(conn);

    return conn->cc.cwnd > pipe ? conn->cc.cwnd - pipe : 0;
}

/* A run of buffers that are one segment, and what is behind it in the queue. */
struct run {
    uint32_t count, bytes;
    struct buf *behind;
};

/* Buffers that lie together, from the one that begins at `start` on, as many as a segment takes:
 * lost ones (`mark`: SENDQ_LOST), or those that were never sent (0). */
static struct run gather(struct buf *b, uint32_t start, struct run most, uint32_t mark)
{
    struct run run = {.count = 0};

    for (; b != NULL && (b->vlan_tci & SENDQ_LOST) == mark && run.count < most.count;
         b = sendq_after(b)) {
        const uint32_t bytes = sendq_end(b) - start;

        if (bytes > most.bytes - run.bytes)
            break;
        run.bytes += bytes;
        run.count++;
        start += bytes;
    }
    run.behind = b;
    return run;
}

/* Pinned bytes are behind the run, and some of them make it full: to cut them copies nothing. */
static bool may_fill(const struct run *run, const struct run *most)
{
    return run->behind != NULL && run->bytes < most->bytes && run->count < most->count &&
           sendq_is_pinned(run->behind);
}

/* Too little to be worth a segment, which waits: for the ACK of what is on its way (Nagle, 3.7.4),
 * for what the application says will follow, or for a window that lets a full one leave, or half
 * of the largest there was (3.8.6.2.1). The timer overrides. */
static bool should_wait(const struct tcp_conn *conn, uint32_t bytes, uint32_t most)
{
    const bool flies = conn->snd_nxt != conn->snd_una;

    if (bytes >= conn->mss || conn->recovery.override_now)
        return false;
    if (conn->snd_nxt + bytes == conn->snd_end)
        return !conn->fin_wanted && (conn->more || (flies && !conn->nodelay));
    return most < conn->mss && (most == 0 || most < conn->snd_wnd_max / 2);
}

/* Each piece that is cut off takes a buffer. A peer of tiny segments does not make us hold them
 * without end: as many as tcp_room() allows, the next when some have come home. Where the device
 * cuts, a usual buffer waits for the room that it needs. What is pinned takes a header. */
static bool may_cut(const struct tcp_conn *conn, const struct buf *b)
{
    if (conn->snd_nxt == conn->snd_una || sendq_is_pinned(b))
        return true;
    if (tso_is_on(conn) && sendq_end(b) - conn->snd_nxt <= BUF_ROOM_BYTES)
        return false;
    return conn->queue.bufs < conn->net->tcp->config.tx_room / BUF_ROOM_BYTES * 8;
}

/* The buffers of the next new segment; of the first one no segment can have all: cut where it may
 * end. False: nothing may be sent now. */
static bool next_run(struct tcp_conn *conn, uint32_t most, struct run *run)
{
    const struct run room = {.count = tso_is_on(conn) ? tso_bufs(conn) : tso_plain_bufs(conn),
                             .bytes = most};
    bool whole;

    *run = gather(conn->queue.next, conn->snd_nxt, room, 0);
    whole = run->count != 0 && !may_fill(run, &room);
    if (should_wait(conn, whole ? run->bytes : most, most))
        return false;
    if (whole)
        return true;
    if (most == 0)
        return false;
    RT_ASSERT(run->behind != NULL); /* something has not been sent */
    if (!may_cut(conn, run->behind))
        return false;
    if (most > conn->mss)
        most -= most % conn->mss; /* what follows begins a segment */
    if (run->bytes >= most)
        return true;
    if (sendq_cut(conn, run->behind, conn->snd_nxt + run->bytes, most - run->bytes) == NULL &&
        run->count == 0) {
        timeout_stuck(conn);
        return false;
    }
    *run = gather(conn->queue.next, conn->snd_nxt, room, 0);
    return true;
}

static void mark_again(struct tcp_conn *conn, struct buf *first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, first = sendq_after(first)) {
        first->vlan_tci |= SENDQ_AGAIN;
        first->vlan_tci &= (uint16_t)~SENDQ_LOST;
    }
    conn->net->counters.tcp_retrans_segs++;
}

static bool may_leave(struct tcp_conn *conn)
{
    if (transmit_possible(conn))
        return true;
    if (if_room(conn->iface) == 0)
        conn_output(conn); /* again, as soon as the device has taken some */
    return false;
}

/* A new segment leaves. */
static bool leave(struct tcp_conn *conn, const struct run *run, bool fin)
{
    struct buf *first = conn->queue.next;
    bool left;

    if (!fin && run->bytes <= conn->mss && fast_run_possible(conn))
        left = fast_run_send(conn, first, run->count, run->bytes);
    else if (!may_leave(conn))
        return false; /* asked again when there is a way */
    else if (RT_LIKELY(run->bytes <= tso_most(conn)))
        left = transmit_data(conn, first, conn->snd_nxt, run->count, run->bytes, fin);
    else
        left = false; /* by another interface now, which cuts nothing: soon, in less */
    if (!left)
        timeout_stuck(conn);
    return left;
}

/* One segment of what waits; false: nothing may be sent now. `most`: bytes. */
static bool send_next(struct tcp_conn *conn, uint32_t most)
{
    struct buf *b;
    struct run run;
    bool fin;

    if (!next_run(conn, RT_MIN(most, tso_most(conn)), &run))
        return false;
    b = conn->queue.next;
    fin = conn->fin_wanted && conn->snd_nxt + run.bytes == conn->snd_end;
    if (!leave(conn, &run, fin))
        return false;
    for (uint32_t i = 0; i < run.count; i++)
        b = sendq_after(b);
    conn->queue.next = b;
    conn->snd_nxt += run.bytes + fin;
    conn->fin_sent |= fin;
    conn->cc.sent_us = (uint32_t)conn->net->now_us;
    conn->recovery.prr_out += run.bytes;
    conn->recovery.override_now = false;
    return true;
}

/* ---- once more ---- */

/* `count` buffers from `start` on, in one segment. */
static bool send_again(struct tcp_conn *conn, struct buf *first, uint32_t start,
                       const struct run *run)
{
    const bool fin = conn->fin_wanted && start + run->bytes == conn->snd_end &&
                     conn->queue.next == NULL && seq_after(conn->snd_nxt, conn->snd_end);

    RT_ASSERT_LT(0u, run->count);
    if (!may_leave(conn))
        return false;
    if (!transmit_data(conn, first, start, run->count, run->bytes, fin)) {
        timeout_stuck(conn); /* most often the device still has it */
        return false;
    }
    if ((first->vlan_tci & SENDQ_LOST) != 0) /* all of them, or none: a probe's may wait, too */
        conn->recovery.lost_bytes -= run->bytes;
    mark_again(conn, first, run->count);
    conn->fin_sent |= fin;
    return true;
}

/* The lost bytes that begin here, in `*first`, which may be another buffer afterwards. 0: not
 * now. */
static uint32_t repeat(struct tcp_conn *conn, struct buf **first, uint32_t start)
{
    const uint32_t most = RT_MIN(peer_room(conn, start), (uint32_t)conn->mss);
    struct run run = gather(*first, start,
                            (struct run){.count = tso_plain_bufs(conn), .bytes = most},
                            SENDQ_LOST);
    struct buf *b = *first;

    if (run.count == 0) {
        if (most == 0)
            return 0; /* behind the edge: the window's timer asks */
        b = sendq_cut(conn, b, start, most);
        if (b == NULL) {
            timeout_stuck(conn);
            return 0;
        }
        run = (struct run){.count = 1, .bytes = sendq_end(b) - start};
        *first = b;
    }
    /* a whole segment, but the first of an episode leaves whatever cwnd says */
    if (path_room(conn) < run.bytes && conn->recovery.prr_out != 0 && recovery_pipe(conn) != 0)
        return 0;
    if (!send_again(conn, b, start, &run))
        return 0;
    recovery_repeated(conn, run.bytes);
    return run.count;
}

/* What is lost, oldest first. */
static uint32_t send_lost(struct tcp_conn *conn)
{
    uint32_t start = conn->snd_una, segments = 0, skip, looked = 0;
    struct buf *b = conn->queue.first;

    while (b != conn->queue.next && conn->recovery.lost_bytes != 0 &&
           segments < SEGMENTS_MAX && looked++ < RECOVERY_WALK_MAX) {
        skip = 1;
        if ((b->vlan_tci & SENDQ_LOST) != 0) {
            skip = repeat(conn, &b, start);
            if (skip == 0)
                break;
            segments++;
        }
        for (; skip > 0; skip--, b = sendq_after(b))
            start = sendq_end(b);
    }
    if (segments == SEGMENTS_MAX && conn->recovery.lost_bytes != 0)
        conn_output(conn); /* the rest with the next turn */
    return segments;
}

static bool send_fin(struct tcp_conn *conn)
{
    if (!transmit_bare(conn, conn->snd_end, TCP_FIN | TCP_ACK))
        return false;
    conn->net->counters.tcp_retrans_segs += conn->snd_nxt != conn->snd_end;
    conn->fin_alone |= conn->snd_nxt == conn->snd_end;
    conn->snd_nxt = conn->snd_end + 1;
    conn->fin_sent = true;
    return true;
}

/* What was sent last, once more; of what the device has cut its last segment. What is marked as
 * lost, and waits for a window, goes first: no probe then. */
static bool send_newest(struct tcp_conn *conn)
{
    struct run run = {.count = 1};
    struct buf *b;
    uint32_t start;

    if (conn->recovery.lost_bytes != 0)
        return false;
    if (conn->fin_sent && conn->fin_alone)
        return send_fin(conn);
    b = sendq_newest(conn, &start);
    if (b != NULL && sendq_end(b) - start > conn->mss &&
        sendq_cut(conn, b, start, sendq_end(b) - start - conn->mss) != NULL)
        b = sendq_newest(conn, &start);
    if (b == NULL)
        return false;
    run.bytes = sendq_end(b) - start;
    return run.bytes <= RT_MIN(peer_room(conn, start), (uint32_t)conn->mss) &&
           send_again(conn, b, start, &run);
}

/* The probe of a tail that may be lost: new bytes, else the newest once more (RFC 8985 7.3). */
static bool send_tail(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;

    r->tail_now = false;
    r->tail_end = conn->snd_nxt;
    r->tail_again = false;
    if (conn->queue.next != NULL &&
        send_next(conn, RT_MIN(peer_room(conn, conn->snd_nxt), (uint32_t)conn->mss)))
        return true;
    r->tail_again = send_newest(conn); /* what did not leave has repaired nothing */
    return r->tail_again;
}

/* Data and FIN, as far as both windows allow. How many segments. */
static uint32_t send_data(struct tcp_conn *conn)
{
    uint32_t segments = 0;

    if (conn->snd_nxt == conn->snd_una && conn->queue.next != NULL &&
        (uint32_t)conn->net->now_us - conn->cc.sent_us > rtt_wait_us(&conn->rtt))
        cc_idle(&conn->cc, conn->mss);
    if (RT_UNLIKELY(conn->mss != conn->pmtu.mss_full))
        pmtu_raise(conn);
    if (RT_UNLIKELY(conn->recovery.tail_now)) {
        segments += send_tail(conn);
        conn->recovery.tail_again &= segments != 0; /* else nothing answers it */
    }
    if (RT_UNLIKELY(conn->recovery.lost_bytes != 0))
        segments += send_lost(conn);
    while (conn->queue.next != NULL && segments < SEGMENTS_MAX &&
           send_next(conn, RT_MIN(peer_room(conn, conn->snd_nxt), path_room(conn))))
        segments++;
    if (conn->queue.next != NULL && segments == SEGMENTS_MAX)
        conn_output(conn); /* the rest with the next turn */
    if (conn->fin_wanted && !conn->fin_sent && conn->queue.next == NULL &&
        conn->recovery.lost_bytes == 0 && send_fin(conn)) {
        segments++;
        if (conn->recovery.timer == TIMER_TAIL)
            timeout_arm(conn); /* the probe is of the FIN now (RFC 8985 7.2) */
    }
    conn->recovery.override_now = false;
    timeout_arm_if_idle(conn);
    return segments;
}

static void output(struct tcp_conn *conn)
{
    uint32_t segments = 0;

    if (conn->state == TCP_SYN_SENT) {
        conn_send_syn(conn);
        return;
    }
    if (may_send_data(conn))
        segments = send_data(conn);
    if (conn->ack_now && segments == 0 && conn->state != TCP_SYN_RECEIVED)
        acks_send(conn);
    if (conn->state != TCP_CLOSED)
        acks_delay(conn);
}

/* Each connection that is listed now, once. */
void tcp_output_all(struct net *net)
{
    struct tcp_conn *conn = net->tcp->output_first, *next;

    net->tcp->output_first = net->tcp->output_last = NULL;
    for (; conn != NULL; conn = next) {
        next = conn->output_next;
        conn->output_listed = false;
        if (RT_LIKELY(fast_output(conn)))
            continue;
        if (conn->state != TCP_CLOSED) {
            output(conn);
            plain_predict(conn);
        }
        conn_free(conn);
    }
}

bool tcp_output_waits(const struct net *net)
{
    return net->tcp != NULL && (net->tcp->output_first != NULL || net->tcp->event_first != NULL);
}

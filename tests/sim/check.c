/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds for every connection whenever a turn is over. */
#include "sim.h"

#include "state.h"
#include "tcp/conn.h"
#include "tcp/sendq.h"
#include "tcp/seq.h"

#include <mempool/pool.h>

static void check_numbers(struct sim *sim, const struct tcp_conn *c)
{
    if (seq_after(c->snd_una, c->snd_nxt) || seq_after(c->snd_nxt, c->snd_end + 1))
        sim_fail(sim, "una %u nxt %u end %u: not in this order", c->snd_una - c->iss,
                 c->snd_nxt - c->iss, c->snd_end - c->iss);
    if (c->state > TCP_SYN_SENT && seq_after(c->rcv_nxt, c->rcv_adv))
        sim_fail(sim, "next is %u, and the window ended at %u", c->rcv_nxt - c->irs,
                 c->rcv_adv - c->irs);
}

/* The queue is what was given and not acknowledged, in order, and nobody else's. */
static void check_queue(struct sim *sim, const struct tcp_conn *c)
{
    const struct tcp_sendq *q = &c->queue;
    const uint32_t data_end = c->snd_end;
    uint32_t bufs = 0, at = c->snd_una;
    bool next_seen = q->next == NULL;

    for (const struct buf *b = q->first; b != NULL && bufs <= q->bufs; b = sendq_after(b)) {
        bufs++;
        next_seen |= q->next == b;
        if (!buf_is_kept(b->owner))
            sim_fail(sim, "a buffer in a queue is %s", buf_owner_name(*b->owner));
        if (!seq_after(sendq_end(b), at))
            sim_fail(sim, "a buffer of a queue ends at %u, the one before at %u",
                     sendq_end(b) - c->iss, at - c->iss);
        at = sendq_end(b);
    }
    if (bufs != q->bufs || !next_seen)
        sim_fail(sim, "a queue of %u buffers says %u, next %s", bufs, q->bufs,
                 next_seen ? "in it" : "not in it");
    if (q->first != NULL && at != data_end)
        sim_fail(sim, "a queue ends at %u, the stream at %u", at - c->iss, data_end - c->iss);
    if (c->state >= TCP_ESTABLISHED && c->state != TCP_TIME_WAIT &&
        q->bytes != (seq_after(data_end, c->snd_una) ? data_end - c->snd_una : 0))
        sim_fail(sim, "a queue says %u bytes, %u are not acknowledged", q->bytes,
                 data_end - c->snd_una);
}

/* The account is what the application has, and what it is still to be told. */
static void check_account(struct sim *sim, const struct tcp_conn *c, const struct peer *p)
{
    uint32_t waiting = 0;

    for (const struct buf *b = c->rx_first; b != NULL; b = b->next)
        waiting += b->pool->stride_bytes;
    if (c->held_bytes != p->held_true_bytes + waiting)
        sim_fail(sim, "peer %u holds %u bytes, %u wait, and the account says %u", p->number,
                 p->held_true_bytes, waiting, c->held_bytes);
}

/* Both ends of a connection that stands go by the same agreement (RFC 7323 2.2, RFC 2018 2). */
static void check_agreement(struct sim *sim, const struct tcp_conn *a, const struct tcp_conn *b)
{
    if (a->state != TCP_ESTABLISHED || b->state != TCP_ESTABLISHED)
        return;
    if (a->time_on != b->time_on || a->sack_on != b->sack_on || a->snd_scale != b->rcv_scale ||
        a->rcv_scale != b->snd_scale)
        sim_fail(sim, "ends differ: time %u %u sack %u %u scale %u %u, %u %u", a->time_on,
                 b->time_on, a->sack_on, b->sack_on, a->snd_scale, b->rcv_scale, a->rcv_scale,
                 b->snd_scale);
}

/* A window that was offered stays (RFC 9293 3.8.6); what is on its way has a timer. */
static void check_progress(struct side *s, const struct tcp_conn *c, uint32_t i)
{
    if (s->generation[i] == c->generation && c->state > TCP_SYN_RECEIVED &&
        seq_before(c->rcv_adv, s->rcv_adv[i]))
        sim_fail(s->sim, "a window was taken back by %u bytes", s->rcv_adv[i] - c->rcv_adv);
    s->generation[i] = c->state > TCP_SYN_RECEIVED ? c->generation : 0;
    s->rcv_adv[i] = c->rcv_adv;
    if (c->snd_nxt != c->snd_una && !c->output_listed && c->state != TCP_TIME_WAIT &&
        !conn_has_deadline(c, TCP_AT_RETRANSMIT))
        sim_fail(s->sim, "something is on its way in state %u, and no timer runs", c->state);
}

void check_side(struct side *side)
{
    const struct tcp_stack *tcp = side->net->tcp;
    struct sim *sim = side->sim;

    for (uint32_t i = 0; i < tcp->config.conns; i++) {
        const struct tcp_conn *c = &tcp->conns[i];

        if (c->state == TCP_CLOSED)
            continue;
        check_numbers(sim, c);
        check_queue(sim, c);
        check_progress(side, c, i);
    }
    for (uint32_t i = side->number; i < 2 * sim->pair_count; i += 2) {
        const struct peer *p = &sim->peers[i];

        if (p->conn != NULL && p->open)
            check_account(sim, p->conn, p);
        if (side->number == 0 && p->conn != NULL && p->other->conn != NULL && p->open)
            check_agreement(sim, p->conn, p->other->conn);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done about segments that are lost. A connection that loses nothing reads only the first
 * line of this.
 *
 *     sack.c      what the peer has beyond the acknowledged (RFC 2018, RFC 2883): marks of the
 *                 queue's buffers, so a peer cannot make it grow
 *     rack.c      which segments are lost: those sent well before one that has arrived (RFC 8985;
 *                 with RFC 6675's rule for how many must have overtaken it); probes of a
 *                 tail that nothing overtakes
 *     recovery.c  when recovery begins and ends, how much may be sent meanwhile (RFC 6937), and
 *                 what is undone when nothing was lost (RFC 3522, RFC 3708, RFC 4015); without
 *                 SACK as RFC 6582 has it
 *     timeout.c   the retransmission timer (RFC 6298) and its kinds
 *
 * Each sent buffer is on its way, or with the peer (SACKED), or lost and waits to be sent again
 * (LOST); what is on its way is what the windows are compared with.
 */
#ifndef TCP_TCP_RECOVERY_H
#define TCP_TCP_RECOVERY_H

#include <rt/base.h>

#define RECOVERY_DUPLICATES 3   /* RFC 5681 3.2, RFC 6675 2: DupThresh */
#define RECOVERY_WALK_MAX 1024u /* buffers looked at for an ACK: what lies behind waits */

enum recovery_state {
    RECOVERY_NONE,
    RECOVERY_FAST, /* a loss was seen by what overtook it */
    RECOVERY_LOSS, /* the timer fired */
};

/* What TCP_AT_RETRANSMIT stands for. */
enum recovery_timer {
    TIMER_RTO,
    TIMER_TAIL,    /* RFC 8985 7: a probe before the time-out */
    TIMER_REORDER, /* RFC 8985 6.2: what was overtaken has had its time */
    TIMER_WINDOW,  /* the peer's window is closed, or too small (RFC 9293 3.8.6.1, 3.8.6.2.1) */
    TIMER_STUCK,   /* a device or an empty pool was in the way */
};

struct tcp_recovery {
    uint8_t state; /* enum recovery_state */
    uint8_t timer; /* enum recovery_timer */
    bool tail_now, tail_out, tail_again; /* a probe is to be sent; is out; repeats old bytes */
    bool override_now; /* a segment smaller than wanted may leave */
    bool reordered;    /* the path does reorder */
    bool undo_armed, undo_by_time; /* an episode may yet prove to be false */
    uint8_t reorder_steps, reorder_left; /* RFC 8985 6.2: window's quarters, recoveries it lasts */
    uint32_t sacked_bytes, lost_bytes;
    uint32_t duplicates;

    uint32_t until; /* recovery ends when this is acknowledged */
    uint32_t high;  /* behind the highest byte that was SACKed */
    uint32_t rack_sent_us, rack_end; /* of what was sent last and has arrived */
    uint32_t rack_rtt_us; /* of what arrived last; 0: nothing has */
    uint32_t dsack_round; /* one step a round trip */
    uint32_t tail_end;
    uint32_t prr_delivered, prr_out, prr_flight; /* RFC 6937 */
    uint32_t undo_cwnd, undo_ssthresh, undo_end;
    uint32_t undo_time;    /* timestamp of the first repetition */
    uint32_t undo_repeats; /* that the peer has not called needless */
};

struct tcp_conn;
struct tcp_segment;
struct buf;

/* What an ACK says, gathered while it is worked on. */
struct recovery_news {
    uint32_t acked, delivered; /* bytes: cumulative; new to the peer, as far as we knew */
    uint32_t sent_us;          /* of the newest acknowledged */
    bool known;                /* ... which says how long the round trip is */
    bool limited;              /* cwnd was in use (used.h) */
    bool dsack;                /* the peer had something twice */
    bool sacked, lost;         /* newly so */
};

/* On its way, as far as we know. */
uint32_t recovery_pipe(const struct tcp_conn *conn);
/* Every ACK that is acceptable, behind sendq_acked(). `duplicate`: RFC 5681 2. */
void recovery_ack(struct tcp_conn *conn, const struct tcp_segment *segment,
                  struct recovery_news *news, bool duplicate);
/* Nothing is the matter: cwnd grows. `limited`: it was in use. */
void recovery_grow(struct tcp_conn *conn, uint32_t bytes, bool limited);
/* A segment of lost bytes has left again. */
void recovery_repeated(struct tcp_conn *conn, uint32_t bytes);
/* The retransmission timer: a loss episode begins. */
void recovery_timed_out(struct tcp_conn *conn);
/* All that is not with the peer counts as lost. */
void recovery_all_lost(struct tcp_conn *conn);
/* Losses were found: cwnd and the state follow. */
void recovery_enter(struct tcp_conn *conn);

/* ---- sack.c ---- */
void sack_apply(struct tcp_conn *conn, const struct tcp_segment *segment,
                struct recovery_news *news);
/* The peer took back what it had: no mark is believed any more (RFC 2018 8). */
void sack_forget(struct tcp_conn *conn);

/* ---- rack.c ---- */
/* A buffer with bytes up to `end`, sent at `sent_us`, has arrived. */
void rack_delivered(struct tcp_conn *conn, uint32_t end, uint32_t sent_us, bool again);
/* Marks what is lost; arms the timer for what may yet be. */
void rack_detect(struct tcp_conn *conn, struct recovery_news *news);
void rack_dsack(struct tcp_conn *conn);
/* How long to wait before the tail is probed; 0: not at all. */
uint32_t rack_tail_us(const struct tcp_conn *conn);
/* A probe is out, and an ACK has come. */
void rack_tail_acked(struct tcp_conn *conn, const struct tcp_segment *segment,
                     const struct recovery_news *news, bool duplicate);

/* ---- timeout.c ---- */
/* The timer starts anew, for what there is to wait for. */
void timeout_arm(struct tcp_conn *conn);
/* ... if none runs. */
void timeout_arm_if_idle(struct tcp_conn *conn);
/* Something was in the way of a repetition: tried again soon. */
void timeout_stuck(struct tcp_conn *conn);
/* TCP_AT_RETRANSMIT has come, of a connection that stands. */
void timeout_fired(struct tcp_conn *conn);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much may be on its way. Slow start and the first window (RFC 6928) are everybody's; how it
 * grows when the path is known, and how far it shrinks at a loss, are of the algorithm: NewReno
 * (RFC 5681) or CUBIC (RFC 9438), by setting. Another is a row of the table in cc.c. Pure.
 *
 * Bytes are counted, not ACKs (RFC 3465): who splits its ACKs gains nothing. One ACK counts for 8
 * segments at most, since nothing here is paced (RFC 9406 4.3).
 */
#ifndef TCP_TCP_CC_H
#define TCP_TCP_CC_H

#include <rt/base.h>

struct tcp_cubic {
    uint32_t max, prior; /* cwnd at the last loss: W_max, cwnd_prior */
    uint32_t estimate;   /* what NewReno would have: W_est */
    uint32_t counted;    /* acknowledged since it grew */
    uint32_t k_ms;       /* from the epoch to `max` */
    uint32_t undo_max;   /* `max` as it was kept (cc_keep()) */
    uint64_t epoch_us;   /* 0: none has begun */
};

struct tcp_cc {
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t counted;        /* acknowledged since cwnd grew last, above ssthresh */
    uint32_t sent_us;        /* when data left last */
    uint8_t kind;            /* enum tcp_congestion */
    struct tcp_cubic cubic;
};

/* New bytes were acknowledged. */
struct cc_ack {
    uint32_t mss, bytes, srtt_us;
    uint32_t most; /* bytes that one ACK counts for in slow start */
    bool limited; /* the window was in use (used.h) */
    uint64_t now_us;
};

/* An algorithm. */
struct cc_ops {
    void (*avoid)(struct tcp_cc *cc, const struct cc_ack *ack); /* grows above ssthresh */
    /* A loss: the new ssthresh. */
    uint32_t (*reduced)(struct tcp_cc *cc, uint32_t mss, uint32_t flight);
};
extern const struct cc_ops cc_newreno, cc_cubic;

/* `kind`: enum tcp_congestion. */
void cc_init(struct tcp_cc *cc, uint32_t mss, uint32_t kind);
void cc_acked(struct tcp_cc *cc, const struct cc_ack *ack);
/* A loss, or a mark of congestion: ssthresh follows; cwnd is who recovers's. */
void cc_lost(struct tcp_cc *cc, uint32_t mss, uint32_t flight);
/* The retransmission timer fired, for the first time since the peer moved. */
void cc_timed_out(struct tcp_cc *cc, uint32_t mss, uint32_t flight);
/* What comes may prove to be no loss: cc_undo(). */
void cc_keep(struct tcp_cc *cc);
/* It was no loss: as it was when it was kept. */
void cc_undo(struct tcp_cc *cc, uint32_t cwnd, uint32_t ssthresh);
/* Nothing was sent for a time-out: what was known of the path is old (RFC 5681 4.1). */
void cc_idle(struct tcp_cc *cc, uint32_t mss);

#endif

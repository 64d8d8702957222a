/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of ours with a peer that the test plays, segment by segment. Sequence numbers are
 * counted from each side's SYN, as packetdrill does: the first byte is 1. Every byte that we
 * send is compared with what the application gave, also when it is sent again.
 */
#ifndef TESTS_TCP_DIALOG_H
#define TESTS_TCP_DIALOG_H

#include "station.h"

#include "tcp/conn.h"
#include "wire/tcp.h"

#include <tcp/tcp.h>

/* What the peer says in its SYN, and how we are set up. */
struct dialog_how {
    uint16_t mss; /* 0: 1460; DIALOG_NO_MSS: says none */
    uint16_t window;
    uint8_t scale; /* 0: none */
    bool time, sack, ecn;
    uint32_t our_iss, peer_iss; /* 0: as it comes */
    uint32_t buffers; /* of our pool; 0: 900 */
    struct tcp_config config;
};
#define DIALOG_NO_MSS UINT16_MAX

struct dialog {
    struct station s;
    struct dialog_how how;
    struct tcp_conn *conn;
    uint32_t our_iss, peer_iss;
    uint32_t given;      /* bytes that our application sent */
    uint32_t received;   /* bytes that it got; kept in `chains` when it holds them */
    bool holds;          /* the application keeps what it gets */
    struct buf *chains[64];
    uint32_t chain_count, rooms, closed;
    enum tcp_reason why;
    uint32_t peer_time_ms, peer_echo; /* of the peer's next segment */
    uint8_t tos;                      /* ECN bits of the peer's next packet */
    uint16_t syn_flags;               /* of our SYN */
    bool device_holds;                /* the device keeps what it is given to send */
    uint32_t kept_count, arp_seen;
    struct buf *kept[256];
};

/* A segment, either way. */
struct said {
    uint32_t seq, bytes, ack, window;
    uint16_t flags; /* 0 in one to be given: ACK */
    uint8_t tos;
    struct tcp_options options; /* SACK blocks counted as the data that they are about */
};

/* Connected; the handshake has been looked at. */
void dialog_start(struct dialog *t, const struct dialog_how *how);
/* Aborts it where it still stands; all buffers are home. */
void dialog_stop(struct dialog *t);

/* Our application sends so many bytes, in buffers of at most `most`; a turn follows. */
void dialog_send(struct dialog *t, uint32_t bytes, uint32_t most, uint32_t flags);
/* The peer says something; a turn follows. */
void dialog_give(struct dialog *t, const struct said *said);
/* A bare ACK, with SACK blocks [first, end): `blocks` is {first, end, ..., 0}. NULL: none. */
void dialog_ack(struct dialog *t, uint32_t ack, uint32_t window, const uint32_t *blocks);

/* The next segment that we sent. False: none. */
bool dialog_next(struct dialog *t, struct said *out);
/* The next one carries exactly these bytes. */
void dialog_expect(struct dialog *t, uint32_t seq, uint32_t bytes);
/* All that wait to be looked at: new segments of `bytes` each, from `seq` on. How many. */
uint32_t dialog_expect_run(struct dialog *t, uint32_t seq, uint32_t bytes, uint32_t count);
/* The next one is a bare ACK. */
void dialog_expect_ack(struct dialog *t, uint32_t seq, uint32_t ack);
void dialog_silent(struct dialog *t);
void dialog_wait_us(struct dialog *t, uint64_t us);
/* The device gives back what it held. */
void dialog_device_done(struct dialog *t);

RT_INLINE uint32_t dialog_una(const struct dialog *t)
{
    return t->conn->snd_una - t->our_iss;
}
RT_INLINE const struct net_counters *dialog_counters(const struct dialog *t)
{
    return net_counters(t->s.net);
}

#endif

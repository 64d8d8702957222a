/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two stacks, a line between them and applications on both, all of it chosen by a seed: a run
 * happens again, to the last byte, when its seed is given again.
 *
 *     peers.c  applications: send, hold what they got, read late, close or break off some time
 *     side.c   a stack and its pool
 *     device.c what it sends by: keeps frames for a while and takes few at once; or, in
 *     card.c   sim_card_test, the real ixgbe driver on a software 82599 that has faults
 *     values.c bytes that are sent from where they lie, in a seventh of the seeds
 *     line.c   loses, repeats, delays, reorders, goes dead for seconds; the clock
 *     watch.c  reads every frame on the line: is it one that TCP may send?
 *     check.c  looks at every connection after each turn
 *
 * At the end: each application was told the end of each connection once, all bytes that were
 * acknowledged as read are the right ones, no timer is left, every buffer is home.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "watch.h"

#include <tcp/tcp.h>

#define SIM_PAIRS_MAX 4 /* connections of a run */
#define SIM_FRAME_BYTES 1600
#define SIM_FLYING_MAX 512
#define SIM_PORT 7

struct sim;

/* ---- line.c ---- */
struct line_rules {
    uint32_t loss, repeat, reorder, mark; /* of 1000 frames */
    uint32_t delay_us;
    uint64_t dead_from_us[2], dead_until_us[2]; /* nothing passes meanwhile */
};
struct flying {
    uint64_t due_us, order; /* those of one time come in the order they were sent */
    uint32_t bytes;
    uint8_t data[SIM_FRAME_BYTES];
};
struct line {
    struct line_rules rules;
    uint64_t sent;
    uint32_t count[2]; /* towards each side */
    struct flying frames[2][SIM_FLYING_MAX];
};
void line_choose(struct sim *sim);
void line_put(struct sim *sim, unsigned to, const uint8_t *data, uint32_t bytes);
/* The next frame that is due; false: none. */
bool line_take(struct sim *sim, unsigned to, struct flying *out);
uint64_t line_next_us(const struct sim *sim);

/* ---- device.c, or card.c: what a side sends and receives by. A program has one of them. ---- */
struct side;
/* Buffers of a side that its device has for itself. */
uint32_t device_buffers(void);
void devices_begin(struct sim *sim);
/* Fills in what is the device's. Time may pass. */
void device_start(struct side *side, struct net_if_config *config);
/* What it has sent comes back; what has come in is the stack's. */
void device_turn(struct side *side);
/* UINT64_MAX: it waits for nothing. */
uint64_t device_next_us(const struct side *side);
/* It gives everything back. */
void device_stop(struct side *side);
void devices_end(const struct sim *sim);

/* ---- side.c ---- */
struct side {
    struct sim *sim;
    unsigned number;
    struct net *net;
    struct pool *pool;
    uint32_t rcv_adv[SIM_PAIRS_MAX * 2], generation[SIM_PAIRS_MAX * 2]; /* check.c */
};
void side_start(struct side *side, struct sim *sim, unsigned number);
void side_turn(struct side *side);
uint64_t side_next_us(const struct side *side);
struct ip_addr side_addr(const struct sim *sim, unsigned number);

/* ---- peers.c ---- */
enum peer_plan { PLAN_SHUTDOWN, PLAN_CLOSE, PLAN_ABORT, PLANS };
struct peer_chain {
    uint64_t due_us; /* when it is given back */
    struct buf *chain;
};
struct peer {
    struct sim *sim;
    struct side *side;
    struct peer *other; /* the one it talks to; NULL: not accepted yet */
    struct tcp_conn *conn;
    uint32_t number;
    enum peer_plan plan;
    uint64_t plan_us; /* ABORT and CLOSE: when */
    uint64_t begin_us; /* a client connects; UINT64_MAX: it has */
    uint32_t to_send, sent, received;
    uint32_t hold_us; /* how long it keeps what it got, at most */
    uint32_t part_bytes; /* a send is of so many, at most */
    uint64_t next_send_us;
    bool open, shut, ended, closed, nodelay;
    enum tcp_reason reason;
    struct peer_chain chains[256];
    uint32_t chain_count, held_true_bytes;
};
void peers_start(struct sim *sim);
void peers_turn(struct sim *sim);
uint64_t peers_next_us(const struct sim *sim);
bool peers_done(const struct sim *sim);
void peers_finish(struct sim *sim); /* what must hold when all is over */
void peers_drop(struct sim *sim);   /* a run that failed: what they hold goes back */

/* ---- values.c: what peers send from where it lies; freed when it is released ---- */
/* True: peers of this seed do. */
bool values_are_sent(const struct sim *sim);
void values_start(struct sim *sim);
/* A header for so many bytes, which are written to `*to`; all who name them are whoever has it.
 * NULL: no header is free. */
struct buf *value_take(struct sim *sim, unsigned side, uint32_t bytes, uint8_t **to);
void values_finish(struct sim *sim); /* all were released */

/* ---- check.c ---- */
void check_side(struct side *side);

/* ---- sim.c ---- */
struct sim {
    uint64_t seed, random, now_us, start_us;
    uint64_t trace; /* of all that happened */
    bool failed, quiet; /* quiet: the line is good from now on */
    bool v6;
    char message[512];
    struct line line;
    struct side sides[2];
    uint32_t pair_count;
    struct peer peers[SIM_PAIRS_MAX * 2]; /* a client, then its server */
    struct watch watch;
    struct pool *headers[2]; /* of each side, for values */
    uint32_t values_open;    /* not released */
};
/* Runs one seed. False: `sim->message` says what is wrong. */
bool sim_run(struct sim *sim, uint64_t seed);
uint32_t sim_random(struct sim *sim, uint32_t below);
void sim_trace(struct sim *sim, uint64_t value);
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

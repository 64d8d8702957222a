/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two stacks on one wire that loses, repeats, delays and reorders frames as a seed says; virtual
 * time; applications that the test writes. Frames are copied from one side's pool to the other's,
 * as by two NICs. All buffers must be home at the end.
 */
#ifndef TESTS_TCP_PAIR_H
#define TESTS_TCP_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <mempool/pool.h>
#include <tcp/tcp.h>

struct wire_rules {
    uint32_t loss, repeat, reorder; /* of 1000 frames */
    uint32_t delay_us;              /* one way */
    uint32_t hold_us;               /* a buffer that was sent comes back so late */
    bool cards; /* the cards fill in checksums, and say that those they got are right */
    bool tso;   /* with `cards`: they cut up segments */
    uint8_t bufs; /* that a frame lies in, at most; 0: any number */
};

struct side;

struct pair {
    struct side *side[2];
    uint64_t now_us;
    uint64_t random;
    struct wire_rules rules;
    uint64_t lost, repeated, reordered, carried; /* packets */
    uint64_t frames; /* that the devices were given */
};

/* Addresses 192.0.2.1 and 192.0.2.2. `tcp` of both, pools of `buffers`. */
void pair_start(struct pair *p, uint32_t buffers, const struct tcp_config *tcp,
                struct wire_rules rules, uint64_t seed);
/* Closes both; all buffers are home, no hand-over was refused. */
void pair_stop(struct pair *p);
struct net *pair_net(const struct pair *p, unsigned side);
struct pool *pair_pool(const struct pair *p, unsigned side);
struct ip_addr pair_addr(unsigned side);
/* Goes on until `done` says true (it did) or so much time has passed (it did not). */
bool pair_run(struct pair *p, uint64_t us, bool (*done)(void *ctx), void *ctx);
uint32_t pair_random(struct pair *p, uint32_t below);

#endif

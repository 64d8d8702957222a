/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbours: which MAC an address on the link has (RFC 826, RFC 1122 2.3.2; states and times
 * as RFC 4861 7.3 has them, for IPv4 as well).
 *
 *     ASKED -> answered: REACHABLE --30 s--> STALE -- used --> PROBED: asked by unicast, while
 *      | ^                                                      packets go on to the old MAC
 *      | +--------------------- no answer to 3 requests ------------------------+
 *      +--- no answer to 3 requests, 1 s apart: FAILED for 3 s, packets are refused at once
 *
 * Each neighbour is asked on its own clock: one that never answers delays no other. The newest
 * packet that waits for an answer is kept, older ones are dropped; the layer above hears of one
 * that nobody answered for (RFC 1122 2.3.2.2, RFC 4861 7.2.2). A request that we had no buffer
 * for is not one that was not answered. Only an answer we asked for, or a packet for us, makes an
 * entry; what a stranger announces changes one that is there.
 */
#ifndef TCP_LINK_NEIGH_H
#define TCP_LINK_NEIGH_H

#include "iface.h"

#include <rt/timer.h>

#define NEIGH_REQUESTS 3
#define NEIGH_TRIES 10 /* to send them: without a buffer it ends, too */
#define NEIGH_REQUEST_US 1000000
#define NEIGH_REACHABLE_US 30000000
#define NEIGH_FAILED_US 3000000

enum neigh_state {
    NEIGH_FREE,
    NEIGH_ASKED,     /* no MAC yet */
    NEIGH_REACHABLE, /* answered, or its traffic moved on, a short while ago */
    NEIGH_STALE,     /* a MAC, which must be confirmed when it is used next */
    NEIGH_PROBED,    /* ... being confirmed */
    NEIGH_FAILED,
};

struct neigh {
    struct ip_addr addr;
    uint8_t mac[6];
    uint8_t state; /* enum neigh_state */
    uint8_t requests, tries; /* sent since the last answer; and those we had no buffer for */
    struct net_if *iface;
    struct buf *waiting; /* newest packet, from its IP header on; NULL: none */
    uint64_t used_us;    /* for choosing which one to forget */
    struct timer timer;  /* the next request, or the end of a state */
    struct neigh *next;  /* of the same hash */
};

struct neigh_table {
    struct neigh *entries;
    struct neigh **buckets;
    uint32_t count, bucket_count; /* a power of two */
};

/* Sends a packet (from its IP header on; STACK) to a neighbour; asks for its MAC first where that
 * is not known. Consumed. RT_NOT_FOUND: it does not answer; RT_FULL: no room. */
enum rt_status neigh_send(struct net_if *iface, const struct ip_addr *next_hop,
                          struct buf *packet_owned);
/* True: what neigh_send() is given leaves at once. Else the neighbour is asked, if it is not
 * yet. */
bool neigh_ready(struct net_if *iface, const struct ip_addr *next_hop);
/* What is known of a neighbour, which may be forgotten later: compare its address each time. NULL:
 * nothing. */
struct neigh *neigh_find(const struct net_if *iface, const struct ip_addr *addr);
/* True: it was asked for a short while ago, and did not answer. */
bool neigh_failed(const struct net_if *iface, const struct ip_addr *next_hop);
/* An answer, or a packet for us, says that `addr` is at `mac`. `solicited`: an entry may be made,
 * else only one that is there changes. */
void neigh_learn(struct net_if *iface, const struct ip_addr *addr, const uint8_t mac[6],
                 bool solicited);
/* A packet of this neighbour said its MAC: where it is, not that it hears us (RFC 4861 7.2.3). */
void neigh_heard(struct net_if *iface, const struct ip_addr *addr, const uint8_t mac[6]);
/* It says so itself (7.2.5). `mac` may be NULL: the one that is known. `solicited`: we had asked.
 * `override`: this MAC is the right one, whatever is known. */
void neigh_answered(struct net_if *iface, const struct ip_addr *addr, const uint8_t *mac,
                    bool solicited, bool override);
/* A connection by this next hop moves on: no need to ask (RFC 4861 7.3.1). */
void neigh_confirm(struct net_if *iface, const struct ip_addr *next_hop);
/* Drops what waits, stops every timer. */
void neigh_close(struct net *net);

#endif

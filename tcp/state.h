/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack's state, for its rooms: each has its part. */
#ifndef TCP_STATE_H
#define TCP_STATE_H

#include "few.h"
#include "link/neigh.h"

#include <rt/timer.h>
#include <tcp/net.h>

#define IP_FRAGMENT_IDS 64 /* counters that peers share; a power of two */

struct reasm;
struct tcp_stack;
struct udp_stack;
struct udp_sock;

struct net {
    uint64_t now_us; /* of the call that runs */
    uint32_t ways_changed; /* IPv4's addresses, subnets, gateways: how often */
    struct net_config config;
    struct few few;
    uint32_t if_count;
    bool shared; /* some of them, with stacks of other cores */
    uint32_t loop_count; /* packets to ourselves that wait for the next turn */
    struct buf *loop_first, *loop_last;
    uint32_t fragment_ids[IP_FRAGMENT_IDS]; /* ip_fragment_id() */
    struct reasm *reasms; /* REASM_DATAGRAMS of them */
    uint32_t reasm_bufs, reasm_bufs_max; /* that they hold */
    uint32_t icmp_tokens; /* errors that may be sent now (RFC 1812 4.3.2.8) */
    uint64_t icmp_tokens_us;
    struct net_counters counters;
    struct neigh_table neighs;
    struct tcp_stack *tcp; /* NULL: it has none */
    struct udp_stack *udp; /* the same */
    struct udp_sock *dhcp_sock; /* of all clients; NULL: there is none */
    struct timer_wheel wheel; /* what is rare */
    struct net_if ifs[NET_IFS_MAX];
};

#endif

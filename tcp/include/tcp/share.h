/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several stacks with the same addresses: one a core, behind one device that spreads frames
 * over its queues. Each has connections, sockets and neighbours of its own, and each
 * listens.
 *
 * What comes in by a stack that it is not for goes on to the right one, as a message:
 *
 *     a segment of no connection here     to the stack that the frames of its flow reach: home
 *     an ICMP error about a connection    to that of the packet which it quotes
 *     a datagram of no socket here        to the next stack, and so on; the last one answers
 *     ARP, ICMPv6's neighbours, routers   to the first stack
 *
 * The first stack (number 0) alone speaks of addresses: it asks whether they are free, is
 * the DHCP client, listens to routers. What it learns it tells the others: a neighbour as it
 * is heard of; addresses, routers and MTU as a whole, whenever they change. So
 * net_setup_apply(), net_addr_add(), net_gateway_set(), net_ip6_start() and dhcp_create()
 * are for the first stack's interface only. A connection that a stack begins has a port by
 * which the answers reach it.
 *
 * Fragments need no care: queues are chosen by addresses alone for them, so all of a
 * datagram come by one, and the whole goes on from there.
 */
#ifndef TCP_SHARE_H
#define TCP_SHARE_H

#include <tcp/net.h>

/* A flow, as its frames come in. */
struct net_flow {
    struct ip_addr src, dst;
    uint16_t src_port, dst_port;
};

/* What one stack knows of those that its interface is shared with (net_if_config.share). Its
 * functions are called on the stack's core. */
struct net_share {
    uint32_t number, count; /* this stack's among them; until the first turn they may change */
    /* Number of the stack that TCP's frames of this flow are for, below `count`: every stack
     * says the same, at best the one whose queue they come by. */
    uint32_t (*home)(void *ctx, const struct net_flow *flow);
    /* Takes a message to another stack's net_share_input(), on its core. A chain of the stack's
     * (STACK), consumed: false: there was no room, and it was freed. */
    bool (*send)(void *ctx, uint32_t to, struct buf *message_owned);
    void *ctx;
};

/* A message that another stack's send() was given for this one's interface; the stack's (STACK)
 * again, consumed. Between turns, as net_input().
 * tidy: owned: no function returns messages, send() hands them over. */
void net_share_input(struct net *net, uint32_t iface, struct buf *message_owned,
                     uint64_t now_us);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets to ourselves: they never leave, and come in with the next turn. */
#ifndef TCP_IP_LOOP_H
#define TCP_IP_LOOP_H

#include "ip.h"

#define LOOP_MAX 64 /* that wait; more are dropped */

/* Keeps a datagram for the next turn; consumed. RT_FULL: dropped and counted. */
enum rt_status loop_put(struct net *net, const struct ip_how *how, const struct ip_route *route,
                        struct buf *datagram_owned);
/* The oldest that waits, as if it had come in. False: there is none. */
bool loop_take(struct net *net, struct ip_packet *out);
void loop_close(struct net *net);

#endif

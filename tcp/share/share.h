/* SPDX-License-Identifier: BSD-2-Clause */
/* An interface that several stacks share (<tcp/share.h>): what goes to others, and what
 * comes. */
#ifndef TCP_SHARE_SHARE_H
#define TCP_SHARE_SHARE_H

#include "../ip/ip.h"

#include <tcp/share.h>

/* What a message is, in the low byte of buf.user. */
enum share_kind {
    SHARE_DATAGRAM, /* in the bytes above: how many stacks it has come by */
    SHARE_ARP,      /* from ARP's header on */
    SHARE_NEIGH,
    SHARE_STATE,
};

/* What the first stack heard of a neighbour: a call of neigh.h. */
enum share_heard {
    SHARE_LEARNT,
    SHARE_HEARD,
    SHARE_ANSWERED,
};
struct share_neigh {
    struct ip_addr addr;
    uint8_t mac[6];
    uint8_t heard; /* enum share_heard */
    bool has_mac, solicited, override;
};

RT_INLINE bool share_is_shared(const struct net_if *iface)
{
    return RT_UNLIKELY(iface->config.share != NULL) && iface->config.share->count > 1;
}
/* Another stack speaks of the interface's addresses. */
RT_INLINE bool share_follows(const struct net_if *iface)
{
    return iface->config.share != NULL && iface->config.share->number != 0;
}

/* ---- pass.c ---- */
/* Of a shared interface. True: the packet is for another stack, consumed and on its way
 * there. `stations`: stacks that it has come by. */
bool share_pass(struct net *net, struct ip_packet *packet_owned, uint32_t stations);
/* The same of an ARP message. */
bool share_pass_arp(struct net_if *iface, struct buf *message_owned);
/* Frames of this flow come home to this stack. */
bool share_is_home(const struct net_if *iface, const struct net_flow *flow);
/* To another stack; consumed: false: there was no room. */
bool share_send(const struct net_if *iface, uint32_t to, enum share_kind kind,
                struct buf *message_owned);

/* ---- news.c ---- */
/* The others hear of a neighbour. One that gets no message asks for itself. */
void share_tell_neigh(const struct net_if *iface, const struct share_neigh *heard);
/* ... of addresses, routers and MTU of all interfaces, where they changed; again with the next
 * turn where there was no room. */
void share_tell_state(struct net *net);
/* True: somebody is still to be told. */
bool share_tells(const struct net *net);
void share_take_neigh(struct net_if *iface, const struct buf *message);
void share_take_state(struct net_if *iface, const struct buf *message);

/* ---- net.c ---- */
/* A datagram of this stack's, for the layer above. */
void net_deliver(struct net *net, struct ip_packet *packet_owned);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* An interface: its addresses, and the frames that wait for its device. */
#ifndef TCP_LINK_IFACE_H
#define TCP_LINK_IFACE_H

#include "acd.h"
#include "ip6.h"

#include <rt/timer.h>
#include <tcp/net.h>

struct dhcp_client;

enum if_addr_state {
    IF_ADDR_PREFERRED,
    IF_ADDR_DEPRECATED, /* still ours, but nothing new begins with it (RFC 4862 5.5.4) */
    IF_ADDR_TENTATIVE,  /* not ours yet: the link is being asked, or another host has it */
};

struct if_addr {
    struct ip_addr addr;
    uint8_t prefix_bits;
    uint8_t state; /* enum if_addr_state */
    struct acd acd;       /* IPv4 */
    struct ip6_life life; /* IPv6 */
};

struct net_if {
    struct net_if_config config;
    struct net *net;
    struct if_addr addrs[NET_ADDRS_MAX];
    uint32_t addr_count;
    bool has_gateway;
    struct ip_addr gateway; /* IPv4's; IPv6's are routers */
    bool link_up;
    uint16_t mtu_most_bytes; /* what the device carries; config.mtu_bytes is what is used */
    struct dhcp_client *dhcp; /* who asks for its addresses; NULL: nobody */
    struct timer acd_timer;  /* the next step of an address */
    struct if_ip6 ip6;
    uint64_t untold; /* a bit for each stack that does not know yet what the first one has */
    uint64_t mac_word; /* our MAC in the first six bytes of a frame, shifted to the top */
    uint32_t left; /* frames of `out` that the device would not take yet */
    struct buf_batch out;
};

/* Puts a frame behind the others; the device gets them when the batch is full, or at the end of
 * the turn. Consumed: false, dropped and counted, when there is no room. The first segment is
 * the stack's (STACK). */
bool if_put(struct net_if *iface, struct buf *frame_owned);
/* Its timers end: of its addresses, and of who asks for them. */
void if_close(struct net_if *iface);
/* Offers what waits to the device. */
void if_flush(struct net_if *iface);
/* True: a frame that waits for the device has this buffer as one of its segments. */
bool if_has(const struct net_if *iface, const struct buf *b);
/* Takes frames with this segment out of those that wait; what is the stack's of them is freed. */
void if_withdraw(struct net_if *iface, const struct buf *b);
/* Addresses, routers or MTU are others now: stacks that share the interface are told. */
RT_INLINE void if_changed(struct net_if *iface)
{
    iface->untold = UINT64_MAX;
}
/* Frames that if_put() takes for sure. */
RT_INLINE uint32_t if_room(const struct net_if *iface)
{
    return BUF_BATCH_MAX - iface->out.count;
}

/* Largest packet of the family of this address. */
RT_INLINE uint32_t if_mtu(const struct net_if *iface, const struct ip_addr *addr)
{
    return ip_addr_is_v4(addr) ? iface->config.mtu_bytes : iface->ip6.mtu_bytes;
}
/* The interface's address, and the one of the peer's subnet (of several that with the longest
 * prefix, then the first), NULL: it has none that may be used. */
const struct if_addr *if_addr_find(const struct net_if *iface, const struct ip_addr *addr);
const struct if_addr *if_addr_for(const struct net_if *iface, const struct ip_addr *peer);
/* The same as if_addr_find(), also of one that is TENTATIVE. */
struct if_addr *if_addr_any(struct net_if *iface, const struct ip_addr *addr);
/* The broadcast address of one of its IPv4 subnets, or 255.255.255.255. */
bool if_is_broadcast(const struct net_if *iface, const struct ip_addr *addr);
/* ... or a group that we are in: 224.0.0.1, all hosts (RFC 1112 4), those of IPv6. */
bool if_hears_group(const struct net_if *iface, const struct ip_addr *addr);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv6 on an interface: its link-local address, which groups it hears, and where its packets go.
 *
 * A host is in the group of all nodes and, for each of its addresses, in a solicited-node group,
 * by which neighbours ask for it (RFC 4291 2.7.1, 2.8). The device is told of each group before
 * anything is sent for it: so nothing depends on a device that lets everything in.
 */
#ifndef TCP_LINK_IP6_H
#define TCP_LINK_IP6_H

#include <tcp/net.h>

#define IP6_ROUTERS_MAX 4

struct net_if;

struct ip6_router {
    struct ip_addr addr;     /* on the link */
    uint64_t valid_until_us; /* UINT64_MAX: set by hand */
};

struct if_ip6 {
    bool on;
    uint16_t mtu_bytes; /* of an IPv6 packet on this link */
    struct ip6_router routers[IP6_ROUTERS_MAX]; /* in order of preference */
    uint32_t router_count;
};

/* ff02::1 and ff02::2. */
extern const struct ip_addr ip6_all_nodes, ip6_all_routers;

/* The solicited-node group of an address (RFC 4291 2.7.1). */
struct ip_addr ip6_solicited_node(const struct ip_addr *addr);
/* The link-local address that follows from a MAC (RFC 4291 2.5.6, RFC 2464 4, 5). */
struct ip_addr ip6_link_local(const uint8_t mac[6]);
/* True: the interface hears this group. */
bool if_group_find(const struct net_if *iface, const struct ip_addr *group);

/* An address of the interface: its device hears the group, then it may be used. RT_FULL. */
enum rt_status ip6_addr_add(struct net_if *iface, const struct ip_addr *addr,
                            uint32_t prefix_bits);

/* Where packets go that are for nobody on the link; NULL: nowhere. A router that does not answer
 * is passed over while there is another (RFC 4861 6.3.6). */
const struct ip_addr *ip6_router_choose(const struct net_if *iface);
/* A router for so long. RT_FULL: there are others enough. */
enum rt_status ip6_router_add(struct net_if *iface, const struct ip_addr *addr,
                              uint64_t valid_until_us);
void ip6_router_remove(struct net_if *iface, const struct ip_addr *addr);

#endif

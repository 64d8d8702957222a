/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv6 on an interface: its addresses, which groups it hears, and where its packets go.
 *
 * A host is in the group of all nodes and, for each of its addresses, in a solicited-node group,
 * by which neighbours ask for it (RFC 4291 2.7.1, 2.8). The device is told of each group, and the
 * routers of the link are (MLD), before anything is sent for it: so nothing depends on a device
 * or a switch that lets everything in.
 *
 *     an address: TENTATIVE -- asked for, nobody has it: 1 s --> PREFERRED -> DEPRECATED -> gone
 *                     +-- somebody has it: never used (RFC 4862 5.4, 5.5.4)
 *
 * Addresses of ours end in the MAC (RFC 4291 2.5.6), not in a secret number (RFC 7217): a server is
 * to be found where it was yesterday, and this machine keeps no secret over a start.
 */
#ifndef TCP_LINK_IP6_H
#define TCP_LINK_IP6_H

#include <rt/timer.h>
#include <tcp/net.h>

#define IP6_ROUTERS_MAX 4
#define IP6_PREFIXES_MAX 8
#define IP6_TEST_US 1000000       /* RFC 4861 10: RETRANS_TIMER */
#define IP6_START_DELAY_US 1000000 /* at most: many that start at once do not speak at once */
#define IP6_SOLICITS 3            /* RFC 4861 10: MAX_RTR_SOLICITATIONS */
#define IP6_SOLICIT_US 4000000    /* ... RTR_SOLICITATION_INTERVAL */
#define IP6_REPORTS 2             /* RFC 3810 9.1: of a change */
#define IP6_REPORT_US 1000000     /* ... 9.11, at most apart */

struct net_if;

/* Of an IPv6 address: where its test is, and when it ends. */
struct ip6_life {
    uint64_t test_us; /* next step of the test; UINT64_MAX: none */
    uint64_t preferred_until_us, valid_until_us;
    bool asked;     /* the question has left */
    bool automatic; /* a router's prefix made it */
};

struct ip6_router {
    struct ip_addr addr;     /* on the link */
    uint64_t valid_until_us; /* UINT64_MAX: set by hand */
};

/* A part of the address space that is on the link (RFC 4861 5.1). */
struct ip6_prefix {
    struct ip_addr addr;
    uint32_t bits;
    uint64_t valid_until_us;
};

struct if_ip6 {
    bool on, automatic;
    uint16_t mtu_bytes; /* of an IPv6 packet on this link */
    uint8_t solicits;   /* of routers, to go */
    uint8_t reports;    /* of groups, to go; of a change: */
    bool changed;       /* ... else somebody asked */
    uint64_t solicit_us, report_us;
    struct ip6_router routers[IP6_ROUTERS_MAX]; /* in order of preference */
    struct ip6_prefix prefixes[IP6_PREFIXES_MAX];
    uint32_t router_count, prefix_count;
    uint32_t randoms;   /* drawn so far */
    struct timer timer; /* the next of all these times */
};

/* ff02::1 and ff02::2. */
extern const struct ip_addr ip6_all_nodes, ip6_all_routers;

/* The solicited-node group of an address (RFC 4291 2.7.1). */
struct ip_addr ip6_solicited_node(const struct ip_addr *addr);
/* The link-local address that follows from a MAC (RFC 4291 2.5.6, RFC 2464 4, 5). */
struct ip_addr ip6_link_local(const uint8_t mac[6]);
/* True: the interface hears this group. */
bool if_group_find(const struct net_if *iface, const struct ip_addr *group);

/* An address that is to be the interface's: its test begins. RT_BUSY: it is there; RT_FULL. */
enum rt_status ip6_addr_add(struct net_if *iface, const struct ip_addr *addr,
                            uint32_t prefix_bits);
/* Another host has this address, which is ours or to be. */
void ip6_addr_taken(struct net_if *iface, const struct ip_addr *addr);

/* Where packets go that are for nobody on the link; NULL: nowhere. A router that does not answer
 * is passed over while there is another (RFC 4861 6.3.6). */
const struct ip_addr *ip6_router_choose(const struct net_if *iface);
/* A router for so long; one that was set by hand stays it. RT_FULL: there are others enough. */
enum rt_status ip6_router_add(struct net_if *iface, const struct ip_addr *addr,
                              uint64_t valid_until_us);
/* This one is a router no more, unless it was set by hand. */
void ip6_router_gone(struct net_if *iface, const struct ip_addr *addr);
/* A prefix is on the link so long; a time that is past: not any more. RT_FULL. */
enum rt_status ip6_prefix_set(struct net_if *iface, const struct ip_addr *prefix, uint32_t bits,
                              uint64_t valid_until_us);
/* Bits of the longest prefix on the link that this address is in; 0: none. */
uint32_t ip6_prefix_bits(const struct net_if *iface, const struct ip_addr *addr);

/* Groups are reported again within so much: somebody asked, or the link came back. */
void ip6_report(struct net_if *iface, bool changed, uint64_t within_us);
void ip6_link_up(struct net_if *iface);
/* Times have changed: the timer is at the next of them. */
void ip6_arm(struct net_if *iface);
void ip6_close(struct net_if *iface);
/* Below `below`, which is not 0; nobody outside can foresee it. */
uint64_t ip6_random(struct net_if *iface, uint64_t below);

#endif

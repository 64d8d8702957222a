/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An address by DHCP (RFC 2131): a client for an interface, which runs inside of net_turn().
 *
 *     DISCOVER -> OFFER -> REQUEST -> ACK -> is it free (RFC 5227)? -> bound
 *     bound: asks its server at T1, any server at T2; at the end of the lease, or when a server
 *     says no, the address goes at once, and its connections end (TCP_NO_ADDRESS)
 *
 * What an interface has of IPv4 (net_setup_apply()) is the lease's from dhcp_create() on, on this
 * stack; changed() is for others that share the address. The client calls itself by its MAC, as
 * iPXE does: so a server gives both the same address.
 * All functions: the core of the stack.
 */
#ifndef TCP_DHCP_H
#define TCP_DHCP_H

#include <tcp/net.h>

struct dhcp_client;

enum dhcp_state {
    DHCP_STOPPED,    /* dhcp_release() was called */
    DHCP_WAITING,    /* for a link, or a while after an address was refused */
    DHCP_SELECTING,  /* asked who has an address */
    DHCP_REQUESTING, /* asked for one that was offered */
    DHCP_REBOOTING,  /* asked whether one that we had may still be used */
    DHCP_PROBING,    /* granted; the link is asked whether it is free */
    DHCP_BOUND,
    DHCP_RENEWING,  /* in use; its server was asked for more time */
    DHCP_REBINDING, /* in use; every server was asked */
};
const char *dhcp_state_name(enum dhcp_state state);

struct dhcp_config {
    uint32_t iface;
    struct ip_addr known; /* that we had, and ask for first; 0.0.0.0 or ::: none */
    /* What the interface has changed; nothing: `setup->count` is 0. Calls nothing here. May be
     * NULL. */
    void (*changed)(void *ctx, const struct net_setup *setup);
    void *ctx;
};

/* Starts a client; the stack has UDP. Before the seal. RT_NO_MEMORY; RT_BUSY: the interface has
 * one, or somebody has port 68; RT_FULL: no socket. */
RT_NODISCARD enum rt_status dhcp_create(struct net *net, const struct dhcp_config *config,
                                        struct dhcp_client **out);
/* Gives the lease back, in the turn that follows, and stops for good. */
void dhcp_release(struct dhcp_client *client);

enum dhcp_state dhcp_state(const struct dhcp_client *client);
/* Seconds that are left of the lease; 0: there is none; UINT32_MAX: for ever. */
uint32_t dhcp_lease_s(const struct dhcp_client *client, uint64_t now_us);

#endif

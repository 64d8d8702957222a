/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of an interface (RFC 2131 4.4, its figure 5): what it asks, and what it has. */
#ifndef TCP_DHCP_CLIENT_H
#define TCP_DHCP_CLIENT_H

#include "../link/iface.h"
#include "message.h"

#include <rt/timer.h>
#include <tcp/dhcp.h>
#include <tcp/udp.h>

#define DHCP_FIRST_WAIT_US 4000000u /* RFC 2131 4.1: 4, 8, 16, 32, 64 s, each +- 1 s */
#define DHCP_WAIT_DOUBLINGS 4
#define DHCP_REQUESTS 4         /* for the same address: about a minute (3.1 (5)) */
#define DHCP_RENEW_WAIT_US 60000000u /* between two in RENEWING, at least (4.4.5) */
#define DHCP_RENEW_FIRST_US 500000u /* T1 is not sooner than so long after the answer */
#define DHCP_DECLINED_WAIT_US 10000000u /* 3.1 (5) */
#define DHCP_REFUSED_WAIT_S 64  /* a server that says no to all it offers; doubles up to this */
#define DHCP_MTU_MIN 576        /* a smaller one is no good advice (RFC 791 3.1) */

struct dhcp_client {
    struct net *net;
    struct net_if *iface;
    struct dhcp_config config;
    uint8_t state;    /* enum dhcp_state */
    uint8_t tries;    /* sent in this exchange */
    uint8_t refusals; /* since an address was bound */
    uint16_t secs;    /* as the last DISCOVER, or first REQUEST, said */
    uint32_t xid;     /* of this exchange: the same in all of its messages */
    uint64_t drawn;   /* random numbers so far */
    uint64_t begun_us; /* the exchange */
    uint64_t asked_us; /* first time for what is being asked: a lease counts from here */
    struct ip_addr addr, server; /* offered, or had; who said so */
    struct net_setup setup;      /* of the lease; count 0: there is none */
    uint64_t renew_us, rebind_us, end_us; /* T1, T2; UINT64_MAX: never */
    struct timer timer;          /* the next message, or change of state */
};

/* ---- client.c ---- */
void dhcp_begin(struct dhcp_client *client);  /* DISCOVER, when there is a link */
void dhcp_wait(struct dhcp_client *client, uint64_t us); /* then dhcp_begin() */
/* A message of one kind, as the state wants it; without a buffer the timer comes back to it. */
void dhcp_send(struct dhcp_client *client, enum dhcp_kind kind);
void dhcp_new_exchange(struct dhcp_client *client);
/* A lease that is in use: at its next time. */
void dhcp_arm_lease(struct dhcp_client *client);
/* The interface's link came or went. */
void dhcp_link(struct dhcp_client *client, bool up);
void dhcp_close(struct dhcp_client *client);

/* ---- lease.c ---- */
/* A server grants what was asked. */
void dhcp_granted(struct dhcp_client *client, const struct dhcp_message *m);
/* The address is not ours any more: not used from now on. */
void dhcp_drop_lease(struct dhcp_client *client);
/* A server says no: from the start, at once the first time. */
void dhcp_refused(struct dhcp_client *client);
/* What the link said of the address. */
void dhcp_addr_told(struct dhcp_client *client, const struct ip_addr *addr,
                    enum net_addr_event event);

#endif

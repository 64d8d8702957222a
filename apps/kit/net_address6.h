/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot argument ip6=: a list for each port, in their order, with ';' between them.
 *
 *     auto                what routers of the link advertise (SLAAC), beside the link-local address
 *     link                the link-local address alone
 *     off                 no IPv6
 *     2001:db8::1/64      an address by hand; several have ',' between them
 *     via=fe80::1         ... and a gateway
 *
 * A last list without addresses is for all ports behind it, too. Pure.
 */
#ifndef KIT_NET_ADDRESS6_H
#define KIT_NET_ADDRESS6_H

#include <tcp/net.h>

#define NET_ADDRESS6_MAX (NET_ADDRS_MAX - 1) /* beside the link-local one */

struct net_address6 {
    bool off, automatic;
    uint32_t count;
    struct net_addr addrs[NET_ADDRESS6_MAX];
    struct ip_addr gateway;
    bool has_gateway;
};

/* What is wrong, and with which word of the text. */
struct net_address6_error {
    const char *why, *word;
    uint32_t word_bytes;
};

/* What the text says of a port; false: `error` says what is wrong. */
bool net_address6_parse(const char *text, uint32_t port, struct net_address6 *out,
                        struct net_address6_error *error);

#endif

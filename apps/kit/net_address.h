/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot argument ip=, in the words of Linux:
 *
 *     client:server:gateway:mask:host:device:proto:dns0:dns1:ntp    dhcp, on, any, off, none
 *
 * Several of them are separated by commas. Pure: what an entry means for which port.
 */
#ifndef KIT_NET_ADDRESS_H
#define KIT_NET_ADDRESS_H

#include <tcp/net.h>

#define NET_ADDRESS_ENTRIES 16
#define NET_ADDRESS_EVERY_PORT UINT32_MAX

struct net_address {
    uint32_t port; /* NET_ADDRESS_EVERY_PORT: dhcp or off alone */
    bool dhcp;     /* `addr` is one that we had, or 0.0.0.0 */
    bool off;
    struct ip_addr addr, gateway;
    uint32_t prefix_bits;
    bool has_gateway;
};

struct net_addresses {
    struct net_address entry[NET_ADDRESS_ENTRIES];
    uint32_t count;
};

/* Reads all of it; false: `why` says what is wrong with which entry (from 1). */
bool net_addresses_parse(const char *text, struct net_addresses *out, const char **why,
                         uint32_t *entry);
/* What they say of a port; `setup` has its addresses and `dhcp` an entry that wants one, or NULL.
 * False: more than an interface can have. */
bool net_addresses_of(const struct net_addresses *all, uint32_t port, struct net_setup *setup,
                      const struct net_address **dhcp);

#endif

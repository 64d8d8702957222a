/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot argument ip=, in the words of Linux: client:server:gateway:mask. */
#ifndef KIT_NET_ADDRESS_H
#define KIT_NET_ADDRESS_H

#include <tcp/net.h>

struct net_address {
    struct ip_addr addr, gateway;
    uint32_t prefix_bits;
    bool has_gateway;
};

/* Reads it; false: `why` says what is wrong. Pure. */
bool net_address_parse(const char *text, struct net_address *out, const char **why);
/* Gives an interface the address of the boot argument; false, and a line: it is none. */
bool kit_net_address(struct net *net, uint32_t iface);

#endif

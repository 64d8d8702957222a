/* SPDX-License-Identifier: BSD-2-Clause */
/* A server's message taken apart, and ours put together. Pure. */
#ifndef TCP_DHCP_MESSAGE_H
#define TCP_DHCP_MESSAGE_H

#include "../wire/dhcp.h"

#include <tcp/addr.h>

#define DHCP_BYTES_MOST 1472 /* of a message: an Ethernet packet; longer ones are dropped */
#define DHCP_LEASE_FOR_EVER UINT32_MAX

/* What a server says; addresses that it does not name are 0.0.0.0. */
struct dhcp_message {
    uint32_t xid;
    uint32_t kind; /* enum dhcp_kind */
    struct ip_addr yours, server, router;
    uint32_t prefix_bits; /* of its mask, or of the class of `yours` where it has none */
    uint32_t mtu_bytes;   /* 0: not said */
    uint32_t lease_s;     /* 0: not said; DHCP_LEASE_FOR_EVER */
    uint32_t renewal_s, rebinding_s; /* T1 < T2 < lease: as it says, else the usual parts of it */
};

/* False: no message of a server to this MAC, or one that contradicts itself anywhere. */
bool dhcp_parse(const uint8_t *data, uint32_t bytes, const uint8_t mac[6],
                struct dhcp_message *out);

/* What we say. */
struct dhcp_wish {
    enum dhcp_kind kind;
    uint32_t xid;
    uint16_t secs, mtu_bytes;
    const uint8_t *mac;
    struct ip_addr client; /* that we have; 0.0.0.0: none */
    struct ip_addr wanted, server; /* that we name; 0.0.0.0: none */
};
/* Returns its bytes, DHCP_BYTES_MIN to `room`. */
uint32_t dhcp_build(const struct dhcp_wish *wish, uint8_t *data, uint32_t room);

#endif

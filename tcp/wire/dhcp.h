/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP (RFC 2131 2, options of RFC 2132) on the wire. */
#ifndef TCP_WIRE_DHCP_H
#define TCP_WIRE_DHCP_H

#include <rt/base.h>

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

enum { DHCP_BOOT_REQUEST = 1, DHCP_BOOT_REPLY = 2, DHCP_ETHERNET = 1 };

struct RT_PACKED dhcp_header {
    uint8_t op, hardware, hardware_bytes, hops;
    be32_t xid;
    be16_t secs, flags;
    be32_t client, yours, next_server, relay; /* ciaddr, yiaddr, siaddr, giaddr */
    uint8_t mac[16];                          /* chaddr */
    uint8_t server_name[64], file[128];       /* or more options: option 52 */
    be32_t cookie;
};
_Static_assert(sizeof(struct dhcp_header) == 240, "RFC 2131 2, and the cookie");
_Static_assert(offsetof(struct dhcp_header, yours) == 16 &&
                   offsetof(struct dhcp_header, mac) == 28 &&
                   offsetof(struct dhcp_header, server_name) == 44 &&
                   offsetof(struct dhcp_header, file) == 108,
               "RFC 2131 2");
#define DHCP_COOKIE 0x63825363
#define DHCP_BROADCAST 0x8000 /* of flags: answer to everybody, we have no address yet */
#define DHCP_BYTES_MIN 300    /* shorter ones are dropped by old relays (RFC 1542 2.1) */

enum dhcp_kind {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_DECLINE = 4,
    DHCP_ACK = 5,
    DHCP_NAK = 6,
    DHCP_RELEASE = 7,
};

enum dhcp_option {
    DHCP_PAD = 0,
    DHCP_MASK = 1,
    DHCP_ROUTER = 3,
    DHCP_MTU = 26,
    DHCP_WANTED_ADDRESS = 50,
    DHCP_LEASE_TIME = 51,
    DHCP_OVERLOAD = 52,
    DHCP_MESSAGE_KIND = 53,
    DHCP_SERVER_ID = 54,
    DHCP_WANTED_OPTIONS = 55,
    DHCP_LONGEST_MESSAGE = 57,
    DHCP_RENEWAL_TIME = 58,
    DHCP_REBINDING_TIME = 59,
    DHCP_CLIENT_ID = 61,
    DHCP_END = 255,
};
enum { DHCP_OVERLOAD_FILE = 1, DHCP_OVERLOAD_NAME = 2 };

#endif

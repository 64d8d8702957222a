/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet (IEEE 802.3 3.1.1), its VLAN tag (802.1Q 9.6) and ARP (RFC 826) on the wire. */
#ifndef TCP_WIRE_ETH_H
#define TCP_WIRE_ETH_H

#include <rt/base.h>

#define ETH_MIN_PAYLOAD_BYTES 46 /* shorter ones are padded */

enum eth_type {
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ETH_VLAN = 0x8100,
    ETH_IPV6 = 0x86dd,
};

struct RT_PACKED eth_header {
    uint8_t dst[6], src[6];
    be16_t type;
};
_Static_assert(sizeof(struct eth_header) == 14, "IEEE 802.3 3.1.1");

struct RT_PACKED eth_vlan_tag {
    be16_t tci; /* low 12 bits: the VLAN; 0: none, a priority only */
    be16_t type;
};
_Static_assert(sizeof(struct eth_vlan_tag) == 4, "IEEE 802.1Q 9.6");
#define ETH_VLAN_ID 0x0fff

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };
enum { ARP_ETHERNET = 1 };

struct RT_PACKED arp_header {
    be16_t hardware, protocol;
    uint8_t hardware_bytes, protocol_bytes;
    be16_t op;
    uint8_t sender_mac[6];
    be32_t sender;
    uint8_t target_mac[6];
    be32_t target;
};
_Static_assert(sizeof(struct arp_header) == 28, "RFC 826");
_Static_assert(offsetof(struct arp_header, sender) == 14 &&
                   offsetof(struct arp_header, target) == 24,
               "RFC 826, packet format");

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet frames: header and tag off, header and tag on. */
#ifndef TCP_LINK_ETH_H
#define TCP_LINK_ETH_H

#include "iface.h"

struct eth_frame {
    uint16_t type;  /* enum eth_type */
    bool to_group;  /* its destination is a multicast or broadcast MAC */
    uint8_t src[6];
};

extern const uint8_t eth_broadcast[6];

/* The MAC of a group or a broadcast. */
void eth_group_mac(const struct ip_addr *group, uint8_t mac[6]);
/* Takes header and tag off a frame; false: it is not for us, and counted. Borrowed. */
bool eth_parse(struct net_if *iface, struct buf *frame, struct eth_frame *out);
/* Puts header and tag in front of a packet, and the frame on its way. Consumed. */
void eth_send(struct net_if *iface, struct buf *packet_owned, const uint8_t dst[6],
              uint16_t type);

#endif

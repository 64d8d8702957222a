/* SPDX-License-Identifier: BSD-2-Clause */
/* What boot arguments say of an interface (ip=, mtu=, vlan=), done and logged. */
#ifndef KIT_NET_CONFIG_H
#define KIT_NET_CONFIG_H

#include <kit/net.h>

/* vlan= and mtu= of an interface that is about to be added, whose device carries `mtu_bytes`.
 * False, and a line: mtu= is more than that. */
bool kit_net_link_config(struct net_if_config *config, uint32_t port);
/* Gives an interface what ip= says for its port. False, and a line: it says nothing that can be
 * done. */
bool kit_net_configure(struct kit_net_path *path);
/* A line, once: an interface that asks DHCP servers has no answer. */
void kit_net_no_lease(struct kit_net_path *path);
/* A group of frames that the card is to let in; core 0. As struct net_if_config wants it. */
void kit_net_join(void *path, const uint8_t mac[6]);
/* A line for an address: ready, taken, conflict. As struct net_if_config wants it. */
void kit_net_told(void *path, const struct ip_addr *addr, enum net_addr_event event);

#endif

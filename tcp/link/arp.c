/* SPDX-License-Identifier: BSD-2-Clause */
#include "arp.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/eth.h"
#include "eth.h"
#include "neigh.h"

/* Sends a message; false: there is no buffer, and it is not sent. */
static bool send_message(struct net_if *iface, enum arp_op op, const struct arp_header *ends,
                         const uint8_t dst[6])
{
    struct buf *b = few_take(iface->net);
    struct arp_header *arp;

    if (b == NULL)
        return false;
    b->data_off = (uint16_t)(b->data_off + sizeof(*arp));
    arp = chain_push(b, sizeof(*arp));
    *arp = *ends;
    arp->hardware = be16_put(ARP_ETHERNET);
    arp->protocol = be16_put(ETH_IPV4);
    arp->hardware_bytes = 6;
    arp->protocol_bytes = 4;
    arp->op = be16_put((uint16_t)op);
    __builtin_memcpy(arp->sender_mac, iface->config.mac, 6);
    iface->net->counters.arp_out++;
    eth_send(iface, b, dst, ETH_ARP);
    return true;
}

bool arp_request(struct net_if *iface, const struct ip_addr *target, const uint8_t *to)
{
    const struct if_addr *own = if_addr_for(iface, target);
    struct arp_header ends = {.target = ip_addr_get_v4(target)};

    if (own != NULL)
        ends.sender = ip_addr_get_v4(&own->addr);
    return send_message(iface, ARP_REQUEST, &ends, to != NULL ? to : eth_broadcast);
}

bool arp_probe(struct net_if *iface, const struct ip_addr *target)
{
    const struct arp_header ends = {.target = ip_addr_get_v4(target)};

    return send_message(iface, ARP_REQUEST, &ends, eth_broadcast);
}

bool arp_announce(struct net_if *iface, const struct ip_addr *own)
{
    const struct arp_header ends = {.sender = ip_addr_get_v4(own),
                                    .target = ip_addr_get_v4(own)};

    return send_message(iface, ARP_REQUEST, &ends, eth_broadcast);
}

/* What comes by the link that is no ARP of Ethernet and IPv4, or from a group. */
static bool is_bad(const struct buf *message, const struct arp_header *arp)
{
    return message->data_len < sizeof(*arp) || be16_get(arp->hardware) != ARP_ETHERNET ||
           be16_get(arp->protocol) != ETH_IPV4 || arp->hardware_bytes != 6 ||
           arp->protocol_bytes != 4 || (arp->sender_mac[0] & 1) != 0;
}

/* RFC 826, packet reception: who is there already is updated, whoever asks for us is added. */
static void handle(struct net_if *iface, const struct arp_header *arp)
{
    const struct ip_addr sender = ip_addr_v4(arp->sender), target = ip_addr_v4(arp->target);
    const bool for_us = if_addr_find(iface, &target) != NULL;

    if (__builtin_memcmp(arp->sender_mac, iface->config.mac, 6) == 0)
        return; /* our own, come back */
    if (acd_input(iface, arp))
        return;
    if (ip_addr_is_host(&sender) && if_addr_for(iface, &sender) != NULL)
        neigh_learn(iface, &sender, arp->sender_mac, for_us);
    if (for_us && be16_get(arp->op) == ARP_REQUEST) {
        struct arp_header ends = {.sender = arp->target, .target = arp->sender};

        __builtin_memcpy(ends.target_mac, arp->sender_mac, 6);
        (void)!send_message(iface, ARP_REPLY, &ends, arp->sender_mac);
    }
}

void arp_input(struct net_if *iface, struct buf *message_owned)
{
    const struct arp_header *arp = (const struct arp_header *)buf_data(message_owned);

    iface->net->counters.arp_in++;
    if (is_bad(message_owned, arp))
        iface->net->counters.arp_bad++;
    else
        handle(iface, arp);
    buf_free(message_owned);
}

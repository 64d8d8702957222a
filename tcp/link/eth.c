/* SPDX-License-Identifier: BSD-2-Clause */
#include "eth.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/eth.h"

const uint8_t eth_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* IPv4 groups: 01:00:5e (RFC 1112 6.4), IPv6 groups: 33:33 (RFC 2464 7). Which of them we
 * joined, the layer above knows by the address. */
static bool is_group(const uint8_t mac[6])
{
    return (mac[0] == 0x01 && mac[1] == 0x00 && mac[2] == 0x5e) ||
           (mac[0] == 0x33 && mac[1] == 0x33);
}

void eth_group_mac(const struct ip_addr *group, uint8_t mac[6])
{
    const uint8_t *low = &group->bytes[12];

    if (!ip_addr_is_multicast(group))
        __builtin_memcpy(mac, eth_broadcast, 6);
    else if (ip_addr_is_v4(group))
        __builtin_memcpy(mac, (uint8_t[]){0x01, 0x00, 0x5e, low[1] & 0x7f, low[2], low[3]}, 6);
    else
        __builtin_memcpy(mac, (uint8_t[]){0x33, 0x33, low[0], low[1], low[2], low[3]}, 6);
}

/* The VLAN of a frame and its tag off; 0: it has none, or a priority only. False: cut short. */
static bool take_vlan(struct buf *frame, uint16_t *type, uint16_t *vlan)
{
    const struct eth_vlan_tag *tag;

    *vlan = (frame->flags & BUF_RX_VLAN) != 0 ? frame->vlan_tci & ETH_VLAN_ID : 0;
    if (*type != ETH_VLAN)
        return true;
    if (frame->data_len < sizeof(*tag))
        return false;
    tag = (const struct eth_vlan_tag *)buf_data(frame);
    *vlan = be16_get(tag->tci) & ETH_VLAN_ID;
    *type = be16_get(tag->type);
    chain_pull(frame, sizeof(*tag));
    return true;
}

bool eth_parse(struct net_if *iface, struct buf *frame, struct eth_frame *out)
{
    struct net_counters *counters = &iface->net->counters;
    const struct eth_header *header = (const struct eth_header *)buf_data(frame);
    uint16_t vlan;

    if (frame->data_len < sizeof(*header)) {
        counters->eth_short++;
        return false;
    }
    out->type = be16_get(header->type);
    out->to_group = (header->dst[0] & 1) != 0;
    __builtin_memcpy(out->src, header->src, sizeof(out->src));
    if (__builtin_memcmp(header->dst, iface->config.mac, 6) != 0 &&
        __builtin_memcmp(header->dst, eth_broadcast, 6) != 0 && !is_group(header->dst)) {
        counters->eth_not_for_us++;
        return false;
    }
    chain_pull(frame, sizeof(*header));
    if (!take_vlan(frame, &out->type, &vlan)) {
        counters->eth_short++;
        return false;
    }
    if (vlan != 0 ? vlan != iface->config.vlan : iface->config.vlan != 0) {
        counters->eth_other_vlan++;
        return false;
    }
    return true;
}

void eth_send(struct net_if *iface, struct buf *packet_owned, const uint8_t dst[6],
              uint16_t type)
{
    struct buf *frame = packet_owned;
    struct eth_header *header;

    if (iface->config.vlan != 0) {
        struct eth_vlan_tag *tag = chain_push(frame, sizeof(*tag));

        tag->tci = be16_put(iface->config.vlan);
        tag->type = be16_put(type);
        type = ETH_VLAN;
    }
    header = chain_push(frame, sizeof(*header));
    __builtin_memcpy(header->dst, dst, 6);
    __builtin_memcpy(header->src, iface->config.mac, 6);
    header->type = be16_put(type);
    frame->l2_bytes = (uint16_t)(sizeof(*header) + (iface->config.vlan != 0
                                                        ? sizeof(struct eth_vlan_tag)
                                                        : 0));
    if_put(iface, frame);
}

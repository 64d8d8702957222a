/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of one peer to us, their headers right. */
#ifndef TESTS_FUZZ_NET_FRAME_H
#define TESTS_FUZZ_NET_FRAME_H

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <string.h>

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};

static struct ip_addr addr_of(bool v6, bool ours)
{
    struct ip_addr v6_addr = {.bytes = {0x20, 1, 0x0d, 0xb8, [15] = 1}};

    v6_addr.bytes[15] = ours ? 1 : 2;
    return v6 ? v6_addr : ip_addr_v4_of(192, 0, 2, ours ? 1 : 2);
}

/* Ethernet and IP in front of what stands behind them; returns all bytes. */
static uint32_t wrap(uint8_t *frame, bool v6, uint8_t protocol, uint32_t bytes)
{
    const struct ip_addr src = addr_of(v6, false), dst = addr_of(v6, true);
    struct eth_header *eth = (struct eth_header *)frame;

    memcpy(eth->dst, our_mac, 6);
    memcpy(eth->src, peer_mac, 6);
    eth->type = be16_put(v6 ? ETH_IPV6 : ETH_IPV4);
    if (v6) {
        struct ipv6_header ip = {.version_class_flow = be32_put(6u << 28),
                                 .payload_bytes = be16_put((uint16_t)bytes),
                                 .next = protocol, .hops = 255};

        memcpy(ip.src, src.bytes, 16);
        memcpy(ip.dst, dst.bytes, 16);
        memcpy(eth + 1, &ip, sizeof(ip));
        return (uint32_t)(sizeof(*eth) + sizeof(ip)) + bytes;
    }
    struct ipv4_header ip = {.version_words = IPV4_VERSION_WORDS,
                             .total_bytes = be16_put((uint16_t)(sizeof(ip) + bytes)),
                             .hops = 64, .protocol = protocol,
                             .src = ip_addr_get_v4(&src), .dst = ip_addr_get_v4(&dst)};

    ip.checksum = csum_fold(csum_add(0, &ip, sizeof(ip)));
    memcpy(eth + 1, &ip, sizeof(ip));
    return (uint32_t)(sizeof(*eth) + sizeof(ip)) + bytes;
}

static uint8_t *payload_of(uint8_t *frame, bool v6)
{
    return frame + sizeof(struct eth_header) +
           (v6 ? sizeof(struct ipv6_header) : sizeof(struct ipv4_header));
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "station6.h"

#include "link/eth.h"
#include "state.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/nd.h"

#include <string.h>

enum { L3 = 14, L4 = 14 + 40 };

struct ip_addr addr_of(const char *text)
{
    struct ip_addr addr;

    assert_true(ip_addr_parse(text, &addr));
    return addr;
}

static void join(void *ctx, const uint8_t mac[6])
{
    struct station6 *t = RT_CONTAINER_OF((struct station *)ctx, struct station6, s);

    assert_true(t->joins < STATION_JOINS_MAX);
    memcpy(t->joined[t->joins++], mac, 6);
}

void station6_begin(struct station6 *t, struct net_if_config config, bool automatic)
{
    t->joins = 0;
    config.join = join;
    station_start_with(&t->s, 128, config);
    assert_int_equal(net_ip6_start(t->s.net, 0, automatic), RT_OK);
}

void station6_start(struct station6 *t)
{
    const struct ip_addr own = addr_of(OUR6);

    station6_begin(t, (struct net_if_config){.mtu_bytes = 1500}, false);
    assert_int_equal(net_addr_add(t->s.net, 0, &own, 64), RT_OK);
    station_advance_us(&t->s, 10000000);
    t->s.seen = t->s.sent;
}

void station6_meet(struct station6 *t, const char *peer)
{
    const struct ip_addr addr = addr_of(peer);

    neigh_learn(&t->s.net->ifs[0], &addr, peer_mac, true);
}

struct ipv6_header *frame_ip6(struct frame *f, struct ip_addr src, struct ip_addr dst,
                              uint8_t next, uint32_t bytes)
{
    struct ipv6_header ip = {
        .version_class_flow = be32_put(IP6_VERSION),
        .payload_bytes = be16_put((uint16_t)bytes),
        .next = next,
        .hops = 64,
    };
    uint8_t mac[6];

    memcpy(mac, our_mac, 6);
    if (ip_addr_is_multicast(&dst))
        eth_group_mac(&dst, mac);
    memcpy(ip.src, &src, 16);
    memcpy(ip.dst, &dst, 16);
    frame_eth(f, mac, peer_mac, ETH_IPV6);
    frame_add(f, &ip, sizeof(ip));
    return (struct ipv6_header *)(void *)(f->data + L3);
}

uint16_t frame_sum6(const struct frame *f, uint32_t offset, uint8_t protocol)
{
    const struct ipv6_header *ip = (const void *)(f->data + L3);
    const uint32_t bytes = f->bytes - offset;
    struct ip_addr src, dst;

    memcpy(&src, ip->src, 16);
    memcpy(&dst, ip->dst, 16);
    return csum_fold(csum_add(csum_pseudo(&src, &dst, protocol, bytes), f->data + offset, bytes))
        .raw;
}

void frame_icmp6(struct frame *f, struct ip_addr src, struct ip_addr dst,
                 struct icmp_header icmp, const void *data, uint32_t bytes)
{
    frame_ip6(f, src, dst, IP_ICMPV6, (uint32_t)sizeof(icmp) + bytes);
    icmp.checksum.raw = 0;
    frame_add(f, &icmp, sizeof(icmp));
    frame_add(f, data, bytes);
    icmp.checksum.raw = frame_sum6(f, L4, IP_ICMPV6);
    memcpy(f->data + L4, &icmp, sizeof(icmp));
}

void frame_ping6(struct frame *f, const char *src, const char *dst, uint32_t bytes)
{
    const struct icmp_header icmp = {.type = ICMP6_ECHO_REQUEST, .id = be16_put(77),
                                     .sequence = be16_put(1)};
    uint8_t data[STATION_FRAME_BYTES];

    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(i * 7);
    frame_icmp6(f, addr_of(src), addr_of(dst), icmp, data, bytes);
}

const struct icmp_header *station6_icmp(struct station6 *t, uint8_t type)
{
    const struct frame *f = station_next(&t->s);
    const struct ipv6_header *ip;
    const struct icmp_header *icmp;

    assert_non_null(f);
    assert_int_equal(f->data[12] << 8 | f->data[13], ETH_IPV6);
    ip = (const void *)(f->data + L3);
    assert_int_equal(ip->next, IP_ICMPV6);
    assert_int_equal(be16_get(ip->payload_bytes), f->bytes - L4);
    assert_int_equal(frame_sum6(f, L4, IP_ICMPV6), 0);
    icmp = (const void *)(f->data + L4);
    assert_int_equal(icmp->type, type);
    return icmp;
}

const struct frame *station6_last(const struct station6 *t)
{
    return &t->s.frames[(t->s.seen - 1) % STATION_FRAMES];
}

uint32_t station6_report(struct station6 *t, const char *src, uint8_t type)
{
    enum { MLD_L4 = L4 + 8 };
    const struct frame *f = station_next(&t->s);
    const struct mld_report *report = (const void *)(f->data + MLD_L4);
    const struct mld_record *record = (const void *)(report + 1);

    assert_non_null(f);
    assert_memory_equal(f->data, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 0x16}), 6);
    assert_int_equal(f->data[L3 + 6], IP6_HOP_BY_HOP);
    assert_int_equal(f->data[L3 + 7], 1); /* hops */
    assert_memory_equal(f->data + L3 + 8, addr_of(src).bytes, 16);
    assert_memory_equal(f->data + L4, ((uint8_t[]){IP_ICMPV6, 0, 5, 2, 0, 0, 1, 0}), 8);
    assert_int_equal(frame_sum6(f, MLD_L4, IP_ICMPV6), 0);
    assert_int_equal(report->type, ICMP6_MLD2_REPORT);
    assert_int_equal(record->type, type);
    assert_memory_equal(record->group, addr_of("ff02::1:ff00:1").bytes, 16);
    return be16_get(report->records);
}

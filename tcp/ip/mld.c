/* SPDX-License-Identifier: BSD-2-Clause */
#include "mld.h"

#include "../chain.h"
#include "../link/eth.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "../wire/nd.h"

#include <mempool/pool.h>

static const struct ip_addr all_mld_routers = {.bytes = {0xff, 0x02, [15] = 0x16}};

static bool is_in(const struct mld_record *records, uint32_t count, const struct ip_addr *group)
{
    for (uint32_t i = 0; i < count; i++)
        if (__builtin_memcmp(records[i].group, group, sizeof(*group)) == 0)
            return true;
    return false;
}

/* A record for each solicited-node group; of all nodes nobody need be told (RFC 3810 6). */
static uint32_t put_records(const struct net_if *iface, bool changed, struct mld_record *records)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < iface->addr_count; i++) {
        struct ip_addr group;

        if (ip_addr_is_v4(&iface->addrs[i].addr))
            continue;
        group = ip6_solicited_node(&iface->addrs[i].addr);
        if (is_in(records, count, &group))
            continue;
        RT_ASSERT_LT(count, (uint32_t)NET_ADDRS_MAX);
        records[count] = (struct mld_record){.type = changed ? MLD_TO_EXCLUDE : MLD_IS_EXCLUDE};
        __builtin_memcpy(records[count++].group, &group, sizeof(group));
    }
    return count;
}

/* From the link-local address, or from nobody while that is tested (5.2.13), behind an option
 * that makes routers look (5). */
static void send_report(struct net_if *iface, struct buf *report_owned)
{
    static const uint8_t alert[8] = {IP_ICMPV6, 0, IP6_OPT_ROUTER_ALERT, 2, 0, 0, IP6_OPT_PADN, 0};
    const struct ip_addr own = ip6_link_local(iface->config.mac);
    struct ip_how how = {
        .dst = all_mld_routers,
        .protocol = IP_ICMPV6,
        .hops = 1,
        .sum_offset = offsetof(struct mld_report, checksum),
    };
    uint8_t mac[6];

    if (if_addr_find(iface, &own) != NULL)
        how.src = own;
    ip_fill_sum(NULL, &how, report_owned);
    __builtin_memcpy(chain_push(report_owned, sizeof(alert)), alert, sizeof(alert));
    how.protocol = IP6_HOP_BY_HOP;
    how.sum_offset = IP_NO_SUM;
    eth_group_mac(&all_mld_routers, mac);
    iface->net->counters.icmp_out_msgs++;
    ipv6_output_to(iface, &how, mac, report_owned);
}

bool mld_report_groups(struct net_if *iface, bool changed)
{
    struct buf *b = pool_take(iface->net->config.pool);
    struct mld_report *report;
    uint32_t count;

    if (b == NULL)
        return false;
    report = (struct mld_report *)(void *)buf_data(b);
    count = put_records(iface, changed, (struct mld_record *)(void *)(report + 1));
    *report = (struct mld_report){.type = ICMP6_MLD2_REPORT, .records = be16_put((uint16_t)count)};
    b->data_len = (uint16_t)(sizeof(*report) + count * sizeof(struct mld_record));
    b->pkt_len = b->data_len;
    send_report(iface, b);
    return true;
}

/* Milliseconds, or a number with an exponent (5.1.3). */
static uint64_t delay_us(uint16_t code)
{
    if (code < 0x8000)
        return code * UINT64_C(1000);
    return ((uint64_t)((code & 0x0fff) | 0x1000) << ((code >> 12 & 7) + 3)) * 1000;
}

void mld_input(const struct ip_packet *message)
{
    const struct mld_query *query = (const struct mld_query *)buf_data(message->buf);
    struct net_if *iface = message->iface;
    struct ip_addr group;

    if (message->buf->data_len < sizeof(*query) || message->hops != 1 ||
        !ip_addr_is_link_local(&message->src)) {
        iface->net->counters.nd_bad++;
        return;
    }
    __builtin_memcpy(&group, query->group, sizeof(group));
    if (ip_addr_is_unspecified(&group) || if_group_find(iface, &group))
        ip6_report(iface, false, delay_us(be16_get(query->delay_code)));
}

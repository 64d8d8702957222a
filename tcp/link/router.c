/* SPDX-License-Identifier: BSD-2-Clause */
/* What routers advertise (RFC 4861 6.3.4, RFC 4862 5.5.3). Believed only where the interface was
 * told to configure itself. Times for neighbours, hop limits and flags for DHCPv6 are ignored. */
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "../wire/nd.h"
#include "nd.h"

enum { IDENTIFIER_BITS = 64, TWO_HOURS_S = 7200 };

bool nd_solicit_routers(struct net_if *iface)
{
    const struct icmp_header solicit = {.type = ICMP6_ROUTER_SOLICIT};
    struct nd_message message = {
        .dst = ip6_all_routers,
        .data = &solicit,
        .bytes = sizeof(solicit),
        .link_option = ND_OPT_SOURCE_LINK,
    };

    return ip_source(iface, &message.dst, &message.dst, &message.src) &&
           nd_send(iface, &message);
}

static uint64_t until_us(const struct net_if *iface, uint32_t seconds)
{
    return seconds == ND_FOREVER ? UINT64_MAX : iface->net->now_us + seconds * UINT64_C(1000000);
}

/* Whose word is not proven may not end an address soon (RFC 4862 5.5.3 (e)). */
static uint64_t valid_until_us(const struct net_if *iface, const struct if_addr *own,
                               uint32_t valid_s)
{
    const uint64_t wanted_us = until_us(iface, valid_s);
    const uint64_t two_hours_us = until_us(iface, TWO_HOURS_S);

    if (valid_s > TWO_HOURS_S || wanted_us > own->life.valid_until_us)
        return wanted_us;
    return RT_MIN(own->life.valid_until_us, two_hours_us);
}

/* The address that a prefix and our MAC make; one that is there lives on. */
static void configure(struct net_if *iface, const struct ip_addr *prefix,
                      const struct nd_prefix_option *option)
{
    const uint32_t valid_s = be32_get(option->valid_s);
    const struct ip_addr link_local = ip6_link_local(iface->config.mac);
    struct ip_addr addr = {.halves = {prefix->halves[0], link_local.halves[1]}};
    struct if_addr *own = if_addr_any(iface, &addr);

    if (own == NULL && valid_s != 0) {
        /* Of what lies behind the prefix nothing is known: 128 bits are on the link. */
        if (ip6_addr_add(iface, &addr, 128) != RT_OK) {
            iface->net->counters.nd_full++;
            return;
        }
        own = if_addr_any(iface, &addr);
        own->life.automatic = true;
        own->life.valid_until_us = until_us(iface, valid_s);
    }
    if (own == NULL || !own->life.automatic)
        return; /* set by hand: no router ends it */
    own->life.valid_until_us = valid_until_us(iface, own, valid_s);
    own->life.preferred_until_us = until_us(iface, be32_get(option->preferred_s));
    if (own->state == IF_ADDR_DEPRECATED && own->life.preferred_until_us > iface->net->now_us)
        own->state = IF_ADDR_PREFERRED;
}

/* What is behind its bits may be set, and means nothing. */
static struct ip_addr prefix_of(const struct nd_prefix_option *option)
{
    struct ip_addr prefix;

    __builtin_memcpy(&prefix, option->prefix, sizeof(prefix));
    for (uint32_t i = option->bits; i < 128; i++)
        prefix.bytes[i / 8] &= (uint8_t)~(0x80u >> i % 8);
    return prefix;
}

static void prefix_input(struct net_if *iface, const struct nd_prefix_option *option)
{
    const struct ip_addr prefix = prefix_of(option);

    if (option->bits > 128 || ip_addr_is_v4(&prefix) || !ip_addr_is_host(&prefix) ||
        ip_addr_is_link_local(&prefix) ||
        be32_get(option->preferred_s) > be32_get(option->valid_s)) {
        iface->net->counters.nd_bad++;
        return;
    }
    if ((option->flags & ND_PREFIX_ON_LINK) != 0 &&
        ip6_prefix_set(iface, &prefix, option->bits,
                       until_us(iface, be32_get(option->valid_s))) != RT_OK)
        iface->net->counters.nd_full++;
    if ((option->flags & ND_PREFIX_AUTOMATIC) != 0 && option->bits == IDENTIFIER_BITS)
        configure(iface, &prefix, option);
}

static void mtu_input(struct net_if *iface, const struct nd_mtu_option *option)
{
    const uint32_t mtu_bytes = be32_get(option->mtu_bytes);

    if (mtu_bytes >= IPV6_MTU_MIN && mtu_bytes <= iface->mtu_most_bytes)
        iface->ip6.mtu_bytes = (uint16_t)mtu_bytes;
    else
        iface->net->counters.nd_bad++;
}

void nd_router_advert(const struct ip_packet *message)
{
    struct net_if *iface = message->iface;
    const struct nd_router_advert *advert =
        (const struct nd_router_advert *)buf_data(message->buf);
    const uint8_t *options = (const uint8_t *)(advert + 1);
    const uint32_t bytes = message->bytes - (uint32_t)sizeof(*advert);
    const uint8_t *mac = nd_find_link(options, bytes, ND_OPT_SOURCE_LINK);

    if (!iface->ip6.automatic) {
        iface->net->counters.nd_ignored++;
        return;
    }
    if (mac != NULL)
        neigh_heard(iface, &message->src, mac);
    iface->ip6.solicits = 0; /* heard of one: no need to ask again (6.3.7) */
    if (be16_get(advert->lifetime_s) == 0)
        ip6_router_gone(iface, &message->src);
    else if (ip6_router_add(iface, &message->src,
                            until_us(iface, be16_get(advert->lifetime_s))) != RT_OK)
        iface->net->counters.nd_full++;
    for (uint32_t i = 0; i < bytes; i += options[i + 1] * ND_OPTION_WORD_BYTES) {
        RT_ASSERT_NE(options[i + 1], 0); /* nd.c looked */
        if (options[i] == ND_OPT_PREFIX && options[i + 1] == 4)
            prefix_input(iface, (const struct nd_prefix_option *)(const void *)&options[i]);
        else if (options[i] == ND_OPT_MTU && options[i + 1] == 1)
            mtu_input(iface, (const struct nd_mtu_option *)(const void *)&options[i]);
    }
    ip6_arm(iface);
}

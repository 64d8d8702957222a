/* SPDX-License-Identifier: BSD-2-Clause */
/* Which address of ours a packet comes from. IPv6 hosts have several (RFC 6724 5): of its rules
 * those that can matter here: 1 the same, 2 scope, 3 not deprecated, 6 label, 8 longest prefix.
 * All are of the interface it leaves by (5); home and temporary addresses (4, 7) there are none. */
#include "../state.h"
#include "ip.h"

enum { SCOPE_LINK = 0x2, SCOPE_GLOBAL = 0xe };

/* RFC 4291 2.7, RFC 6724 3.1 */
static uint32_t scope_of(const struct ip_addr *addr)
{
    if (ip_addr_is_multicast(addr))
        return addr->bytes[1] & 0x0f;
    return ip_addr_is_link_local(addr) ? SCOPE_LINK : SCOPE_GLOBAL;
}

/* Of the labels of RFC 6724 2.1 those of addresses that we can have: fc00::/7, and all others. */
static bool is_private(const struct ip_addr *addr)
{
    return (addr->bytes[0] & 0xfe) == 0xfc;
}

/* Bits that are equal from the front; what is behind a prefix of 64 is nobody's network. */
static uint32_t common_bits(const struct ip_addr *a, const struct ip_addr *b)
{
    const uint64_t differ = __builtin_bswap64(a->halves[0] ^ b->halves[0]);

    return differ == 0 ? 64 : (uint32_t)__builtin_clzll(differ);
}

/* True: `a` is better than `b` for a packet to `dst`. */
static bool is_better(const struct if_addr *a, const struct if_addr *b,
                      const struct ip_addr *dst)
{
    const uint32_t scope_a = scope_of(&a->addr), scope_b = scope_of(&b->addr);
    const uint32_t scope = scope_of(dst);

    RT_ASSERT(!ip_addr_is_v4(dst));
    if (scope_a != scope_b)
        return scope_a < scope_b ? scope_a >= scope : scope_b < scope;
    if (a->state != b->state)
        return a->state == IF_ADDR_PREFERRED;
    if (is_private(&a->addr) != is_private(&b->addr))
        return is_private(&a->addr) == is_private(dst);
    return common_bits(&a->addr, dst) > common_bits(&b->addr, dst);
}

static const struct if_addr *choose_v6(const struct net_if *iface, const struct ip_addr *dst)
{
    const struct if_addr *best = NULL;

    for (uint32_t i = 0; i < iface->addr_count; i++) {
        const struct if_addr *own = &iface->addrs[i];

        if (ip_addr_is_v4(&own->addr) || own->state == IF_ADDR_TENTATIVE)
            continue;
        if (ip_addr_equal(&own->addr, dst))
            return own;
        if (best == NULL || is_better(own, best, dst))
            best = own;
    }
    return best;
}

bool ip_source(const struct net_if *iface, const struct ip_addr *dst,
               const struct ip_addr *next_hop, struct ip_addr *src)
{
    const struct if_addr *own =
        ip_addr_is_v4(dst) ? if_addr_for(iface, next_hop) : choose_v6(iface, dst);

    if (own == NULL)
        return false;
    *src = own->addr;
    return true;
}

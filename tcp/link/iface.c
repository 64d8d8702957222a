/* SPDX-License-Identifier: BSD-2-Clause */
#include "iface.h"

#include "../state.h"

#include <mempool/pool.h>
#include <rt/assert.h>

void if_flush(struct net_if *iface)
{
    const uint32_t before = iface->out.count;

    if (before == 0)
        return;
    iface->config.send(iface->config.ctx, &iface->out);
    RT_ASSERT_LE(iface->out.count, before);
    iface->net->counters.if_out_frames += before - iface->out.count;
    iface->left = iface->out.count;
}

bool if_put(struct net_if *iface, struct buf *frame_owned)
{
    if (RT_UNLIKELY(if_room(iface) == 0))
        if_flush(iface);
    if (RT_UNLIKELY(if_room(iface) == 0)) {
        iface->net->counters.ip_out_discards++;
        buf_free(frame_owned);
        return false;
    }
    iface->out.buf[iface->out.count++] = frame_owned;
    return true;
}

static bool frame_has(const struct buf *frame, const struct buf *b)
{
    for (const struct buf *s = frame; s != NULL; s = s->next)
        if (s == b)
            return true;
    return false;
}

bool if_has(const struct net_if *iface, const struct buf *b)
{
    for (uint32_t i = 0; i < iface->out.count; i++)
        if (frame_has(iface->out.buf[i], b))
            return true;
    return false;
}

void if_withdraw(struct net_if *iface, const struct buf *b)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < iface->out.count; i++) {
        struct buf *frame = iface->out.buf[i];

        if (!frame_has(frame, b))
            iface->out.buf[kept++] = frame;
        else if (*frame->owner == BUF_STACK)
            buf_free(frame); /* a header of its own; what it carries is kept */
    }
    iface->out.count = kept;
    iface->left = RT_MIN(iface->left, kept);
}

struct if_addr *if_addr_any(struct net_if *iface, const struct ip_addr *addr)
{
    for (uint32_t i = 0; i < iface->addr_count; i++)
        if (ip_addr_equal(&iface->addrs[i].addr, addr))
            return &iface->addrs[i];
    return NULL;
}

const struct if_addr *if_addr_find(const struct net_if *iface, const struct ip_addr *addr)
{
    for (uint32_t i = 0; i < iface->addr_count; i++)
        if (ip_addr_equal(&iface->addrs[i].addr, addr) &&
            iface->addrs[i].state != IF_ADDR_TENTATIVE)
            return &iface->addrs[i];
    return NULL;
}

const struct if_addr *if_addr_for(const struct net_if *iface, const struct ip_addr *peer)
{
    const struct if_addr *best = NULL;

    for (uint32_t i = 0; i < iface->addr_count; i++) {
        const struct if_addr *own = &iface->addrs[i];

        if (own->state != IF_ADDR_TENTATIVE &&
            (best == NULL || own->prefix_bits > best->prefix_bits) &&
            ip_addr_same_prefix(&own->addr, peer, own->prefix_bits))
            best = own;
    }
    return best;
}

bool if_is_broadcast(const struct net_if *iface, const struct ip_addr *addr)
{
    const uint32_t v4 = be32_get(ip_addr_get_v4(addr));

    if (!ip_addr_is_v4(addr))
        return false;
    if (v4 == UINT32_MAX)
        return true;
    for (uint32_t i = 0; i < iface->addr_count; i++) {
        const struct if_addr *own = &iface->addrs[i];
        const uint32_t host = own->prefix_bits < 31 ? UINT32_MAX >> own->prefix_bits : 0;

        /* A subnet of one or two hosts has none (RFC 3021 2.1). */
        if (host != 0 && ip_addr_is_v4(&own->addr) &&
            v4 == (be32_get(ip_addr_get_v4(&own->addr)) | host))
            return true;
    }
    return false;
}

bool if_hears_group(const struct net_if *iface, const struct ip_addr *addr)
{
    const struct ip_addr all_hosts = ip_addr_v4_of(224, 0, 0, 1);

    if (!ip_addr_is_v4(addr))
        return if_group_find(iface, addr);
    return if_is_broadcast(iface, addr) || ip_addr_equal(addr, &all_hosts);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "acd.h"

#include "../dhcp/client.h"
#include "../state.h"
#include "../wire/eth.h"
#include "arp.h"

#include <rt/assert.h>

#define NEVER_US UINT64_MAX

/* One timer an interface: at the earliest step of its addresses. */
static void arm(struct net_if *iface)
{
    uint64_t due_us = NEVER_US;

    for (uint32_t i = 0; i < iface->addr_count; i++)
        due_us = RT_MIN(due_us, iface->addrs[i].acd.due_us);
    if (due_us == NEVER_US || !iface->link_up)
        timer_cancel(&iface->net->wheel, &iface->acd_timer);
    else
        timer_arm(&iface->net->wheel, &iface->acd_timer, due_us);
}

/* A lease may take the address away by what it is told. */
static void tell(struct net_if *iface, struct ip_addr addr, enum net_addr_event event)
{
    if (iface->dhcp != NULL)
        dhcp_addr_told(iface->dhcp, &addr, event);
    if (iface->config.told != NULL)
        iface->config.told(iface->config.ctx, &addr, event);
}

/* The next step of an address; true: it has become ours. */
static bool step(struct net_if *iface, struct if_addr *own)
{
    struct acd *acd = &own->acd;
    const uint64_t now_us = iface->net->now_us;
    const bool first = acd->probes == 0 && own->state == IF_ADDR_TENTATIVE;

    acd->taken = false;
    if (acd->probes != 0) {
        acd->probes -= arp_probe(iface, &own->addr); /* else there was no buffer: once more */
        acd->due_us = now_us + ACD_PROBE_US;
        return false;
    }
    own->state = IF_ADDR_PREFERRED;
    if_changed(iface);
    acd->announcements -= arp_announce(iface, &own->addr);
    acd->due_us = acd->announcements != 0 ? now_us + ACD_ANNOUNCE_US : NEVER_US;
    return first;
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
    struct net_if *iface = RT_CONTAINER_OF(timer, struct net_if, acd_timer);
    struct ip_addr ready[NET_ADDRS_MAX];
    uint32_t count = 0;

    RT_ASSERT(iface->link_up);
    for (uint32_t i = 0; i < iface->addr_count; i++) {
        struct if_addr *own = &iface->addrs[i];

        if (own->acd.due_us <= now_us && step(iface, own))
            ready[count++] = own->addr;
    }
    arm(iface);
    for (uint32_t i = 0; i < count; i++)
        tell(iface, ready[i], NET_ADDR_READY);
}

static void begin(struct net_if *iface, struct if_addr *own)
{
    own->acd = (struct acd){
        .due_us = iface->net->now_us,
        .probes = ACD_PROBES,
        .announcements = ACD_ANNOUNCEMENTS,
    };
}

void acd_begin(struct net_if *iface, struct if_addr *own)
{
    RT_ASSERT(ip_addr_is_v4(&own->addr));
    begin(iface, own);
    iface->acd_timer.fn = on_timer;
    arm(iface);
}

void acd_link_up(struct net_if *iface)
{
    for (uint32_t i = 0; i < iface->addr_count; i++)
        if (ip_addr_is_v4(&iface->addrs[i].addr))
            begin(iface, &iface->addrs[i]);
    iface->acd_timer.fn = on_timer;
    arm(iface);
}

/* It is not ours, and asked for again later: whoever has it may leave. */
static void give_up(struct net_if *iface, struct if_addr *own)
{
    if (own->acd.taken)
        return;
    begin(iface, own);
    own->acd.taken = true;
    own->acd.due_us = iface->net->now_us + ACD_AGAIN_US;
    iface->net->counters.arp_conflicts++;
    arm(iface);
    tell(iface, own->addr, NET_ADDR_TAKEN);
}

static void defend(struct net_if *iface, struct if_addr *own)
{
    const uint64_t now_us = iface->net->now_us;

    iface->net->counters.arp_conflicts++;
    if (own->acd.defended_us != 0 && now_us - own->acd.defended_us < ACD_DEFEND_US)
        return; /* two that defend would go on for ever */
    own->acd.defended_us = now_us;
    (void)!arp_announce(iface, &own->addr);
    tell(iface, own->addr, NET_ADDR_CONFLICT);
}

bool acd_input(struct net_if *iface, const struct arp_header *arp)
{
    const struct ip_addr sender = ip_addr_v4(arp->sender), target = ip_addr_v4(arp->target);
    struct if_addr *own = if_addr_any(iface, &sender);

    if (own != NULL && own->state == IF_ADDR_TENTATIVE) {
        give_up(iface, own);
        return true;
    }
    if (own != NULL) {
        defend(iface, own);
        return true;
    }
    own = if_addr_any(iface, &target);
    if (own == NULL || own->state != IF_ADDR_TENTATIVE || !ip_addr_is_unspecified(&sender))
        return false;
    give_up(iface, own); /* two that probe at the same time: nobody gets it (2.1.1) */
    return true;
}

void acd_close(struct net_if *iface)
{
    timer_cancel(&iface->net->wheel, &iface->acd_timer);
}

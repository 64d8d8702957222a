/* SPDX-License-Identifier: BSD-2-Clause */
/* What a client has: granted, proven on the link, used, taken away. */
#include "../state.h"
#include "client.h"

#include <rt/assert.h>

static uint64_t after_s(uint64_t from_us, uint32_t s)
{
    return s == DHCP_LEASE_FOR_EVER ? UINT64_MAX : from_us + (uint64_t)s * 1000000;
}

/* A lease counts from when it was asked for, not from when the answer came (RFC 2131 4.4.1). T1 of
 * one that lasts a second would be over when the answer comes: without a pause the server would be
 * asked at the speed of the link. */
static void set_times(struct dhcp_client *client, const struct dhcp_message *m)
{
    const bool for_ever = m->lease_s == DHCP_LEASE_FOR_EVER;
    const uint64_t first_us = client->net->now_us + DHCP_RENEW_FIRST_US;
    const uint64_t renew_us = RT_MAX(after_s(client->asked_us, m->renewal_s), first_us);

    client->end_us = after_s(client->asked_us, m->lease_s);
    client->rebind_us = for_ever ? UINT64_MAX : after_s(client->asked_us, m->rebinding_s);
    client->renew_us = for_ever ? UINT64_MAX : RT_MIN(renew_us, client->end_us);
}

/* Advice that cannot be followed is left aside: a router of no subnet, an MTU beyond the link's. */
static struct net_setup setup_of(const struct dhcp_client *client, const struct dhcp_message *m)
{
    struct net_setup setup = {
        .addrs = {{m->yours, m->prefix_bits}},
        .count = 1,
        .probe = true,
    };

    if (ip_addr_is_host(&m->router) && !ip_addr_equal(&m->router, &m->yours) &&
        ip_addr_same_prefix(&m->router, &m->yours, m->prefix_bits)) {
        setup.has_gateway = true;
        setup.gateway = m->router;
    }
    if (m->mtu_bytes >= DHCP_MTU_MIN && m->mtu_bytes <= client->iface->mtu_most_bytes)
        setup.mtu_bytes = (uint16_t)m->mtu_bytes;
    return setup;
}

static uint32_t iface_of(const struct dhcp_client *client)
{
    return (uint32_t)(client->iface - client->net->ifs);
}

static void tell(struct dhcp_client *client)
{
    if (client->config.changed != NULL)
        client->config.changed(client->config.ctx, &client->setup);
}

static void bound(struct dhcp_client *client)
{
    client->state = DHCP_BOUND;
    client->refusals = 0;
    dhcp_arm_lease(client);
    tell(client);
}

void dhcp_granted(struct dhcp_client *client, const struct dhcp_message *m)
{
    const struct if_addr *own;

    client->net->counters.dhcp_granted++;
    client->setup = setup_of(client, m);
    client->addr = m->yours;
    if (!ip_addr_is_unspecified(&m->server))
        client->server = m->server;
    set_times(client, m);
    if (net_setup_apply(client->net, iface_of(client), &client->setup) != RT_OK) {
        client->setup.count = 0; /* there are too many addresses of the other family */
        dhcp_refused(client);
        return;
    }
    own = if_addr_any(client->iface, &client->addr);
    RT_ASSERT(own != NULL);
    if (own->state != IF_ADDR_TENTATIVE) {
        bound(client); /* it was in use all the time */
        return;
    }
    client->state = DHCP_PROBING;
    dhcp_arm_lease(client);
}

void dhcp_drop_lease(struct dhcp_client *client)
{
    enum rt_status st;

    if (client->setup.count == 0)
        return;
    client->setup = (struct net_setup){.count = 0};
    st = net_setup_apply(client->net, iface_of(client), &client->setup);
    RT_ASSERT_EQ(st, RT_OK); /* nothing is always right */
    tell(client);
}

void dhcp_refused(struct dhcp_client *client)
{
    const uint32_t refusals = client->refusals;

    dhcp_drop_lease(client);
    client->addr = (struct ip_addr){.words = {{0}}};
    client->refusals = (uint8_t)RT_MIN(refusals + 1, (uint32_t)UINT8_MAX);
    if (refusals == 0)
        dhcp_begin(client);
    else /* offered and refused over and over: not at the speed of the link */
        dhcp_wait(client, 1000000 * RT_MIN(1u << RT_MIN(refusals, 6u), DHCP_REFUSED_WAIT_S));
}

void dhcp_addr_told(struct dhcp_client *client, const struct ip_addr *addr,
                    enum net_addr_event event)
{
    if (client->state != DHCP_PROBING || !ip_addr_equal(addr, &client->addr))
        return;
    if (event == NET_ADDR_READY) {
        bound(client);
        return;
    }
    RT_ASSERT_EQ((uint32_t)event, (uint32_t)NET_ADDR_TAKEN);
    dhcp_drop_lease(client);
    dhcp_new_exchange(client);
    dhcp_send(client, DHCP_DECLINE);
    client->net->counters.dhcp_declined++;
    client->addr = (struct ip_addr){.words = {{0}}};
    dhcp_wait(client, DHCP_DECLINED_WAIT_US);
}

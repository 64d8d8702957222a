/* SPDX-License-Identifier: BSD-2-Clause */
#include "net_config.h"

#include "net_address.h"
#include "net_address6.h"
#include "net_share.h"

#include <pmd/nic.h>
#include <rt/assert.h>
#include <rt/log.h>

enum { TEXT_BYTES = 512, MTU_MIN = 68, DHCP_SAY_US = 10000000 };

static char ip_text[TEXT_BYTES], ip6_text[TEXT_BYTES];
static uint32_t mtu_bytes, vlan;

static const struct arg net_args[] = {
    {.name = "ip", .type = ARG_STRING, .unit = "client::gateway:mask|dhcp", .max = TEXT_BYTES,
     .preset = "dhcp", .dst = ip_text,
     .help = "IPv4 addresses of the ports, as Linux writes them: dhcp, off, or"
             " 192.0.2.1::192.0.2.254:255.255.255.0; the gateway may be empty. Several have"
             " commas between them, in the order of ports, or each with its port as the device"
             " (client::gateway:mask::0); see docs/tcp.md"},
    {.name = "ip6", .type = ARG_STRING, .unit = "auto|link|off|address/bits", .max = TEXT_BYTES,
     .preset = "auto", .dst = ip6_text,
     .help = "IPv6 addresses of the ports, a list for each with ';' between them: auto (what"
             " routers advertise), link (the link-local one alone), off, or 2001:db8::1/64 and"
             " more with commas between them, with via=fe80::1 as their gateway; see docs/tcp.md"},
    {.name = "mtu", .type = ARG_U32, .unit = "bytes", .max = 9202, .preset = "0",
     .dst = &mtu_bytes,
     .help = "longest IP packet that is sent; 0: what frame_max= leaves room for (1500)"},
    {.name = "vlan", .type = ARG_U32, .unit = "id", .max = 4094, .preset = "0", .dst = &vlan,
     .help = "frames of the stack carry this VLAN tag, and others are dropped; 0: untagged"},
};

const struct arg_table kit_net_arg_table = {
    .title = "net",
    .args = net_args,
    .count = RT_ARRAY_SIZE(net_args),
};

bool kit_net_link_config(struct net_if_config *config, uint32_t port)
{
    config->vlan = (uint16_t)vlan;
    if (mtu_bytes == 0)
        return true;
    if (mtu_bytes < MTU_MIN || mtu_bytes > config->mtu_bytes) {
        rt_log("net port=%u mtu=%u error=\"the port carries %u to %u: frame_max= says how long"
               " frames are\"", port, mtu_bytes, MTU_MIN, config->mtu_bytes);
        return false;
    }
    config->mtu_bytes = (uint16_t)mtu_bytes;
    return true;
}

void kit_net_told(void *ctx, const struct ip_addr *addr, enum net_addr_event event)
{
    static const char *const words[] = {
        [NET_ADDR_READY] = "ready",
        [NET_ADDR_TAKEN] = "\"another host has it\"",
        [NET_ADDR_CONFLICT] = "\"another host uses it, too\"",
    };
    const struct kit_net_path *path = ctx;
    char text[IP_ADDR_TEXT_BYTES];

    RT_ASSERT_LT((uint32_t)event, (uint32_t)RT_ARRAY_SIZE(words));
    rt_log("net port=%u ip=%s %s=%s", path->path.rx_port, ip_addr_format(addr, text),
           event == NET_ADDR_READY ? "state" : "warning", words[event]);
}

static void on_lease(void *ctx, const struct net_setup *setup)
{
    const struct kit_net_path *path = ctx;
    char addr[IP_ADDR_TEXT_BYTES], gateway[IP_ADDR_TEXT_BYTES] = "none";

    if (setup->count == 0) {
        rt_log("net port=%u dhcp=%s ip=none", path->path.rx_port,
               dhcp_state_name(dhcp_state(path->dhcp)));
        return;
    }
    if (setup->has_gateway)
        ip_addr_format(&setup->gateway, gateway);
    rt_log("net port=%u dhcp=bound ip=%s/%u gateway=%s lease_s=%u", path->path.rx_port,
           ip_addr_format(&setup->addrs[0].addr, addr), setup->addrs[0].prefix_bits, gateway,
           dhcp_lease_s(path->dhcp, hal_now_us()));
}

static bool complain(const struct kit_net_path *path, uint32_t entry, const char *why)
{
    rt_log("net port=%u ip=\"%s\" entry=%u error=\"%s\"", path->path.rx_port, ip_text, entry,
           why);
    return false;
}

static bool start_dhcp(struct kit_net_path *path, const struct net_address *wish)
{
    const struct dhcp_config config = {
        .iface = path->iface,
        .known = wish->addr,
        .changed = on_lease,
        .ctx = path,
    };

    RT_ASSERT(path->dhcp == NULL);
    if (dhcp_create(path->net, &config, &path->dhcp) != RT_OK)
        return complain(path, 0, "no memory for a DHCP client");
    rt_log("net port=%u dhcp=started", path->path.rx_port);
    path->dhcp_say_us = hal_now_us() + DHCP_SAY_US;
    return true;
}

void kit_net_no_lease(struct kit_net_path *path)
{
    const enum dhcp_state state = dhcp_state(path->dhcp);

    path->dhcp_say_us = 0;
    if (state == DHCP_WAITING || state == DHCP_SELECTING)
        rt_log("net port=%u dhcp=%s warning=\"no address yet, and we go on asking\""
               " remedy=\"a cable, a DHCP server, or an address by hand: ip=\"",
               path->path.rx_port, dhcp_state_name(state));
}

/* Tables of a card are core 0's: groups of addresses that another core adds later come in only
 * with all others. */
void kit_net_join(void *ctx, const uint8_t mac[6])
{
    const struct kit_net_path *path = ctx;
    struct nic *nic = path->path.txq->nic;

    if (hal_core_id() != 0) {
        if (!nic->config.promiscuous)
            rt_log("net port=%u core=%u warning=\"a group joined later is not let in\""
                   " remedy=promiscuous=on", path->path.rx_port, path->path.core);
        return;
    }
    if (nic_add_multicast(nic, mac) != RT_OK)
        rt_log("net port=%u warning=\"the card does not take another group\"",
               path->path.rx_port);
}

static bool complain6(const struct kit_net_path *path, const char *why)
{
    rt_log("net port=%u ip6=\"%s\" error=\"%s\"", path->path.rx_port, ip6_text, why);
    return false;
}

/* Of ip6=, by its default on every port, addresses alone are surely wanted. */
static bool too_short6(const struct kit_net_path *path, const struct net_address6 *wish)
{
    const bool wanted = wish->count != 0 || wish->has_gateway;

    rt_log("net port=%u ip6=\"%s\" %s=\"no IPv6: the MTU is below 1280 bytes\" remedy=%s",
           path->path.rx_port, ip6_text, wanted ? "error" : "warning",
           wanted ? "mtu=1280" : "ip6=off");
    return !wanted;
}

static bool configure6(struct kit_net_path *path)
{
    struct net_address6 wish;
    struct net_address6_error error;

    if (!net_address6_parse(ip6_text, path->path.rx_port, &wish, &error)) {
        rt_log("net port=%u ip6=\"%s\" word=\"%.*s\" error=\"%s\"", path->path.rx_port,
               ip6_text, (int)error.word_bytes, error.word, error.why);
        return false;
    }
    if (wish.off)
        return true;
    if (net_ip6_start(path->net, path->iface, wish.automatic) != RT_OK)
        return too_short6(path, &wish);
    for (uint32_t i = 0; i < wish.count; i++)
        if (net_addr_add(path->net, path->iface, &wish.addrs[i].addr,
                         wish.addrs[i].prefix_bits) != RT_OK)
            return complain6(path, "an address twice, or more than eight of both kinds");
    return !wish.has_gateway ||
           net_gateway_set(path->net, path->iface, &wish.gateway) == RT_OK ||
           complain6(path, "the gateway is one of the addresses, or in no subnet");
}

/* Nothing was wanted, or what was wanted is for ports of other numbers. */
static void say_none(const struct net_addresses *all, uint32_t port)
{
    RT_ASSERT_LT(0u, all->count);
    for (uint32_t i = 0; i < all->count; i++) {
        const uint32_t of = all->entry[i].port;

        if (of == port || of == NET_ADDRESS_EVERY_PORT) {
            rt_log("net port=%u ip=none", port);
            return;
        }
    }
    rt_log("net port=%u ip=none warning=\"no entry of ip= is for this port\" remedy=\"its number"
           " as the device: client::gateway:mask::%u\"", port, port);
}

bool kit_net_configure(struct kit_net_path *path)
{
    const uint32_t port = path->path.rx_port;
    const struct net_address *dhcp;
    struct net_addresses all;
    struct net_setup setup;
    const char *why;
    uint32_t entry;

    RT_ASSERT(path->net != NULL);
    if (!kit_net_share_leads(path))
        return true; /* the port's first stack has read them, and tells what became of them */
    if (!net_addresses_parse(ip_text, &all, &why, &entry))
        return complain(path, entry, why);
    if (!net_addresses_of(&all, port, &setup, &dhcp))
        return complain(path, 0, "more than eight addresses, or dhcp beside others");
    if (!configure6(path))
        return false;
    if (dhcp != NULL)
        return start_dhcp(path, dhcp);
    setup.probe = true;
    if (net_setup_apply(path->net, path->iface, &setup) != RT_OK)
        return complain(path, 0, "the gateway is one of the addresses, or in no subnet");
    if (setup.count == 0)
        say_none(&all, port);
    return true;
}

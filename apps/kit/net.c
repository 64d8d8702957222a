/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks and the paths that feed them. */
#include <kit/net.h>

#include "net_config.h"
#include "net_share.h"

#include <pmd/nic.h>
#include <rt/assert.h>
#include <rt/log.h>
#include <rt/random.h>

enum { ETHERNET_BYTES = 14, LINK_LOOK_US = 200000 };

static struct net *nets[HAL_CORES_MAX]; /* [core] */

/* A device takes what it has room for. After the stop none of them takes anything. */
static void send(void *ctx, struct buf_batch *frames)
{
    struct kit_net_path *path = ctx;

    if (nets[path->path.core] != NULL)
        nic_tx(path->path.txq, frames);
}

static struct net *make_net(const struct kit_path *path, const struct tcp_config *tcp)
{
    struct net_config config = {.core = path->core, .pool = path->pool,
                                .reserve_bufs = BUF_BATCH_MAX};
    const struct udp_config udp = {.socks = 0};
    struct net *net;

    if (!rt_random(config.key, sizeof(config.key)))
        rt_log("net core=%u warning=\"no generator of random numbers: keys are of time alone\"",
               path->core);
    if (net_create(&config, hal_now_us(), &net) != RT_OK || tcp_create(net, tcp) != RT_OK ||
        udp_create(net, &udp) != RT_OK)
        return NULL;
    nets[path->core] = net;
    return net;
}

/* Buffers of a frame: as the card takes them, and so that the ring has room for a few frames. */
static uint8_t frame_bufs(const struct nic *nic)
{
    const uint32_t bufs = RT_MIN((uint32_t)nic->caps.tx_segments_max, nic->config.tx_descs / 4u);

    return (uint8_t)RT_MIN(RT_MAX(bufs, 2u), (uint32_t)UINT8_MAX);
}

static bool add_iface(struct net *net, struct kit_net_path *path)
{
    const struct nic *nic = path->path.txq->nic;
    struct net_if_config config = {
        .mtu_bytes = (uint16_t)(nic->config.frame_max_bytes - ETHERNET_BYTES),
        .tx_ip_checksum = nic->caps.tx_checksum,
        .tx_l4_checksum = nic->caps.tx_checksum,
        .tx_tso = nic->caps.tso,
        .tx_bufs = frame_bufs(nic),
        .send = send,
        .told = kit_net_told,
        .join = kit_net_join,
        .ctx = path,
        .share = kit_net_share_of(path),
    };

    __builtin_memcpy(config.mac, nic->mac, sizeof(config.mac));
    if (!kit_net_link_config(&config, path->path.rx_port))
        return false;
    if (net_if_add(net, &config, &path->iface) == RT_OK) {
        net_link(net, path->iface, nic->link.up);
        return true;
    }
    rt_log("net core=%u error=\"more than %u ports\"", path->path.core, NET_IFS_MAX);
    return false;
}

static void flush(void *ctx, uint64_t now_us)
{
    struct kit_net_path *path = ctx;

    net_link(path->net, path->iface, path->path.txq->nic->link.up);
    net_turn(path->net, now_us);
    kit_net_share_flush(path);
    if (path->dhcp_say_us != 0 && now_us >= path->dhcp_say_us)
        kit_net_no_lease(path);
}

static uint64_t next_us(void *ctx)
{
    const struct kit_net_path *path = ctx;

    const uint64_t next_us = net_next_us(path->net);

    if (kit_net_share_waits(path))
        return 0; /* a ring was full */
    if (path->path.txq->nic->link.up)
        return next_us;
    return RT_MIN(next_us, hal_now_us() + LINK_LOOK_US); /* nothing wakes us when it comes */
}

/* The path's port becomes an interface of the stack, and has what boot arguments say. */
static bool begin_first(struct net *net, struct kit_net_path *path, struct loop_source *source)
{
    path->path.refused = KIT_EXIT_ARGS; /* until all of them were taken */
    if (!add_iface(net, path))
        return false;
    path->net = net;
    source->flush = flush;
    source->next_us = next_us;
    return kit_net_configure(path);
}

struct net *kit_net_begin(struct kit_net_path *path, struct loop_source *source,
                          const struct tcp_config *tcp)
{
    struct net *net = nets[path->path.core];
    const struct kit_net_path *first;

    if (net == NULL)
        net = make_net(&path->path, tcp);
    if (net == NULL || !kit_net_share_begin(path)) {
        rt_log("net core=%u error=\"no memory for a stack\"", path->path.core);
        path->path.refused = KIT_EXIT_MEMORY;
        return NULL;
    }
    source->poll = kit_net_poll;
    first = kit_net_share_first(path);
    RT_ASSERT(first != NULL);
    if (first != path) { /* another queue of the same port: the interface is there */
        path->net = first->net;
        path->iface = first->iface;
    } else if (!begin_first(net, path, source)) {
        return NULL;
    }
    path->path.refused = KIT_EXIT_OK;
    return net;
}

uint32_t kit_net_poll(void *ctx, uint64_t now_us)
{
    struct kit_net_path *path = ctx;
    struct buf_batch frames = {.count = 0};
    uint32_t count;

    nic_tx_reclaim(path->path.txq); /* a lost segment can be sent again only when it is home */
    if (path->path.rxq == NULL)
        return 0; /* all that it gets comes by ring */
    if (path->net != NULL)
        net_before_receive(path->net);
    count = kit_path_receive(&path->path, &frames);
    if (count != 0)
        net_input(path->net, path->iface, &frames, now_us);
    return count;
}

bool kit_net_end(struct kit_path *kit_path, uint64_t now_us, bool last)
{
    struct kit_net_path *path = RT_CONTAINER_OF(kit_path, struct kit_net_path, path);

    bool drained;

    if (path->net == NULL)
        return true;
    if (!path->draining)
        tcp_drain(path->net);
    path->draining = true;
    kit_net_poll(path, now_us);
    kit_net_share_poll(path, now_us);
    drained = kit_net_share_drained(path, tcp_drained(path->net)); /* others need our frames */
    if (!drained && last)
        tcp_reset_all(path->net);
    if ((drained || last) && path->dhcp != NULL && dhcp_state(path->dhcp) != DHCP_STOPPED)
        dhcp_release(path->dhcp); /* nothing is sent from it any more */
    net_turn(path->net, now_us);
    kit_net_share_flush(path);
    return drained;
}

void kit_net_leave(struct kit_path *kit_path)
{
    struct kit_net_path *path = RT_CONTAINER_OF(kit_path, struct kit_net_path, path);

    if (path->net != NULL && nets[kit_path->core] != NULL) {
        nets[kit_path->core] = NULL; /* all of the core's devices have stopped */
        net_close(path->net);
    }
    path->net = NULL;
    kit_net_share_leave(path);
}

/* The addresses of a path; a glance from core 0 while its own core may change them. */
static void print_addresses(const struct kit_net_path *path)
{
    const char *dhcp = path->dhcp != NULL ? dhcp_state_name(dhcp_state(path->dhcp)) : "off";
    struct net_setup setup;
    char addr[IP_ADDR_TEXT_BYTES], gateway[IP_ADDR_TEXT_BYTES] = "none";

    net_setup_get(path->net, path->iface, &setup);
    if (setup.count == 0)
        rt_log("net core=%u port=%u ip=none mtu=%u dhcp=%s", path->path.core, path->path.rx_port,
               setup.mtu_bytes, dhcp);
    if (setup.has_gateway)
        ip_addr_format(&setup.gateway, gateway);
    for (uint32_t i = 0; i < setup.count; i++)
        rt_log("net core=%u port=%u ip=%s/%u gateway=%s mtu=%u dhcp=%s", path->path.core,
               path->path.rx_port, ip_addr_format(&setup.addrs[i].addr, addr),
               setup.addrs[i].prefix_bits, gateway, setup.mtu_bytes, dhcp);
    setup.count = net_ip6_get(path->net, path->iface, setup.addrs);
    for (uint32_t i = 0; i < setup.count; i++)
        rt_log("net core=%u port=%u ip=%s/%u", path->path.core, path->path.rx_port,
               ip_addr_format(&setup.addrs[i].addr, addr), setup.addrs[i].prefix_bits);
}

void kit_net_command(struct kit *kit, const char *text)
{
    struct kit_path *kit_path;

    for (uint32_t i = 0; (kit_path = kit_path_at(kit, i)) != NULL; i++) {
        const struct kit_net_path *path = RT_CONTAINER_OF(kit_path, struct kit_net_path, path);

        if (path->net != NULL && kit_net_share_first(path) == path)
            print_addresses(path);
    }
    for (uint32_t core = 0; core < HAL_CORES_MAX; core++) {
        const uint64_t *values;

        if (nets[core] == NULL)
            continue;
        values = (const uint64_t *)net_counters(nets[core]);
        for (uint32_t i = 0; i < NET_COUNTERS; i++)
            if (values[i] != 0)
                rt_log("net core=%u %s=%lu", core, net_counter_rows[i].name, values[i]);
    }
}

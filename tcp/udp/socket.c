/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets: opened, found, closed. */
#include "../state.h"
#include "udp.h"

#include <rt/assert.h>
#include <rt/siphash.h>

enum { SOCKS_DEFAULT = 64 };

enum rt_status udp_create(struct net *net, const struct udp_config *config)
{
    struct udp_stack *udp = hal_alloc(sizeof(*udp), RT_CACHE_LINE, "UDP");

    RT_ASSERT(net->udp == NULL);
    if (udp == NULL)
        return RT_NO_MEMORY;
    udp->sock_count = config->socks != 0 ? config->socks : SOCKS_DEFAULT;
    udp->socks = hal_alloc(udp->sock_count * sizeof(*udp->socks), RT_CACHE_LINE, "UDP sockets");
    if (udp->socks == NULL)
        return RT_NO_MEMORY;
    for (uint32_t i = udp->sock_count; i-- > 0;) {
        udp->socks[i].chain = udp->free;
        udp->free = &udp->socks[i];
    }
    net->udp = udp;
    return RT_OK;
}

static struct udp_sock **bucket_of(struct net *net, uint16_t port)
{
    return &net->udp->buckets[port % UDP_BUCKETS];
}

static struct udp_sock *find_exact(struct net *net, const struct ip_addr *addr, uint16_t port)
{
    struct udp_sock *sock = *bucket_of(net, port);

    while (sock != NULL && (sock->port != port || !ip_addr_equal(&sock->addr, addr)))
        sock = sock->chain;
    return sock;
}

static const struct ip_addr every;

struct udp_sock *udp_find(struct net *net, const struct ip_addr *addr, uint16_t port)
{
    struct udp_sock *sock = find_exact(net, addr, port);

    return sock != NULL ? sock : find_exact(net, &every, port);
}

static bool is_used(struct net *net, uint16_t port)
{
    const struct udp_sock *sock = *bucket_of(net, port);

    while (sock != NULL && sock->port != port)
        sock = sock->chain;
    return sock != NULL;
}

/* A port that nobody has, and nobody outside can foresee (RFC 6056 3.3.1); 0: all are taken. */
static uint16_t choose_port(struct net *net)
{
    const uint64_t seed[] = {net->udp->ports_drawn++, net->now_us};
    const uint64_t start = rt_siphash(net->config.key, seed, sizeof(seed));

    for (uint32_t i = 0; i < UDP_PORTS; i++) {
        const uint16_t port = (uint16_t)(UDP_PORT_FIRST + (start + i) % UDP_PORTS);

        if (!is_used(net, port))
            return port;
    }
    return 0;
}

enum rt_status udp_open(struct net *net, const struct udp_open *how, struct udp_sock **out)
{
    struct udp_sock *sock = net->udp->free, **bucket;
    const struct ip_addr *addr = how->addr != NULL ? how->addr : &every;
    const uint16_t port = how->port != 0 ? how->port : choose_port(net);

    RT_ASSERT(how->ops->received != NULL);
    if (find_exact(net, addr, port) != NULL)
        return RT_BUSY;
    if (sock == NULL || port == 0)
        return RT_FULL;
    net->udp->free = sock->chain;
    bucket = bucket_of(net, port);
    *sock = (struct udp_sock){
        .net = net,
        .ops = how->ops,
        .ctx = how->ctx,
        .addr = *addr,
        .port = port,
        .queue_bytes_max = how->queue_bytes != 0 ? how->queue_bytes : UDP_QUEUE_BYTES,
        .chain = *bucket,
        .event_listed = sock->event_listed, /* it may be in that list since its last life */
        .event_next = sock->event_next,
    };
    *bucket = sock;
    *out = sock;
    return RT_OK;
}

void udp_close(struct udp_sock *sock)
{
    struct net *net = sock->net;
    struct udp_sock **link;

    RT_ASSERT(net != NULL);
    link = bucket_of(net, sock->port);
    while (*link != sock)
        link = &(*link)->chain;
    *link = sock->chain;
    udp_drop_queue(sock);
    sock->has_failed = false;
    sock->net = NULL;
    sock->chain = net->udp->free;
    net->udp->free = sock;
}

void udp_close_all(struct net *net)
{
    if (net->udp == NULL)
        return;
    for (uint32_t i = 0; i < net->udp->sock_count; i++)
        if (net->udp->socks[i].net != NULL)
            udp_close(&net->udp->socks[i]);
}

uint16_t udp_port(const struct udp_sock *sock)
{
    return sock->port;
}

void *udp_ctx(const struct udp_sock *sock)
{
    return sock->ctx;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "neigh.h"

#include "../ip/ip.h"
#include "../share/share.h"
#include "../state.h"
#include "../wire/eth.h"
#include "arp.h"
#include "eth.h"
#include "nd.h"

#include <mempool/pool.h>
#include <rt/assert.h>

/* Multiplied by an odd secret: who may choose addresses does not choose our buckets. */
static struct neigh **bucket_of(const struct net *net, const struct ip_addr *addr)
{
    uint64_t secret, hash;

    __builtin_memcpy(&secret, net->config.key, sizeof(secret));
    hash = (addr->halves[0] ^ addr->halves[1] ^ secret) * (secret | 1);
    hash ^= hash >> 32;
    return &net->neighs.buckets[hash & (net->neighs.bucket_count - 1)];
}

struct neigh *neigh_find(const struct net_if *iface, const struct ip_addr *addr)
{
    struct neigh *n = *bucket_of(iface->net, addr);

    while (n != NULL && (n->iface != iface || !ip_addr_equal(&n->addr, addr)))
        n = n->next;
    return n;
}

static void drop_waiting(struct net *net, struct neigh *n)
{
    if (n->waiting == NULL)
        return;
    net->counters.neigh_dropped++;
    buf_free(n->waiting);
    n->waiting = NULL;
}

static void forget(struct net *net, struct neigh *n)
{
    struct neigh **link = bucket_of(net, &n->addr);

    while (*link != n)
        link = &(*link)->next;
    *link = n->next;
    timer_cancel(&net->wheel, &n->timer);
    drop_waiting(net, n);
    n->state = NEIGH_FREE;
}

/* A free entry, else the one used longest ago that nothing waits for. NULL: all are being asked. */
static struct neigh *choose(struct net *net)
{
    struct neigh *oldest = NULL;

    for (uint32_t i = 0; i < net->neighs.count; i++) {
        struct neigh *n = &net->neighs.entries[i];

        if (n->state == NEIGH_FREE)
            return n;
        if (n->state != NEIGH_ASKED && (oldest == NULL || n->used_us < oldest->used_us))
            oldest = n;
    }
    if (oldest != NULL)
        forget(net, oldest);
    return oldest;
}

static void ask(struct neigh *n)
{
    const uint8_t *to = n->state == NEIGH_PROBED ? n->mac : NULL;

    RT_ASSERT_LT(n->requests, NEIGH_REQUESTS);
    n->tries++;
    if (ip_addr_is_v4(&n->addr))
        n->requests += arp_request(n->iface, &n->addr, to);
    else
        n->requests += nd_solicit(n->iface, &n->addr, to);
    timer_arm(&n->iface->net->wheel, &n->timer, n->iface->net->now_us + NEIGH_REQUEST_US);
}

/* No answer came in time, or a state has ended. */
static void begin_asking(struct neigh *n, enum neigh_state state)
{
    n->state = (uint8_t)state;
    n->requests = 0;
    n->tries = 0;
    ask(n);
}

static void fail(struct neigh *n, uint64_t now_us)
{
    struct net *net = n->iface->net;
    struct buf *waiting = n->waiting;

    n->waiting = NULL;
    n->state = NEIGH_FAILED;
    timer_arm(&net->wheel, &n->timer, now_us + NEIGH_FAILED_US);
    net->counters.neigh_failed++;
    net->counters.neigh_dropped += waiting != NULL;
    if (waiting != NULL && n->requests == NEIGH_REQUESTS)
        ip_undeliverable(net, waiting);
    else
        buf_free(waiting);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
    struct neigh *n = RT_CONTAINER_OF(timer, struct neigh, timer);
    struct net *net = n->iface->net;

    switch ((enum neigh_state)n->state) {
    case NEIGH_REACHABLE:
        n->state = NEIGH_STALE;
        return;
    case NEIGH_ASKED:
    case NEIGH_PROBED:
        if (n->requests < NEIGH_REQUESTS && n->tries < NEIGH_TRIES)
            ask(n);
        else if (n->state == NEIGH_PROBED) /* it may have another MAC now */
            begin_asking(n, NEIGH_ASKED);
        else
            fail(n, now_us);
        return;
    case NEIGH_FAILED:
        forget(net, n);
        return;
    case NEIGH_FREE:
    case NEIGH_STALE:
        RT_ASSERT_NE(n->state, n->state); /* neither has a timer */
    }
}

static struct neigh *make(struct net_if *iface, const struct ip_addr *addr)
{
    struct net *net = iface->net;
    struct neigh *n = choose(net);
    struct neigh **bucket = bucket_of(net, addr);

    if (n == NULL) {
        net->counters.neigh_full++;
        return NULL;
    }
    *n = (struct neigh){
        .addr = *addr,
        .iface = iface,
        .used_us = net->now_us,
        .timer = {.fn = on_timer},
        .next = *bucket,
    };
    *bucket = n;
    return n;
}

static void send_to(struct neigh *n, struct buf *packet_owned)
{
    eth_send(n->iface, packet_owned, n->mac, ip_addr_is_v4(&n->addr) ? ETH_IPV4 : ETH_IPV6);
}

/* The neighbour, asked if it must be; NULL: no room for another one. */
static struct neigh *use(struct net_if *iface, const struct ip_addr *next_hop)
{
    struct neigh *n = neigh_find(iface, next_hop);

    if (n == NULL) {
        n = make(iface, next_hop);
        if (n == NULL)
            return NULL;
        begin_asking(n, NEIGH_ASKED);
    } else if (n->state == NEIGH_STALE) {
        begin_asking(n, NEIGH_PROBED);
    }
    n->used_us = iface->net->now_us;
    return n;
}

bool neigh_ready(struct net_if *iface, const struct ip_addr *next_hop)
{
    const struct neigh *n = use(iface, next_hop);

    return n != NULL && n->state != NEIGH_ASKED && n->state != NEIGH_FAILED;
}

bool neigh_failed(const struct net_if *iface, const struct ip_addr *next_hop)
{
    const struct neigh *n = neigh_find(iface, next_hop);

    return n != NULL && n->state == NEIGH_FAILED;
}

enum rt_status neigh_send(struct net_if *iface, const struct ip_addr *next_hop,
                          struct buf *packet_owned)
{
    struct net *net = iface->net;
    struct neigh *n = use(iface, next_hop);

    if (n == NULL || n->state == NEIGH_FAILED) {
        net->counters.neigh_dropped++;
        buf_free(packet_owned);
        return n == NULL ? RT_FULL : RT_NOT_FOUND;
    }
    if (n->state == NEIGH_ASKED) {
        drop_waiting(net, n);
        n->waiting = packet_owned;
        return RT_OK;
    }
    send_to(n, packet_owned);
    return RT_OK;
}

static void set_reachable(struct neigh *n)
{
    struct net *net = n->iface->net;

    n->state = NEIGH_REACHABLE;
    timer_arm(&net->wheel, &n->timer, net->now_us + NEIGH_REACHABLE_US);
}

static void set_stale(struct neigh *n)
{
    n->state = NEIGH_STALE;
    timer_cancel(&n->iface->net->wheel, &n->timer);
}

/* Its MAC is known: what waited goes. */
static void send_waiting(struct neigh *n)
{
    struct buf *waiting = n->waiting;

    RT_ASSERT_NE(n->state, NEIGH_ASKED);
    n->waiting = NULL;
    if (waiting != NULL)
        send_to(n, waiting);
}

void neigh_learn(struct net_if *iface, const struct ip_addr *addr, const uint8_t mac[6],
                 bool solicited)
{
    struct share_neigh heard = {.addr = *addr, .heard = SHARE_LEARNT, .solicited = solicited};
    struct neigh *n = neigh_find(iface, addr);

    __builtin_memcpy(heard.mac, mac, sizeof(heard.mac));
    if (n != NULL || solicited) /* what others asked for was answered here, too */
        share_tell_neigh(iface, &heard);
    if (n == NULL && solicited)
        n = make(iface, addr);
    if (n == NULL)
        return;
    __builtin_memcpy(n->mac, mac, sizeof(n->mac));
    set_reachable(n);
    send_waiting(n);
}

void neigh_heard(struct net_if *iface, const struct ip_addr *addr, const uint8_t mac[6])
{
    struct share_neigh heard = {.addr = *addr, .heard = SHARE_HEARD};
    struct neigh *n = neigh_find(iface, addr);

    __builtin_memcpy(heard.mac, mac, sizeof(heard.mac));
    share_tell_neigh(iface, &heard);
    if (n == NULL)
        n = make(iface, addr);
    if (n == NULL || (n->state != NEIGH_FREE && n->state != NEIGH_ASKED &&
                      n->state != NEIGH_FAILED && __builtin_memcmp(n->mac, mac, 6) == 0))
        return;
    __builtin_memcpy(n->mac, mac, sizeof(n->mac));
    set_stale(n);
    send_waiting(n);
}

/* Whoever shares the interface may have asked, too. */
static void tell_answer(struct net_if *iface, const struct ip_addr *addr, const uint8_t *mac,
                        bool solicited, bool override)
{
    struct share_neigh heard = {
        .addr = *addr,
        .heard = SHARE_ANSWERED,
        .has_mac = mac != NULL,
        .solicited = solicited,
        .override = override,
    };

    if (mac != NULL)
        __builtin_memcpy(heard.mac, mac, sizeof(heard.mac));
    share_tell_neigh(iface, &heard);
}

void neigh_answered(struct net_if *iface, const struct ip_addr *addr, const uint8_t *mac,
                    bool solicited, bool override)
{
    struct neigh *n = neigh_find(iface, addr);
    const bool unknown = n != NULL && (n->state == NEIGH_ASKED || n->state == NEIGH_FAILED);
    bool other;

    if (n != NULL || solicited)
        tell_answer(iface, addr, mac, solicited, override);
    if (n == NULL || (unknown && mac == NULL))
        return;
    other = unknown || (mac != NULL && __builtin_memcmp(n->mac, mac, 6) != 0);
    if (other && !unknown && !override) {
        if (n->state == NEIGH_REACHABLE)
            set_stale(n); /* two say different things: it is asked */
        return;
    }
    if (other)
        __builtin_memcpy(n->mac, mac, sizeof(n->mac));
    if (solicited)
        set_reachable(n);
    else if (other)
        set_stale(n);
    send_waiting(n);
}

void neigh_confirm(struct net_if *iface, const struct ip_addr *next_hop)
{
    struct neigh *n = neigh_find(iface, next_hop);

    if (n != NULL && (n->state == NEIGH_STALE || n->state == NEIGH_PROBED))
        set_reachable(n);
}

void neigh_close(struct net *net)
{
    for (uint32_t i = 0; i < net->neighs.count; i++)
        if (net->neighs.entries[i].state != NEIGH_FREE)
            forget(net, &net->neighs.entries[i]);
}

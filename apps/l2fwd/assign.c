/* SPDX-License-Identifier: BSD-2-Clause */
/* Port map and queue plan; see the header. */
#include "assign.h"

#include <rt/log.h>
#include <rt/loop.h>

_Static_assert(HAL_CORES_MAX <= 256, "cores are stored in bytes");

/* Reads "(a,b)" at *at and moves behind it. */
static bool read_pair(const char **at, uint32_t pair[2])
{
    const char *p = *at;

    if (*p++ != '(')
        return false;
    for (unsigned i = 0; i < 2; i++) {
        const char *first = p;

        pair[i] = 0;
        for (; *p >= '0' && *p <= '9' && p - first < 4; p++)
            pair[i] = pair[i] * 10 + (uint32_t)(*p - '0');
        if (p == first || *p++ != (i == 0 ? ',' : ')'))
            return false;
    }
    *at = p;
    return true;
}

static bool port_usable(uint32_t port, uint32_t mask, uint32_t count)
{
    return port < count && port < NIC_PORTS_MAX && (mask >> port & 1) != 0;
}

static enum rt_status map_from_text(const char *text, uint32_t mask, uint32_t count,
                                    struct l2fwd_portmap *map, char *error)
{
    const char *at = text;

    while (*at != '\0') { /* each pair moves it */
        uint32_t pair[2];

        if (!read_pair(&at, pair)) {
            rt_snprintf(error, L2FWD_ERROR_BYTES,
                        "portmap=%s cannot be read at \"%s\"; wanted is (0,1)(2,3)", text, at);
            return RT_INVALID;
        }
        for (unsigned i = 0; i < 2; i++) {
            if (!port_usable(pair[i], mask, count)) {
                rt_snprintf(error, L2FWD_ERROR_BYTES,
                            "portmap=%s names port %u, which is not there or not in ports=0x%x"
                            " (%u ports found)",
                            text, pair[i], mask, count);
                return RT_INVALID;
            }
            if (map->peer[pair[i]] != L2FWD_NO_PORT && (i == 0 || pair[0] != pair[1])) {
                rt_snprintf(error, L2FWD_ERROR_BYTES, "portmap=%s names port %u twice", text,
                            pair[i]);
                return RT_INVALID;
            }
            map->peer[pair[i]] = (uint8_t)pair[1 - i];
        }
    }
    return RT_OK;
}

static void map_neighbours(uint32_t mask, uint32_t count, struct l2fwd_portmap *map)
{
    uint8_t waiting = L2FWD_NO_PORT;

    for (uint32_t port = 0; port < NIC_PORTS_MAX; port++) {
        if (!port_usable(port, mask, count))
            continue;
        if (waiting == L2FWD_NO_PORT) {
            waiting = (uint8_t)port;
            map->peer[port] = (uint8_t)port; /* to itself, unless another follows */
            continue;
        }
        map->peer[port] = waiting;
        map->peer[waiting] = (uint8_t)port;
        waiting = L2FWD_NO_PORT;
    }
}

enum rt_status l2fwd_portmap_make(const char *text, uint32_t mask, uint32_t count,
                                  struct l2fwd_portmap *map, char error[L2FWD_ERROR_BYTES])
{
    enum rt_status st = RT_OK;

    mask = mask == 0 ? UINT32_MAX : mask;
    map->used = 0;
    for (uint32_t port = 0; port < NIC_PORTS_MAX; port++)
        map->peer[port] = L2FWD_NO_PORT;
    if (text[0] != '\0')
        st = map_from_text(text, mask, count, map, error);
    else
        map_neighbours(mask, count, map);
    for (uint32_t port = 0; port < NIC_PORTS_MAX; port++)
        map->used += map->peer[port] != L2FWD_NO_PORT;
    if (st == RT_OK && map->used == 0) {
        rt_snprintf(error, L2FWD_ERROR_BYTES, "ports=0x%x leaves none of the %u ports found",
                    mask, count);
        return RT_INVALID;
    }
    return st;
}

static uint32_t queues_of(const struct l2fwd_plan_input *in, uint32_t port)
{
    uint32_t share = in->cores / in->map->used;

    if (in->queues != 0)
        return in->queues;
    return RT_MAX(RT_MIN(RT_MIN(share, (uint32_t)NIC_QUEUES_MAX), in->rxq_max[port]), 1U);
}

/* The transmit queue of `core` on `port`, made when the core has none yet. */
static uint8_t txq_of(struct l2fwd_plan *plan, uint8_t port, uint8_t core)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->path[i].tx_port == port && plan->path[i].core == core)
            return plan->path[i].tx_queue;
    }
    return plan->txqs[port]++;
}

static enum rt_status plan_port(const struct l2fwd_plan_input *in, uint8_t port,
                                struct l2fwd_plan *plan, char *error)
{
    uint32_t queues = queues_of(in, port);
    uint8_t tx_port = in->map->peer[port];

    if (queues > in->rxq_max[port]) {
        rt_snprintf(error, L2FWD_ERROR_BYTES, "queues=%u but port %u has %u receive queues",
                    queues, port, in->rxq_max[port]);
        return RT_INVALID;
    }
    plan->rxqs[port] = (uint8_t)queues;
    for (uint32_t q = 0; q < queues; q++) {
        uint32_t core = in->queues_per_core != 0 ? plan->count / in->queues_per_core
                                                 : plan->count % in->cores;

        if (core >= in->cores || plan->core_paths[core] == LOOP_SOURCES_MAX) {
            rt_snprintf(error, L2FWD_ERROR_BYTES,
                        "port %u queue %u finds no core: %u cores, queues_per_core=%u", port, q,
                        in->cores, in->queues_per_core);
            return RT_INVALID;
        }
        plan->path[plan->count] = (struct l2fwd_path_plan){
            .rx_port = port,
            .tx_port = tx_port,
            .rx_queue = (uint8_t)q,
            .tx_queue = txq_of(plan, tx_port, (uint8_t)core),
            .core = (uint8_t)core,
        };
        plan->core_paths[core]++;
        plan->count++;
    }
    return RT_OK;
}

enum rt_status l2fwd_plan_make(const struct l2fwd_plan_input *in, struct l2fwd_plan *plan,
                               char error[L2FWD_ERROR_BYTES])
{
    __builtin_memset(plan, 0, sizeof(*plan));
    for (uint8_t port = 0; port < NIC_PORTS_MAX; port++) {
        enum rt_status st;

        if (in->map->peer[port] == L2FWD_NO_PORT)
            continue;
        st = plan_port(in, port, plan, error);
        if (st != RT_OK)
            return st;
    }
    for (uint8_t port = 0; port < NIC_PORTS_MAX; port++) {
        if (plan->txqs[port] <= in->txq_max[port])
            continue;
        rt_snprintf(error, L2FWD_ERROR_BYTES,
                    "%u cores send to port %u, which has %u transmit queues; take a smaller"
                    " queues=",
                    plan->txqs[port], port, in->txq_max[port]);
        return RT_INVALID;
    }
    return RT_OK;
}

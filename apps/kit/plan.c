/* SPDX-License-Identifier: BSD-2-Clause */
/* Queue plan; see the header. */
#include "plan.h"

#include <rt/assert.h>
#include <rt/log.h>

_Static_assert(HAL_CORES_MAX <= 256, "cores are stored in bytes");

static uint32_t queues_of(const struct kit_plan_input *in, uint32_t port)
{
    uint32_t queues = RT_MIN(in->cores / in->map->used, (uint32_t)NIC_QUEUES_MAX);

    if (in->queues != 0)
        return in->queues;
    /* each core that receives here needs a transmit queue over there */
    queues = RT_MIN(RT_MIN(queues, in->rxq_max[port]), in->txq_max[in->map->peer[port]]);
    return RT_MAX(queues, 1U);
}

/* The transmit queue of `core` on `port`, made when the core has none yet. */
static uint8_t txq_of(struct kit_plan *plan, uint8_t port, uint8_t core)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->path[i].tx_port == port && plan->path[i].core == core)
            return plan->path[i].tx_queue;
    }
    return plan->txqs[port]++;
}

static enum rt_status plan_port(const struct kit_plan_input *in, uint8_t port,
                                struct kit_plan *plan, char *error)
{
    uint32_t queues = queues_of(in, port);
    uint8_t tx_port = in->map->peer[port];

    if (queues > in->rxq_max[port]) {
        rt_snprintf(error, KIT_ERROR_BYTES, "queues=%u but port %u has %u receive queues",
                    queues, port, in->rxq_max[port]);
        return RT_INVALID;
    }
    plan->rxqs[port] = (uint8_t)queues;
    for (uint32_t q = 0; q < queues; q++) {
        uint32_t core = in->queues_per_core != 0 ? plan->count / in->queues_per_core
                                                 : plan->count % in->cores;

        if (core >= in->cores || plan->core_paths[core] == KIT_CORE_PATHS_MAX) {
            rt_snprintf(error, KIT_ERROR_BYTES,
                        "port %u queue %u finds no core: %u cores, queues_per_core=%u", port, q,
                        in->cores, in->queues_per_core);
            return RT_INVALID;
        }
        RT_ASSERT_LT(plan->count, (uint32_t)KIT_PATHS_MAX);
        plan->path[plan->count] = (struct kit_path_plan){
            .rx_port = port,
            .tx_port = tx_port,
            .rx_queue = (uint8_t)q,
            .tx_queue = txq_of(plan, tx_port, (uint8_t)core),
            .core = (uint8_t)core,
        };
        plan->core_paths[core]++;
        plan->core_rxqs[core]++;
        plan->count++;
    }
    return RT_OK;
}

static bool has_path(const struct kit_plan *plan, uint8_t port, uint32_t core)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->path[i].rx_port == port && plan->path[i].core == core)
            return true;
    return false;
}

/* A path on each core that has none of this port, as far as transmit queues go. */
static void plan_without_queues(const struct kit_plan_input *in, uint8_t port,
                                struct kit_plan *plan)
{
    const uint8_t tx_port = in->map->peer[port];
    const uint32_t most = RT_MIN(in->ports_a_core, (uint32_t)KIT_CORE_PATHS_MAX);

    for (uint32_t core = 0; core < in->cores && plan->count < KIT_PATHS_MAX; core++) {
        if (plan->core_paths[core] >= most || has_path(plan, port, core) ||
            plan->txqs[tx_port] >= in->txq_max[tx_port])
            continue;
        plan->path[plan->count] = (struct kit_path_plan){
            .rx_port = port,
            .tx_port = tx_port,
            .rx_queue = KIT_NO_QUEUE,
            .tx_queue = txq_of(plan, tx_port, (uint8_t)core),
            .core = (uint8_t)core,
        };
        plan->core_paths[core]++;
        plan->count++;
    }
}

enum rt_status kit_plan_make(const struct kit_plan_input *in, struct kit_plan *plan,
                               char error[KIT_ERROR_BYTES])
{
    RT_ASSERT_NE(in->map->used, 0u);
    RT_ASSERT_NE(in->cores, 0u);
    RT_ASSERT_LE(in->cores, (uint32_t)HAL_CORES_MAX);
    __builtin_memset(plan, 0, sizeof(*plan));
    for (uint8_t port = 0; port < NIC_PORTS_MAX; port++) {
        enum rt_status st;

        if (in->map->peer[port] == KIT_NO_PORT)
            continue;
        st = plan_port(in, port, plan, error);
        if (st != RT_OK)
            return st;
    }
    for (uint8_t port = 0; port < NIC_PORTS_MAX; port++)
        if (in->map->peer[port] != KIT_NO_PORT)
            plan_without_queues(in, port, plan);
    for (uint8_t port = 0; port < NIC_PORTS_MAX; port++) {
        if (plan->txqs[port] <= in->txq_max[port])
            continue;
        rt_snprintf(error, KIT_ERROR_BYTES,
                    "%u cores send to port %u, which has %u transmit queues; take a smaller"
                    " queues=",
                    plan->txqs[port], port, in->txq_max[port]);
        return RT_INVALID;
    }
    return RT_OK;
}

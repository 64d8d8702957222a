/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who forwards what: receive queues to cores, transmit queues to cores.
 * Pure; errors are texts for the user.
 *
 * A core sends to a port through a transmit queue of its own, so that no lock and no ring
 * lies between receive and transmit: a frame never leaves the core that received it.
 */
#ifndef L2FWD_ASSIGN_H
#define L2FWD_ASSIGN_H

#include "roles.h"

#include <rt/hal.h>

#define L2FWD_ERROR_BYTES 160
#define L2FWD_CORE_PATHS_MAX (LOOP_SOURCES_MAX - 1) /* one source is for the other cores */
#define L2FWD_PATHS_MAX (NIC_PORTS_MAX * NIC_QUEUES_MAX)

struct l2fwd_path_plan {
    uint8_t rx_port, tx_port;
    uint8_t rx_queue, tx_queue;
    uint8_t core;
};

struct l2fwd_plan {
    uint32_t count;
    struct l2fwd_path_plan path[L2FWD_PATHS_MAX];
    uint8_t rxqs[NIC_PORTS_MAX]; /* queues of each port, 0: not used */
    uint8_t txqs[NIC_PORTS_MAX];
    uint8_t core_paths[HAL_CORES_MAX]; /* receive queues of each core */
};

struct l2fwd_plan_input {
    const struct l2fwd_portmap *map;
    uint16_t rxq_max[NIC_PORTS_MAX], txq_max[NIC_PORTS_MAX]; /* what each card has */
    uint32_t cores;
    uint32_t queues;          /* wanted for each port, 0: as many as make sense */
    uint32_t queues_per_core; /* 0: evenly */
};

/* RT_INVALID: `error` names the port and what does not fit. */
RT_NODISCARD enum rt_status l2fwd_plan_make(const struct l2fwd_plan_input *in,
                                            struct l2fwd_plan *plan,
                                            char error[L2FWD_ERROR_BYTES]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which core does what: receive queues to cores, transmit queues to cores.
 * Pure; errors are texts for the user.
 *
 * A core sends to a port through a transmit queue of its own, so that no lock and no ring
 * lies between receive and transmit: a frame never leaves the core that received it. Where the
 * application wants a path of a port on every core, those cores that no receive queue fell to get
 * one without: it sends, and what is to come in by it is the application's to bring.
 */
#ifndef KIT_PLAN_H
#define KIT_PLAN_H

#include <kit/cards.h>
#include <rt/hal.h>
#include <rt/loop.h>

#define KIT_ERROR_BYTES 160
#define KIT_CORE_PATHS_MAX (LOOP_SOURCES_MAX - 1) /* one source is for the other cores */
#define KIT_PATHS_MAX (NIC_PORTS_MAX * NIC_QUEUES_MAX)
#define KIT_NO_QUEUE 0xff

struct kit_path_plan {
    uint8_t rx_port, tx_port;
    uint8_t rx_queue, tx_queue; /* rx_queue may be KIT_NO_QUEUE */
    uint8_t core;
};

struct kit_plan {
    uint32_t count;
    struct kit_path_plan path[KIT_PATHS_MAX];
    uint8_t rxqs[NIC_PORTS_MAX]; /* queues of each port, 0: not used */
    uint8_t txqs[NIC_PORTS_MAX];
    uint8_t core_paths[HAL_CORES_MAX];
    uint8_t core_rxqs[HAL_CORES_MAX]; /* receive queues of each core */
};

struct kit_plan_input {
    const struct kit_portmap *map;
    uint16_t rxq_max[NIC_PORTS_MAX], txq_max[NIC_PORTS_MAX]; /* what each card has */
    uint32_t cores;
    uint32_t queues;          /* wanted for each port, 0: as many as make sense */
    uint32_t queues_per_core; /* 0: evenly */
    uint32_t ports_a_core;    /* as struct kit_app has it */
};

/* RT_INVALID: `error` names the port and what does not fit. */
RT_NODISCARD enum rt_status kit_plan_make(const struct kit_plan_input *in,
                                          struct kit_plan *plan,
                                          char error[KIT_ERROR_BYTES]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parked queue moves nothing: it receives no frame, leaves every frame to send with the
 * caller, and lets its core sleep. So is a queue of a port that is not started, and one of a
 * port that recovers (nic_watch.h). A queue's functions are changed by its own core, between two
 * turns of its loop, or while that core is out of its loop: the data path pays nothing.
 */
#ifndef PMD_NIC_PARK_H
#define PMD_NIC_PARK_H

#include <pmd/nic.h>

/* On the queue's core, or core 0 while that one is out of its loop. */
void nic_park_rxq(struct nic_rxq *rxq);
void nic_park_txq(struct nic_txq *txq);

/* Core 0: asks the cores of all queues of the port to bring them into a state, and kicks them.
 * Its own queues follow at once, the others when their cores call nic_core_poll(). */
void nic_park_ask(struct nic *nic, enum nic_queue_state state);
/* A core that is still to come by; HAL_CORES_MAX: all have. */
unsigned nic_park_missing(const struct nic *nic, enum nic_queue_state state);
/* No queue of the port is on the data path. */
bool nic_park_none_runs(const struct nic *nic);

#endif

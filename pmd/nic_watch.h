/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of a running port, and its recovery; any chip. Core 0, but for nic_core_work().
 *
 * Core 0 looks with every nic_poll_link for a device that is gone, one that asks for a reset,
 * and a transmit queue that stands still. The recovery that follows is a row of states:
 *
 *   PARKING   each core takes its queues of the port off the data path, between two turns of its
 *             loop; from then on core 0 owns the rings
 *   DOWN      steps to a device without DMA
 *   EMPTYING  each core takes what its transmit rings held into its own pools
 *   UP        steps to a started device. The receive rings still hold their buffers: only the
 *             descriptors are written anew
 *   RUNNING   each core takes its queues back
 *
 * A card that is gone is parked and emptied, too; its return begins a recovery.
 *
 * So no pool is touched by a core that is not its home, the data path pays nothing (a queue's
 * functions are changed by its own core alone), and core 0 never waits: what a state waits for
 * is looked at again at nic_next_us(). A try that fails is repeated later and later.
 */
#ifndef PMD_NIC_WATCH_H
#define PMD_NIC_WATCH_H

#include "nic_steps.h"

#include <pmd/nic.h>

/* The last rows of nic->counters. */
enum nic_watch_row { NIC_RECOVERIES, NIC_TX_HANGS, NIC_DEVICE_FAULTS, NIC_WATCH_ROWS };
void nic_watch_name_rows(struct nic *nic);

/* The port was started or stopped; the cores of its queues are out of their loops. */
void nic_watch_start(struct nic *nic);
void nic_watch_stop(struct nic *nic);
/* One look, or one step of a recovery. */
void nic_watch_poll(struct nic *nic);
/* It is on the data path, and no fault was seen: what is written into it stays. */
bool nic_watch_runs(const struct nic *nic);
/* Its registers may be touched: no reset is under way, in which it wants to be left alone. */
bool nic_watch_calm(const struct nic *nic);
uint64_t nic_watch_next_us(const struct nic *nic);

#endif

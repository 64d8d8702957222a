/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that must fall silent however the machine ends: a panic, a power-off that fails, a
 * halt. A card that goes on receiving into memory nobody refills sends pause frames for as long
 * as it has power, and stops a whole group of switch ports with them.
 *
 * A driver adds a function for each device it has taken. It writes registers and does nothing
 * else: it may run on any core, in the middle of anything that core 0 was doing, with locks held
 * by cores that no longer run. No lock, no read of a register (a broken device may never answer),
 * no wait.
 */
#ifndef RT_QUIESCE_H
#define RT_QUIESCE_H

#include <rt/base.h>

#define RT_QUIESCE_MAX 64

/* Core 0, at start. The same pair twice is one entry. RT_FULL: no room. */
RT_NODISCARD enum rt_status rt_quiesce_add(void (*fn)(void *ctx), void *ctx);
/* Calls them all, in the order they were added. Any core; when one of them faults, the next call
 * goes on behind it. */
void rt_quiesce_all(void);

#endif

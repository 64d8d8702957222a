/* SPDX-License-Identifier: BSD-2-Clause */
/* Plugs software cards into DPDK; see dpdk_card.c. */
#ifndef NATIVE_DPDK_CARD_H
#define NATIVE_DPDK_CARD_H

#include "native.h"

#define DPDK_CARDS 10u

/* Before rte_eal_init(): port i of DPDK will be a new device in cards[i]. */
bool dpdk_cards_plug(struct native_card *const *cards, unsigned count);
/* After it: removes the directory that EAL scanned. */
void dpdk_cards_forget(void);

#endif

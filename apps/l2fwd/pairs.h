/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who forwards to whom. Pure.
 *
 * A card forwards only when that is what the user asked for, or when it has a partner that
 * nobody asked otherwise: on the network that the machine was booted from, or on one that has
 * a single cable here, a forwarder is a storm. A card that fails keeps its partner, so that no
 * other two networks get bridged.
 */
#ifndef L2FWD_PAIRS_H
#define L2FWD_PAIRS_H

#include <kit/cards.h>

/*
 * Pairs up ports in `map`, which has none yet.
 * `portmap`: "(0,1)(02:00.0,03:00.0)", or "" for neighbours. Every port that gets no frames,
 * for whatever reason but that the user left it out, is a line; so is a mistake.
 * RT_INVALID: the text cannot be meant, or no port is left. A card that is named by address and
 * is not there, or failed, stops its own pair only.
 */
RT_NODISCARD enum rt_status l2fwd_pairs_make(const struct kit_cards *cards, const char *portmap,
                                             struct kit_portmap *map);

#endif

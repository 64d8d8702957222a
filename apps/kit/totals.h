/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums over queues and paths, for the table and the report. */
#ifndef L2FWD_TOTALS_H
#define L2FWD_TOTALS_H

#include "l2fwd.h"

/* Why a frame did not go on; counted at the port where it came in (tx_*: goes out). */
#define L2FWD_DROP_REASONS(X)                                                                  \
    X(NO_REPLACEMENT, "no_replacement") /* no buffer for the receive ring */                   \
    X(RX_ERROR, "rx_error")             /* the card reports a bad frame */                     \
    X(RX_HOSTILE, "rx_hostile")         /* the card reports what cannot be */                  \
    X(RX_TOO_LONG, "rx_too_long")       /* in several buffers, longer than frame_max */        \
    X(TX_FULL, "tx_full")               /* the transmit ring stood still for 10 ms */          \
    X(TX_BAD, "tx_bad")                 /* too long for the partner */                         \
    X(RX_ONLY, "rx_only")               /* the mode says drop */                               \
    X(POOL_EMPTY, "pool_empty")         /* txonly: no buffer */

enum l2fwd_drop {
#define X(id, name) L2FWD_DROP_##id,
    L2FWD_DROP_REASONS(X)
#undef X
        L2FWD_DROPS
};
extern const char *const l2fwd_drop_names[L2FWD_DROPS];

struct l2fwd_port_totals {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t drops[L2FWD_DROPS];
};

struct l2fwd_core_totals {
    uint64_t busy_cycles, spin_cycles, halt_cycles; /* with the halt going on */
    uint64_t elapsed_cycles; /* of the loop: what these three add up to */
    uint64_t batch[BUF_BATCH_MAX + 1];
};

struct l2fwd_port_totals l2fwd_port_totals(const struct l2fwd *app, uint32_t port);
struct l2fwd_core_totals l2fwd_core_totals(const struct l2fwd *app, unsigned core);

#endif

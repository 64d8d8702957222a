/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments of l2fwd beside those of the kit. Read-only after the start. */
#ifndef L2FWD_OPTIONS_H
#define L2FWD_OPTIONS_H

#include <rt/args.h>

enum l2fwd_mode {
    L2FWD_IO = 0,     /* frames go out as they came */
    L2FWD_MAC = 1,    /* source: our port's, destination: 02:00:00:00:00:<port> */
    L2FWD_MACSWAP = 2,
    L2FWD_RXONLY = 3, /* count and drop */
    L2FWD_TXONLY = 4, /* send frames that we make */
};

struct l2fwd_options {
    char portmap[400]; /* 16 MAC addresses and what stands between them */
    bool mac_update;
    uint32_t mode; /* enum l2fwd_mode */
    uint32_t drain_us;
    uint32_t tx_size, tx_count, tx_flows;
};

extern struct l2fwd_options l2fwd_options;
extern const struct arg_table l2fwd_arg_table;

#endif

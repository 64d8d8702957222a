/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments of every application on the kit. Read-only after the start, but for the `live`
 * ones. */
#ifndef KIT_OPTIONS_H
#define KIT_OPTIONS_H

#include <rt/args.h>

struct kit_options {
    char ports[320]; /* 16 MAC addresses and what stands between them */
    bool promiscuous, vlan_strip, rx_checksum;
    uint32_t queues, queues_per_core;
    uint32_t batch, rx_descs, tx_descs, pool_size, frame_max;
    uint32_t irq; /* enum nic_irq_mode */
    uint32_t moderation_us;
    uint32_t link_wait_ms, stats_s;
};

extern struct kit_options kit_options;
extern const struct arg_table kit_arg_table;

#endif

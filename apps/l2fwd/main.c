/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * l2fwd: frames in at one port, out at its partner. This file is the wiring; read
 * forward.c and worker.c for what happens to a frame.
 */
#include "l2fwd.h"
#include "pairs.h"
#include "worker.h"

#include <rt/log.h>

/* Why a frame did not go on; counted at the port where it came in. */
static const struct kit_counter counters[] = {
    {"tx_full", "frames", "the transmit ring stood still for 10 ms", KIT_DROP,
     offsetof(struct l2fwd_path, stats.tx_full)},
    {"rx_only", "frames", "the mode says drop", KIT_DROP,
     offsetof(struct l2fwd_path, stats.rx_only)},
    {"pool_empty", "frames", "txonly: no buffer", KIT_DROP,
     offsetof(struct l2fwd_path, stats.pool_empty)},
};

static enum rt_status map_ports(const struct kit_cards *cards, struct kit_portmap *map)
{
    enum rt_status st = l2fwd_pairs_make(cards, l2fwd_options.portmap, map);

    for (uint32_t p = 0; p < cards->count && st == RT_OK; p++) {
        if (map->peer[p] == p)
            rt_log("l2fwd port=%u warning=\"sends back out what it receives, as asked\"", p);
    }
    return st;
}

static void path_begin(struct kit_path *kit_path, struct loop_source *source)
{
    struct l2fwd_path *path = RT_CONTAINER_OF(kit_path, struct l2fwd_path, kit);
    const struct nic *tx_nic = kit_path->txq->nic;

    path->mode = l2fwd_mode_of(&l2fwd_options);
    path->vlan_strip = kit_options.vlan_strip;
    path->drain_us = l2fwd_options.drain_us;
    path->rewrite = l2fwd_rewrite_make(kit_path->tx_port, tx_nic->mac);
    l2fwd_txgen_init(&path->txgen, &l2fwd_options, tx_nic->mac, kit_path->tx_port);
    l2fwd_worker_source(path, source);
}

const struct kit_app l2fwd_app = {
    .running = "forwarding",
    .path_bytes = sizeof(struct l2fwd_path),
    .poll = l2fwd_worker_poll,
    .path_begin = path_begin,
    .path_leave = l2fwd_worker_leave,
    .map_ports = map_ports,
    .counters = counters,
    .counter_count = RT_ARRAY_SIZE(counters),
};

static int l2fwd_main(const struct boot_info *boot)
{
    return kit_run(&l2fwd_app, boot);
}

static const struct arg_table *const tables[] = {&rt_arg_table, &kit_arg_table,
                                                 &l2fwd_arg_table, NULL};

const struct rt_app rt_app = {
    .name = "l2fwd",
    .tables = tables,
    .main = l2fwd_main,
};

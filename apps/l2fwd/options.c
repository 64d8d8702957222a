/* SPDX-License-Identifier: BSD-2-Clause */
/* With the kit's: everything DPDK's l2fwd takes on its command line or fixes at compile time. */
#include "options.h"

struct l2fwd_options l2fwd_options;

static const struct arg l2fwd_args[] = {
    {.name = "portmap", .type = ARG_STRING, .unit = "pairs as (0,1)(02:00.0,03:00.0)",
     .max = sizeof(l2fwd_options.portmap), .preset = "", .dst = l2fwd_options.portmap,
     .help = "which port forwards to which; empty: neighbours, an odd last one stays idle;"
             " (0,0): back out of itself"},
    {.name = "mode", .type = ARG_CHOICE, .unit = "", .preset = "mac",
     .choices = "io|mac|macswap|rxonly|txonly", .dst = &l2fwd_options.mode,
     .help = "io: frames unchanged; mac: new addresses; macswap: addresses swapped;"
             " rxonly: count and drop; txonly: send our own frames"},
    {.name = "mac_update", .type = ARG_BOOL, .unit = "", .preset = "on",
     .dst = &l2fwd_options.mac_update,
     .help = "mode mac: source = our port, destination = 02:00:00:00:00:port; off: as mode io"},
    {.name = "drain_us", .type = ARG_U32, .unit = "us", .max = 1000000, .preset = "0",
     .dst = &l2fwd_options.drain_us,
     .help = "hold frames until a batch is full, at most this long; 0: send at once"},
    {.name = "tx_size", .type = ARG_U32, .unit = "bytes", .min = 60, .max = 1514,
     .preset = "60", .dst = &l2fwd_options.tx_size,
     .help = "txonly: frame size without CRC"},
    {.name = "tx_count", .type = ARG_U32, .unit = "frames a queue", .max = UINT32_MAX,
     .preset = "0", .dst = &l2fwd_options.tx_count,
     .help = "txonly: frames to send; 0: without end"},
    {.name = "tx_flows", .type = ARG_U32, .unit = "flows", .min = 1, .max = 32768,
     .preset = "1", .dst = &l2fwd_options.tx_flows,
     .help = "txonly: UDP flows, told apart by source port"},
};

const struct arg_table l2fwd_arg_table = {
    .title = "l2fwd",
    .args = l2fwd_args,
    .count = RT_ARRAY_SIZE(l2fwd_args),
};

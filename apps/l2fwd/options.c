/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything DPDK's l2fwd takes on its command line or fixes at compile time, as boot
 * arguments. Where a default differs from DPDK's the help says so, or why is written here:
 * rings of 512 rather than 1024 keep what is in flight inside the second level cache;
 * stats_s is off, because a table on a 115200 baud line stops its core for 70 ms.
 */
#include "options.h"

#include <pmd/nic.h>

struct l2fwd_options l2fwd_options;

static const struct arg l2fwd_args[] = {
    {.name = "ports", .type = ARG_STRING, .unit = "bit mask or list as (0,02:00.0)",
     .max = sizeof(l2fwd_options.ports), .preset = "0", .dst = l2fwd_options.ports,
     .help = "ports to use: bit n is port n, in a list a number, a PCI address or a MAC; 0: all"
             " but the card the machine was booted from"},
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
    {.name = "promiscuous", .type = ARG_BOOL, .unit = "", .preset = "on",
     .dst = &l2fwd_options.promiscuous, .help = "take frames for any destination"},
    {.name = "queues", .type = ARG_U32, .unit = "queues", .max = NIC_QUEUES_MAX,
     .preset = "1", .dst = &l2fwd_options.queues,
     .help = "receive queues a port, spread over the cores by RSS; 0: as many as cores and"
             " card allow"},
    {.name = "queues_per_core", .type = ARG_U32, .unit = "queues", .max = 32, .preset = "0",
     .dst = &l2fwd_options.queues_per_core,
     .help = "fill each core with so many receive queues before the next; 0: spread evenly"},
    {.name = "batch", .type = ARG_U32, .unit = "packets", .min = 1, .max = BUF_BATCH_MAX,
     .preset = "32", .dst = &l2fwd_options.batch,
     .help = "packets taken from a queue at a time"},
    {.name = "rx_descs", .type = ARG_U32, .unit = "descriptors", .min = 8, .max = 4096,
     .preset = "512", .dst = &l2fwd_options.rx_descs, .help = "receive ring of a queue"},
    {.name = "tx_descs", .type = ARG_U32, .unit = "descriptors", .min = 8, .max = 4096,
     .preset = "512", .dst = &l2fwd_options.tx_descs, .help = "transmit ring of a queue"},
    {.name = "pool_size", .type = ARG_U32, .unit = "buffers a core", .max = 1048576,
     .preset = "0", .dst = &l2fwd_options.pool_size,
     .help = "packet buffers; 0: all rings full, the batches, and 256 spare; too few to receive"
             " are refused"},
    {.name = "drain_us", .type = ARG_U32, .unit = "us", .max = 1000000, .preset = "0",
     .dst = &l2fwd_options.drain_us,
     .help = "hold frames until a batch is full, at most this long; 0: send at once"},
    {.name = "frame_max", .type = ARG_U32, .unit = "bytes", .min = 64, .max = 9216,
     .preset = "1514", .dst = &l2fwd_options.frame_max,
     .help = "largest frame without CRC; above 1514 frames may take several buffers"},
    {.name = "irq", .type = ARG_CHOICE, .unit = "", .preset = "msix",
     .choices = "msix|msi|intx|none", .dst = &l2fwd_options.irq,
     .help = "best kind of interrupt to use; falls back to the right"},
    {.name = "rx_checksum", .type = ARG_BOOL, .unit = "", .preset = "off",
     .dst = &l2fwd_options.rx_checksum, .help = "let the card check IP, TCP, UDP checksums"},
    {.name = "vlan_strip", .type = ARG_BOOL, .unit = "", .preset = "off",
     .dst = &l2fwd_options.vlan_strip,
     .help = "take VLAN tags out on receive and put them back on transmit"},
    {.name = "link_wait_ms", .type = ARG_U32, .unit = "ms", .max = 60000, .preset = "0",
     .dst = &l2fwd_options.link_wait_ms,
     .help = "wait so long for all links before forwarding (DPDK: 9000); 0: do not wait"},
    {.name = "stats_s", .type = ARG_U32, .unit = "s", .max = 86400, .preset = "0",
     .dst = &l2fwd_options.stats_s, .live = true,
     .help = "print the statistics table so often (DPDK: 10); 0: only on command"},
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

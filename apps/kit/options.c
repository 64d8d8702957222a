/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot arguments of every application. Where a default differs from DPDK's the help says so, or
 * why is written here: rings of 512 rather than 1024 keep what is in flight inside the second
 * level cache; stats_s is off, because a table on a 115200 baud line stops its core for 70 ms.
 */
#include <kit/options.h>
#include <pmd/nic.h>

struct kit_options kit_options;

static const struct arg kit_args[] = {
    {.name = "ports", .type = ARG_STRING, .unit = "bit mask or list as (0,02:00.0)",
     .max = sizeof(kit_options.ports), .preset = "0", .dst = kit_options.ports,
     .help = "ports to use: bit n is port n, in a list a number, a PCI address or a MAC; 0: all"
             " but the card the machine was booted from; a Linux process: (tap:NAME),"
             " (pipe:N) or (stream:PATH), with +loss_ppm=N and more a bad line (docs/link.md)"},
    {.name = "promiscuous", .type = ARG_BOOL, .unit = "", .preset = "on",
     .dst = &kit_options.promiscuous, .help = "take frames for any destination"},
    {.name = "queues", .type = ARG_U32, .unit = "queues", .max = NIC_QUEUES_MAX,
     .preset = "1", .dst = &kit_options.queues,
     .help = "receive queues a port, spread over the cores by RSS; 0: as many as cores and"
             " card allow"},
    {.name = "queues_per_core", .type = ARG_U32, .unit = "queues", .max = 32, .preset = "0",
     .dst = &kit_options.queues_per_core,
     .help = "fill each core with so many receive queues before the next; 0: spread evenly"},
    {.name = "batch", .type = ARG_U32, .unit = "packets", .min = 1, .max = BUF_BATCH_MAX,
     .preset = "32", .dst = &kit_options.batch,
     .help = "packets taken from a queue at a time"},
    {.name = "rx_descs", .type = ARG_U32, .unit = "descriptors", .min = 8, .max = 4096,
     .preset = "512", .dst = &kit_options.rx_descs, .help = "receive ring of a queue"},
    {.name = "tx_descs", .type = ARG_U32, .unit = "descriptors", .min = 8, .max = 4096,
     .preset = "512", .dst = &kit_options.tx_descs, .help = "transmit ring of a queue"},
    {.name = "pool_size", .type = ARG_U32, .unit = "buffers a core", .max = 1048576,
     .preset = "0", .dst = &kit_options.pool_size,
     .help = "packet buffers; 0: all rings full, the batches, and 256 spare; too few to receive"
             " are refused"},
    {.name = "frame_max", .type = ARG_U32, .unit = "bytes", .min = 64, .max = 9216,
     .preset = "1514", .dst = &kit_options.frame_max,
     .help = "largest frame without CRC; above 1514 frames may take several buffers"},
    {.name = "irq", .type = ARG_CHOICE, .unit = "", .preset = "msix",
     .choices = "msix|msi|intx|none", .dst = &kit_options.irq,
     .help = "best kind of interrupt to use; falls back to the right"},
    {.name = "moderation_us", .type = ARG_U32, .unit = "us", .max = 10000, .preset = "10",
     .dst = &kit_options.moderation_us,
     .help = "least time between two interrupts of a queue, 0: none"},
    {.name = "rx_checksum", .type = ARG_BOOL, .unit = "", .preset = "off",
     .dst = &kit_options.rx_checksum, .help = "let the card check IP, TCP, UDP checksums"},
    {.name = "vlan_strip", .type = ARG_BOOL, .unit = "", .preset = "off",
     .dst = &kit_options.vlan_strip,
     .help = "take VLAN tags out on receive and put them back on transmit"},
    {.name = "link_wait_ms", .type = ARG_U32, .unit = "ms", .max = 60000, .preset = "0",
     .dst = &kit_options.link_wait_ms,
     .help = "wait so long for all links before the loops start (DPDK: 9000); 0: do not wait"},
    {.name = "stats_s", .type = ARG_U32, .unit = "s", .max = 86400, .preset = "0",
     .dst = &kit_options.stats_s, .live = true,
     .help = "print the statistics table so often (DPDK: 10); 0: only on command"},
};

const struct arg_table kit_arg_table = {
    .title = "kit",
    .args = kit_args,
    .count = RT_ARRAY_SIZE(kit_args),
};

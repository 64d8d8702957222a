/* SPDX-License-Identifier: BSD-2-Clause */
/* e1000e: addresses, VLAN, receive scaling, statistics. Core 0. */
#include "e1000e.h"

/* ---- what is let in (DS 10.2.5) ---- */

const struct intel_filter_regs e1000e_filter_regs = {
    .multicast = E1000E_MTA(0), /* RCTL.MO = 0: bits 47:36 of an address */
    .vlan = E1000E_VFTA(0),
    .address = E1000E_RAL(0),
    .addresses = E1000E_RA_COUNT,
    .all = {E1000E_RCTL, E1000E_RCTL_UPE | E1000E_RCTL_MPE},
    .tagged = {E1000E_RCTL, E1000E_RCTL_VFE},
};

/* ---- receive scaling ---- */

void e1000e_rss_init(struct e1000e *dev)
{
    bool two = dev->nic->config.rxqs > 1;

    e1000e_write(dev, E1000E_MRQC, 0);
    intel_rss_write_key(dev->nic, E1000E_RSSRK(0));
    for (unsigned i = 0; i < E1000E_RETA_COUNT; i++) /* entries go 0, 1, 0, 1 */
        e1000e_write(dev, E1000E_RETA(i),
                     two ? E1000E_RETA_QUEUE1 << 8 | E1000E_RETA_QUEUE1 << 24 : 0);
    /* The hash is wanted with one queue, too: it is the flow's name for the application. */
    e1000e_write(dev, E1000E_MRQC,
                 E1000E_MRQC_RSS | E1000E_MRQC_TCP_IPV4 | E1000E_MRQC_IPV4 |
                     E1000E_MRQC_TCP_IPV6 | E1000E_MRQC_IPV6_EX | E1000E_MRQC_IPV6);
}

/* ---- statistics (DS 10.2.7): cleared by each read, so added up here ---- */

static const struct nic_counter_reg registers[] = { /* a read of the high half clears both */
    {E1000E_CRCERRS, 0, "crc_errors"},
    {0x4004, 0, "alignment_errors"},
    {0x400c, 0, "rx_errors"},
    {E1000E_MPC, 0, "missed"},
    {0x4014, 0, "single_collisions"},
    {E1000E_ECOL, 0, "excessive_collisions"},
    {0x401c, 0, "multiple_collisions"},
    {E1000E_LATECOL, 0, "late_collisions"},
    {0x4028, 0, "collisions"},
    {0x4030, 0, "deferred"},
    {0x4034, 0, "tx_no_carrier"},
    {0x403c, 0, "carrier_extension_errors"},
    {E1000E_RLEC, 0, "length_errors"},
    {0x4048, 0, "xon_rx"},
    {0x404c, 0, "xon_tx"},
    {E1000E_XOFFRXC, 0, "xoff_rx"},
    {0x4054, 0, "xoff_tx"},
    {0x4058, 0, "flow_control_unsupported"},
    {0x405c, 0, "rx_64"},
    {0x4060, 0, "rx_65_127"},
    {0x4064, 0, "rx_128_255"},
    {0x4068, 0, "rx_256_511"},
    {0x406c, 0, "rx_512_1023"},
    {0x4070, 0, "rx_1024_max"},
    {E1000E_GPRC, 0, "rx_good"},
    {0x4078, 0, "rx_broadcast"},
    {0x407c, 0, "rx_multicast"},
    {E1000E_GPTC, 0, "tx_good"},
    {E1000E_GORCL, E1000E_GORCH, "rx_good_bytes"},
    {E1000E_GOTCL, E1000E_GOTCH, "tx_good_bytes"},
    {E1000E_RNBC, 0, "no_buffer"},
    {E1000E_RUC, 0, "undersize"},
    {E1000E_RFC, 0, "fragments"},
    {E1000E_ROC, 0, "oversize"},
    {E1000E_RJC, 0, "jabber"},
    {0x40b4, 0, "management_rx"},
    {0x40b8, 0, "management_dropped"},
    {0x40bc, 0, "management_tx"},
    {0x40c0, 0x40c4, "rx_total_bytes"},
    {0x40c8, 0x40cc, "tx_total_bytes"},
    {0x40d0, 0, "rx_total"},
    {0x40d4, 0, "tx_total"},
    {0x40d8, 0, "tx_64"},
    {0x40dc, 0, "tx_65_127"},
    {0x40e0, 0, "tx_128_255"},
    {0x40e4, 0, "tx_256_511"},
    {0x40e8, 0, "tx_512_1023"},
    {0x40ec, 0, "tx_1024_max"},
    {0x40f0, 0, "tx_multicast"},
    {0x40f4, 0, "tx_broadcast"},
    {0x40f8, 0, "tso_contexts"},
    {0x40fc, 0, "tso_failed"},
    {0x4100, 0, "interrupts"},
    {0x4104, 0, "irq_rx_timer"},
    {0x4108, 0, "irq_rx_absolute"},
    {0x410c, 0, "irq_tx_timer"},
    {0x4110, 0, "irq_tx_absolute"},
    {0x4118, 0, "irq_tx_empty"},
    {0x411c, 0, "irq_tx_low"},
    {0x4120, 0, "irq_rx_low"},
    {0x4124, 0, "irq_rx_overrun"},
};

static const struct intel_stats_regs sums = {
    .rx_frames = E1000E_GPRC,
    .tx_frames = E1000E_GPTC,
    .rx_bytes = E1000E_GORCL,
    .tx_bytes = E1000E_GOTCL,
    .missed = E1000E_MPC,
    .no_buffer = 0, /* RNBC: it had to wait, MPC says when that was in vain */
    .crc_errors = E1000E_CRCERRS,
    .length_errors = {E1000E_RUC, E1000E_RFC, E1000E_ROC, E1000E_RJC},
    .tx_errors = {E1000E_ECOL, E1000E_LATECOL},
};

enum rt_status e1000e_stats_alloc(struct e1000e *dev)
{
    return nic_counters_alloc(dev->nic, registers, RT_ARRAY_SIZE(registers));
}

void e1000e_poll_stats(struct nic *nic, uint32_t rows)
{
    intel_poll_stats(nic, &sums, E1000E_STATUS, rows);
}

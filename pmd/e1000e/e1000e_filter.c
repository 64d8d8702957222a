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

    RT_ASSERT_LE(dev->nic->config.rxqs, E1000E_QUEUES_MAX); /* the table knows two */
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

static const struct nic_counter_reg counters[] = {
    {INTEL_CRCERRS, 0, "crc_errors"},
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
    {INTEL_RLEC, 0, "length_errors"},
    {0x4048, 0, "xon_rx"},
    {0x404c, 0, "xon_tx"},
    {E1000E_XOFFRXC, 0, "xoff_rx"},
    {0x4054, 0, "xoff_tx"},
    {0x4058, 0, "flow_control_unsupported"},
    INTEL_COUNTERS_GOOD,
    {E1000E_RNBC, 0, "no_buffer"},
    INTEL_COUNTERS_LENGTHS,
    {0x40bc, 0, "management_tx"},
    {0x40c0, 0x40c4, "rx_total_bytes"},
    {0x40c8, 0x40cc, "tx_total_bytes"},
    INTEL_COUNTERS_TOTALS,
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

/* RNBC is no loss: the frame had to wait, MPC says when that was in vain. RLEC has the frames of
 * the other length counters. */
const struct intel_counters e1000e_counters = {
    .regs = counters,
    .reg_count = RT_ARRAY_SIZE(counters),
    .missed = E1000E_MPC,
    .tx_errors = {E1000E_ECOL, E1000E_LATECOL},
};

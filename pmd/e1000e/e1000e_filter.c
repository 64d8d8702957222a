/* SPDX-License-Identifier: BSD-2-Clause */
/* e1000e: addresses, VLAN, receive scaling, statistics. Core 0. */
#include "e1000e.h"

#include <rt/log.h>

/* ---- what is let in (DS 10.2.5) ---- */

void e1000e_filter_init(struct e1000e *dev)
{
    const uint8_t *mac = dev->nic->mac;

    for (unsigned i = 0; i < E1000E_MTA_COUNT; i++)
        e1000e_write(dev, E1000E_MTA(i), 0);
    for (unsigned i = 0; i < E1000E_VFTA_COUNT; i++)
        e1000e_write(dev, E1000E_VFTA(i), 0);
    e1000e_write(dev, E1000E_RAL(0),
                 (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
                     (uint32_t)mac[3] << 24);
    e1000e_write(dev, E1000E_RAH(0), (uint32_t)mac[4] | (uint32_t)mac[5] << 8 | RAH_AV);
    for (unsigned i = 1; i < E1000E_RA_COUNT; i++) {
        e1000e_write(dev, E1000E_RAH(i), 0); /* first: the entry is not valid from here on */
        e1000e_write(dev, E1000E_RAL(i), 0);
    }
}

static void change(struct e1000e *dev, uint32_t reg, uint32_t bits, bool on)
{
    uint32_t value = e1000e_read(dev, reg);

    e1000e_write(dev, reg, on ? value | bits : value & ~bits);
}

enum rt_status e1000e_set_promiscuous(struct nic *nic, bool on)
{
    struct e1000e *dev = nic->priv;

    nic->config.promiscuous = on;
    if (nic->started)
        change(dev, E1000E_RCTL, RCTL_UPE | RCTL_MPE, on);
    return RT_OK;
}

/* The hash is bits 47:36 of the address (RCTL.MO = 0); the table has a bit for each value. */
enum rt_status e1000e_add_multicast(struct nic *nic, const uint8_t mac[6])
{
    uint32_t hash = ((uint32_t)mac[4] >> 4 | (uint32_t)mac[5] << 4) & 0xfff;

    if (!nic->started)
        return RT_BUSY; /* a start clears the table */
    change(nic->priv, E1000E_MTA(hash >> 5), RT_BIT(hash & 31), true);
    return RT_OK;
}

/* The filter drops everything not let in as soon as one VLAN is. */
enum rt_status e1000e_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on)
{
    struct e1000e *dev = nic->priv;
    bool any = false;

    if (!nic->started)
        return RT_BUSY;
    change(dev, E1000E_VFTA((uint32_t)vlan >> 5), RT_BIT(vlan & 31), on);
    for (unsigned i = 0; i < E1000E_VFTA_COUNT && !any; i++)
        any = e1000e_read(dev, E1000E_VFTA(i)) != 0;
    change(dev, E1000E_RCTL, RCTL_VFE, any);
    return RT_OK;
}

/* ---- receive scaling: the usual key, so that others can recompute the hash ---- */

static const uint8_t rss_key[E1000E_RSSRK_COUNT * 4] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

void e1000e_rss_init(struct e1000e *dev)
{
    bool two = dev->nic->config.rxqs > 1;

    e1000e_write(dev, E1000E_MRQC, 0);
    for (unsigned i = 0; i < E1000E_RSSRK_COUNT; i++)
        e1000e_write(dev, E1000E_RSSRK(i),
                     (uint32_t)rss_key[4 * i] | (uint32_t)rss_key[4 * i + 1] << 8 |
                         (uint32_t)rss_key[4 * i + 2] << 16 |
                         (uint32_t)rss_key[4 * i + 3] << 24);
    for (unsigned i = 0; i < E1000E_RETA_COUNT; i++) /* entries go 0, 1, 0, 1 */
        e1000e_write(dev, E1000E_RETA(i), two ? RETA_QUEUE1 << 8 | RETA_QUEUE1 << 24 : 0);
    /* The hash is wanted with one queue, too: it is the flow's name for the application. */
    e1000e_write(dev, E1000E_MRQC,
                 MRQC_RSS | MRQC_TCP_IPV4 | MRQC_IPV4 | MRQC_TCP_IPV6 | MRQC_IPV6_EX |
                     MRQC_IPV6);
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

enum rt_status e1000e_stats_alloc(struct e1000e *dev)
{
    enum rt_status st = nic_counters_alloc(dev->nic, registers, RT_ARRAY_SIZE(registers),
                                           NIC_WATCH_ROWS);

    if (st == RT_OK)
        nic_watch_name_rows(dev->nic);
    return st;
}

void e1000e_poll_stats(struct nic *nic, uint32_t rows)
{
    struct e1000e *dev = nic->priv;
    struct nic_stats *stats = &nic->stats;

    if (e1000e_read(dev, E1000E_STATUS) == UINT32_MAX)
        return; /* removed: all ones everywhere */
    if (!nic_counters_read(nic, &dev->mmio, rows))
        return;
    stats->rx_packets = nic_counted(nic, E1000E_GPRC);
    stats->tx_packets = nic_counted(nic, E1000E_GPTC);
    /* The chip counts the four bytes of the CRC, we do not. */
    stats->rx_bytes = nic_counted(nic, E1000E_GORCL) - E1000E_CRC_BYTES * stats->rx_packets;
    stats->tx_bytes = nic_counted(nic, E1000E_GOTCL) - E1000E_CRC_BYTES * stats->tx_packets;
    stats->rx_missed = nic_counted(nic, E1000E_MPC);
    stats->rx_no_buffer = 0; /* RNBC: it had to wait, MPC says when that was in vain */
    stats->rx_crc_errors = nic_counted(nic, E1000E_CRCERRS);
    stats->rx_length_errors = nic_counted(nic, E1000E_RUC) + nic_counted(nic, E1000E_RFC) +
                              nic_counted(nic, E1000E_ROC) + nic_counted(nic, E1000E_RJC);
    stats->tx_errors = nic_counted(nic, E1000E_ECOL) + nic_counted(nic, E1000E_LATECOL);
}

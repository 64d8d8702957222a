/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe: addresses, VLAN, receive scaling, statistics. Core 0. */
#include "ixgbe.h"

#include <rt/log.h>

#define VLAN_ETHERTYPE 0x8100

/* ---- what is let in (DS 8.2.3.7) ---- */

void ixgbe_filter_init(struct ixgbe *dev)
{
    const uint8_t *mac = dev->nic->mac;

    for (unsigned i = 0; i < IXGBE_MTA_COUNT; i++)
        ixgbe_write(dev, IXGBE_MTA(i), 0);
    for (unsigned i = 0; i < IXGBE_VFTA_COUNT; i++)
        ixgbe_write(dev, IXGBE_VFTA(i), 0);
    ixgbe_write(dev, IXGBE_RAL(0),
                 (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
                     (uint32_t)mac[3] << 24);
    ixgbe_write(dev, IXGBE_RAH(0), (uint32_t)mac[4] | (uint32_t)mac[5] << 8 | RAH_AV);
    for (unsigned i = 1; i < IXGBE_RA_COUNT; i++) {
        ixgbe_write(dev, IXGBE_RAH(i), 0); /* first: the entry is not valid from here on */
        ixgbe_write(dev, IXGBE_RAL(i), 0);
    }
    /* Pool 0 takes every address, though there are no pools: as after power-on (DS 8.2.3.7.10) */
    ixgbe_write(dev, IXGBE_MPSAR_LOW(0), 1);
    ixgbe_write(dev, IXGBE_MPSAR_HIGH(0), 0);
    ixgbe_write(dev, IXGBE_MCSTCTRL, 0);
    ixgbe_write(dev, IXGBE_VLNCTRL, FIELD_PUT(VLNCTRL_VET, VLAN_ETHERTYPE));
}

static void change(struct ixgbe *dev, uint32_t reg, uint32_t bits, bool on)
{
    uint32_t value = ixgbe_read(dev, reg);

    ixgbe_write(dev, reg, on ? value | bits : value & ~bits);
}

enum rt_status ixgbe_set_promiscuous(struct nic *nic, bool on)
{
    struct ixgbe *dev = nic->priv;

    nic->config.promiscuous = on;
    if (nic->started)
        change(dev, IXGBE_FCTRL, FCTRL_UPE | FCTRL_MPE, on);
    return RT_OK;
}

/* The hash is bits 47:36 of the address (MCSTCTRL.MO = 0); the table has a bit for each value. */
enum rt_status ixgbe_add_multicast(struct nic *nic, const uint8_t mac[6])
{
    uint32_t hash = ((uint32_t)mac[4] >> 4 | (uint32_t)mac[5] << 4) & 0xfff;

    if (!nic->started)
        return RT_BUSY; /* a start clears the table */
    change(nic->priv, IXGBE_MCSTCTRL, MCSTCTRL_MFE, true);
    change(nic->priv, IXGBE_MTA(hash >> 5), RT_BIT(hash & 31), true);
    return RT_OK;
}

/* The filter drops everything not let in as soon as one VLAN is. */
enum rt_status ixgbe_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on)
{
    struct ixgbe *dev = nic->priv;
    bool any = false;

    if (!nic->started)
        return RT_BUSY;
    change(dev, IXGBE_VFTA((uint32_t)vlan >> 5), RT_BIT(vlan & 31), on);
    for (unsigned i = 0; i < IXGBE_VFTA_COUNT && !any; i++)
        any = ixgbe_read(dev, IXGBE_VFTA(i)) != 0;
    change(dev, IXGBE_VLNCTRL, VLNCTRL_VFE, any);
    return RT_OK;
}

/* ---- receive scaling: the usual key, so that others can recompute the hash ---- */

const uint8_t ixgbe_rss_key[IXGBE_RSSRK_COUNT * 4] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

void ixgbe_rss_init(struct ixgbe *dev)
{
    uint16_t rxqs = dev->nic->config.rxqs;

    ixgbe_write(dev, IXGBE_MRQC, 0);
    for (unsigned i = 0; i < IXGBE_RSSRK_COUNT; i++)
        ixgbe_write(dev, IXGBE_RSSRK(i),
                    (uint32_t)ixgbe_rss_key[4 * i] | (uint32_t)ixgbe_rss_key[4 * i + 1] << 8 |
                        (uint32_t)ixgbe_rss_key[4 * i + 2] << 16 |
                        (uint32_t)ixgbe_rss_key[4 * i + 3] << 24);
    for (unsigned i = 0; i < IXGBE_RETA_COUNT; i++) { /* entries go 0, 1, .. rxqs - 1, 0 */
        uint32_t value = 0;

        for (unsigned k = 0; k < 4; k++)
            value |= (4 * i + k) % rxqs << (8 * k);
        ixgbe_write(dev, IXGBE_RETA(i), value);
    }
    /* The hash is wanted with one queue, too: it is the flow's name for the application. */
    ixgbe_write(dev, IXGBE_MRQC,
                MRQC_RSS | MRQC_TCP_IPV4 | MRQC_IPV4 | MRQC_TCP_IPV6 | MRQC_IPV6);
}

/* ---- statistics (DS 8.2.3.23): cleared by each read, so added up here ---- */

static const struct nic_counter_reg registers[] = { /* pairs have 36 bits */
    {IXGBE_CRCERRS, 0, "crc_errors"},
    {0x4004, 0, "illegal_bytes"},
    {0x4008, 0, "byte_errors"},
    {IXGBE_RXMPC(0), 0, "missed"},
    {0x4034, 0, "mac_local_faults"},
    {0x4038, 0, "mac_remote_faults"},
    {IXGBE_RLEC, 0, "length_errors"},
    {0x3f60, 0, "xon_tx"},
    {0x3f68, 0, "xoff_tx"},
    {0x41a4, 0, "xon_rx"},
    {IXGBE_LXOFFRXC, 0, "xoff_rx"},
    {0x405c, 0, "rx_64"},
    {0x4060, 0, "rx_65_127"},
    {0x4064, 0, "rx_128_255"},
    {0x4068, 0, "rx_256_511"},
    {0x406c, 0, "rx_512_1023"},
    {0x4070, 0, "rx_1024_max"},
    {IXGBE_GPRC, 0, "rx_good"},
    {0x4078, 0, "rx_broadcast"},
    {0x407c, 0, "rx_multicast"},
    {IXGBE_GPTC, 0, "tx_good"},
    {IXGBE_GORCL, IXGBE_GORCH, "rx_good_bytes"},
    {IXGBE_GOTCL, IXGBE_GOTCH, "tx_good_bytes"},
    {IXGBE_RUC, 0, "undersize"},
    {IXGBE_RFC, 0, "fragments"},
    {IXGBE_ROC, 0, "oversize"},
    {IXGBE_RJC, 0, "jabber"},
    {0x40b4, 0, "management_rx"},
    {0x40b8, 0, "management_dropped"},
    {0x40c0, 0x40c4, "rx_total_bytes"},
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
    {0x4120, 0, "xsum_errors"},
    {IXGBE_QPRDC(0), 0, "queue_drops"}, /* RQSMR maps every queue here */
};

enum rt_status ixgbe_stats_alloc(struct ixgbe *dev)
{
    enum rt_status st = nic_counters_alloc(dev->nic, registers, RT_ARRAY_SIZE(registers),
                                           NIC_WATCH_ROWS);

    if (st == RT_OK)
        nic_watch_name_rows(dev->nic);
    return st;
}

void ixgbe_poll_stats(struct nic *nic, uint32_t rows)
{
    struct ixgbe *dev = nic->priv;
    struct nic_stats *stats = &nic->stats;

    if (ixgbe_read(dev, IXGBE_STATUS) == UINT32_MAX)
        return; /* removed: all ones everywhere */
    if (!nic_counters_read(nic, &dev->mmio, rows))
        return;
    stats->rx_packets = nic_counted(nic, IXGBE_GPRC);
    stats->tx_packets = nic_counted(nic, IXGBE_GPTC);
    /* The chip counts the four bytes of the CRC, we do not. */
    stats->rx_bytes = nic_counted(nic, IXGBE_GORCL) - IXGBE_CRC_BYTES * stats->rx_packets;
    stats->tx_bytes = nic_counted(nic, IXGBE_GOTCL) - IXGBE_CRC_BYTES * stats->tx_packets;
    stats->rx_missed = nic_counted(nic, IXGBE_RXMPC(0));
    stats->rx_no_buffer = nic_counted(nic, IXGBE_QPRDC(0));
    stats->rx_crc_errors = nic_counted(nic, IXGBE_CRCERRS);
    stats->rx_length_errors = nic_counted(nic, IXGBE_RLEC) + nic_counted(nic, IXGBE_RUC) +
                              nic_counted(nic, IXGBE_RFC) + nic_counted(nic, IXGBE_ROC) +
                              nic_counted(nic, IXGBE_RJC);
    stats->tx_errors = 0; /* the chip has no such counter */
}

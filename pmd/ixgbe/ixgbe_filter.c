/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe: addresses, VLAN, receive scaling, statistics. Core 0. */
#include "ixgbe.h"

#define VLAN_ETHERTYPE 0x8100

/* ---- what is let in (DS 8.2.3.7) ---- */

const struct intel_filter_regs ixgbe_filter_regs = {
    .multicast = IXGBE_MTA(0), /* MCSTCTRL.MO = 0: bits 47:36 of an address */
    .vlan = IXGBE_VFTA(0),
    .address = IXGBE_RAL(0),
    .addresses = IXGBE_RA_COUNT,
    .all = {IXGBE_FCTRL, IXGBE_FCTRL_UPE | IXGBE_FCTRL_MPE},
    .tagged = {IXGBE_VLNCTRL, IXGBE_VLNCTRL_VFE},
    .hashing = {IXGBE_MCSTCTRL, IXGBE_MCSTCTRL_MFE},
};

void ixgbe_filter_init(struct ixgbe *dev)
{
    intel_filter_init(dev->nic);
    /* Pool 0 takes every address, though there are no pools: as after power-on
     * (DS 8.2.3.7.10). */
    ixgbe_write(dev, IXGBE_MPSAR_LOW(0), 1);
    ixgbe_write(dev, IXGBE_MPSAR_HIGH(0), 0);
    ixgbe_write(dev, IXGBE_MCSTCTRL, 0);
    ixgbe_write(dev, IXGBE_VLNCTRL, FIELD_PUT(IXGBE_VLNCTRL_VET, VLAN_ETHERTYPE));
}

/* ---- receive scaling ---- */

void ixgbe_rss_init(struct ixgbe *dev)
{
    uint16_t rxqs = dev->nic->config.rxqs;

    ixgbe_write(dev, IXGBE_MRQC, 0);
    intel_rss_write_key(dev->nic, IXGBE_RSSRK(0));
    for (unsigned i = 0; i < IXGBE_RETA_COUNT; i++) { /* entries go 0, 1, .. rxqs - 1, 0 */
        uint32_t value = 0;

        for (unsigned k = 0; k < 4; k++)
            value |= (4 * i + k) % rxqs << (8 * k);
        ixgbe_write(dev, IXGBE_RETA(i), value);
    }
    /* The hash is wanted with one queue, too: it is the flow's name for the application. */
    ixgbe_write(dev, IXGBE_MRQC,
                IXGBE_MRQC_RSS | IXGBE_MRQC_TCP_IPV4 | IXGBE_MRQC_IPV4 | IXGBE_MRQC_TCP_IPV6 |
                    IXGBE_MRQC_IPV6);
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

static const struct intel_stats_regs sums = {
    .rx_frames = IXGBE_GPRC,
    .tx_frames = IXGBE_GPTC,
    .rx_bytes = IXGBE_GORCL,
    .tx_bytes = IXGBE_GOTCL,
    .missed = IXGBE_RXMPC(0),
    .no_buffer = IXGBE_QPRDC(0),
    .crc_errors = IXGBE_CRCERRS,
    .length_errors = {IXGBE_RLEC, IXGBE_RUC, IXGBE_RFC, IXGBE_ROC, IXGBE_RJC},
    .tx_errors = {0, 0}, /* the chip has no such counter */
};

enum rt_status ixgbe_stats_alloc(struct ixgbe *dev)
{
    return nic_counters_alloc(dev->nic, registers, RT_ARRAY_SIZE(registers));
}

void ixgbe_poll_stats(struct nic *nic, uint32_t rows)
{
    intel_poll_stats(nic, &sums, IXGBE_STATUS, rows);
}

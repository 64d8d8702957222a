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

    RT_ASSERT_LT(0, rxqs);
    RT_ASSERT_LE(rxqs, IXGBE_QUEUES_MAX);
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

static const struct nic_counter_reg counters[] = {
    {INTEL_CRCERRS, 0, "crc_errors"},
    {0x4004, 0, "illegal_bytes"},
    {0x4008, 0, "byte_errors"},
    {IXGBE_RXMPC(0), 0, "missed"},
    {0x4034, 0, "mac_local_faults"},
    {0x4038, 0, "mac_remote_faults"},
    {INTEL_RLEC, 0, "length_errors"},
    {0x3f60, 0, "xon_tx"},
    {0x3f68, 0, "xoff_tx"},
    {0x41a4, 0, "xon_rx"},
    {IXGBE_LXOFFRXC, 0, "xoff_rx"},
    INTEL_COUNTERS_GOOD,
    INTEL_COUNTERS_LENGTHS,
    {0x40c0, 0x40c4, "rx_total_bytes"},
    INTEL_COUNTERS_TOTALS,
    {0x4120, 0, "xsum_errors"},
    {IXGBE_QPRDC(0), 0, "queue_drops"}, /* RQSMR maps every queue here */
};

/* The chip counts no transmit errors. */
const struct intel_counters ixgbe_counters = {
    .regs = counters,
    .reg_count = RT_ARRAY_SIZE(counters),
    .missed = IXGBE_RXMPC(0),
    .no_buffer = IXGBE_QPRDC(0),
    .length_errors = INTEL_RLEC,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe data path: the loops of ring/ with this chip's format. No register is read; one RDT and
 * one TDT write a burst. What a frame costs: `./millrace count --nic ixgbe --args
 * mode=macswap`.
 */
#include "ixgbe_ask.h"

#include "ring/rx_run.h"
#include "ring/tx_run.h"

_Static_assert(offsetof(struct ixgbe_rx_desc, status) == offsetof(struct nic_rx_desc, status) &&
                   IXGBE_RXD_DD == NIC_RXD_DD && IXGBE_RXD_EOP == NIC_RXD_EOP &&
                   IXGBE_RXD_LENGTH_SHIFT == NIC_RXD_LENGTH_SHIFT &&
                   IXGBE_RXD_VLAN_SHIFT == NIC_RXD_TAG_SHIFT,
               "DS 7.1.6.2 is what the loop takes it for");
_Static_assert((unsigned)BUF_RX_VLAN == IXGBE_RXD_VP &&
                   (unsigned)BUF_RX_L4_GOOD == (IXGBE_RXD_UDPCS | IXGBE_RXD_L4CS) &&
                   (unsigned)BUF_RX_IP_GOOD == IXGBE_RXD_IPCS,
               "flags have the bit positions of the status");
_Static_assert(offsetof(struct ixgbe_tx_desc, command) ==
                       offsetof(struct nic_tx_desc, command) &&
                   IXGBE_TXD_EOP == NIC_TXD_EOP && IXGBE_TXD_RS == NIC_TXD_RS &&
                   IXGBE_TXD_DD == NIC_TXD_DD,
               "DS 7.2.3 is what the loop takes it for");

/* The chip looks at sums always; with rx_checksum off what it finds concerns nobody. */
static const struct nic_rx_format rx_format = {.errors = IXGBE_RXD_ERR_FRAME,
                                               .odd = ixgbe_rx_odd};
static const struct nic_rx_format rx_format_checked = {
    .errors = IXGBE_RXD_ERR_FRAME,
    .sums = IXGBE_RXD_ERR_L4E | IXGBE_RXD_ERR_IPE,
    .says = ixgbe_rx_says,
    .odd = ixgbe_rx_odd,
};
static const struct nic_tx_format tx_format = {
    .command = IXGBE_TX_COMMAND,
    .counts_bytes = true,
    .tso_bytes_max = IXGBE_TX_TSO_BYTES_MAX,
    .ask = ixgbe_tx_ask,
    .ask_tso = ixgbe_tx_ask_tso,
    .odd = nic_tx_odd,
};

NIC_RX_FUNCTION(ixgbe_rx, rx_format)
NIC_RX_FUNCTION(ixgbe_rx_checked, rx_format_checked)
NIC_TX_FUNCTION(ixgbe_tx, tx_format)

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e data path: the loops of ring/ with this chip's format. No register is read; one RDT
 * and one TDT write a burst. What a frame costs: `./millrace count --nic e1000e --args
 * mode=macswap`.
 */
#include "e1000e_ask.h"

#include "ring/rx_run.h"
#include "ring/tx_run.h"

_Static_assert(offsetof(struct e1000e_rx_desc, status) ==
                       offsetof(struct nic_rx_desc, status) &&
                   E1000E_RXD_DD == NIC_RXD_DD && E1000E_RXD_EOP == NIC_RXD_EOP &&
                   E1000E_RXD_LENGTH_SHIFT == NIC_RXD_LENGTH_SHIFT &&
                   E1000E_RXD_VLAN_SHIFT == NIC_RXD_TAG_SHIFT,
               "DS 7.1.5 is what the loop takes it for");
_Static_assert((unsigned)BUF_RX_VLAN == E1000E_RXD_VP &&
                   (unsigned)BUF_RX_L4_GOOD == (E1000E_RXD_UDPCS | E1000E_RXD_TCPCS) &&
                   (unsigned)BUF_RX_IP_GOOD == E1000E_RXD_IPCS,
               "flags have the bit positions of the status");
_Static_assert(offsetof(struct e1000e_tx_desc, command) ==
                       offsetof(struct nic_tx_desc, command) &&
                   E1000E_TXD_EOP == NIC_TXD_EOP && E1000E_TXD_RS == NIC_TXD_RS &&
                   E1000E_TXD_DD == NIC_TXD_DD,
               "DS 7.2.10 is what the loop takes it for");

/* With rx_checksum off what the chip finds in sums concerns nobody, and IXSM is in every
 * frame. */
static const struct nic_rx_format rx_format = {.errors = E1000E_RXD_ERR_FRAME,
                                               .odd = e1000e_rx_odd};
static const struct nic_rx_format rx_format_checked = {
    .errors = E1000E_RXD_ERR_FRAME,
    .sums = E1000E_RXD_IXSM | E1000E_RXD_ERR_TCPE | E1000E_RXD_ERR_IPE,
    .says = e1000e_rx_says,
    .odd = e1000e_rx_odd,
};
static const struct nic_tx_format tx_format = {
    .command = E1000E_TX_COMMAND,
    .counts_bytes = false,
    .ask = e1000e_tx_ask,
    .odd = e1000e_tx_odd,
};

NIC_RX_FUNCTION(e1000e_rx, rx_format)
NIC_RX_FUNCTION(e1000e_rx_checked, rx_format_checked)
NIC_TX_FUNCTION(e1000e_tx, tx_format)

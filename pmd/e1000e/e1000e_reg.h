/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and descriptors of the Intel 82574L and 82583V: offsets into BAR0, then fields.
 *
 * "DS n" is the section of the 82574 datasheet. Bits marked (errata) have no public text: they
 * are what every free driver of this chip writes, see README.md.
 */
#ifndef PMD_E1000E_REG_H
#define PMD_E1000E_REG_H

#include <rt/base.h>

#define E1000E_BAR0_BYTES_MIN 0x10000 /* every register below lies inside */

/* ---- general, DS 10.2.2 ---- */
#define E1000E_CTRL 0x0000
#define E1000E_CTRL_GIO_MASTER_DISABLE RT_BIT(2)
#define E1000E_CTRL_SLU RT_BIT(6) /* set link up: let the PHY decide */
#define E1000E_CTRL_FRCSPD RT_BIT(11)
#define E1000E_CTRL_FRCDPX RT_BIT(12)
#define E1000E_CTRL_RST RT_BIT(26)
#define E1000E_CTRL_RFCE RT_BIT(27)
#define E1000E_CTRL_TFCE RT_BIT(28)
#define E1000E_CTRL_BIT29 RT_BIT(29) /* must be clear (errata) */
#define E1000E_CTRL_VME RT_BIT(30)

#define E1000E_STATUS 0x0008
#define E1000E_STATUS_FD RT_BIT(0)
#define E1000E_STATUS_LU RT_BIT(1)
#define E1000E_STATUS_SPEED RT_BITS(7, 6)
enum { E1000E_STATUS_SPEED_10 = 0, E1000E_STATUS_SPEED_100 = 1 };
#define E1000E_STATUS_GIO_MASTER_ENABLE RT_BIT(19)

#define E1000E_EECD 0x0010
#define E1000E_EECD_AUTO_RD RT_BIT(9) /* the chip has loaded its NVM after reset */
#define E1000E_EECD_NVM_TYPE RT_BITS(16, 15)
enum { E1000E_EECD_NVM_TYPE_FLASH = 3 };
#define E1000E_EECD_AUPDEN RT_BIT(20)

#define E1000E_EERD 0x0014

#define E1000E_CTRL_EXT 0x0018
#define E1000E_CTRL_EXT_EE_RST RT_BIT(13)
#define E1000E_CTRL_EXT_BIT22 RT_BIT(22) /* must be set (errata) */
#define E1000E_CTRL_EXT_BIT23 RT_BIT(23) /* must be clear (errata) */
#define E1000E_CTRL_EXT_EIAME RT_BIT(24)
#define E1000E_CTRL_EXT_IAME RT_BIT(27)
#define E1000E_CTRL_EXT_DRV_LOAD RT_BIT(28)
#define E1000E_CTRL_EXT_PBA_CLR RT_BIT(31)

#define E1000E_MDIC 0x0020
#define E1000E_MDIC_DATA RT_BITS(15, 0)
#define E1000E_MDIC_REG RT_BITS(20, 16)
#define E1000E_MDIC_PHY RT_BITS(25, 21)
#define E1000E_MDIC_OP RT_BITS(27, 26)
enum { E1000E_MDIC_OP_WRITE = 1, E1000E_MDIC_OP_READ = 2 };
#define E1000E_MDIC_READY RT_BIT(28)
#define E1000E_MDIC_ERROR RT_BIT(30)

#define E1000E_FCAL 0x0028
#define E1000E_FCAH 0x002c
#define E1000E_FCT 0x0030
#define E1000E_VET 0x0038
#define E1000E_FCTTV 0x0170
#define E1000E_PBA 0x1000
#define E1000E_PACKET_BUFFER_KB 40

#define E1000E_EXTCNF_CTRL 0x0f00
#define E1000E_EXTCNF_CTRL_MDIO_SW RT_BIT(5)
#define E1000E_SWSM 0x5b50
#define E1000E_SWSM_SMBI RT_BIT(0)
#define E1000E_WUC 0x5800
#define E1000E_GCR 0x5b00
#define E1000E_GCR_BIT22 RT_BIT(22)      /* errata, with ASPM off */
#define E1000E_GCR_L1_WITHOUT_L0S_RX RT_BIT(27)
#define E1000E_GCR2 0x5b64
#define E1000E_GCR2_BIT0 RT_BIT(0) /* errata: completions with ASPM L0s/L1 */

/* ---- interrupts, DS 10.2.4 ---- */
#define E1000E_ICR 0x00c0
#define E1000E_ITR 0x00c4
#define E1000E_ICS 0x00c8
#define E1000E_IMS 0x00d0
#define E1000E_IMC 0x00d8
#define E1000E_EIAC 0x00dc
#define E1000E_IVAR 0x00e4
#define E1000E_EITR(v) (0x00e8u + 4u * (v))
#define E1000E_INT_LSC RT_BIT(2)
#define E1000E_INT_RXDMT0 RT_BIT(4)
#define E1000E_INT_RXO RT_BIT(6)
#define E1000E_INT_RXT0 RT_BIT(7)
#define E1000E_INT_RXQ(q) RT_BIT(20 + (q))
#define E1000E_INT_OTHER RT_BIT(24)
#define E1000E_IVAR_RXQ0 RT_BITS(3, 0)
#define E1000E_IVAR_RXQ1 RT_BITS(7, 4)
#define E1000E_IVAR_OTHER RT_BITS(19, 16)
#define E1000E_IVAR_VALID 8u
#define E1000E_ITR_UNIT_NS 256
#define E1000E_ITR_MAX 0xffffu

/* ---- receive, DS 10.2.5 ---- */
#define E1000E_RCTL 0x0100
#define E1000E_RCTL_EN RT_BIT(1)
#define E1000E_RCTL_UPE RT_BIT(3)
#define E1000E_RCTL_MPE RT_BIT(4)
#define E1000E_RCTL_LPE RT_BIT(5)
#define E1000E_RCTL_BAM RT_BIT(15)
#define E1000E_RCTL_VFE RT_BIT(18)
#define E1000E_RCTL_SECRC RT_BIT(26)
#define E1000E_PSRCTL 0x2170
#define E1000E_FCRTL 0x2160
#define E1000E_FCRTL_XONE RT_BIT(31)
#define E1000E_FCRTH 0x2168
#define E1000E_RDBAL(q) (0x2800u + 0x100u * (q))
#define E1000E_RDBAH(q) (0x2804u + 0x100u * (q))
#define E1000E_RDLEN(q) (0x2808u + 0x100u * (q))
#define E1000E_RDH(q) (0x2810u + 0x100u * (q))
#define E1000E_RDT(q) (0x2818u + 0x100u * (q))
#define E1000E_RDTR 0x2820
#define E1000E_RADV 0x282c
#define E1000E_RXDCTL(q) (0x2828u + 0x100u * (q))
#define E1000E_DCTL_PTHRESH RT_BITS(5, 0)
#define E1000E_DCTL_HTHRESH RT_BITS(13, 8)
#define E1000E_DCTL_BIT22 RT_BIT(22) /* transmit: must be set (errata) */
#define E1000E_DCTL_GRAN RT_BIT(24)  /* thresholds count descriptors */
#define E1000E_RXCSUM 0x5000
#define E1000E_RXCSUM_IPOFL RT_BIT(8)
#define E1000E_RXCSUM_TUOFL RT_BIT(9)
#define E1000E_RXCSUM_PCSD RT_BIT(13)
#define E1000E_RFCTL 0x5008
#define E1000E_RFCTL_ISCSI_DIS RT_BIT(0)
#define E1000E_RFCTL_NFSW_DIS RT_BIT(6)
#define E1000E_RFCTL_NFSR_DIS RT_BIT(7)
#define E1000E_RFCTL_ACK_DIS RT_BIT(12)
#define E1000E_RFCTL_EXTEN RT_BIT(15)
#define E1000E_MTA(i) (0x5200u + 4u * (i))
#define E1000E_RAL(i) (0x5400u + 8u * (i))
#define E1000E_RAH(i) (0x5404u + 8u * (i))
#define E1000E_RAH_AV RT_BIT(31) /* the address counts */
#define E1000E_RA_COUNT 16
#define E1000E_VFTA(i) (0x5600u + 4u * (i))
#define E1000E_MRQC 0x5818
#define E1000E_MRQC_RSS RT_BIT(0)
#define E1000E_MRQC_TCP_IPV4 RT_BIT(16)
#define E1000E_MRQC_IPV4 RT_BIT(17)
#define E1000E_MRQC_TCP_IPV6 RT_BIT(18)
#define E1000E_MRQC_IPV6_EX RT_BIT(19)
#define E1000E_MRQC_IPV6 RT_BIT(20)
#define E1000E_RETA(i) (0x5c00u + 4u * (i))
#define E1000E_RETA_COUNT 32
#define E1000E_RETA_QUEUE1 0x80u /* in each of the four bytes */
#define E1000E_RSSRK(i) (0x5c80u + 4u * (i))

/* ---- transmit, DS 10.2.6 ---- */
#define E1000E_TCTL 0x0400
#define E1000E_TCTL_EN RT_BIT(1)
#define E1000E_TCTL_PSP RT_BIT(3)
#define E1000E_TCTL_CT RT_BITS(11, 4)
#define E1000E_TCTL_COLD RT_BITS(21, 12)
#define E1000E_TCTL_RTLC RT_BIT(24)
/* several reads of memory under way, not one: line rate on x1 */
#define E1000E_TCTL_MULR RT_BIT(28)
#define E1000E_TCTL_RRTHRESH RT_BITS(30, 29)
#define E1000E_TIPG 0x0410
#define E1000E_TIPG_IPGT RT_BITS(9, 0)
#define E1000E_TIPG_IPGR1 RT_BITS(19, 10)
#define E1000E_TIPG_IPGR2 RT_BITS(29, 20)
#define E1000E_TDBAL(q) (0x3800u + 0x100u * (q))
#define E1000E_TDBAH(q) (0x3804u + 0x100u * (q))
#define E1000E_TDLEN(q) (0x3808u + 0x100u * (q))
#define E1000E_TDH(q) (0x3810u + 0x100u * (q))
#define E1000E_TDT(q) (0x3818u + 0x100u * (q))
#define E1000E_TIDV 0x3820
#define E1000E_TADV 0x382c
#define E1000E_TXDCTL(q) (0x3828u + 0x100u * (q))
#define E1000E_TARC(q) (0x3840u + 0x100u * (q))
#define E1000E_TARC_QUEUE_ENABLE RT_BIT(10)
#define E1000E_TARC0_BITS_CLEAR RT_BITS(30, 27)
#define E1000E_TARC0_BIT26 RT_BIT(26) /* errata: hang with a full buffer */
#define E1000E_TARC_TWO_QUEUES (RT_BIT(7) | RT_BITS(26, 23)) /* errata: two queues in use */

/* ---- statistics, DS 10.2.7: all clear when read ---- */
#define E1000E_MPC 0x4010 /* missed: no room in the packet buffer */
#define E1000E_ECOL 0x4018 /* excessive collisions */
#define E1000E_LATECOL 0x4020 /* late collisions */
#define E1000E_XOFFRXC 0x4050 /* pause frames received */
#define E1000E_RNBC 0x40a0 /* no receive buffer */
#define E1000E_STATS_FIRST 0x4000
#define E1000E_STATS_LAST 0x4124

/* ---- PHY registers (IEEE 802.3 22.2.4, 82574 PHY) by MDIC ---- */
#define E1000E_PHY_ADDRESS 1
#define E1000E_PHY_BMCR 0
#define E1000E_BMCR_RESTART_AN RT_BIT(9)
#define E1000E_BMCR_ISOLATE RT_BIT(10)
#define E1000E_BMCR_POWER_DOWN RT_BIT(11)
#define E1000E_BMCR_AN_ENABLE RT_BIT(12)
#define E1000E_BMCR_RESET RT_BIT(15)
#define E1000E_PHY_ID1 2
#define E1000E_PHY_ID2 3
#define E1000E_PHY_ANAR 4   /* what we offer */
#define E1000E_PHY_ANLPAR 5 /* what the partner offers */
#define E1000E_AN_PAUSE RT_BIT(10)
#define E1000E_AN_ASYM_PAUSE RT_BIT(11)
#define E1000E_PHY_1000T_STATUS 10
#define E1000E_PHY_1000T_IDLE_ERRORS RT_BITS(7, 0)
#define E1000E_PHY_RX_ERRORS 21

/* ---- receive descriptor, extended, DS 7.1.5: written by us, then written back ---- */
struct e1000e_rx_desc {
    union {
        uint64_t address; /* read format; the second word is zero */
        struct {
            uint32_t mrq;      /* hash type 3:0, queue 8 */
            uint32_t rss_hash; /* with RXCSUM.PCSD */
        } wb;
    } low;
    uint64_t status; /* write-back: status 31:0, length 47:32, VLAN tag 63:48; zero: ours */
};
_Static_assert(sizeof(struct e1000e_rx_desc) == 16, "DS 7.1.5");
_Static_assert(offsetof(struct e1000e_rx_desc, low.wb.rss_hash) == 4, "DS 7.1.5");
_Static_assert(offsetof(struct e1000e_rx_desc, status) == 8, "DS 7.1.5");

#define E1000E_RXD_DD RT_BIT(0)
#define E1000E_RXD_EOP RT_BIT(1)
#define E1000E_RXD_IXSM RT_BIT(2) /* ignore the checksum bits */
#define E1000E_RXD_VP RT_BIT(3)
#define E1000E_RXD_UDPCS RT_BIT(4)
#define E1000E_RXD_TCPCS RT_BIT(5)
#define E1000E_RXD_IPCS RT_BIT(6)
#define E1000E_RXD_ERR_CE RT_BIT(24)
#define E1000E_RXD_ERR_SE RT_BIT(25)
#define E1000E_RXD_ERR_SEQ RT_BIT(26)
#define E1000E_RXD_ERR_CXE RT_BIT(28)
#define E1000E_RXD_ERR_TCPE RT_BIT(29)
#define E1000E_RXD_ERR_IPE RT_BIT(30)
#define E1000E_RXD_ERR_RXE RT_BIT(31)
#define E1000E_RXD_ERR_FRAME                                                                   \
    (E1000E_RXD_ERR_CE | E1000E_RXD_ERR_SE | E1000E_RXD_ERR_SEQ | E1000E_RXD_ERR_CXE |         \
     E1000E_RXD_ERR_RXE)
#define E1000E_RXD_LENGTH_SHIFT 32
#define E1000E_RXD_VLAN_SHIFT 48

/* ---- transmit descriptors, DS 7.2.10: data (extended) and context ---- */
struct e1000e_tx_desc {
    uint64_t address; /* context: ipcss, ipcso, ipcse 16, tucss, tucso, tucse 16 */
    uint64_t command; /* data: length 19:0, type, commands; status 35:32, POPTS, VLAN tag */
};
_Static_assert(sizeof(struct e1000e_tx_desc) == 16, "DS 7.2.10");
_Static_assert(offsetof(struct e1000e_tx_desc, command) == 8, "DS 7.2.10");

#define E1000E_TXD_LENGTH RT_BITS(19, 0)
#define E1000E_TXD_TYPE_DATA RT_BIT(20)
#define E1000E_TXD_EOP RT_BIT(24)
#define E1000E_TXD_IFCS RT_BIT(25)
#define E1000E_TXD_RS RT_BIT(27)
#define E1000E_TXD_DEXT RT_BIT(29)
#define E1000E_TXD_VLE RT_BIT(30)
/* A plain frame in one descriptor, but for its length. */
#define E1000E_TX_COMMAND                                                                      \
    (E1000E_TXD_TYPE_DATA | E1000E_TXD_DEXT | E1000E_TXD_EOP | E1000E_TXD_IFCS)
#define E1000E_TXD_DD (UINT64_C(1) << 32)
#define E1000E_TXD_POPTS_IXSM (UINT64_C(1) << 40)
#define E1000E_TXD_POPTS_TXSM (UINT64_C(1) << 41)
#define E1000E_TXD_VLAN_SHIFT 48
#define E1000E_TXC_TCP RT_BIT(24)  /* context only: TCP, else UDP */
#define E1000E_TXC_IPV4 RT_BIT(25) /* context only */
#define E1000E_TXC_IPCSO_SHIFT 8
#define E1000E_TXC_IPCSE_SHIFT 16
#define E1000E_TXC_TUCSS_SHIFT 32
#define E1000E_TXC_TUCSO_SHIFT 40

#endif

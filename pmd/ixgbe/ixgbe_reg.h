/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and descriptors of the Intel 82599, X540 and X550: offsets into BAR0, then fields.
 * "DS n" is the section of the 82599 datasheet; the X540 and X550 keep what is listed here
 * unless a comment says otherwise.
 */
#ifndef PMD_IXGBE_REG_H
#define PMD_IXGBE_REG_H

#include <rt/base.h>

#define IXGBE_BAR0_BYTES_MIN 0x20000 /* every register below lies inside */

/* ---- general, DS 8.2.3.1 ---- */
#define IXGBE_CTRL 0x00000
#define IXGBE_CTRL_GIO_MASTER_DISABLE RT_BIT(2)
#define IXGBE_CTRL_RST RT_BIT(26)

#define IXGBE_STATUS 0x00008
#define IXGBE_STATUS_LAN_ID RT_BITS(3, 2)
#define IXGBE_STATUS_GIO_MASTER_ENABLE RT_BIT(19)

#define IXGBE_CTRL_EXT 0x00018
#define IXGBE_CTRL_EXT_NS_DIS RT_BIT(16)
#define IXGBE_CTRL_EXT_RO_DIS RT_BIT(17)
#define IXGBE_CTRL_EXT_DRV_LOAD RT_BIT(28)

#define IXGBE_ESDP 0x00020
#define IXGBE_ESDP_SDP3 RT_BIT(3) /* SFP+: transmit laser off */
#define IXGBE_ESDP_SDP3_OUT RT_BIT(11)
#define IXGBE_I2CCTL 0x00028 /* X550: 0x15f5c, not used there */
#define IXGBE_I2CCTL_CLK_OUT RT_BIT(1)
#define IXGBE_I2CCTL_DATA_IN RT_BIT(2)
#define IXGBE_I2CCTL_DATA_OUT RT_BIT(3)

#define IXGBE_GCR_EXT 0x11050
#define IXGBE_GCR_EXT_BUFFERS_CLEAR RT_BIT(30)

/* ---- EEPROM, semaphores, firmware, DS 8.2.3.2 to 8.2.3.4 ---- */
#define IXGBE_EEC 0x10010
#define IXGBE_EEC_SIZE RT_BITS(14, 11) /* words: 64 << size */
#define IXGBE_EEC_SIZE_WORDS_MIN 64u
#define IXGBE_EEC_AUTO_RD RT_BIT(9) /* the chip has loaded its EEPROM after reset */

#define IXGBE_EERD 0x10014

#define IXGBE_EEMNGCTL 0x10110
#define IXGBE_EEMNGCTL_CFG_DONE(lan) RT_BIT(18 + ((lan)&1))

#define IXGBE_SWSM 0x10140
/* between the functions of the device: taken by reading 0 */
#define IXGBE_SWSM_SMBI RT_BIT(0)
/* between software and firmware: taken when it reads back */
#define IXGBE_SWSM_SWESMBI RT_BIT(1)

#define IXGBE_SW_FW_SYNC 0x10160
#define IXGBE_SYNC_NVM RT_BIT(0)
#define IXGBE_SYNC_PHY(lan) RT_BIT(1 + ((lan)&1))
#define IXGBE_SYNC_MAC_CSR RT_BIT(3)
#define IXGBE_SYNC_FW_SHIFT 5        /* the firmware's bit of each resource */
#define IXGBE_SYNC_REGSMP RT_BIT(31) /* X540, X550: instead of SWESMBI, taken by reading 0 */

/* ---- interrupts, DS 8.2.3.5 ---- */
#define IXGBE_EICR 0x00800
#define IXGBE_EIAC 0x00810
#define IXGBE_EITR(v) (0x00820 + 4u * (v)) /* v < 24 */
#define IXGBE_EITR_INTERVAL RT_BITS(11, 3)
#define IXGBE_EITR_UNIT_NS 2048
#define IXGBE_EIMS 0x00880
#define IXGBE_EIMC 0x00888
#define IXGBE_EICS 0x00808 /* raises, as if the cause had come */
#define IXGBE_GPIE 0x00898
#define IXGBE_GPIE_MULTIPLE_MSIX RT_BIT(4)
#define IXGBE_GPIE_OCD RT_BIT(5) /* reading EICR clears the other causes only */
#define IXGBE_GPIE_EIAME RT_BIT(30)
#define IXGBE_GPIE_PBA_SUPPORT RT_BIT(31)
#define IXGBE_IVAR(i) (0x00900 + 4u * (i))
#define IXGBE_IVAR_MISC 0x00a00
#define IXGBE_IVAR_VALID RT_BIT(7)
#define IXGBE_IVAR_RX_SHIFT(q) (16u * ((uint32_t)(q)&1u))
#define IXGBE_IVAR_MISC_OTHER_SHIFT 8
#define IXGBE_EIMS_EX(i) (0x00aa0 + 4u * (i))
#define IXGBE_EIMC_EX(i) (0x00ab0 + 4u * (i))
#define IXGBE_EIAM_EX(i) (0x00ad0 + 4u * (i))
#define IXGBE_EICR_LSC RT_BIT(20)
#define IXGBE_EICR_ECC RT_BIT(28) /* unrecoverable memory error: the device needs a reset */

/* ---- receive, DS 8.2.3.7 and 8.2.3.8 ---- */
#define IXGBE_FCTTV(i) (0x03200 + 4u * (i))
#define IXGBE_FCRTL(i) (0x03220 + 4u * (i))
#define IXGBE_FCRTL_XONE RT_BIT(31)
#define IXGBE_FCRTH(i) (0x03260 + 4u * (i))
#define IXGBE_FCRTH_FCEN RT_BIT(31)
#define IXGBE_FCRTV 0x032a0
#define IXGBE_FCCFG 0x03d00
#define IXGBE_FCCFG_TFCE RT_BITS(4, 3)
enum { IXGBE_FCCFG_TFCE_LINK = 1 };
#define IXGBE_MFLCN 0x04294
#define IXGBE_MFLCN_DPF RT_BIT(1)
#define IXGBE_MFLCN_RFCE RT_BIT(3)

#define IXGBE_RDBAL(q) (0x01000 + 0x40u * (q)) /* q < 64 */
#define IXGBE_SRRCTL(q) (0x01014 + 0x40u * (q))
#define IXGBE_SRRCTL_BSIZEPACKET_KIB RT_BITS(4, 0)
#define IXGBE_SRRCTL_BSIZEHEADER_64 RT_BITS(13, 8)
#define IXGBE_SRRCTL_DESCTYPE RT_BITS(27, 25)
enum { IXGBE_SRRCTL_DESCTYPE_ADVANCED = 1 };
#define IXGBE_SRRCTL_DROP_EN RT_BIT(28)
#define IXGBE_RDT(q) (0x01018 + 0x40u * (q))
#define IXGBE_RXDCTL(q) (0x01028 + 0x40u * (q))
#define IXGBE_DCTL_ENABLE RT_BIT(25) /* and of TXDCTL */
#define IXGBE_DCTL_STRIDE 0x40u
#define IXGBE_RXDCTL_VME RT_BIT(30)
#define IXGBE_RDRXCTL 0x02f00
#define IXGBE_RDRXCTL_CRC_STRIP RT_BIT(1)
#define IXGBE_RDRXCTL_DMAIDONE RT_BIT(3)
#define IXGBE_RDRXCTL_RSCFRSTSIZE RT_BITS(21, 17)
#define IXGBE_RDRXCTL_RSCACKC RT_BIT(25)
#define IXGBE_RDRXCTL_FCOE_WRFIX RT_BIT(26)
#define IXGBE_RXPBSIZE(i) (0x03c00 + 4u * (i))
#define IXGBE_RXPBSIZE_KIB RT_BITS(19, 10)
#define IXGBE_RXCTRL 0x03000
#define IXGBE_RXCTRL_RXEN RT_BIT(0)
#define IXGBE_SECRXCTRL 0x08d00
#define IXGBE_SECRXCTRL_RX_DIS RT_BIT(1)
#define IXGBE_SECRXSTAT 0x08d04
#define IXGBE_SECRXSTAT_RDY RT_BIT(0)
#define IXGBE_RXCSUM 0x05000
#define IXGBE_RXCSUM_PCSD RT_BIT(13) /* the RSS hash, not the fragment checksum */
#define IXGBE_FCTRL 0x05080
#define IXGBE_FCTRL_MPE RT_BIT(8)
#define IXGBE_FCTRL_UPE RT_BIT(9)
#define IXGBE_FCTRL_BAM RT_BIT(10)
#define IXGBE_VLNCTRL 0x05088
#define IXGBE_VLNCTRL_VET RT_BITS(15, 0)
#define IXGBE_VLNCTRL_VFE RT_BIT(30)
#define IXGBE_MCSTCTRL 0x05090
#define IXGBE_MCSTCTRL_MFE RT_BIT(2)
#define IXGBE_MTA(i) (0x05200 + 4u * (i))
#define IXGBE_RETA(i) (0x0eb00 + 4u * (i))
#define IXGBE_RETA_COUNT 32 /* registers of four entries */
#define IXGBE_RSSRK(i) (0x0eb80 + 4u * (i))
#define IXGBE_MRQC 0x0ec80
#define IXGBE_MRQC_RSS 1u
#define IXGBE_MRQC_TCP_IPV4 RT_BIT(16)
#define IXGBE_MRQC_IPV4 RT_BIT(17)
#define IXGBE_MRQC_IPV6 RT_BIT(20)
#define IXGBE_MRQC_TCP_IPV6 RT_BIT(21)
#define IXGBE_VFTA(i) (0x0a000 + 4u * (i))
#define IXGBE_RAL(i) (0x0a200 + 8u * (i))
#define IXGBE_RA_COUNT 128
#define IXGBE_MPSAR_LOW(i) (0x0a600 + 8u * (i))
#define IXGBE_MPSAR_HIGH(i) (0x0a604 + 8u * (i))

/* ---- transmit, DS 8.2.3.9 ---- */
#define IXGBE_TDBAL(q) (0x06000 + 0x40u * (q))
#define IXGBE_TDH(q) (0x06010 + 0x40u * (q))
#define IXGBE_TDT(q) (0x06018 + 0x40u * (q))
#define IXGBE_TXDCTL(q) (0x06028 + 0x40u * (q))
#define IXGBE_TXDCTL_PTHRESH RT_BITS(6, 0)
#define IXGBE_TXDCTL_HTHRESH RT_BITS(14, 8)
#define IXGBE_TDWBAL(q) (0x06038 + 0x40u * (q))
#define IXGBE_TDWBAH(q) (0x0603c + 0x40u * (q))
#define IXGBE_DMATXCTL 0x04a80
#define IXGBE_DMATXCTL_TE RT_BIT(0)
#define IXGBE_RTTDCS 0x04900
#define IXGBE_RTTDCS_ARBDIS RT_BIT(6)
#define IXGBE_DTXMXSZRQ 0x08100
#define IXGBE_DTXMXSZRQ_MAX 0xfff
#define IXGBE_MTQC 0x08120
#define IXGBE_TXPBSIZE(i) (0x0cc00 + 4u * (i))
#define IXGBE_TXPBTHRESH(i) (0x04950 + 4u * (i))
#define IXGBE_PACKET_BUFFERS 8

/* ---- MAC and link, DS 8.2.3.22 ---- */
#define IXGBE_HLREG0 0x04240
#define IXGBE_HLREG0_TXCRCEN RT_BIT(0)
#define IXGBE_HLREG0_RXCRCSTRP RT_BIT(1)
#define IXGBE_HLREG0_JUMBOEN RT_BIT(2)
#define IXGBE_HLREG0_TXPADEN RT_BIT(10)
#define IXGBE_HLREG0_LPBK RT_BIT(15)
#define IXGBE_MSCA 0x0425c
#define IXGBE_MSCA_REG RT_BITS(15, 0)
#define IXGBE_MSCA_DEVICE RT_BITS(20, 16)
#define IXGBE_MSCA_PHY RT_BITS(25, 21)
#define IXGBE_MSCA_OP RT_BITS(27, 26)
enum { IXGBE_MSCA_OP_ADDRESS = 0, IXGBE_MSCA_OP_WRITE = 1, IXGBE_MSCA_OP_READ = 3 };
#define IXGBE_MSCA_COMMAND RT_BIT(30)
#define IXGBE_MSRWD 0x04260
#define IXGBE_MSRWD_READ RT_BITS(31, 16)
#define IXGBE_MAXFRS 0x04268
#define IXGBE_MAXFRS_MFS RT_BITS(31, 16)
#define IXGBE_AUTOC 0x042a0
#define IXGBE_AUTOC_RESTART_AN RT_BIT(12)
#define IXGBE_AUTOC_1G_KX RT_BIT(9) /* 0: SFI at 1 Gb/s, too */
#define IXGBE_AUTOC_LMS RT_BITS(15, 13)
#define IXGBE_AUTOC_LMS_BIT2 RT_BIT(15)
enum { IXGBE_AUTOC_LMS_1G_AN = 2, IXGBE_AUTOC_LMS_10G_SERIAL = 3 };
#define IXGBE_AUTOC2 0x042a8
#define IXGBE_AUTOC2_10G_SERIAL_PMA RT_BITS(17, 16)
enum { IXGBE_AUTOC2_PMA_SFI = 2 };
#define IXGBE_AUTOC2_LINK_OFF RT_BITS(30, 28) /* some EEPROMs load it set */
#define IXGBE_LINKS 0x042a4
#define IXGBE_LINKS_SPEED RT_BITS(29, 28)
enum { IXGBE_LINKS_SPEED_100M = 1, IXGBE_LINKS_SPEED_1G = 2, IXGBE_LINKS_SPEED_10G = 3 };
#define IXGBE_LINKS_UP RT_BIT(30)
#define IXGBE_ANLP1 0x042b0
#define IXGBE_ANLP1_AN_STATE RT_BITS(19, 16)
#define IXGBE_CORECTL 0x14f00

/* ---- statistics, DS 8.2.3.23: cleared by reading ---- */
#define IXGBE_RXMPC(i) (0x03fa0 + 4u * (i))
#define IXGBE_LXOFFRXC 0x041a8 /* pause frames received, DS 8.2.3.23.18 */
#define IXGBE_RQSMR(i) (0x02300 + 4u * (i))
#define IXGBE_TQSM(i) (0x08600 + 4u * (i))
#define IXGBE_QPRDC(i) (0x01430 + 0x40u * (i))

/* ---- EEPROM words, DS 6.2 ---- */
#define IXGBE_NVM_CHECKSUM_WORD 0x3f
#define IXGBE_NVM_POINTERS_FIRST 0x03
#define IXGBE_NVM_POINTERS_LAST 0x0e
#define IXGBE_NVM_POINTER_PHY 0x04 /* X540 */
#define IXGBE_NVM_POINTER_ROM 0x05 /* X540 */
#define IXGBE_NVM_SFP_LIST 0x2b

/* ---- receive descriptor, DS 7.1.6: read format, then write-back ---- */
struct ixgbe_rx_desc {
    union {
        uint64_t address;
        struct {
            uint32_t type; /* RSS type 3:0, packet type 16:4 */
            uint32_t rss_hash;
        } wb;
    } low;
    uint64_t status; /* read: header address, 0; write-back: status 31:0, length 47:32, tag */
};
_Static_assert(sizeof(struct ixgbe_rx_desc) == 16, "DS 7.1.6");
_Static_assert(offsetof(struct ixgbe_rx_desc, low.wb.rss_hash) == 4, "DS 7.1.6.2");
_Static_assert(offsetof(struct ixgbe_rx_desc, status) == 8, "DS 7.1.6.2");

#define IXGBE_RXD_TYPE_UDP RT_BIT(9)
#define IXGBE_RXD_DD RT_BIT(0)
#define IXGBE_RXD_EOP RT_BIT(1)
#define IXGBE_RXD_VP RT_BIT(3)
#define IXGBE_RXD_UDPCS RT_BIT(4)
#define IXGBE_RXD_L4CS RT_BIT(5)
#define IXGBE_RXD_IPCS RT_BIT(6)
#define IXGBE_RXD_ERR_FRAME RT_BITS(29, 24) /* MAC errors: RXE; the others on older steppings */
#define IXGBE_RXD_ERR_L4E RT_BIT(30)
#define IXGBE_RXD_ERR_IPE RT_BIT(31)
#define IXGBE_RXD_LENGTH_SHIFT 32
#define IXGBE_RXD_VLAN_SHIFT 48

/* ---- transmit descriptors, DS 7.2.3: advanced data and advanced context ---- */
struct ixgbe_tx_desc {
    uint64_t address; /* context: IPLEN 8:0, MACLEN 15:9, VLAN 31:16 */
    uint64_t command; /* data: length 15:0, DTYP, DCMD; STA 35:32, IDX, CC, POPTS, PAYLEN */
};
_Static_assert(sizeof(struct ixgbe_tx_desc) == 16, "DS 7.2.3");
_Static_assert(offsetof(struct ixgbe_tx_desc, command) == 8, "DS 7.2.3");

#define IXGBE_TXD_TYPE_CONTEXT (UINT32_C(2) << 20)
#define IXGBE_TXD_TYPE_DATA (UINT32_C(3) << 20)
#define IXGBE_TXD_EOP RT_BIT(24)
#define IXGBE_TXD_IFCS RT_BIT(25)
#define IXGBE_TXD_RS RT_BIT(27)
#define IXGBE_TXD_DEXT RT_BIT(29)
#define IXGBE_TXD_VLE RT_BIT(30)
#define IXGBE_TXD_TSE RT_BIT(31)
/* A plain frame in one descriptor, but for its length. */
#define IXGBE_TX_COMMAND (IXGBE_TXD_TYPE_DATA | IXGBE_TXD_DEXT | IXGBE_TXD_EOP | IXGBE_TXD_IFCS)
#define IXGBE_TXD_DD (UINT64_C(1) << 32)
#define IXGBE_TXD_CC (UINT64_C(1) << 39) /* the context is valid for this frame */
#define IXGBE_TXD_POPTS_IXSM (UINT64_C(1) << 40)
#define IXGBE_TXD_POPTS_TXSM (UINT64_C(1) << 41)
#define IXGBE_TXD_PAYLEN_SHIFT 46
#define IXGBE_TXC_MACLEN_SHIFT 9
#define IXGBE_TXC_VLAN_SHIFT 16
#define IXGBE_TXC_IPV4 RT_BIT(10)
#define IXGBE_TXC_L4T_TCP RT_BIT(11)
#define IXGBE_TXC_L4LEN_SHIFT 40
#define IXGBE_TXC_MSS_SHIFT 48

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and descriptors as the model understands them (82599 datasheet section 8.2.3, 7.1
 * and 7.2). Written apart from pmd/'s list on purpose: a slip in one is not a slip in both.
 */
#ifndef MODEL_X82599_REG_H
#define MODEL_X82599_REG_H

#include <rt/base.h>

/* General, 8.2.3.1 */
#define R_CTRL            0x00000u
#define CTRL_GIO_DIS      RT_BIT(2)
#define CTRL_LRST         RT_BIT(3)
#define CTRL_RST          RT_BIT(26)
#define R_STATUS          0x00008u
#define STATUS_LINK       RT_BIT(7)
#define STATUS_GIO        RT_BIT(19)
#define R_ESDP            0x00020u
#define ESDP_SDP2         RT_BIT(2) /* input: SFP cage is full */
#define ESDP_SDP2_OUT     RT_BIT(10)
#define ESDP_SDP3         RT_BIT(3) /* high: transmit laser off */
#define ESDP_SDP3_OUT     RT_BIT(11)
#define R_I2CCTL          0x00028u
#define I2C_CLK_IN        RT_BIT(0)
#define I2C_CLK_OUT       RT_BIT(1)
#define I2C_DATA_IN       RT_BIT(2)
#define I2C_DATA_OUT      RT_BIT(3)
#define R_TCPTIMER        0x0004cu

#define R_GCR_EXT         0x11050u
#define GCR_EXT_CLEAR     RT_BIT(30) /* buffers of the PCIe transaction layer */

/* EEPROM, semaphores and firmware, 8.2.3.2 */
#define R_EEC             0x10010u
#define EEC_SK            RT_BIT(0)
#define EEC_CS            RT_BIT(1) /* active low */
#define EEC_DI            RT_BIT(2)
#define EEC_DO            RT_BIT(3)
#define EEC_FWE           RT_BITS(5, 4)
#define EEC_REQ           RT_BIT(6)
#define EEC_GNT           RT_BIT(7)
#define EEC_PRESENT       RT_BIT(8)
#define EEC_AUTO_RD       RT_BIT(9)
#define EEC_SIZE          RT_BITS(14, 11)
#define R_EERD            0x10014u
#define EERD_START        RT_BIT(0)
#define EERD_DONE         RT_BIT(1)
#define EERD_ADDR         RT_BITS(15, 2)
#define R_EEMNGCTL        0x10110u
#define EEMNGCTL_CFG_DONE (RT_BIT(18) | RT_BIT(19))
#define R_SWSM            0x10140u
#define SWSM_SMBI         RT_BIT(0)
#define R_FWSM            0x10148u
#define FWSM_VALID        RT_BIT(15)
#define R_GSSR            0x10160u
#define GSSR_REGSMP       RT_BIT(31) /* X540 */

/* Interrupts, 8.2.3.5 and 7.3 */
#define R_EICR            0x00800u
#define R_EICS            0x00808u
#define R_EIAC            0x00810u
#define R_EIMS            0x00880u
#define R_EIMC            0x00888u
#define R_EIAM            0x00890u
#define R_GPIE            0x00898u
#define GPIE_MSIX         RT_BIT(4)
#define GPIE_OCD          RT_BIT(5)
#define GPIE_EIAME        RT_BIT(30)
#define R_EITR(i)         ((i) < 24 ? 0x00820u + 4u * (i) : 0x12300u + 4u * ((i)-24u))
#define EITR_INTERVAL     RT_BITS(11, 3) /* of 2.048 us */
#define EITR_UNIT_NS      2048u
#define R_IVAR(i)         (0x00900u + 4u * (i))
#define R_IVAR_MISC       0x00a00u
#define IVAR_VECTOR       RT_BITS(5, 0)
#define IVAR_VALID        RT_BIT(7)
#define R_EICS_EX(i)      (0x00a90u + 4u * (i))
#define R_EIMS_EX(i)      (0x00aa0u + 4u * (i))
#define R_EIMC_EX(i)      (0x00ab0u + 4u * (i))
#define R_EIAM_EX(i)      (0x00ad0u + 4u * (i))
#define EICR_QUEUES       RT_BITS(15, 0)
#define EICR_OTHER        RT_BITS(30, 16)
#define EICR_RX_MISS      RT_BIT(17)
#define EICR_LSC          RT_BIT(20)
#define EICR_ECC          RT_BIT(28)
#define EICR_TCP_TIMER    RT_BIT(30)

/* Receive, 8.2.3.7 and 8.2.3.8 */
#define R_RXQ(q)          ((q) < 64 ? 0x01000u + 0x40u * (q) : 0x0d000u + 0x40u * ((q)-64u))
#define Q_BAL             0x00u
#define Q_BAH             0x04u
#define Q_LEN             0x08u
#define Q_DCA             0x0cu
#define Q_HEAD            0x10u
#define RXQ_SRRCTL        0x14u
#define SRRCTL_BSIZE_KIB  RT_BITS(4, 0)
#define SRRCTL_DESCTYPE   RT_BITS(27, 25) /* 0 legacy, 1 advanced, 2 and 5 header split */
#define SRRCTL_DROP_EN    RT_BIT(28)
#define SRRCTL_DEFAULT    0x00000402u
#define Q_TAIL            0x18u
#define Q_CTL             0x28u /* RXDCTL, TXDCTL */
#define QCTL_ENABLE       RT_BIT(25)
#define QCTL_SWFLSH       RT_BIT(26)
#define RXDCTL_VME        RT_BIT(30)
#define QLEN_MASK         0x000fff80u
#define R_RXCTRL          0x03000u
#define RXCTRL_RXEN       RT_BIT(0)
#define R_RDRXCTL         0x02f00u
#define RDRXCTL_CRCSTRIP  RT_BIT(1)
#define RDRXCTL_DMAIDONE  RT_BIT(3)
#define R_RXPBSIZE(i)     (0x03c00u + 4u * (i))
#define R_RXCSUM          0x05000u
#define RXCSUM_PCSD       RT_BIT(13)
#define R_FCTRL           0x05080u
#define FCTRL_MPE         RT_BIT(8)
#define FCTRL_UPE         RT_BIT(9)
#define FCTRL_BAM         RT_BIT(10)
#define R_VLNCTRL         0x05088u
#define VLNCTRL_VET       RT_BITS(15, 0)
#define VLNCTRL_VFE       RT_BIT(30)
#define R_MCSTCTRL        0x05090u
#define MCSTCTRL_MO       RT_BITS(1, 0)
#define MCSTCTRL_MFE      RT_BIT(2)
#define R_MTA(i)          (0x05200u + 4u * (i))
#define R_VFTA(i)         (0x0a000u + 4u * (i))
#define R_RAL(i)          (0x0a200u + 8u * (i))
#define R_RAH(i)          (0x0a204u + 8u * (i))
#define RAH_AV            RT_BIT(31)
#define R_RETA(i)         (0x0eb00u + 4u * (i))
#define R_RSSRK(i)        (0x0eb80u + 4u * (i))
#define R_MRQC            0x0ec80u
#define MRQC_MODE         RT_BITS(3, 0)
#define MRQC_TCP4         RT_BIT(16)
#define MRQC_IP4          RT_BIT(17)
#define MRQC_IP6          RT_BIT(20)
#define MRQC_TCP6         RT_BIT(21)
#define MRQC_UDP4         RT_BIT(22)
#define MRQC_UDP6         RT_BIT(23)
#define R_SECRXSTAT       0x08d04u
#define R_SECTXSTAT       0x08804u
#define R_FDIRCTRL        0x0ee00u
#define FDIRCTRL_DONE     RT_BIT(3)
#define R_FDIRCMD         0x0ee2cu

/* Transmit, 8.2.3.9 */
#define R_TXQ(q)          (0x06000u + 0x40u * (q))
#define TXQ_WBAL          0x38u
#define WBAL_ENABLE       RT_BIT(0)
#define TXQ_WBAH          0x3cu
#define R_DMATXCTL        0x04a80u
#define DMATXCTL_TE       RT_BIT(0)
#define DMATXCTL_VT       RT_BITS(31, 16)
#define R_DTXTCPFLGL      0x04a88u
#define TCPFLG_FIRST      RT_BITS(11, 0)
#define TCPFLG_MID        RT_BITS(27, 16)
#define R_DTXTCPFLGH      0x04a8cu
#define R_TXPBSIZE(i)     (0x0cc00u + 4u * (i))

/* MAC and link, 8.2.3.22 */
#define R_HLREG0          0x04240u
#define HLREG0_RXCRCSTRP  RT_BIT(1)
#define HLREG0_JUMBOEN    RT_BIT(2)
#define HLREG0_TXPADEN    RT_BIT(10)
#define HLREG0_LPBK       RT_BIT(15)
#define HLREG0_DEFAULT    0x00010403u /* CRC appended and stripped, padding */
#define R_MSCA            0x0425cu
#define MSCA_REG          RT_BITS(15, 0)
#define MSCA_DEVICE       RT_BITS(20, 16)
#define MSCA_PHY          RT_BITS(25, 21)
#define MSCA_OP           RT_BITS(27, 26)
#define MSCA_OP_ADDRESS   0u
#define MSCA_OP_WRITE     1u
#define MSCA_OP_READ_NEXT 2u /* the address moves on */
#define MSCA_COMMAND      RT_BIT(30)
#define R_MSRWD           0x04260u
#define MSRWD_READ        RT_BITS(31, 16)
#define R_MAXFRS          0x04268u
#define MAXFRS_MFS        RT_BITS(31, 16)
#define R_AUTOC           0x042a0u
#define AUTOC_FLU         RT_BIT(0)
#define AUTOC_RESTART     RT_BIT(12)
#define AUTOC_LMS         RT_BITS(15, 13)
#define LMS_1G_PLAIN      0u
#define LMS_1G_AN         2u
#define LMS_10G_SERIAL    3u
#define LMS_AN_BIT        4u /* the modes that negotiate */
#define R_LINKS           0x042a4u
#define LINKS_UP_10G      0xf0000080u /* AN complete, up, 10 Gb/s, up now */
#define LINKS_UP_1G       0xe0000080u
#define R_AUTOC2          0x042a8u
#define AUTOC2_LINK_OFF   RT_BITS(30, 28)
#define R_ANLP1           0x042b0u
#define ANLP1_AN_STATE    RT_BITS(19, 16)
#define R_CORECTL         0x14f00u

/* Statistics, 8.2.3.23: all clear on read */
#define R_STATS_FIRST     0x03f60u
#define R_STATS_LAST      0x041ffu
#define R_RXMPC(i)        (0x03fa0u + 4u * (i))
#define R_PRC64           0x0405cu /* to PRC1522: six sizes */
#define R_GPRC            0x04074u
#define R_BPRC            0x04078u
#define R_MPRC            0x0407cu
#define R_GPTC            0x04080u
#define R_GORCL           0x04088u
#define R_GOTCL           0x04090u
#define R_RUC             0x040a4u
#define R_ROC             0x040acu
#define R_TORL            0x040c0u
#define R_TPR             0x040d0u
#define R_TPT             0x040d4u
#define R_PTC64           0x040d8u
#define R_MPTC            0x040f0u
#define R_BPTC            0x040f4u
#define R_XEC             0x04120u
#define R_QPRC(i)         (0x01030u + 0x40u * (i))
#define R_QBRCL(i)        (0x01034u + 0x40u * (i))
#define R_QPRDC(i)        (0x01430u + 0x40u * (i))
#define R_QPTC(i)         (0x06030u + 0x40u * (i))
#define R_QBTCL(i)        (0x08700u + 0x08u * (i))
#define R_RQSMR(i)        (0x02300u + 4u * (i))
#define R_TQSM(i)         (0x08600u + 4u * (i))

/* Receive descriptor, write-back (7.1.6.2); legacy status has DD, EOP, VP, IPCS, L4CS too */
#define RXD_DD            RT_BIT(0)
#define RXD_EOP           RT_BIT(1)
#define RXD_VP            RT_BIT(3)
#define RXD_UDPCS         RT_BIT(4)
#define RXD_L4CS          RT_BIT(5)
#define RXD_IPCS          RT_BIT(6)
#define RXD_PIF           RT_BIT(7)
#define RXD_L4E           RT_BIT(30)
#define RXD_IPE           RT_BIT(31)
#define RXD_TYPE_IP4      RT_BIT(4)
#define RXD_TYPE_IP4E     RT_BIT(5)
#define RXD_TYPE_IP6      RT_BIT(6)
#define RXD_TYPE_IP6E     RT_BIT(7)
#define RXD_TYPE_TCP      RT_BIT(8)
#define RXD_TYPE_UDP      RT_BIT(9)
#define RXD_TYPE_SCTP     RT_BIT(10)

/* RSS type in a write-back, table 7-13 */
#define RSS_NONE          0u
#define RSS_TCP4          1u
#define RSS_IP4           2u
#define RSS_TCP6          3u
#define RSS_IP6           5u
#define RSS_UDP4          7u
#define RSS_UDP6          8u

/* Transmit descriptors (7.2.3) */
#define TXD_LENGTH        RT_BITS(15, 0)
#define TXD_LEGACY_CSO    RT_BITS(23, 16)
#define TXD_DTYP          RT_BITS(23, 20)
#define TXD_DTYP_CONTEXT  2u
#define TXD_DTYP_DATA     3u
#define TXD_EOP           RT_BIT(24)
#define TXD_LEGACY_IC     RT_BIT(26)
#define TXD_RS            RT_BIT(27)
#define TXD_DEXT          RT_BIT(29)
#define TXD_VLE           RT_BIT(30)
#define TXD_TSE           RT_BIT(31)
#define TXD_LEGACY_CSS    RT_BITS(15, 8)
#define TXD_LEGACY_VLAN   RT_BITS(31, 16)
#define TXD_STATUS        RT_BITS(3, 0)
#define TXD_DD            RT_BIT(0)
#define TXD_IDX           RT_BIT(4)
#define TXD_CC            RT_BIT(7)
#define TXD_IXSM          RT_BIT(8)
#define TXD_TXSM          RT_BIT(9)
#define TXD_PAYLEN        RT_BITS(31, 14)
#define TXC_IPLEN         RT_BITS(8, 0)
#define TXC_MACLEN        RT_BITS(15, 9)
#define TXC_VLAN          RT_BITS(31, 16)
#define TXC_IP4           RT_BIT(10)
#define TXC_L4T           RT_BITS(12, 11)
#define L4T_UDP           0u
#define L4T_TCP           1u
#define L4T_SCTP          2u
#define TXC_L4LEN         RT_BITS(15, 8)
#define TXC_MSS           RT_BITS(31, 16)

struct x82599_desc {
    uint64_t w[2];
};
#define DESC_BYTES 16u
_Static_assert(sizeof(struct x82599_desc) == DESC_BYTES,
               "82599 7.1.5, 7.2.3: descriptors of 16 bytes");

#endif

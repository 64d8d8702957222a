/* SPDX-License-Identifier: BSD-2-Clause */
/* tidy: dead: lwIP's own headers include it. */
/* lwIP as fast as its options allow, with what ours has on: timestamps, SACK, window scale. */
#ifndef COMPARE_LWIP_LWIPOPTS_H
#define COMPARE_LWIP_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0
#define LWIP_DHCP 0
#define LWIP_UDP 0
#define LWIP_IPV6 0
#define LWIP_NOASSERT 1
#define MEM_LIBC_MALLOC 0
#define MEM_ALIGNMENT 8
#define MEM_SIZE (256 * 1024 * 1024)
#define MEMP_NUM_TCP_PCB 11000
#define MEMP_NUM_TCP_SEG 65535
#define MEMP_NUM_PBUF 65535
#define PBUF_POOL_SIZE 8192
#define TCP_MSS 1460
#define TCP_WND (4 * 65535)
#define TCP_SND_BUF (4 * 65535)
#define TCP_SND_QUEUELEN 1024
#define TCP_SNDLOWAT (16 * TCP_MSS)
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define LWIP_TCP_TIMESTAMPS 1
#define LWIP_TCP_SACK_OUT 1
#define LWIP_CHECKSUM_ON_COPY 0
#define CHECKSUM_GEN_IP 0
#define CHECKSUM_GEN_TCP 0
#define CHECKSUM_GEN_ICMP 0
#define CHECKSUM_CHECK_IP 0
#define CHECKSUM_CHECK_TCP 0
#define CHECKSUM_CHECK_ICMP 0

#endif

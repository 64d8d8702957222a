/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 (RFC 791), IPv6 (RFC 8200), ICMP (RFC 792), ICMPv6 (RFC 4443) on the wire. */
#ifndef TCP_WIRE_IP_H
#define TCP_WIRE_IP_H

#include <rt/base.h>

enum ip_protocol {
    IP_ICMP = 1,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_ICMPV6 = 58,
};

/* RFC 791 3.1 */
struct RT_PACKED ipv4_header {
    uint8_t version_words; /* 4, and the header's 32-bit words */
    uint8_t tos;           /* DSCP and, low 2 bits, ECN (RFC 3168 5) */
    be16_t total_bytes;
    be16_t id;
    be16_t fragment; /* flags, offset in 8 bytes */
    uint8_t hops;
    uint8_t protocol;
    be16_t checksum;
    be32_t src, dst;
};
_Static_assert(sizeof(struct ipv4_header) == 20, "RFC 791 3.1");
_Static_assert(offsetof(struct ipv4_header, checksum) == 10 &&
                   offsetof(struct ipv4_header, dst) == 16,
               "RFC 791 3.1");
#define IPV4_VERSION_WORDS 0x45 /* without options */
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET 0x1fff
#define IPV4_BYTES_MIN 68 /* every link carries it (RFC 791 3.2) */

/* RFC 8200 3 */
struct RT_PACKED ipv6_header {
    be32_t version_class_flow;
    be16_t payload_bytes;
    uint8_t next, hops;
    uint8_t src[16], dst[16];
};
_Static_assert(sizeof(struct ipv6_header) == 40, "RFC 8200 3");
#define IPV6_MTU_MIN 1280 /* RFC 8200 5 */

#define IP_ECN_BITS 3 /* RFC 3168 5: of tos, and of the traffic class */
#define IP_ECN_ECT0 2 /* may be marked */
#define IP_ECN_CE 3   /* was */
#define IP_HOPS_DEFAULT 64

/* RFC 792: the first eight bytes of every kind. */
struct RT_PACKED icmp_header {
    uint8_t type, code;
    be16_t checksum;
    be16_t id, sequence; /* an echo; of an error: unused, next-hop MTU (RFC 1191 4) */
};
_Static_assert(sizeof(struct icmp_header) == 8, "RFC 792");

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO_REQUEST = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
};
enum icmp_unreachable {
    ICMP_NET = 0,
    ICMP_HOST = 1,
    ICMP_PROTOCOL = 2,
    ICMP_PORT = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
};
enum icmp_time_exceeded { ICMP_REASSEMBLY = 1 };
#define ICMP_QUOTE_BYTES 8 /* behind the header that went wrong, at least (RFC 792) */

#endif

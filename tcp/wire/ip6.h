/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows an IPv6 header on the wire: extension headers (RFC 8200 4), ICMPv6 (RFC 4443). */
#ifndef TCP_WIRE_IP6_H
#define TCP_WIRE_IP6_H

#include <rt/base.h>

/* Values of a next-header byte that are no protocol above IP. */
enum ip6_next {
    IP6_HOP_BY_HOP = 0,
    IP6_ROUTING = 43,
    IP6_FRAGMENT = 44,
    IP6_NONE = 59,
    IP6_DESTINATION = 60,
};

#define IP6_VERSION (6u << 28)
#define IP6_CLASS_SHIFT 20

/* RFC 8200 4.3, 4.6: options follow. A routing header (4.4) begins the same way. */
struct RT_PACKED ip6_extension {
    uint8_t next;
    uint8_t more; /* 8 bytes each, beyond the first 8 */
    uint8_t routing_type, segments_left;
};
_Static_assert(sizeof(struct ip6_extension) == 4, "RFC 8200 4.4");
#define IP6_EXTENSION_BYTES_MIN 8

/* RFC 8200 4.5 */
struct RT_PACKED ip6_fragment {
    uint8_t next, reserved;
    be16_t offset_more; /* in bytes; the low bit: more follow */
    be32_t id;
};
_Static_assert(sizeof(struct ip6_fragment) == 8, "RFC 8200 4.5");
#define IP6_OFFSET 0xfff8
#define IP6_MORE_FRAGMENTS 0x0001

/* RFC 8200 4.2: the two high bits of an option say what to do with one that is not known. */
enum ip6_option { IP6_OPT_PAD1 = 0, IP6_OPT_PADN = 1, IP6_OPT_ROUTER_ALERT = 5 };
#define IP6_OPT_ACTION 0xc0
enum ip6_option_action {
    IP6_OPT_SKIP = 0x00,
    IP6_OPT_DROP = 0x40,
    IP6_OPT_TELL = 0x80,
    IP6_OPT_TELL_UNLESS_GROUP = 0xc0,
};

/* RFC 4443 2.1, RFC 4861 4, RFC 2710 3, RFC 3810 5: errors are below 128. */
enum icmp6_type {
    ICMP6_UNREACHABLE = 1,
    ICMP6_TOO_BIG = 2, /* the second word is the next link's MTU */
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4, /* the second word says where */
    ICMP6_INFORMATION = 128,     /* the first that is no error */
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_MLD_QUERY = 130,
    ICMP6_ROUTER_SOLICIT = 133,
    ICMP6_ROUTER_ADVERT = 134,
    ICMP6_NEIGH_SOLICIT = 135,
    ICMP6_NEIGH_ADVERT = 136,
    ICMP6_REDIRECT = 137,
    ICMP6_MLD2_REPORT = 143,
};
enum icmp6_unreachable { ICMP6_NO_PORT = 4 };
enum icmp6_time_exceeded { ICMP6_REASSEMBLY = 1 };
enum icmp6_parameter_problem {
    ICMP6_WRONG_FIELD = 0,
    ICMP6_UNKNOWN_NEXT = 1,
    ICMP6_UNKNOWN_OPTION = 2,
};

#endif

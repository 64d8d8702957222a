/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbours and routers as ICMPv6 speaks of them (RFC 4861 4), and MLDv2 (RFC 3810 5). */
#ifndef TCP_WIRE_ND_H
#define TCP_WIRE_ND_H

#include <rt/base.h>

#define ND_HOPS 255 /* who is not on this link cannot send such (RFC 4861 3.1) */

/* 4.3, 4.4: solicitation and advertisement */
struct RT_PACKED nd_neighbour {
    uint8_t type, code;
    be16_t checksum;
    be32_t flags; /* of an advertisement */
    uint8_t target[16];
};
_Static_assert(sizeof(struct nd_neighbour) == 24, "RFC 4861 4.3");
#define ND_ROUTER 0x80000000u
#define ND_SOLICITED 0x40000000u
#define ND_OVERRIDE 0x20000000u

/* 4.2 */
struct RT_PACKED nd_router_advert {
    uint8_t type, code;
    be16_t checksum;
    uint8_t hops, flags;
    be16_t lifetime_s; /* as a default router; 0: it is none */
    be32_t reachable_ms, retrans_ms;
};
_Static_assert(sizeof(struct nd_router_advert) == 16, "RFC 4861 4.2");

enum nd_option_type {
    ND_OPT_SOURCE_LINK = 1,
    ND_OPT_TARGET_LINK = 2,
    ND_OPT_PREFIX = 3,
    ND_OPT_MTU = 5,
};

/* 4.6: each begins so */
struct RT_PACKED nd_option {
    uint8_t type;
    uint8_t words; /* of 8 bytes, with these */
};
#define ND_OPTION_WORD_BYTES 8u

struct RT_PACKED nd_link_option { /* 4.6.1, RFC 2464 6 */
    struct nd_option head;
    uint8_t mac[6];
};
_Static_assert(sizeof(struct nd_link_option) == 8, "RFC 2464 6");

struct RT_PACKED nd_prefix_option { /* 4.6.2 */
    struct nd_option head;
    uint8_t bits, flags;
    be32_t valid_s, preferred_s;
    be32_t reserved;
    uint8_t prefix[16];
};
_Static_assert(sizeof(struct nd_prefix_option) == 32, "RFC 4861 4.6.2");
#define ND_PREFIX_ON_LINK 0x80
#define ND_PREFIX_AUTOMATIC 0x40
#define ND_FOREVER UINT32_MAX

struct RT_PACKED nd_mtu_option { /* 4.6.4 */
    struct nd_option head;
    be16_t reserved;
    be32_t mtu_bytes;
};
_Static_assert(sizeof(struct nd_mtu_option) == 8, "RFC 4861 4.6.4");

/* RFC 3810 5.1; MLDv1's ends behind the group */
struct RT_PACKED mld_query {
    uint8_t type, code;
    be16_t checksum;
    be16_t delay_code; /* 5.1.3 */
    be16_t reserved;
    uint8_t group[16]; /* ::, every group */
};
_Static_assert(sizeof(struct mld_query) == 24, "RFC 2710 3");

/* RFC 3810 5.2 */
struct RT_PACKED mld_report {
    uint8_t type, code;
    be16_t checksum;
    be16_t reserved, records;
};
_Static_assert(sizeof(struct mld_report) == 8, "RFC 3810 5.2");

struct RT_PACKED mld_record {
    uint8_t type;
    uint8_t more_words;
    be16_t sources;
    uint8_t group[16];
};
_Static_assert(sizeof(struct mld_record) == 20, "RFC 3810 5.2");
enum mld_record_type {
    MLD_IS_EXCLUDE = 2, /* from every source but these: of which there are none */
    MLD_TO_EXCLUDE = 4, /* ... from now on */
};

#endif

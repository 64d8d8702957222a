/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chain of headers between an IPv6 header and what it carries (RFC 8200 4). A stranger
 * writes it, so it is bounded in number and in bytes (RFC 8504 5.3), and lies in the first segment
 * as a whole (RFC 7112). Pure.
 */
#ifndef TCP_IP_IP6_HEADERS_H
#define TCP_IP_IP6_HEADERS_H

#include <rt/base.h>

#define IP6_HEADERS_MAX 8
#define IP6_HEADERS_BYTES_MAX 512 /* with the IPv6 header */
#define IP6_OPTIONS_MAX 8         /* of a header, beside padding */

enum ip6_verdict {
    IP6_IS_UPPER,    /* `next` is a protocol that is none of IP's own */
    IP6_IS_FRAGMENT, /* a whole fragment header is at `offset` */
    IP6_IS_BAD,      /* dropped in silence: too many, cut short, or so it says */
    IP6_IS_PROBLEM,  /* dropped; its sender is told */
};

struct ip6_walk {
    uint32_t offset;  /* of the header that `next` names, from the IPv6 header on */
    uint8_t next;
    uint8_t headers;  /* passed so far */
    uint32_t next_at; /* where the byte `next` stands */
    uint8_t code;     /* PROBLEM: enum icmp6_parameter_problem */
    uint32_t pointer; /* ... and where */
    bool to_all;      /* ... also when the packet was to a group */
};

/* Begins behind the IPv6 header. */
void ip6_walk_begin(struct ip6_walk *walk, uint8_t next);
/* Goes on as far as headers are known; `bytes` of the packet can be read. */
enum ip6_verdict ip6_walk(struct ip6_walk *walk, const uint8_t *packet, uint32_t bytes);

#endif

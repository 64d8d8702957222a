/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An IPv4 or IPv6 address, one type for both: an IPv4 address is kept as IPv6 maps it
 * (::ffff:192.0.2.1, RFC 4291 2.5.5.2). So nothing above the IP layer asks which it is. Never on
 * the wire in this form. All functions are pure.
 */
#ifndef TCP_ADDR_H
#define TCP_ADDR_H

#include <rt/base.h>

struct ip_addr {
    union {
        uint8_t bytes[16]; /* network order */
        be32_t words[4];
        uint64_t halves[2];
    };
};
_Static_assert(sizeof(struct ip_addr) == 16, "an IPv6 address");

/* Longest text of an address, with its NUL (as INET6_ADDRSTRLEN). */
#define IP_ADDR_TEXT_BYTES 46

/* The first twelve bytes of a mapped address, as words in memory order. */
#define IP_MAPPED_HALF UINT64_C(0)
#define IP_MAPPED_WORD __builtin_bswap32(0x0000ffff)

/* An IPv4 address, mapped (RFC 4291 2.5.5.2). */
RT_INLINE struct ip_addr ip_addr_v4(be32_t v4)
{
    return (struct ip_addr){.words = {{0}, {0}, {IP_MAPPED_WORD}, v4}};
}
/* From the four numbers of its text. */
RT_INLINE struct ip_addr ip_addr_v4_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct ip_addr){.bytes = {[10] = 0xff, 0xff, a, b, c, d}};
}
RT_INLINE bool ip_addr_is_v4(const struct ip_addr *addr)
{
    return addr->halves[0] == IP_MAPPED_HALF && addr->words[2].raw == IP_MAPPED_WORD;
}
/* Of an IPv4 address. */
RT_INLINE be32_t ip_addr_get_v4(const struct ip_addr *addr)
{
    return addr->words[3];
}
RT_INLINE bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

/* 0.0.0.0 or ::. */
bool ip_addr_is_unspecified(const struct ip_addr *addr);
/* 224.0.0.0/4 or ff00::/8. */
bool ip_addr_is_multicast(const struct ip_addr *addr);
/* 127.0.0.0/8 or ::1: never on a wire (RFC 1122 3.2.1.3). */
bool ip_addr_is_loopback(const struct ip_addr *addr);
/* A host's own: not unspecified, multicast, loopback, or 255.255.255.255 and its class E. */
bool ip_addr_is_host(const struct ip_addr *addr);
/* fe80::/10. */
bool ip_addr_is_link_local(const struct ip_addr *addr);
/* True when the first `bits` are equal; of an IPv4 address they count from its own first bit. */
bool ip_addr_same_prefix(const struct ip_addr *a, const struct ip_addr *b, uint32_t bits);

/* Reads an address that is the whole text: 192.0.2.1, or any form of RFC 4291 2.2. False, and
 * `addr` as it was: it is none. */
RT_NODISCARD bool ip_addr_parse(const char *text, struct ip_addr *addr);
/* Writes it as RFC 5952 wants it; returns `text`. */
const char *ip_addr_format(const struct ip_addr *addr, char text[IP_ADDR_TEXT_BYTES]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071): a sum of 16-bit words with the carries added back.
 *
 * A sum is built in pieces and folded at the end. It does not depend on the byte order of the
 * machine, as long as the result is stored as it is: so words are added in memory order, and
 * csum_fold() gives what goes into the header with no swap.
 */
#ifndef TCP_WIRE_CHECKSUM_H
#define TCP_WIRE_CHECKSUM_H

#include <mempool/buf.h>
#include <tcp/addr.h>

/* An unfolded sum: at most 2^32 words of 16 bits, far beyond any packet. */
typedef uint64_t csum_t;

/* Adds bytes; only the last piece of a sum may be of an odd number. */
csum_t csum_add(csum_t sum, const void *data, size_t bytes);
/* Adds `bytes` bytes of a chain, from `offset` bytes behind the start of its first segment, which
 * may be cut anywhere. The chain has as many. */
csum_t csum_add_chain(csum_t sum, const struct buf *chain, uint32_t offset, uint32_t bytes);
/* The start of the sum of a transport header and what it carries: addresses, protocol, length
 * (RFC 9293 3.1, RFC 8200 8.1). */
csum_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t protocol,
                   uint32_t bytes);
/* Folded to 16 bits, not complemented: what a card wants in the header to begin with. */
be16_t csum_partial(csum_t sum);

/* What goes into the header; over a header that has its checksum in it, 0: it is right. */
RT_INLINE be16_t csum_fold(csum_t sum)
{
    return (be16_t){(uint16_t)~csum_partial(sum).raw};
}

#endif

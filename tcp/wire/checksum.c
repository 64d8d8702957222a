/* SPDX-License-Identifier: BSD-2-Clause */
#include "checksum.h"

#include "ip.h"

#include <rt/assert.h>

/* 32-bit words into 64 bits: no carry gets lost within 16 GiB. */
csum_t csum_add(csum_t sum, const void *data, size_t bytes)
{
    const uint8_t *at = data;

    for (; bytes >= sizeof(uint32_t); bytes -= sizeof(uint32_t), at += sizeof(uint32_t)) {
        uint32_t word;

        __builtin_memcpy(&word, at, sizeof(word));
        sum += word;
    }
    if (bytes >= sizeof(uint16_t)) {
        uint16_t word;

        __builtin_memcpy(&word, at, sizeof(word));
        sum += word;
        at += sizeof(word);
        bytes -= sizeof(word);
    }
    return bytes != 0 ? sum + *at : sum; /* the byte behind it counts as 0 (RFC 1071 4.1) */
}

be16_t csum_partial(csum_t sum)
{
    sum = (sum >> 32) + (sum & UINT32_MAX);
    sum = (sum >> 32) + (sum & UINT32_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX);
    return (be16_t){(uint16_t)sum};
}

/* A piece that begins at an odd byte of the whole has its words swapped (RFC 1071 2 (B)). */
static csum_t add_piece(csum_t sum, const uint8_t *data, uint32_t bytes, bool odd)
{
    const uint16_t piece = csum_partial(csum_add(0, data, bytes)).raw;

    return sum + (odd ? __builtin_bswap16(piece) : piece);
}

csum_t csum_add_chain(csum_t sum, const struct buf *chain, uint32_t offset, uint32_t bytes)
{
    uint32_t done = 0;

    for (const struct buf *b = chain; done < bytes; b = b->next) {
        uint32_t in_segment;

        RT_ASSERT(b != NULL);
        in_segment = buf_bytes(b);
        if (offset >= in_segment) {
            offset -= in_segment;
            continue;
        }
        in_segment = RT_MIN(in_segment - offset, bytes - done);
        sum = add_piece(sum, buf_start(b) + offset, in_segment, done % 2 != 0);
        done += in_segment;
        offset = 0;
    }
    return sum;
}

csum_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t protocol,
                   uint32_t bytes)
{
    const uint32_t at = ip_addr_is_v4(src) ? 12 : 0; /* a mapped address is not on the wire */
    csum_t sum = (csum_t)__builtin_bswap32(bytes) + __builtin_bswap16(protocol);

    sum = csum_add(sum, &src->bytes[at], sizeof(src->bytes) - at);
    return csum_add(sum, &dst->bytes[at], sizeof(dst->bytes) - at);
}

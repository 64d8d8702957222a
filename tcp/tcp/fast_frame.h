/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The usual segment as it lies in a frame: Ethernet, IPv4 without options, TCP with timestamps and
 * nothing else (RFC 7323 appendix A). Read and written by whole words, in the order of the wire.
 */
#ifndef TCP_TCP_FAST_FRAME_H
#define TCP_TCP_FAST_FRAME_H

#include <mempool/buf.h>

enum fast_offset {
    FAST_SRC = 6, /* of our MAC, in what we send */
    FAST_TYPE = 12,
    FAST_TOS = 15,
    FAST_TOTAL = 16,
    FAST_FRAGMENT = 20,
    FAST_IP_SUM = 24,
    FAST_ADDRS = 26,
    FAST_PORTS = 34,
    FAST_SEQ = 38,
    FAST_ACK = 42,
    FAST_FLAGS = 46,
    FAST_WINDOW = 48,
    FAST_SUM = 50,
    FAST_OPTIONS = 54,
    FAST_TIME = 58,
    FAST_ECHO = 62,
    FAST_HEADER_BYTES = 66,
};
enum { FAST_ETH_BYTES = 14, FAST_IP_BYTES = 20, FAST_TCP_BYTES = 32 };
_Static_assert(FAST_ETH_BYTES + FAST_IP_BYTES + FAST_TCP_BYTES == FAST_HEADER_BYTES, "all of it");

/* Words as a little-endian machine reads them. */
#define FAST_TYPE_VERSION 0x00450008u      /* EtherType IPv4; version 4, 5 words; TOS 0 */
#define FAST_TYPE_VERSION_MASK 0x00ffffffu /* ... any TOS */
#define FAST_WHOLE_TCP 0x06000000u         /* no fragment, TCP */
#define FAST_WHOLE_TCP_MASK 0xff00ffbfu    /* DF and hops do not matter */
#define FAST_DF_64_TCP 0x06400040u         /* what we send */
#define FAST_TIME_OPTION 0x0a080101u       /* NOP, NOP, timestamps, 10 bytes */
#define FAST_FLAGS_PSH 0x0800u             /* does not matter in what comes in */
#define FAST_FLAGS_ACK 0x1080u             /* 8 words, ACK */

RT_INLINE uint16_t fast_get16(const uint8_t *at)
{
    uint16_t word;

    __builtin_memcpy(&word, at, sizeof(word));
    return word;
}
RT_INLINE uint32_t fast_get32(const uint8_t *at)
{
    uint32_t word;

    __builtin_memcpy(&word, at, sizeof(word));
    return word;
}
RT_INLINE uint64_t fast_get64(const uint8_t *at)
{
    uint64_t word;

    __builtin_memcpy(&word, at, sizeof(word));
    return word;
}
RT_INLINE void fast_put16(uint8_t *at, uint16_t word)
{
    __builtin_memcpy(at, &word, sizeof(word));
}
RT_INLINE void fast_put32(uint8_t *at, uint32_t word)
{
    __builtin_memcpy(at, &word, sizeof(word));
}
RT_INLINE void fast_put64(uint8_t *at, uint64_t word)
{
    __builtin_memcpy(at, &word, sizeof(word));
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet buffers and who owns them.
 *
 * A buffer is one 64-byte header directly before its room: headroom, data, tailroom. Pools may
 * have other rooms than the usual one drawn here, or none (<mempool/ext.h>).
 *
 *     | struct buf (64 B) | headroom 128 | data 2048 |      data = (char *)buf + 64 + data_off
 *
 * At any time exactly one party owns a buffer; only the owner may touch header or data.
 * The owner is one byte in a separate array of the pool (`buf->owner` points at it), checked
 * and set at each hand-over in every build. A hand-over by someone who is not the owner is
 * refused and counted (owner_refusals), and the buffer stays where it is. All owners and
 * hand-overs: <mempool/owner.h>.
 * In host tests AddressSanitizer sees the same rule: what the stack does not own is poisoned.
 *
 *   take    returns a buffer that you own         give/send  consumes it
 *   drop    consumes and counts                   borrow     looks, does not own
 *
 * Parameters that are consumed end in `_owned`, and are consumed on every path. A batch
 * carries ownership as data: what is left in it is yours.
 * Rings keep struct buf_ref, so that neither refill nor transmit completion reads a header.
 */
#ifndef MEMPOOL_BUF_H
#define MEMPOOL_BUF_H

#include <mempool/owner.h>
#include <rt/assert.h>
#include <rt/base.h>
#include <rt/hal.h>

struct pool;

#define BUF_HEADROOM_BYTES 128
#define BUF_ROOM_BYTES 2048 /* behind the headroom; what a device may write */
#define BUF_STRIDE_BYTES (64 + BUF_HEADROOM_BYTES + BUF_ROOM_BYTES)
#define BUF_CHAIN_MAX (1u << 20) /* segments of a chain: the bound of every walk over one */
#define BUF_BATCH_MAX 64

/*
 * Receive results have the bit positions of the status field that Intel's extended write-back
 * uses (82574 7.1.5, 82599 7.1.6), so that a driver fills them with one masked 16-byte copy.
 */
enum buf_flags {
    /* receive results */
    BUF_RX_VLAN = 1u << 3,    /* stripped tag in vlan_tci */
    BUF_RX_L4_GOOD = 3u << 4, /* either bit: the TCP or UDP checksum was checked and is right */
    BUF_RX_IP_GOOD = 1u << 6,
    BUF_RX_IP_BAD = 1u << 7,
    BUF_RX_L4_BAD = 1u << 8,
    /* transmit requests */
    BUF_TX_IP_CSUM = 1u << 16,
    BUF_TX_TCP_CSUM = 1u << 17,
    BUF_TX_UDP_CSUM = 1u << 18,
    BUF_TX_VLAN = 1u << 19,
    BUF_TX_TSO = 1u << 20,
    BUF_TX_IPV6 = 1u << 21,
    BUF_TX_OFFLOADS = 0x003f0000,
    BUF_LONG = 1u << 30, /* see buf_bytes(); no NIC takes it */
};

/* Bytes 16..31 and 32..47 are what a receive loop writes, one 16-byte store each. */
struct buf {
    uint8_t *owner;    /* its byte in the pool's owner array; set once */
    struct pool *pool; /* home; set once */
    uint32_t rss_type; /* low 4 bits: what was hashed; 0: rss_hash is not valid */
    union {
        uint32_t rss_hash;
        uint32_t long_bytes; /* BUF_LONG: bytes in this segment, data_len is 0 */
    };
    uint32_t flags;    /* enum buf_flags */
    uint16_t data_len; /* bytes in this segment */
    uint16_t vlan_tci;
    struct buf *next;  /* next segment, NULL in the last */
    uint16_t data_off; /* first data byte, from the end of the header */
    uint8_t segments;  /* first segment only; who sends sees no more than these */
    uint8_t port;      /* where it came in */
    uint32_t pkt_len;  /* bytes in all segments; first segment only */
    union {
        struct {
            uint16_t l2_bytes, l3_bytes; /* transmit offload; first segment only */
            uint16_t l4_bytes, mss_bytes;
        };
        const void *outside; /* an external segment: where its bytes lie (<mempool/ext.h>) */
    };
    uint64_t user; /* the owner's own */
};
_Static_assert(sizeof(struct buf) == 64, "the header is one cache line");
_Static_assert(offsetof(struct buf, rss_type) == 16 && offsetof(struct buf, rss_hash) == 20 &&
                   offsetof(struct buf, flags) == 24 && offsetof(struct buf, data_len) == 28 &&
                   offsetof(struct buf, vlan_tci) == 30,
               "bytes 16..31 mirror an extended receive write-back");
_Static_assert(offsetof(struct buf, next) == 32 && offsetof(struct buf, data_off) == 40 &&
                   offsetof(struct buf, segments) == 42 && offsetof(struct buf, port) == 43 &&
                   offsetof(struct buf, pkt_len) == 44,
               "bytes 32..47 are one store");
_Static_assert(offsetof(struct buf, outside) == 48 && offsetof(struct buf, user) == 56,
               "an address has the place of four lengths");

/* What rings and pools keep of a buffer: 16 bytes, moved as one. */
struct buf_ref {
    struct buf *buf;
    uint8_t *owner;
};
_Static_assert(sizeof(struct buf_ref) == 16, "a reference moves in one vector register");

/* Buffers that you own, in order; buf[0] to buf[count - 1] are buffers, never NULL. Who takes one
 * out moves the last one, or the rest, into its place. */
struct buf_batch {
    uint32_t count;
    struct buf *buf[BUF_BATCH_MAX];
};

/* The bytes in the buffer's own room (not those of EXT: buf_start). The owner's. */
RT_INLINE uint8_t *buf_data(const struct buf *b)
{
    return (uint8_t *)(uintptr_t)b + sizeof(struct buf) + b->data_off;
}
RT_INLINE uint8_t *buf_room(const struct buf *b) /* headroom starts here */
{
    return (uint8_t *)(uintptr_t)b + sizeof(struct buf);
}
/* Where the bytes of a segment lie, which is yours: STACK, KEPT or EXT. */
RT_INLINE const uint8_t *buf_start(const struct buf *b)
{
    return *b->owner == BUF_EXT ? b->outside : buf_data(b);
}
/* Bytes in this segment, of any length. Data paths of networks read data_len, which is 0 in
 * one of 64 KiB and more, so that it is refused there. */
RT_INLINE uint32_t buf_bytes(const struct buf *b)
{
    return RT_UNLIKELY((b->flags & BUF_LONG) != 0) ? b->long_bytes : b->data_len;
}
RT_INLINE void buf_set_bytes(struct buf *b, uint32_t bytes)
{
    const bool is_long = bytes > UINT16_MAX;

    b->data_len = is_long ? 0 : (uint16_t)bytes;
    b->flags = (b->flags & ~(uint32_t)BUF_LONG) | (is_long ? (uint32_t)BUF_LONG : 0);
    if (is_long)
        b->long_bytes = bytes;
}

#endif

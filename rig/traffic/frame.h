/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Test frames that can be checked bit by bit when they come back.
 *
 * A frame is Ethernet + IPv4 (RFC 791) + UDP (RFC 768) + 18 bytes that name it + a pattern:
 *
 *     | dst src 0800 | IPv4 20 | UDP 8 | trial 2 | lane+flow 2 | seq 4 | sent_ns 6 | sum 4 | ... |
 *
 * Everything but the time follows from (plan, seq): the checker builds the frame again, with
 * the Ethernet addresses that the forwarder should have written, and compares all of it.
 * All functions are pure.
 */
#ifndef RIG_FRAME_H
#define RIG_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MIN_BYTES 60 /* without CRC */
#define FRAME_MAX_BYTES 9018
#define FRAME_FLOWS_MAX 4096
#define FRAME_SIZES_MAX 64
#define FRAME_LANES_MAX 8

enum frame_mode { FRAME_IO, FRAME_MAC, FRAME_MACSWAP };

/* What the frames of one lane (in at one port, out at another) look like. */
struct frame_plan {
    uint8_t dst[6], src[6];           /* as sent */
    uint8_t back_dst[6], back_src[6]; /* as they must come back */
    uint16_t trial;
    uint16_t lane;
    uint32_t flows; /* 1..FRAME_FLOWS_MAX */
    uint32_t size_count;
    uint16_t sizes[FRAME_SIZES_MAX]; /* frame `seq` has sizes[seq % size_count] bytes */
};

enum frame_verdict {
    FRAME_GOOD,
    FRAME_STALE,   /* of an earlier trial */
    FRAME_FOREIGN, /* not one of ours */
    FRAME_CORRUPT, /* ours, but changed */
};

struct frame_id {
    uint16_t trial;
    uint16_t lane;
    uint32_t flow;
    uint32_t seq;
    uint64_t sent_ns; /* low 48 bits of the sender's clock */
};

/* Writes the addresses that a forwarder in `mode` leaves on frames going out at `to_port`. */
void frame_expect(struct frame_plan *plan, enum frame_mode mode, unsigned to_port,
                  const uint8_t to_mac[6]);
/* Writes frame `seq` into out[FRAME_MAX_BYTES]; returns its bytes. */
size_t frame_build(const struct frame_plan *plan, uint32_t seq, uint64_t now_ns, uint8_t *out);
/* Reads who a frame says it is. FRAME_GOOD, FRAME_FOREIGN or FRAME_CORRUPT. */
enum frame_verdict frame_identify(const uint8_t *frame, size_t bytes, struct frame_id *id);
/* Compares a whole frame, identified as `id`, with what should have come back. */
enum frame_verdict frame_check(const struct frame_plan *plan, const uint8_t *frame, size_t bytes,
                               const struct frame_id *id);
/* "60", "60,594,1514", "imix", "60-9018" (a ramp). Returns how many sizes, 0: not understood. */
uint32_t frame_parse_sizes(const char *text, uint16_t sizes[FRAME_SIZES_MAX]);

#endif

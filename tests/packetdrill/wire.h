/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of scripts as bytes, and back; all checksums. Written without the stack's own code, so
 * that a fault of it is not met by the same one here.
 */
#ifndef TESTS_PACKETDRILL_WIRE_H
#define TESTS_PACKETDRILL_WIRE_H

#include "script.h"

#define WIRE_PAYLOAD_BYTES_MAX 9000

struct wire_ends {
    struct ip_addr src, dst;
    uint16_t src_port, dst_port;
};
/* The byte of the stream at a sequence number. */
typedef uint8_t (*wire_byte)(void *ctx, uint32_t seq);

/* Writes a segment with the numbers of `p` as they are; returns its bytes. */
uint32_t wire_write_tcp(const struct wire_ends *ends, const struct script_packet *p,
                        wire_byte byte, void *ctx, uint8_t *to);
/* Writes the ICMP error of `p`, which quotes a segment from `quoted.src` on. */
uint32_t wire_write_icmp(const struct wire_ends *quoted, const struct script_packet *p,
                         uint8_t *to);
/* Reads a TCP packet. NULL: it is right; else what is wrong with it. `*payload`: in `packet`. */
const char *wire_read_tcp(const uint8_t *packet, uint32_t bytes, struct wire_ends *ends,
                          struct script_packet *out, const uint8_t **payload);

#endif

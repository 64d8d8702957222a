/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP (RFC 768) on the wire. */
#ifndef TCP_WIRE_UDP_H
#define TCP_WIRE_UDP_H

#include <rt/base.h>

struct RT_PACKED udp_header {
    be16_t src_port, dst_port;
    be16_t bytes;    /* of header and data */
    be16_t checksum; /* 0: none, which IPv6 does not allow (RFC 8200 8.1) */
};
_Static_assert(sizeof(struct udp_header) == 8, "RFC 768");

#endif

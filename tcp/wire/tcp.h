/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP on the wire (RFC 9293 3.1). */
#ifndef TCP_WIRE_TCP_H
#define TCP_WIRE_TCP_H

#include <rt/base.h>

struct RT_PACKED tcp_header {
    be16_t src, dst;
    be32_t seq, ack;
    be16_t offset_flags; /* high 4 bits: 32-bit words of the header; enum tcp_flags */
    be16_t window;
    be16_t checksum;
    be16_t urgent;
};
_Static_assert(sizeof(struct tcp_header) == 20, "RFC 9293 3.1");
_Static_assert(offsetof(struct tcp_header, offset_flags) == 12 &&
                   offsetof(struct tcp_header, checksum) == 16,
               "RFC 9293 3.1");

enum tcp_flags {
    TCP_FIN = 0x001,
    TCP_SYN = 0x002,
    TCP_RST = 0x004,
    TCP_PSH = 0x008,
    TCP_ACK = 0x010,
    TCP_URG = 0x020,
    TCP_ECE = 0x040,
    TCP_CWR = 0x080,
};
#define TCP_FLAGS 0x0ff
#define TCP_OFFSET_SHIFT 12
#define TCP_HEADER_BYTES_MAX 60

enum tcp_option {
    TCP_OPT_END = 0,
    TCP_OPT_NOP = 1,
    TCP_OPT_MSS = 2,            /* 4 bytes */
    TCP_OPT_WINDOW_SCALE = 3,   /* 3 bytes (RFC 7323 2.2) */
    TCP_OPT_SACK_PERMITTED = 4, /* 2 bytes (RFC 2018 2) */
    TCP_OPT_SACK = 5,           /* 2 + 8 a block (RFC 2018 3) */
    TCP_OPT_TIMESTAMPS = 8,     /* 10 bytes (RFC 7323 3.2) */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A TCP segment: taken apart as it comes in, its header put together as it goes out. */
#ifndef TCP_TCP_SEGMENT_H
#define TCP_TCP_SEGMENT_H

#include "../ip/ip.h"

#define TCP_SACK_BLOCKS_MAX 4 /* that fit behind a header (RFC 2018 3) */
#define TCP_NO_SCALE UINT8_MAX
#define TCP_SCALE_MAX 14 /* RFC 7323 2.3 */

struct tcp_options {
    uint16_t mss;  /* 0: not said */
    uint8_t scale; /* TCP_NO_SCALE: not said */
    bool sack_permitted, has_time;
    uint32_t time, time_echo;
    uint32_t sack_count;
    struct {
        uint32_t first, end;
    } sacks[TCP_SACK_BLOCKS_MAX];
};

/* One that came in; its data is at what it carries. */
struct tcp_segment {
    struct buf *buf; /* yours */
    struct net_if *iface;
    struct ip_addr src, dst;
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint32_t bytes;  /* carried */
    uint32_t window; /* as it stands there: not scaled */
    uint16_t flags;  /* enum tcp_flags */
    uint8_t tos;
    uint8_t merged; /* so many segments more were put behind it (merge.h) */
    struct tcp_options options;
    bool is_time; /* its timestamp is the one to echo, if its ACK is right, too (RFC 7323 4.3) */
    bool takes_over;    /* a SYN in the place of a connection in TIME-WAIT: */
    uint32_t first_seq; /* our first number is not before this one */
};

/* How many sequence numbers it takes: its bytes, SYN and FIN. */
uint32_t segment_length(const struct tcp_segment *segment);
/* Takes a packet apart. False: dropped and counted. Consumed either way. */
bool segment_parse(struct net *net, struct ip_packet *packet_owned, struct tcp_segment *out);

/* What goes into the header of one that goes out. */
struct tcp_fields {
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint16_t flags, window;
    struct tcp_options options;
};
/* Bytes of the header with these options. */
uint32_t segment_header_bytes(const struct tcp_options *options);
/* Of the IP and the TCP header, without options, towards a peer. */
uint32_t segment_both_headers_bytes(const struct ip_addr *peer);
/* Puts the header in front of the data; the checksum is left to ip_send(). */
void segment_push_header(struct buf *segment, const struct tcp_fields *fields);

#endif

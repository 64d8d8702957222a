/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What came before its turn, until the hole in front is filled: blocks of bytes without a hole, in
 * a tree by sequence number. No memory but the buffers' own headers, and work that grows with the
 * logarithm of the number of blocks, whatever a peer sends (CVE-2018-5390, "SegmentSmack").
 *
 * A block is a ring of buffers; the tree holds its last one, whose header says where the block
 * begins (rss_hash) and ends (rss_type), and the blocks before and behind it in the tree (in the
 * last sixteen bytes). `next` of it is the first. So two blocks that meet become one by changing
 * two words.
 */
#ifndef TCP_TCP_ORDER_H
#define TCP_TCP_ORDER_H

#include <rt/base.h>

struct buf;
struct tcp_conn;
struct tcp_options;
struct tcp_segment;

#define ORDER_RECENT 4 /* blocks that are reported (RFC 2018 3) */

/* Of a connection; the tree's root is conn->order. */
struct tcp_order {
    uint32_t true_bytes;            /* of its buffers */
    uint32_t recent[ORDER_RECENT];  /* numbers in blocks that got something last, newest first */
    uint32_t recent_count;
    uint32_t fin_seq;               /* conn->fin_early: where the stream ends */
    bool twice; /* these bytes came again, and the peer was not told (RFC 2883) */
    uint32_t twice_first, twice_end;
};

/* Keeps a segment's data and FIN, which are not next, as far as they are new and there is room. */
void order_put(struct tcp_conn *conn, struct tcp_segment *segment_owned);
/* The bytes that begin at or before `next` and go beyond, cut to begin there; NULL: none. */
struct buf *order_take(struct tcp_conn *conn, uint32_t next);
/* These bytes came once more. */
void order_twice(struct tcp_conn *conn, uint32_t first, uint32_t end);
/* True: order_sacks() has something to say. */
bool order_has_sacks(const struct tcp_conn *conn);
/* Blocks to report: what came twice, then those with the newest segments (RFC 2883 4, RFC 2018
 * 4). */
void order_sacks(struct tcp_conn *conn, struct tcp_options *options, uint32_t most);
/* All of it goes, and comes again (RFC 2018 8): buffers are few. */
void order_give_up(struct tcp_conn *conn);
void order_close(struct tcp_conn *conn);

#endif

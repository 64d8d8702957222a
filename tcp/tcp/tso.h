/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several segments would carry leaves as one frame, where the device cuts it up (TSO): one
 * header, one look at the windows, the neighbour and the route, and no copy of a buffer that is
 * longer than a segment. Everywhere else, and on the usual way of a segment that is one buffer
 * (fast_out.h), each segment gets its header here.
 *
 * A frame carries bytes of the queue's buffers, whole; where its packets end is not noted: what
 * the peer reports (SACK) counts for the buffers that lie inside. What is lost is sent again
 * segment by segment.
 */
#ifndef TCP_TCP_TSO_H
#define TCP_TCP_TSO_H

#include "conn.h"

#define TSO_MSS_MIN 256 /* the 82599 wants 64 (DS 7.2.4.3); so small ones are of odd paths */
/* The packet's length has 16 bits: all headers there can be go off. */
#define TSO_BYTES_MAX (UINT16_MAX - 40u - TCP_HEADER_BYTES_MAX)
#define TSO_BUFS_MAX 64
#define TSO_PLAIN_BUFS 8 /* of a segment that nobody cuts */

/* The device cuts up what this connection sends. A mark that only the first packet must have (CWR)
 * is not left to it. */
RT_INLINE bool tso_is_on(const struct tcp_conn *conn)
{
    return conn->iface->config.tx_tso && !conn->to_us && conn->mss >= TSO_MSS_MIN &&
           !conn->ecn.answer;
}
/* Bytes of a frame, at most: whole segments. */
RT_INLINE uint32_t tso_most(const struct tcp_conn *conn)
{
    return tso_is_on(conn) ? TSO_BYTES_MAX / conn->mss * conn->mss : conn->mss;
}
/* Buffers of a frame, at most, beside one for headers: one that the device cuts, and another. */
RT_INLINE uint32_t tso_bufs(const struct tcp_conn *conn)
{
    const uint32_t most = conn->iface->config.tx_bufs;

    return RT_MIN(most != 0 ? most : UINT8_MAX, (uint32_t)TSO_BUFS_MAX) - 1;
}
RT_INLINE uint32_t tso_plain_bufs(const struct tcp_conn *conn)
{
    return RT_MIN(tso_bufs(conn), (uint32_t)TSO_PLAIN_BUFS);
}
/* Packets that so many bytes leave in. */
RT_INLINE uint32_t tso_packets(const struct tcp_conn *conn, uint32_t bytes)
{
    return bytes <= conn->mss ? 1 : (bytes + conn->mss - 1u) / conn->mss;
}

#endif

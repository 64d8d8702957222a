/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a chain of buffers, which is the stack's: headers off and on, cut, copied. */
#ifndef TCP_CHAIN_H
#define TCP_CHAIN_H

#include <mempool/pool.h>

/* Opens `bytes` bytes in front of the data; the first segment has the room. */
RT_INLINE void *chain_push(struct buf *chain, uint32_t bytes)
{
    RT_ASSERT_LE(bytes, chain->data_off);
    RT_ASSERT_LE(chain->data_len + bytes, (uint32_t)UINT16_MAX);
    chain->data_off = (uint16_t)(chain->data_off - bytes);
    chain->data_len = (uint16_t)(chain->data_len + bytes);
    chain->pkt_len += bytes;
    return buf_data(chain);
}
/* Takes `bytes` bytes off the front; the first segment has them. */
RT_INLINE void chain_pull(struct buf *chain, uint32_t bytes)
{
    RT_ASSERT_LE(bytes, chain->data_len);
    RT_ASSERT_LE(bytes, chain->pkt_len);
    chain->data_off = (uint16_t)(chain->data_off + bytes);
    chain->data_len = (uint16_t)(chain->data_len - bytes);
    chain->pkt_len -= bytes;
}
/* Cuts to the first `bytes` bytes, as many as there are or fewer; frees segments behind them. The
 * first segment stays. */
void chain_cut(struct buf *chain, uint32_t bytes);
/* Takes `bytes` bytes off the front, as many as there are or fewer, and segments that become empty
 * with them; returns what is left, at least one segment. */
struct buf *chain_skip(struct buf *chain_owned, uint32_t bytes);
/* What its buffers take of their pools. */
uint32_t chain_true_bytes(const struct buf *chain);
/* Copies `bytes` bytes that begin `offset` bytes behind the start; the chain has them. */
void chain_copy_out(const struct buf *chain, uint32_t offset, void *to, uint32_t bytes);

#endif

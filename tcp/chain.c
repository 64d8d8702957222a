/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"

#include <rt/assert.h>

void chain_cut(struct buf *chain, uint32_t bytes)
{
    uint32_t left = bytes, segments = 1;
    struct buf *last = chain;

    RT_ASSERT_LE(bytes, chain->pkt_len);
    for (; last->next != NULL && left > last->data_len; last = last->next, segments++)
        left -= last->data_len;
    RT_ASSERT_LE(left, last->data_len);
    last->data_len = (uint16_t)left;
    buf_free(last->next);
    last->next = NULL;
    chain->segments = (uint8_t)segments;
    chain->pkt_len = bytes;
}

uint32_t chain_true_bytes(const struct buf *chain)
{
    uint32_t bytes = 0;

    for (const struct buf *b = chain; b != NULL; b = b->next)
        bytes += b->pool->stride_bytes;
    return bytes;
}

void chain_copy_out(const struct buf *chain, uint32_t offset, void *to, uint32_t bytes)
{
    uint8_t *out = to;

    RT_ASSERT_LE(offset, chain->pkt_len);
    RT_ASSERT_LE(bytes, chain->pkt_len - offset);
    for (const struct buf *b = chain; bytes != 0; b = b->next) {
        uint32_t part;

        RT_ASSERT(b != NULL);
        if (offset >= b->data_len) {
            offset -= b->data_len;
            continue;
        }
        part = RT_MIN(b->data_len - offset, bytes);
        __builtin_memcpy(out, buf_start(b) + offset, part);
        out += part;
        bytes -= part;
        offset = 0;
    }
}

struct buf *chain_skip(struct buf *chain_owned, uint32_t bytes)
{
    struct buf *chain = chain_owned;
    const uint32_t left = chain->pkt_len - bytes;

    while (chain->next != NULL && bytes >= chain->data_len) {
        struct buf *next = chain->next;

        bytes -= chain->data_len;
        next->segments = (uint8_t)(chain->segments - 1);
        chain->next = NULL;
        buf_free(chain);
        chain = next;
    }
    chain->pkt_len = left + bytes;
    chain_pull(chain, bytes);
    return chain;
}

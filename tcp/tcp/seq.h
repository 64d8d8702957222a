/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequence numbers: compared on a circle of 2^32 (RFC 9293 3.4). */
#ifndef TCP_TCP_SEQ_H
#define TCP_TCP_SEQ_H

#include <rt/base.h>

RT_INLINE bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
RT_INLINE bool seq_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}
/* In [from, to], which is less than half a circle. */
RT_INLINE bool seq_within(uint32_t seq, uint32_t from, uint32_t to)
{
    return seq - from <= to - from;
}

#endif

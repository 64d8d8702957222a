/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of mempool. */
#ifndef MEMPOOL_PRIVATE_H
#define MEMPOOL_PRIVATE_H

#include <mempool/poison.h>

#define POOL_POISON_BYTE 0x6b

/* Hostile builds: the seed of takes that fail, printed when the first pool is made. */
void pool_hostile_begin(void);

/* A free buffer's content is of no use to anybody: hostile builds overwrite it. */
RT_INLINE void pool_poison(const struct pool *pool, struct buf *b)
{
    if (POOL_HOSTILE) {
        buf_unpoison(b);
        __builtin_memset(buf_room(b), POOL_POISON_BYTE,
                         pool->headroom_bytes + pool->room_bytes);
    }
    buf_poison(b);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells AddressSanitizer which buffers nobody may touch: everything behind the first two
 * header words (owner, pool) of a buffer that the stack does not own. Without ASan both are
 * empty functions. For mempool and drivers only.
 */
#ifndef MEMPOOL_POISON_H
#define MEMPOOL_POISON_H

#include <mempool/pool.h>

#define BUF_POISON_FROM 16 /* owner and pool stay readable: a double free must be refused */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define MEMPOOL_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define MEMPOOL_ASAN 1
#endif

#ifdef MEMPOOL_ASAN
/* <sanitizer/asan_interface.h>, which not every compiler has. */
void __asan_poison_memory_region(void const volatile *addr, size_t bytes);
void __asan_unpoison_memory_region(void const volatile *addr, size_t bytes);

/* From now on whoever touches it is caught; ... */
RT_INLINE void buf_poison(const struct buf *b)
{
    __asan_poison_memory_region((const char *)b + BUF_POISON_FROM,
                                b->pool->stride_bytes - BUF_POISON_FROM);
}
/* ... from now on its new owner may. */
RT_INLINE void buf_unpoison(const struct buf *b)
{
    __asan_unpoison_memory_region((const char *)b + BUF_POISON_FROM,
                                  b->pool->stride_bytes - BUF_POISON_FROM);
}
#else
/* Nobody looks. */
RT_INLINE void buf_poison(const struct buf *b)
{
    (void)b;
}
RT_INLINE void buf_unpoison(const struct buf *b)
{
    (void)b;
}
#endif

#endif

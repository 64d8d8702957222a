/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base types and compiler helpers that every folder uses.
 *
 * Three ideas live here because a compiler, not a reviewer, should enforce them:
 *  - a status that must be looked at (enum rt_status, RT_NODISCARD);
 *  - ownership that moves (RT_PAIRED_WITH: gcc reports use after a hand-over);
 *  - integers that cannot be mixed up (be16/be32 on the wire, phys_t for devices).
 */
#ifndef RT_BASE_H
#define RT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_LIKELY(x) __builtin_expect(!!(x), 1)
#define RT_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define RT_COLD __attribute__((cold, noinline))
#define RT_INLINE static inline __attribute__((always_inline))
#define RT_NORETURN __attribute__((noreturn))
#define RT_NODISCARD __attribute__((warn_unused_result))
/* Reads what another core writes meanwhile, and can do with an old value. */
#define RT_UNSYNCHRONISED __attribute__((no_sanitize("thread")))
#define RT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define RT_ALIGNED(n) __attribute__((aligned(n)))
#define RT_PACKED __attribute__((packed))
#define RT_CACHE_LINE 64
#define RT_PAGE_BYTES UINT64_C(4096) /* the smallest page, and what firmware counts in */
#define RT_PREFETCH(p) __builtin_prefetch((p), 0, 3)
#define RT_PREFETCH_WRITE(p) __builtin_prefetch((p), 1, 3)
#define RT_COMPILER_BARRIER() __asm__ volatile("" ::: "memory")
#define RT_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define RT_CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))
#define RT_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RT_MAX(a, b) ((a) > (b) ? (a) : (b))
#define RT_ALIGN_UP(x, a) (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define RT_ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define RT_IS_POW2(x) ((x) != 0 && ((x) & ((x)-1)) == 0)

/* Declares to gcc that `fn` consumes what this function returns, as its argument `arg`. */
#if defined(__GNUC__) && !defined(__clang__)
#define RT_PAIRED_WITH(fn, arg) __attribute__((malloc(fn, arg)))
#else
#define RT_PAIRED_WITH(fn, arg)
#endif

/* Bit fields of registers and descriptors: mask by position, value by mask. */
#define RT_BIT(n) (UINT32_C(1) << (n))
#define RT_BITS(hi, lo) ((UINT32_MAX >> (31 - (hi))) & (UINT32_MAX << (lo)))
#define FIELD_SHIFT(mask) ((unsigned)__builtin_ctz(mask))
#define FIELD_GET(mask, reg) (((uint32_t)(reg) & (mask)) >> FIELD_SHIFT(mask))
/* A constant that does not fit its field is an array of negative size: it does not compile. */
#define FIELD_FITS(mask, v)                                                                      \
    (0 * sizeof(char[1 - 2 * !!__builtin_choose_expr(                                            \
                             __builtin_constant_p(v),                                            \
                             ((uint64_t)(v) & ~((uint64_t)(mask) >> FIELD_SHIFT(mask))) != 0, 0)]))
#define FIELD_PUT(mask, v)                                                                       \
    ((((uint32_t)(v) << FIELD_SHIFT(mask)) & (mask)) + (uint32_t)FIELD_FITS(mask, v))

/* Result of anything that can fail for an expected reason. Zero is success. */
enum rt_status {
    RT_OK = 0,
    RT_TIMEOUT = -1,     /* a device or core did not answer before its deadline */
    RT_NO_MEMORY = -2,   /* the fixed memory is used up */
    RT_NOT_FOUND = -3,   /* no such device, table, name */
    RT_INVALID = -4,     /* an argument is outside its range */
    RT_BUSY = -5,        /* held by somebody else for now */
    RT_IO = -6,          /* the device answered with an error */
    RT_UNSUPPORTED = -7, /* the device or build cannot do this */
    RT_TRUNCATED = -8,   /* input ends before it should */
    RT_FULL = -9,        /* a bounded table or ring has no room */
};
/* "ok", "timeout", ...; never NULL. */
const char *rt_status_name(enum rt_status st);

/* Integers in network byte order. Comparing one with an int does not compile. */
typedef struct {
    uint16_t raw;
} be16_t;
typedef struct {
    uint32_t raw;
} be32_t;

/* To the machine's order, and back. */
RT_INLINE uint16_t be16_get(be16_t v)
{
    return __builtin_bswap16(v.raw);
}
RT_INLINE be16_t be16_put(uint16_t v)
{
    return (be16_t){__builtin_bswap16(v)};
}
RT_INLINE uint32_t be32_get(be32_t v)
{
    return __builtin_bswap32(v.raw);
}
RT_INLINE be32_t be32_put(uint32_t v)
{
    return (be32_t){__builtin_bswap32(v)};
}

/* An address as a device sees it. Passing a pointer where one is wanted does not compile. */
typedef struct {
    uint64_t v;
} phys_t;

_Static_assert(sizeof(be16_t) == 2 && sizeof(be32_t) == 4 && sizeof(phys_t) == 8,
               "wrapped integers have the size of what they wrap");

#endif

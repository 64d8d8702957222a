/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixed pools of packet buffers, one owner core each, last in first out, no lock.
 *
 * A pool is made at start from hal_alloc() and never grows. Only its home core takes from it.
 * A buffer freed on another core goes home by a single-producer ring (one for each core
 * that frees) which the home core drains once a loop turn with pool_collect().
 * At stop `free == total` must hold; pool_report() says who still owns what.
 */
#ifndef MEMPOOL_POOL_H
#define MEMPOOL_POOL_H

#include <mempool/buf.h>
#include <rt/ring.h>

struct buf_pin; /* <mempool/ext.h> */

struct pool_stats {
    uint64_t failed;      /* hostile builds: takes that failed on purpose */
    uint64_t empty;       /* takes that found the pool empty */
    uint64_t sent_home;   /* freed on another core, as of the last pool_collect */
    uint64_t collected;   /* came home by ring */
};

/* Bytes 32..47 of a header, in one store; may alias what it is written over. */
typedef uint64_t buf_half __attribute__((vector_size(16), may_alias));

/* The first cache line is what taking and freeing read. */
struct pool {
    struct buf_ref *stack; /* free buffers; stack[free - 1] is next */
    uint32_t free;
    uint32_t total;
    uint8_t *owners; /* enum buf_owner of each buffer, by index */
    char *base;      /* first buffer */
    buf_half empty;  /* of a buffer just taken */
    unsigned core;   /* home */
    uint32_t stride_bytes;
    uint32_t headroom_bytes, room_bytes; /* behind each header */
    struct buf_pin **pins; /* what each header names, by index; NULL: not a pool of headers */
    const char *name;
    struct ring *home[HAL_CORES_MAX]; /* [freeing core]; NULL for the home core */
    uint32_t waiting; /* something may lie in one of them: set by any core, cleared by home */
    unsigned home_cores;              /* entries of home[] in use */
    struct pool_stats stats;
    struct pool *next; /* registry of all pools */
};

_Static_assert(offsetof(struct pool, pins) == RT_CACHE_LINE, "one line");

/* True when `owner` is a byte of this pool's owner array. */
RT_INLINE bool pool_has_owner(const struct pool *pool, const uint8_t *owner)
{
    return (uintptr_t)owner - (uintptr_t)pool->owners < pool->total;
}

/* Number of a buffer in its pool. */
RT_INLINE uint32_t buf_index(const struct buf *b)
{
    return (uint32_t)(b->owner - b->pool->owners);
}

/* True: this segment, which is yours, has bytes, and they lie in its room. Of an external one:
 * it has bytes. */
RT_INLINE bool buf_is_inside(const struct buf *b)
{
    const uint32_t room = b->pool->headroom_bytes + b->pool->room_bytes;
    const uint32_t bytes = buf_bytes(b);

    if (*b->owner == BUF_EXT)
        return bytes != 0;
    return bytes != 0 && b->data_off <= room && bytes <= room - b->data_off;
}

/* Refused hand-overs of all cores since start. Any core. */
uint64_t buf_refusals(void);

/* Hostile builds: small pools, takes that fail at random, poisoned buffers. A constant, so that
 * both branches always compile. */
#ifdef RT_HOSTILE
enum { POOL_HOSTILE = 1 };
#else
enum { POOL_HOSTILE = 0 };
#endif
#define POOL_COUNT_MAX (1u << 20)
#define POOL_HEADROOM_BYTES_MAX 4096u
#define POOL_ROOM_BYTES_MAX (16u << 20)
#define POOL_HOSTILE_BUFS 128 /* most buffers of a pool in a hostile build */

/* Hostile builds: takes fail at random from now on, as they do from the start, or not. For tests
 * that say what each frame causes. Elsewhere nothing happens. Any core. */
void pool_takes_fail(bool on);
/* ... which ones fail is this seed's choice from now on, and no seed is printed. */
void pool_takes_fail_from(uint64_t seed);

struct pool_config {
    const char *name;
    unsigned core;  /* home: the only one that takes */
    unsigned cores; /* that run, and may free */
    uint32_t count;
    /* Behind each header. Frames are received into the usual room (BUF_HEADROOM_BYTES and
     * BUF_ROOM_BYTES) only, drives take any. Both 0: a pool of headers (<mempool/ext.h>). */
    uint32_t headroom_bytes, room_bytes;
};

/* Makes a pool. RT_INVALID: a number is out of range. RT_NO_MEMORY: what it took until then
 * is lost (memory is never given back), the start cannot go on. Core 0, before the seal. */
RT_NODISCARD enum rt_status pool_create_config(const struct pool_config *config,
                                               struct pool **pool);
/* ... of usual buffers. */
RT_NODISCARD enum rt_status pool_create(const char *name, unsigned core, unsigned cores,
                                        uint32_t count, struct pool **pool);

/* Consumes a buffer and all its further segments, owned by the stack, or nothing (NULL).
 * Further segments that are kept stay with their keeper; at one that is neither, or that was
 * passed already, it stops, refused and counted. Any core. */
void buf_free(struct buf *b_owned);
/* The same, what <mempool/take.h> does not do in line. */
RT_COLD void buf_free_odd(struct buf *b_owned);

/* A buffer that the caller (stack) owns, empty, headroom in front; NULL when there is none.
 * Home core only. */
RT_PAIRED_WITH(buf_free, 1) RT_PAIRED_WITH(buf_free_odd, 1)
struct buf *pool_take(struct pool *pool);
/* The same, what <mempool/take.h> does not do in line. */
RT_PAIRED_WITH(buf_free, 1) RT_PAIRED_WITH(buf_free_odd, 1)
RT_COLD struct buf *pool_take_odd(struct pool *pool);

/* Takes buffers as pool_take() does, at most `count`, behind what is in the batch and as far
 * as it has room; returns how many. They are yours. Home core only. */
uint32_t pool_take_batch(struct pool *pool, struct buf_batch *batch, uint32_t count);

/* Consumes every buffer left in the batch (none is NULL), as buf_free() does. Any core. */
void buf_batch_free(struct buf_batch *batch);

/* Sends one buffer home, whichever pool and core that is: `from` -> POOL or RING. Refused
 * unless `from` owns it. Any core. */
void buf_go_home(struct buf_ref ref_owned, enum buf_owner from);

/* True when `b` is a whole buffer of the pool (not a pointer into the middle of one), and its
 * owner byte is the right one. Reads the header. Any core. */
bool pool_contains(const struct pool *pool, const struct buf *b);

/* A local batch that checks at the end of its scope that nothing was left behind:
 *     BUF_BATCH_CHECKED(batch);
 * panics with the place when it still owns packets. For slow paths and tests. */
struct buf_batch_checked {
    struct buf_batch batch;
    const char *file;
    int line;
};
void buf_batch_check(const struct buf_batch_checked *checked);
#define BUF_BATCH_CHECKED(name)                                                                \
    __attribute__((cleanup(buf_batch_check))) struct buf_batch_checked name##_checked = {      \
        .file = __FILE__, .line = __LINE__};                                                   \
    struct buf_batch *const name = &name##_checked.batch

/* Brings home what other cores freed; returns how many. Home core, once a turn: a load when
 * there is nothing. */
uint32_t pool_collect_waiting(struct pool *pool);
RT_INLINE uint32_t pool_collect(struct pool *pool)
{
    if (RT_LIKELY(__atomic_load_n(&pool->waiting, __ATOMIC_RELAXED) == 0))
        return 0;
    return pool_collect_waiting(pool);
}

/* One line for each pool; returns the number of buffers that are not home. After stop. */
uint32_t pool_report(void);
struct pool *pool_first(void); /* registry, for statistics */
/* Empties the registry; the pools' memory is the caller's to give back. Host programs only. */
void pool_forget_all(void);

/* Owner array of a pool scanned: how many buffers `owner` has. Any core. */
uint32_t pool_count_owner(const struct pool *pool, enum buf_owner owner);

#endif

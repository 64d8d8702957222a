/* SPDX-License-Identifier: BSD-2-Clause */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/memory_use.h>
#include <string.h>

#include "memory.h"

enum {
    MEMORY_RANGES_MAX = 64,
    MEMORY_LOCK_TRIES = 100000000,
};
#define MEMORY_LOWEST UINT64_C(0x100000)     /* real mode and firmware live below */
#define MEMORY_RANGE_BYTES_MIN UINT64_C(0x10000)

struct memory_range {
    uint64_t low, high; /* what is still free of it */
};

static struct {
    struct memory_range range[MEMORY_RANGES_MAX];
    uint32_t count;
    uint64_t limit;
    bool sealed;
    bool lock;
} memory;

static void add_range(uint64_t low, uint64_t high)
{
    if (low < MEMORY_LOWEST)
        low = MEMORY_LOWEST;
    low = RT_ALIGN_UP(low, RT_PAGE_BYTES);
    high = RT_ALIGN_DOWN(high, RT_PAGE_BYTES);
    if (high <= low || high - low < MEMORY_RANGE_BYTES_MIN)
        return;
    if (memory.count < MEMORY_RANGES_MAX)
        memory.range[memory.count++] = (struct memory_range){low, high};
}

void memory_init(const struct boot_info *bi, uint64_t limit_phys)
{
    memset(&memory, 0, sizeof(memory));
    memory_use_reset();
    memory.limit = limit_phys;
    for (uint32_t i = 0; i < bi->mem_count && i < BOOT_MEM_MAX; i++) {
        const struct boot_mem *m = &bi->mem[i];
        const uint64_t end = m->bytes > UINT64_MAX - m->base ? UINT64_MAX : m->base + m->bytes;

        if (m->type != BOOT_MEM_RAM)
            continue;
        if (m->base < MEMORY_4GIB && end > MEMORY_4GIB) { /* a range is on one side of it */
            add_range(m->base, MEMORY_4GIB);
            add_range(MEMORY_4GIB, end);
        } else {
            add_range(m->base, end);
        }
    }
}

void memory_set_limit(uint64_t limit_phys)
{
    RT_ASSERT_LE(memory.limit, limit_phys); /* what was given out stays below it */
    memory.limit = limit_phys;
}

/* Where the block would lie in this range, 0 when it does not fit. */
static uint64_t place(const struct memory_range *r, uint64_t bytes, uint64_t align,
                      uint64_t limit)
{
    const uint64_t high = RT_MIN(r->high, limit);
    uint64_t at;

    if (high <= r->low || high - r->low < bytes)
        return 0;
    if (bytes >= MEMORY_BIG_BYTES) {
        at = RT_ALIGN_DOWN(high - bytes, align);
        return at >= r->low ? at : 0;
    }
    if (align - 1 > UINT64_MAX - r->low)
        return 0;
    at = RT_ALIGN_UP(r->low, align);
    return at <= high && bytes <= high - at ? at : 0;
}

static struct memory_range *choose(uint64_t bytes, uint64_t align, uint64_t limit,
                                   uint64_t *at)
{
    struct memory_range *best = NULL;

    for (uint32_t i = 0; i < memory.count; i++) {
        struct memory_range *r = &memory.range[i];
        const uint64_t where = place(r, bytes, align, limit);

        if (where == 0 || (best != NULL && best->high - best->low >= r->high - r->low))
            continue;
        best = r;
        *at = where;
    }
    return best;
}

static void lock_take(void)
{
    for (uint32_t i = 0; i < MEMORY_LOCK_TRIES; i++) {
        if (!__atomic_test_and_set(&memory.lock, __ATOMIC_ACQUIRE))
            return;
        hal_pause();
    }
    rt_panic("memory lock is stuck");
}

void *memory_alloc_below(size_t bytes, size_t align, uint64_t limit_phys, const char *what)
{
    struct memory_range *r;
    uint64_t at = 0;

    RT_ASSERT(RT_IS_POW2(align));
    if (memory.sealed)
        rt_panic("allocation of %zu bytes for %s after the seal", bytes, what);
    if (bytes == 0 || bytes > SIZE_MAX - RT_PAGE_BYTES)
        return NULL;
    if (bytes >= MEMORY_BIG_BYTES && align < MEMORY_BIG_BYTES)
        align = MEMORY_BIG_BYTES;
    lock_take();
    r = choose(bytes, align, RT_MIN(limit_phys, memory.limit), &at);
    /* What is cut off above (or below) the block by alignment or limit is lost: RAM is
     * plenty, and a free list would be a bug's home. */
    if (r != NULL && bytes >= MEMORY_BIG_BYTES)
        r->high = at;
    else if (r != NULL)
        r->low = at + bytes;
    if (r != NULL) {
        RT_ASSERT_EQ(at % align, 0u);
        RT_ASSERT_LE(r->low, r->high);
        memory_use_add(what, bytes);
    }
    __atomic_clear(&memory.lock, __ATOMIC_RELEASE);
    if (r == NULL)
        return NULL;
    return memset((void *)(uintptr_t)at, 0, bytes);
}

void *hal_alloc(size_t bytes, size_t align, const char *what)
{
    return memory_alloc_below(bytes, align < 16 ? 16 : align, UINT64_MAX, what);
}

void hal_seal(void)
{
    RT_ASSERT(!memory.sealed);
    memory.sealed = true;
    memory_use_log();
}

uint64_t hal_memory_free_bytes(void)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < memory.count; i++) {
        const struct memory_range *r = &memory.range[i];
        const uint64_t high = RT_MIN(r->high, memory.limit);

        bytes += high > r->low ? high - r->low : 0;
    }
    return bytes;
}

uint64_t memory_low_page(const struct boot_info *bi)
{
    uint64_t page = 0;

    for (uint32_t i = 0; i < bi->mem_count && i < BOOT_MEM_MAX; i++) {
        const struct boot_mem *m = &bi->mem[i];
        const uint64_t low = RT_MAX(m->base, RT_PAGE_BYTES);
        uint64_t high;

        if (m->type != BOOT_MEM_RAM || m->base >= LOW_MEMORY_END)
            continue;
        high = RT_MIN(m->bytes, LOW_MEMORY_END - m->base) + m->base;
        high = RT_ALIGN_DOWN(high, RT_PAGE_BYTES);
        if (high > low && high - low >= RT_PAGE_BYTES)
            page = high - RT_PAGE_BYTES; /* the highest one: loaders like the lowest */
    }
    return page;
}

uint64_t memory_ram_bytes(const struct boot_info *bi)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < bi->mem_count && i < BOOT_MEM_MAX; i++) {
        const uint32_t type = bi->mem[i].type;

        if (type == BOOT_MEM_RAM || type == BOOT_MEM_IMAGE || type == BOOT_MEM_MODULE ||
            type == BOOT_MEM_BOOT)
            bytes += bi->mem[i].bytes;
    }
    return bytes;
}

bool memory_is_ram(const struct boot_info *bi, uint64_t base, uint64_t bytes)
{
    for (uint32_t i = 0; i < bi->mem_count && i < BOOT_MEM_MAX; i++) {
        const struct boot_mem *m = &bi->mem[i];

        if (m->type != BOOT_MEM_RAM && m->type != BOOT_MEM_IMAGE &&
            m->type != BOOT_MEM_MODULE)
            continue;
        if (m->base < base ? base - m->base < m->bytes : m->base - base < bytes)
            return true;
    }
    return false;
}

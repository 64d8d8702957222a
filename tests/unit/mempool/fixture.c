/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <string.h>

char console[65536];
static uint64_t random_state = 1;

int set_up(void **state)
{
    host_clock_virtual(UINT64_C(1000000000));
    host_set_core_count(CORES);
    host_set_core(0);
    memset(console, 0, sizeof(console));
    host_console_capture(console, sizeof(console));
    rnd_seed(1);
    return 0;
}

int tear_down(void **state)
{
    host_console_capture(NULL, 0);
    host_set_core(0);
    pool_forget_all();
    host_memory_reset();
    host_clock_real();
    return 0;
}

struct pool *make(const char *name, unsigned core, uint32_t count)
{
    struct pool *pool = NULL;

    assert_int_equal(pool_create(name, core, CORES, count, &pool), RT_OK);
    assert_non_null(pool);
    return pool;
}

struct buf *take(struct pool *pool)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 1000 && b == NULL && pool->free > 0; i++)
        b = pool_take(pool);
    return b;
}

struct buf *hidden(struct buf *b)
{
    __asm__("" : "+r"(b));
    return b;
}

void rnd_seed(uint64_t seed)
{
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

uint32_t rnd(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % below;
}

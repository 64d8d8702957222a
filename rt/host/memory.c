/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hal_alloc on the host: each piece is its own allocation, so that AddressSanitizer sees
 * an access beyond it. All are kept in a list and freed by host_memory_reset().
 */
#include "host.h"

#include <rt/assert.h>
#include <rt/memory_use.h>
#include <stdlib.h>
#include <string.h>

struct piece {
    struct piece *next;
    void *memory;
    size_t bytes;
};

static struct piece *pieces;
static uint64_t limit_bytes = UINT64_C(1) << 32;
static uint64_t used_bytes;
static bool sealed;

void *hal_alloc(size_t bytes, size_t align, const char *what)
{
    size_t rounded = RT_ALIGN_UP(bytes, RT_MAX(align, sizeof(void *)));
    struct piece *piece;

    if (sealed)
        rt_panic("memory allocation=%s bytes=%zu after the seal", what, bytes);
    RT_ASSERT(RT_IS_POW2(align));
    RT_ASSERT_LE(used_bytes, limit_bytes);
    if (rounded > limit_bytes - used_bytes)
        return NULL;
    piece = calloc(1, sizeof(*piece));
    if (piece == NULL)
        return NULL;
    piece->memory = aligned_alloc(RT_MAX(align, sizeof(void *)), rounded);
    if (piece->memory == NULL) {
        free(piece);
        return NULL;
    }
    memset(piece->memory, 0, rounded);
    piece->bytes = rounded;
    piece->next = pieces;
    pieces = piece;
    used_bytes += rounded;
    memory_use_add(what, rounded);
    return piece->memory;
}

void hal_seal(void)
{
    RT_ASSERT(!sealed);
    sealed = true;
    memory_use_log();
}

uint64_t hal_memory_free_bytes(void)
{
    RT_ASSERT_LE(used_bytes, limit_bytes);
    return limit_bytes - used_bytes;
}

void host_memory_limit(uint64_t bytes)
{
    limit_bytes = used_bytes + bytes;
}

void host_memory_reset(void)
{
    while (pieces != NULL) {
        struct piece *piece = pieces;

        pieces = piece->next;
        free(piece->memory);
        free(piece);
    }
    limit_bytes = UINT64_C(1) << 32;
    used_bytes = 0;
    memory_use_reset();
    sealed = false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function names for back traces. The table is room in the section .ksyms, which the linker
 * script keeps and tools/ksyms.py fills in after the link (all zero: no names). It is
 * position independent: offsets count from the table itself. Layout, all little endian:
 *
 *   u32 magic "KSYM"   u32 count
 *   count x { i32 offset, u32 name }   sorted by offset; name counts from the table's start
 *   names, each ended by NUL
 *
 * The last entry stands at the end of the text and has an empty name.
 */
#include "symbols.h"

#define SYMBOLS_MAGIC UINT32_C(0x4d59534b) /* "KSYM" */
#define SYMBOLS_BYTES (32 * 1024)          /* tools/ksyms.py says when this is too little */

struct symbol {
    int32_t offset;
    uint32_t name;
};
_Static_assert(sizeof(struct symbol) == 8, "as tools/ksyms.py writes it");

struct symbol_header {
    uint32_t magic;
    uint32_t count;
};
_Static_assert(sizeof(struct symbol_header) == 8, "as tools/ksyms.py writes it");

__attribute__((section(".ksyms"), used)) RT_ALIGNED(8) static const uint8_t
    symbol_room[SYMBOLS_BYTES] = {0};

/* The compiler must not know that the room was zero when it looked. */
static const uint8_t *room(void)
{
    const uint8_t *p = symbol_room;
    __asm__("" : "+r"(p));
    return p;
}

/* Last entry at or before `offset`; there is one. */
static uint32_t search(const struct symbol *symbols, uint32_t count, int64_t offset)
{
    uint32_t low = 0, high = count;
    while (high - low > 1) { /* halves each time */
        uint32_t middle = low + (high - low) / 2;
        if (symbols[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

const char *symbol_lookup(uintptr_t addr, uintptr_t *offset)
{
    const uint8_t *table = room();
    const struct symbol_header *header = (const void *)table;
    const struct symbol *symbols = (const void *)(table + sizeof(*header));
    uint32_t count = header->count;
    if (header->magic != SYMBOLS_MAGIC || count < 2 || count > SYMBOLS_BYTES / sizeof(*symbols))
        return NULL;
    int64_t want = (int64_t)(addr - (uintptr_t)table);
    if (want < symbols[0].offset || want >= symbols[count - 1].offset)
        return NULL;
    const struct symbol *found = &symbols[search(symbols, count, want)];
    if (found->name >= SYMBOLS_BYTES)
        return NULL;
    *offset = (uintptr_t)(want - found->offset);
    return (const char *)table + found->name;
}

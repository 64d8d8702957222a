/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory map: any ranges in, sorted disjoint ranges out. Pure. */
#include "boot.h"

/* Where ranges overlap the highest rank wins. What firmware forbids beats RAM, but our image
 * and modules beat "reserved": some loaders report them so. Bad memory beats everything. */
static const uint32_t type_of_rank[] = {
    0,
    BOOT_MEM_RAM,
    BOOT_MEM_RESERVED,
    BOOT_MEM_ACPI,
    BOOT_MEM_NVS,
    BOOT_MEM_BOOT,
    BOOT_MEM_MODULE,
    BOOT_MEM_IMAGE,
    BOOT_MEM_BAD,
};
#define RANKS RT_ARRAY_SIZE(type_of_rank)

/* An edge is address << 8 | rank << 1 | 1 at the start of a range, 0 at its end. */
#define EDGE_ADDRESS_SHIFT 8
#define EDGE_RANK_SHIFT 1
#define EDGE_START UINT64_C(1)
#define EDGE_BITS ((1u << EDGE_ADDRESS_SHIFT) - 1)
_Static_assert(RANKS <= 1u << (EDGE_ADDRESS_SHIFT - EDGE_RANK_SHIFT), "the rank fits an edge");
_Static_assert(MEMMAP_ADDRESS_END <= UINT64_C(1) << (63 - EDGE_ADDRESS_SHIFT),
               "the address fits an edge");

static uint32_t type_rank(uint32_t type)
{
    for (uint32_t rank = 1; rank < RANKS; rank++) {
        if (type_of_rank[rank] == type)
            return rank;
    }
    return 0;
}

/* The table is full: losing RAM costs memory, losing anything else would cost safety. */
static void replace_smallest_ram(struct memmap *map, const struct boot_mem *range)
{
    struct boot_mem *smallest = NULL;

    map->truncated = true;
    if (range->type == BOOT_MEM_RAM)
        return;
    for (uint32_t i = 0; i < map->count; i++) {
        struct boot_mem *m = &map->ranges[i];

        if (m->type == BOOT_MEM_RAM && (!smallest || m->bytes < smallest->bytes))
            smallest = m;
    }
    if (smallest)
        *smallest = *range;
}

void memmap_add(struct memmap *map, uint64_t base, uint64_t bytes, uint32_t type)
{
    struct boot_mem range = {.base = base, .bytes = bytes, .type = type};

    if (base >= MEMMAP_ADDRESS_END || bytes == 0)
        return;
    if (bytes > MEMMAP_ADDRESS_END - base)
        range.bytes = MEMMAP_ADDRESS_END - base;
    if (type_rank(type) == 0)
        range.type = BOOT_MEM_RESERVED;

    if (map->count > 0) {
        struct boot_mem *last = &map->ranges[map->count - 1];

        if (last->type == range.type && last->base + last->bytes == range.base) {
            last->bytes += range.bytes;
            return;
        }
    }
    if (map->count == MEMMAP_RANGES_MAX)
        replace_smallest_ram(map, &range);
    else
        map->ranges[map->count++] = range;
}

/* Shell sort: no recursion, no library, and maps come nearly sorted. */
static void sort_edges(uint64_t *edges, uint32_t count)
{
    for (uint32_t gap = count / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < count; i++) {
            uint64_t edge = edges[i];
            uint32_t j = i;

            for (; j >= gap && edges[j - gap] > edge; j -= gap)
                edges[j] = edges[j - gap];
            edges[j] = edge;
        }
    }
}

/* The output is full: give up RAM, the smallest range first. What is not listed is never
 * used, so a lost reservation does no harm here, unlike in memmap_add(). */
static void keep_or_drop(struct boot_info *bi, const struct boot_mem *range)
{
    struct boot_mem *smallest = NULL;

    bi->flags |= BOOT_FLAG_MEM_TRUNCATED;
    for (uint32_t i = 0; i < bi->mem_count; i++) {
        if (!smallest || bi->mem[i].bytes < smallest->bytes)
            smallest = &bi->mem[i];
    }
    if (!smallest || smallest->bytes >= range->bytes)
        return;
    for (struct boot_mem *m = smallest; m + 1 < bi->mem + bi->mem_count; m++)
        m[0] = m[1];
    bi->mem[bi->mem_count - 1] = *range;
}

static void put_range(struct boot_info *bi, uint64_t base, uint64_t end, uint32_t type)
{
    struct boot_mem range = {.type = type};

    if (type == BOOT_MEM_RAM) {
        base = RT_MAX(RT_ALIGN_UP(base, RT_PAGE_BYTES), RT_PAGE_BYTES);
        end = RT_ALIGN_DOWN(end, RT_PAGE_BYTES);
    }
    if (base >= end)
        return;
    range.base = base;
    range.bytes = end - base;
    if (bi->mem_count == BOOT_MEM_MAX)
        keep_or_drop(bi, &range);
    else
        bi->mem[bi->mem_count++] = range;
}

static uint32_t make_edges(struct memmap *map)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < map->count; i++) {
        const struct boot_mem *m = &map->ranges[i];
        uint64_t rank = (uint64_t)type_rank(m->type) << EDGE_RANK_SHIFT;

        map->edges[count++] = m->base << EDGE_ADDRESS_SHIFT | rank | EDGE_START;
        map->edges[count++] = (m->base + m->bytes) << EDGE_ADDRESS_SHIFT | rank;
    }
    sort_edges(map->edges, count);
    return count;
}

void memmap_finish(struct memmap *map, struct boot_info *bi)
{
    uint32_t edge_count = make_edges(map);
    uint32_t open[RANKS] = {0}; /* ranges of each rank at this address */
    uint64_t base = 0;
    uint32_t rank = 0;

    bi->mem_count = 0;
    if (map->truncated)
        bi->flags |= BOOT_FLAG_MEM_TRUNCATED;
    for (uint32_t i = 0; i < edge_count; i++) {
        uint64_t edge = map->edges[i];
        uint64_t address = edge >> EDGE_ADDRESS_SHIFT;
        uint32_t top = RANKS - 1;

        open[(edge >> EDGE_RANK_SHIFT) & (EDGE_BITS >> EDGE_RANK_SHIFT)] +=
            edge & EDGE_START ? 1u : UINT32_MAX;
        if (i + 1 < edge_count && map->edges[i + 1] >> EDGE_ADDRESS_SHIFT == address)
            continue; /* all edges of one address first */
        while (top > 0 && open[top] == 0)
            top--;
        if (top == rank)
            continue;
        if (rank != 0)
            put_range(bi, base, address, type_of_rank[rank]);
        base = address;
        rank = top;
    }
}

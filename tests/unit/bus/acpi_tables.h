/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables in a small memory. Included once, behind acpi.c. */
#ifndef TESTS_BUS_ACPI_TABLES_H
#define TESTS_BUS_ACPI_TABLES_H

#include <rt/assert.h>


enum { MEMORY_BYTES = 0x100000, TABLES_AT = 0x10000, RSDP_AT = 0x8000 };

/* A small machine: memory, and where the next table goes. */
static uint8_t *memory;
static uint64_t limit; /* first address that may not be read */
static uint64_t next_at;
static uint32_t roots[64];
static uint32_t root_count;
static struct acpi_info info;

static bool read_memory(void *ctx, uint64_t phys, void *out, size_t bytes)
{
    (void)ctx;
    if (phys >= limit || bytes > limit - phys)
        return false;
    memcpy(out, memory + phys, bytes);
    return true;
}

static const struct acpi_reader reader = {read_memory, NULL};

static void put(uint64_t at, uint64_t value, uint32_t bytes)
{
    memcpy(memory + at, &value, bytes);
}

static void fix_sum(uint64_t at, uint32_t bytes, uint32_t sum_at)
{
    memory[at + sum_at] = 0;
    memory[at + sum_at] = (uint8_t)(0 - sum(memory + at, bytes));
}

/* A table with `body` behind its header; returns its address. */
static uint64_t table(const char *signature, const void *body, uint32_t bytes)
{
    uint64_t at = next_at;
    memcpy(memory + at, signature, 4);
    put(at + 4, HEADER_BYTES + bytes, 4);
    memory[at + 8] = 5;
    memcpy(memory + at + 10, "MILRAC", 6);
    if (bytes != 0)
        memcpy(memory + at + HEADER_BYTES, body, bytes);
    fix_sum(at, HEADER_BYTES + bytes, 9);
    next_at = RT_ALIGN_UP(at + HEADER_BYTES + bytes + 1, UINT64_C(16));
    return at;
}

static uint64_t listed(const char *signature, const void *body, uint32_t bytes)
{
    uint64_t at = table(signature, body, bytes);
    roots[root_count++] = (uint32_t)at;
    return at;
}

static void rsdp_at(uint64_t at, uint8_t revision, uint64_t xsdt, uint32_t rsdt)
{
    memcpy(memory + at, "RSD PTR ", 8);
    memory[at + 15] = revision;
    put(at + 16, rsdt, 4);
    put(at + 20, RSDP_V2_BYTES, 4);
    put(at + 24, xsdt, 8);
    memory[at + 32] = 0;
    fix_sum(at, RSDP_V1_BYTES, 8);
    fix_sum(at, RSDP_V2_BYTES, 32);
}

static uint64_t make_xsdt(void)
{
    uint64_t wide[64];
    for (uint32_t i = 0; i < root_count; i++)
        wide[i] = roots[i];
    return table("XSDT", wide, root_count * 8);
}

/* Root table over what was listed, then a parse. */
static enum rt_status parse(void)
{
    rsdp_at(RSDP_AT, 2, make_xsdt(), 0);
    return acpi_parse(&reader, RSDP_AT, &info);
}

static int setup(void **state)
{
    (void)state;
    memory = calloc(1, MEMORY_BYTES);
    limit = MEMORY_BYTES;
    next_at = TABLES_AT;
    root_count = 0;
    return memory == NULL;
}

static int teardown(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

void rt_assert_failed(const char *file, int line, const char *expr, uint64_t left,
                      uint64_t right)
{
    mock_assert(0, expr, file, line);
    __builtin_unreachable();
}

#endif

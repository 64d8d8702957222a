/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes acpi_parse(). First byte even: the rest is memory as it is (RSDP at its start). Odd:
 * the rest is a row of { kind, u16 length, body }, which are built into tables with right
 * checksums under a right root, because chance seldom gets a checksum right.
 */
#include <stdlib.h>
#include <string.h>

#include <rt/assert.h>

#include "../../rt/bus/acpi.c"

enum { BASE = 0x1000, MEMORY_BYTES = 0x20000, TABLES_MAX = 24, ROOT_AT = 0x100 };

static uint8_t memory[MEMORY_BYTES];
static size_t memory_bytes;

static const uint32_t kinds[] = {
    SIG('A', 'P', 'I', 'C'), SIG('M', 'C', 'F', 'G'), SIG('F', 'A', 'C', 'P'),
    SIG('H', 'P', 'E', 'T'), SIG('S', 'P', 'C', 'R'), SIG('D', 'M', 'A', 'R'),
    SIG('S', 'R', 'A', 'T'), SIG('S', 'S', 'D', 'T'), SIG('D', 'S', 'D', 'T'),
    SIG('I', 'V', 'R', 'S'),
};

static bool read_memory(void *ctx, uint64_t phys, void *out, size_t bytes)
{
    if (phys < BASE || phys - BASE >= memory_bytes || bytes > memory_bytes - (phys - BASE))
        return false;
    memcpy(out, memory + (phys - BASE), bytes);
    return true;
}

static void put(size_t at, uint64_t value, size_t bytes)
{
    memcpy(memory + at, &value, bytes);
}

static void fix_sum(size_t at, size_t bytes, size_t sum_at)
{
    memory[at + sum_at] = 0;
    memory[at + sum_at] = (uint8_t)(0 - sum(memory + at, bytes));
}

static size_t put_table(size_t at, uint32_t signature, const uint8_t *body, size_t bytes)
{
    memset(memory + at, 0, HEADER_BYTES);
    put(at, signature, 4);
    put(at + 4, HEADER_BYTES + bytes, 4);
    memory[at + 8] = 4;
    if (bytes != 0)
        memcpy(memory + at + HEADER_BYTES, body, bytes);
    if (signature == SIG('F', 'A', 'C', 'P') && bytes >= 8)
        put(at + 40, BASE + ROOT_AT + 0x400, 4); /* where a DSDT listed first lies */
    fix_sum(at, HEADER_BYTES + bytes, 9);
    return at + HEADER_BYTES + bytes;
}

static void build(const uint8_t *data, size_t size)
{
    uint64_t entries[TABLES_MAX];
    size_t count = 0, at = ROOT_AT + 0x400;
    while (size >= 3 && count < TABLES_MAX) {
        uint32_t kind = kinds[data[0] % RT_ARRAY_SIZE(kinds)];
        size_t bytes = (size_t)le16(data + 1) % (size - 2);
        if (HEADER_BYTES + bytes > MEMORY_BYTES - at)
            break;
        entries[count++] = BASE + at;
        at = put_table(at, kind, data + 3, bytes);
        data += 3 + bytes;
        size -= 3 + bytes;
    }
    memory_bytes = at;
    put_table(ROOT_AT, SIG('X', 'S', 'D', 'T'), (const uint8_t *)entries, count * 8);
    memset(memory, 0, ROOT_AT);
    memcpy(memory, "RSD PTR ", 8);
    memory[15] = 2;
    put(20, RSDP_V2_BYTES, 4);
    put(24, BASE + ROOT_AT, 8);
    fix_sum(0, RSDP_V1_BYTES, 8);
    fix_sum(0, RSDP_V2_BYTES, 32);
}

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct acpi_info info;
    const struct acpi_reader reader = {read_memory, NULL};
    if (size == 0)
        return 0;
    if ((data[0] & 1) != 0) {
        build(data + 1, size - 1);
    } else {
        memory_bytes = RT_MIN(size - 1, sizeof(memory));
        memcpy(memory, data + 1, memory_bytes);
    }
    enum rt_status st = acpi_parse(&reader, BASE, &info);
    check((st == RT_OK) == info.valid);
    check(info.core_count <= ACPI_CORES_MAX && info.ioapic_count <= ACPI_IOAPICS_MAX);
    check(info.override_count <= ACPI_OVERRIDES_MAX && info.ecam_count <= ACPI_ECAMS_MAX);
    check(info.node_count <= info.core_count);
    check(info.iommu_count <= ACPI_IOMMUS_MAX);
    for (uint32_t i = 0; i < info.iommu_count; i++)
        check(info.iommu[i].base != 0 && info.iommu[i].base % 4096 == 0);
    check(info.fadt.s5_type_a <= 7 && info.fadt.s5_type_b <= 7);
    for (uint32_t i = 0; i < info.ecam_count; i++)
        check(info.ecam[i].start_bus <= info.ecam[i].end_bus);
    return 0;
}

void rt_assert_failed(const char *file, int line, const char *expr, uint64_t left,
                      uint64_t right)
{
    abort();
}

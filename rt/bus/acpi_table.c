/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a table: nothing outside of it, and nothing that does not add up. */
#include <rt/assert.h>

#include "acpi_table.h"

static const uint32_t table_bytes_max = UINT32_C(16) << 20;

bool acpi_fetch(const struct acpi_reader *reader, uint64_t phys, void *out, size_t bytes)
{
    if (phys == 0 || bytes > UINT64_MAX - phys)
        return false;
    return reader->read(reader->ctx, phys, out, bytes);
}

bool acpi_take(const struct table *t, uint32_t offset, void *out, uint32_t bytes)
{
    RT_ASSERT_LE(t->bytes, table_bytes_max); /* acpi_table_open() refuses others */
    if (offset > t->bytes || bytes > t->bytes - offset)
        return false;
    return acpi_fetch(t->reader, t->phys + offset, out, bytes);
}

uint8_t acpi_take8(const struct table *t, uint32_t offset)
{
    uint8_t v = 0;

    return acpi_take(t, offset, &v, 1) ? v : 0;
}

uint16_t acpi_take16(const struct table *t, uint32_t offset)
{
    uint8_t v[2];

    return acpi_take(t, offset, v, 2) ? le16(v) : 0;
}

uint32_t acpi_take32(const struct table *t, uint32_t offset)
{
    uint8_t v[4];

    return acpi_take(t, offset, v, 4) ? le32(v) : 0;
}

uint64_t acpi_take64(const struct table *t, uint32_t offset)
{
    uint8_t v[8];

    return acpi_take(t, offset, v, 8) ? le64(v) : 0;
}

/* 5.2.3.2; a structure that is cut off counts as absent. */
struct acpi_gas acpi_take_gas(const struct table *t, uint32_t offset)
{
    uint8_t v[12];

    if (!acpi_take(t, offset, v, sizeof(v)))
        return (struct acpi_gas){0};
    return (struct acpi_gas){.space = v[0],
                             .width_bits = v[1],
                             .offset_bits = v[2],
                             .access = v[3],
                             .address = le64(v + 4)};
}

bool acpi_table_open(const struct acpi_reader *reader, uint64_t phys, struct table *t)
{
    uint8_t header[HEADER_BYTES];

    if (!acpi_fetch(reader, phys, header, sizeof(header)))
        return false;
    *t = (struct table){.reader = reader,
                        .phys = phys,
                        .signature = le32(header),
                        .bytes = le32(header + 4),
                        .revision = header[8]};
    return t->bytes >= HEADER_BYTES && t->bytes <= table_bytes_max &&
           t->bytes <= UINT64_MAX - phys;
}

bool acpi_table_checksum(const struct table *t)
{
    uint8_t chunk[CHUNK_BYTES];
    uint8_t total = 0;

    RT_ASSERT_LE((uint32_t)HEADER_BYTES, t->bytes);
    for (uint32_t at = 0; at < t->bytes; at += CHUNK_BYTES) {
        uint32_t n = RT_MIN(t->bytes - at, (uint32_t)CHUNK_BYTES);

        if (!acpi_take(t, at, chunk, n))
            return false;
        total = (uint8_t)(total + sum(chunk, n));
    }
    return total == 0;
}

bool acpi_subtable_next(const struct table *t, uint32_t *offset,
                          uint8_t out[ENTRY_BYTES_MAX])
{
    uint8_t head[2];
    uint32_t left;

    if (!acpi_take(t, *offset, head, 2))
        return false;
    left = t->bytes - *offset;
    if (head[1] < 2 || head[1] > left)
        return false;
    __builtin_memset(out, 0, ENTRY_BYTES_MAX);
    if (!acpi_take(t, *offset, out, RT_MIN((uint32_t)head[1], (uint32_t)ENTRY_BYTES_MAX)))
        return false;
    *offset += head[1];
    RT_ASSERT_LE(*offset, t->bytes);
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the ACPI parser: reading one table through the caller's reader, and what is made of
 * each kind. A parser adds to struct acpi_info what is right and leaves out the rest; it is
 * only given tables whose checksum is right.
 */
#ifndef ACPI_TABLE_H
#define ACPI_TABLE_H

#include <rt/acpi.h>

#define SIG(a, b, c, d)                                                                        \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

enum {
    HEADER_BYTES = 36,    /* 5.2.6 */
    CHUNK_BYTES = 512,    /* read at once */
    SUBTABLES_MAX = 8192,
    ENTRY_BYTES_MAX = 32, /* of a subtable; what is behind is not looked at */
};

struct table {
    const struct acpi_reader *reader;
    uint64_t phys;
    uint32_t signature;
    uint32_t bytes;
    uint8_t revision;
};

static inline uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32(const uint8_t *p)
{
    return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static inline uint64_t le64(const uint8_t *p)
{
    return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static inline uint8_t sum(const uint8_t *p, size_t bytes)
{
    uint8_t total = 0;

    for (size_t i = 0; i < bytes; i++)
        total = (uint8_t)(total + p[i]);
    return total;
}

/* ---- acpi_table.c ---- */

/* Memory anywhere; false when the reader refuses. */
bool acpi_fetch(const struct acpi_reader *reader, uint64_t phys, void *out, size_t bytes);
/* Reads the header only; the caller decides whether the table is worth a checksum. */
bool acpi_table_open(const struct acpi_reader *reader, uint64_t phys, struct table *t);
bool acpi_table_checksum(const struct table *t);
/* Part of a table; false when it is not wholly inside. */
bool acpi_take(const struct table *t, uint32_t offset, void *out, uint32_t bytes);
/* Fields; 0 when they are not wholly inside. */
uint8_t acpi_take8(const struct table *t, uint32_t offset);
uint16_t acpi_take16(const struct table *t, uint32_t offset);
uint32_t acpi_take32(const struct table *t, uint32_t offset);
uint64_t acpi_take64(const struct table *t, uint32_t offset);
struct acpi_gas acpi_take_gas(const struct table *t, uint32_t offset);
/* Walks type/length subtables (MADT, SRAT). `out` gets the first bytes, zero filled; false at
 * the end, or where a length is wrong. */
bool acpi_subtable_next(const struct table *t, uint32_t *offset, uint8_t out[ENTRY_BYTES_MAX]);

/* ---- one function a kind of table ---- */

typedef void acpi_parse_fn(struct acpi_info *info, const struct table *t);
/* acpi_cores.c */
acpi_parse_fn acpi_parse_madt, acpi_parse_srat;
/* acpi_power.c */
acpi_parse_fn acpi_parse_fadt, acpi_parse_ssdt;
/* acpi_devices.c */
acpi_parse_fn acpi_parse_mcfg, acpi_parse_hpet, acpi_parse_spcr, acpi_parse_dmar, acpi_parse_ivrs;

#endif

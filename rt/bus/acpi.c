/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Static ACPI tables to struct acpi_info. Pure: memory comes from the caller's reader.
 * Section numbers are of ACPI 6.5 unless another document is named.
 *
 * Two passes over the root table: everything, then SRAT (which needs MADT's cores) and SSDTs
 * (whose \_S5 only counts when the DSDT, which the FADT names, has none).
 */
#include "acpi_table.h"

enum {
    RSDP_V1_BYTES = 20, /* what the first checksum covers */
    RSDP_V2_BYTES = 36,
    RSDP_BYTES_MAX = 256,
    ROOT_ENTRIES_MAX = 256,
};

static const struct {
    uint32_t signature;
    acpi_parse_fn *parse;
    uint32_t pass;
} parsers[] = {
    {SIG('A', 'P', 'I', 'C'), acpi_parse_madt, 0},
    {SIG('M', 'C', 'F', 'G'), acpi_parse_mcfg, 0},
    {SIG('F', 'A', 'C', 'P'), acpi_parse_fadt, 0},
    {SIG('H', 'P', 'E', 'T'), acpi_parse_hpet, 0},
    {SIG('S', 'P', 'C', 'R'), acpi_parse_spcr, 0},
    {SIG('D', 'M', 'A', 'R'), acpi_parse_dmar, 0},
    {SIG('I', 'V', 'R', 'S'), acpi_parse_ivrs, 0},
    {SIG('S', 'R', 'A', 'T'), acpi_parse_srat, 1},
    {SIG('S', 'S', 'D', 'T'), acpi_parse_ssdt, 1},
};

static void parse_table(struct acpi_info *info, const struct acpi_reader *reader,
                        uint64_t phys, uint32_t pass)
{
    struct table t;
    bool ok = acpi_table_open(reader, phys, &t);

    for (uint32_t i = 0; ok && i < RT_ARRAY_SIZE(parsers); i++) {
        if (parsers[i].signature != t.signature || parsers[i].pass != pass)
            continue;
        ok = acpi_table_checksum(&t);
        if (ok)
            parsers[i].parse(info, &t);
    }
    info->table_count += ok && pass == 0;
    info->table_bad += !ok && pass == 0;
}

static void copy_oem(struct acpi_info *info, const struct table *root)
{
    __builtin_memset(info->oem, 0, sizeof(info->oem));
    for (uint32_t i = 0; i < 6; i++) {
        uint8_t c = acpi_take8(root, 10 + i);

        info->oem[i] = c > ' ' && c <= '~' ? (char)c : '\0';
        if (info->oem[i] == '\0')
            return;
    }
}

static bool parse_root(struct acpi_info *info, const struct acpi_reader *reader,
                       uint64_t phys, uint32_t entry_bytes)
{
    uint32_t want = entry_bytes == 8 ? SIG('X', 'S', 'D', 'T') : SIG('R', 'S', 'D', 'T');
    struct table root;
    uint32_t count;

    if (!acpi_table_open(reader, phys, &root) || root.signature != want ||
        !acpi_table_checksum(&root))
        return false;
    info->valid = true;
    copy_oem(info, &root);
    count = RT_MIN((root.bytes - HEADER_BYTES) / entry_bytes, (uint32_t)ROOT_ENTRIES_MAX);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t offset = HEADER_BYTES + i * entry_bytes;
            uint64_t table = entry_bytes == 8 ? acpi_take64(&root, offset)
                                              : acpi_take32(&root, offset);

            if (table != 0)
                parse_table(info, reader, table, pass);
        }
    }
    return true;
}

/* 5.2.5.3. Fills in both root addresses; false when this is no RSDP. */
static bool read_rsdp(const struct acpi_reader *reader, uint64_t phys, uint8_t *revision,
                      uint64_t roots[2])
{
    uint8_t p[RSDP_BYTES_MAX];
    uint32_t bytes;

    if (!acpi_fetch(reader, phys, p, RSDP_V1_BYTES) || le32(p) != SIG('R', 'S', 'D', ' ') ||
        le32(p + 4) != SIG('P', 'T', 'R', ' ') || sum(p, RSDP_V1_BYTES) != 0)
        return false;
    *revision = p[15];
    roots[0] = 0;
    roots[1] = le32(p + 16);
    if (p[15] < 2 || !acpi_fetch(reader, phys, p, RSDP_V2_BYTES))
        return true;
    bytes = le32(p + 20);
    if (bytes < RSDP_V2_BYTES || bytes > RSDP_BYTES_MAX || !acpi_fetch(reader, phys, p, bytes))
        return true; /* the first 20 bytes were good: the RSDT still counts */
    if (sum(p, bytes) == 0)
        roots[0] = le64(p + 24);
    return true;
}

enum rt_status acpi_parse(const struct acpi_reader *reader, uint64_t rsdp,
                          struct acpi_info *info)
{
    uint64_t roots[2];

    __builtin_memset(info, 0, sizeof(*info));
    if (!read_rsdp(reader, rsdp, &info->revision, roots))
        return RT_NOT_FOUND;
    if (parse_root(info, reader, roots[0], 8) || parse_root(info, reader, roots[1], 4))
        return RT_OK;
    return RT_NOT_FOUND;
}

static uint64_t scan_rsdp(const struct acpi_reader *reader, uint64_t from, uint64_t bytes)
{
    uint8_t revision;
    uint64_t roots[2];

    for (uint64_t at = 0; at < bytes; at += 16) {
        if (read_rsdp(reader, from + at, &revision, roots))
            return from + at;
    }
    return 0;
}

/* 5.2.5.1 */
uint64_t acpi_find_rsdp(const struct acpi_reader *reader)
{
    uint8_t segment[2];
    uint64_t found = 0;

    if (acpi_fetch(reader, 0x40e, segment, 2)) {
        uint64_t ebda = (uint64_t)le16(segment) << 4;

        if (ebda >= 0x80000 && ebda < 0xa0000)
            found = scan_rsdp(reader, ebda, 1024);
    }
    return found != 0 ? found : scan_rsdp(reader, 0xe0000, 0x20000);
}

uint32_t acpi_isa_gsi(const struct acpi_info *info, uint8_t source, bool *active_low,
                      bool *level)
{
    for (uint32_t i = 0; i < info->override_count; i++) {
        const struct acpi_override *o = &info->override[i];

        if (o->source != source)
            continue;
        *active_low = o->active_low;
        *level = o->level;
        return o->gsi;
    }
    *active_low = false;
    *level = false;
    return source;
}

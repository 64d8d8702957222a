/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Static ACPI tables to struct acpi_info. Pure: memory comes from the caller's reader.
 * Section numbers are of ACPI 6.5 unless another document is named.
 *
 * Two passes over the root table: everything, then SRAT (which needs MADT's cores) and SSDTs
 * (whose \_S5 only counts when the DSDT, which the FADT names, has none).
 */
#include <rt/acpi.h>

#define SIG(a, b, c, d)                                                                        \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

enum {
    HEADER_BYTES = 36, /* 5.2.6 */
    RSDP_V1_BYTES = 20,
    RSDP_V2_BYTES = 36,
    RSDP_BYTES_MAX = 256,
    ROOT_ENTRIES_MAX = 256,
    SUBTABLES_MAX = 8192,
    MCFG_ENTRIES_MAX = 1024,
    CHUNK_BYTES = 512,
    ENTRY_BYTES_MAX = 32, /* of a subtable; what is behind is not looked at */
    S5_BYTES_MAX = 20,    /* name, package and two integers */
};
static const uint32_t table_bytes_max = UINT32_C(16) << 20;

struct table {
    const struct acpi_reader *reader;
    uint64_t phys;
    uint32_t signature;
    uint32_t bytes;
    uint8_t revision;
};

static uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
    return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static void zero(void *p, size_t bytes)
{
    uint8_t *to = p;
    for (size_t i = 0; i < bytes; i++)
        to[i] = 0;
}

static bool fetch(const struct acpi_reader *reader, uint64_t phys, void *out, size_t bytes)
{
    if (phys == 0 || bytes > UINT64_MAX - phys)
        return false;
    return reader->read(reader->ctx, phys, out, bytes);
}

/* Part of a table; false when it is not wholly inside. */
static bool take(const struct table *t, uint32_t offset, void *out, uint32_t bytes)
{
    if (offset > t->bytes || bytes > t->bytes - offset)
        return false;
    return fetch(t->reader, t->phys + offset, out, bytes);
}

static uint8_t take8(const struct table *t, uint32_t offset)
{
    uint8_t v = 0;
    return take(t, offset, &v, 1) ? v : 0;
}

static uint16_t take16(const struct table *t, uint32_t offset)
{
    uint8_t v[2];
    return take(t, offset, v, 2) ? le16(v) : 0;
}

static uint32_t take32(const struct table *t, uint32_t offset)
{
    uint8_t v[4];
    return take(t, offset, v, 4) ? le32(v) : 0;
}

static uint64_t take64(const struct table *t, uint32_t offset)
{
    uint8_t v[8];
    return take(t, offset, v, 8) ? le64(v) : 0;
}

/* 5.2.3.2; a structure that is cut off counts as absent. */
static struct acpi_gas take_gas(const struct table *t, uint32_t offset)
{
    uint8_t v[12];
    if (!take(t, offset, v, sizeof(v)))
        return (struct acpi_gas){0};
    return (struct acpi_gas){.space = v[0],
                             .width_bits = v[1],
                             .offset_bits = v[2],
                             .access = v[3],
                             .address = le64(v + 4)};
}

static uint8_t sum(const uint8_t *p, size_t bytes)
{
    uint8_t total = 0;
    for (size_t i = 0; i < bytes; i++)
        total = (uint8_t)(total + p[i]);
    return total;
}

/* Reads the header only; the caller decides whether the table is worth a checksum. */
static bool table_open(const struct acpi_reader *reader, uint64_t phys, struct table *t)
{
    uint8_t header[HEADER_BYTES];
    if (!fetch(reader, phys, header, sizeof(header)))
        return false;
    *t = (struct table){.reader = reader,
                        .phys = phys,
                        .signature = le32(header),
                        .bytes = le32(header + 4),
                        .revision = header[8]};
    return t->bytes >= HEADER_BYTES && t->bytes <= table_bytes_max &&
           t->bytes <= UINT64_MAX - phys;
}

static bool table_checksum(const struct table *t)
{
    uint8_t chunk[CHUNK_BYTES];
    uint8_t total = 0;
    for (uint32_t at = 0; at < t->bytes; at += CHUNK_BYTES) {
        uint32_t n = RT_MIN(t->bytes - at, (uint32_t)CHUNK_BYTES);
        if (!take(t, at, chunk, n))
            return false;
        total = (uint8_t)(total + sum(chunk, n));
    }
    return total == 0;
}

/* Walks type/length subtables (MADT, SRAT). `out` gets the first bytes, zero filled. */
static bool subtable_next(const struct table *t, uint32_t *offset,
                          uint8_t out[ENTRY_BYTES_MAX])
{
    uint8_t head[2];
    if (!take(t, *offset, head, 2))
        return false;
    uint32_t left = t->bytes - *offset;
    if (head[1] < 2 || head[1] > left)
        return false;
    zero(out, ENTRY_BYTES_MAX);
    if (!take(t, *offset, out, RT_MIN((uint32_t)head[1], (uint32_t)ENTRY_BYTES_MAX)))
        return false;
    *offset += head[1];
    return true;
}

/* ---- MADT, 5.2.12 ---- */

static void madt_core(struct acpi_info *info, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
    if ((flags & 1) == 0) { /* 5.2.12.2: not enabled, perhaps a hot-plug place */
        info->cores_disabled++;
        return;
    }
    for (uint32_t i = 0; i < info->core_count; i++)
        if (info->core[i].apic_id == apic_id)
            return; /* listed as local APIC and as local x2APIC */
    if (info->core_count == ACPI_CORES_MAX) {
        info->cores_dropped++;
        return;
    }
    info->core[info->core_count++] =
        (struct acpi_core){.apic_id = apic_id, .acpi_uid = uid, .node = ACPI_NODE_NONE};
}

static void madt_ioapic(struct acpi_info *info, const uint8_t *e)
{
    if (info->ioapic_count == ACPI_IOAPICS_MAX)
        return;
    info->ioapic[info->ioapic_count++] =
        (struct acpi_ioapic){.id = e[2], .address = le32(e + 4), .gsi_base = le32(e + 8)};
}

static void madt_override(struct acpi_info *info, const uint8_t *e)
{
    if (e[2] != 0 || info->override_count == ACPI_OVERRIDES_MAX)
        return; /* bus 0 is ISA; there is no other */
    uint16_t flags = le16(e + 8);
    info->override[info->override_count++] = (struct acpi_override){
        .source = e[3],
        .gsi = le32(e + 4),
        .active_low = (flags & 3) == 3,     /* 0 conforms to ISA: active high */
        .level = (flags >> 2 & 3) == 3, /* 0 conforms to ISA: edge */
    };
}

static void madt_entry(struct acpi_info *info, const uint8_t *e)
{
    uint8_t type = e[0];
    uint8_t bytes = e[1];
    if (type == 0 && bytes >= 8 && e[3] != 0xff)
        madt_core(info, e[3], e[2], le32(e + 4));
    else if (type == 1 && bytes >= 12)
        madt_ioapic(info, e);
    else if (type == 2 && bytes >= 10)
        madt_override(info, e);
    else if (type == 5 && bytes >= 12)
        info->lapic_base = le64(e + 4);
    else if (type == 9 && bytes >= 16 && le32(e + 4) != UINT32_MAX)
        madt_core(info, le32(e + 4), le32(e + 12), le32(e + 8));
}

static void parse_madt(struct acpi_info *info, const struct table *t)
{
    uint8_t entry[ENTRY_BYTES_MAX];
    uint32_t offset = 44;
    info->lapic_base = take32(t, 36);
    info->has_8259 = (take32(t, 40) & 1) != 0;
    for (uint32_t i = 0; i < SUBTABLES_MAX && subtable_next(t, &offset, entry); i++)
        madt_entry(info, entry);
}

/* ---- SRAT, 5.2.16 ---- */

static void srat_core(struct acpi_info *info, uint32_t apic_id, uint32_t node)
{
    for (uint32_t i = 0; i < info->core_count; i++)
        if (info->core[i].apic_id == apic_id)
            info->core[i].node = node;
}

static void srat_entry(struct acpi_info *info, const uint8_t *e)
{
    if (e[0] == 0 && e[1] >= 16 && (le32(e + 4) & 1) != 0) /* 5.2.16.1 */
        srat_core(info, e[3],
                  (uint32_t)e[2] | (uint32_t)e[9] << 8 | (uint32_t)le16(e + 10) << 16);
    else if (e[0] == 2 && e[1] >= 24 && (le32(e + 12) & 1) != 0) /* 5.2.16.3 */
        srat_core(info, le32(e + 8), le32(e + 4));
}

static uint32_t count_nodes(const struct acpi_info *info)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->core_count; i++) {
        uint32_t first = 0;
        while (first < i && info->core[first].node != info->core[i].node)
            first++;
        count += first == i && info->core[i].node != ACPI_NODE_NONE;
    }
    return count;
}

static void parse_srat(struct acpi_info *info, const struct table *t)
{
    uint8_t entry[ENTRY_BYTES_MAX];
    uint32_t offset = 48;
    for (uint32_t i = 0; i < SUBTABLES_MAX && subtable_next(t, &offset, entry); i++)
        srat_entry(info, entry);
    info->node_count = count_nodes(info);
}

/* ---- MCFG, PCI Firmware 3.3 4.1.2 ---- */

static void parse_mcfg(struct acpi_info *info, const struct table *t)
{
    uint8_t e[16];
    for (uint32_t i = 0; i < MCFG_ENTRIES_MAX && take(t, 44 + i * 16, e, sizeof(e)); i++) {
        struct acpi_ecam ecam = {.base = le64(e),
                                 .segment = le16(e + 8),
                                 .start_bus = e[10],
                                 .end_bus = e[11]};
        bool usable = ecam.base != 0 && (ecam.base & 0xfffff) == 0 &&
                      ecam.start_bus <= ecam.end_bus &&
                      ecam.base <= UINT64_MAX - (UINT64_C(256) << 20);
        if (!usable)
            continue;
        if (info->ecam_count < ACPI_ECAMS_MAX)
            info->ecam[info->ecam_count++] = ecam;
        else
            info->ecam_dropped++;
    }
}

/* ---- \_S5 in AML, 7.4.2.6 and 20.2 ---- */

/* One integer of a package: returns bytes used, 0 when it is not a small constant. */
static uint32_t aml_integer(const uint8_t *p, uint32_t left, uint8_t *value)
{
    static const uint8_t extra_bytes[] = {[0x0a] = 1, [0x0b] = 2, [0x0c] = 4};
    if (left == 0)
        return 0;
    if (p[0] <= 1) { /* ZeroOp, OneOp */
        *value = p[0];
        return 1;
    }
    uint32_t extra = p[0] < sizeof(extra_bytes) ? extra_bytes[p[0]] : 0;
    if (extra == 0 || extra >= left || p[1] > 7) /* SLP_TYP is three bits, 4.8.3.2.1 */
        return 0;
    for (uint32_t i = 1; i < extra; i++)
        if (p[1 + i] != 0)
            return 0;
    *value = p[1];
    return 1 + extra;
}

/* `p` starts at "_S5_": NameString, PackageOp, PkgLength, NumElements, elements. */
static bool aml_s5_package(const uint8_t *p, uint32_t left, uint8_t *type_a, uint8_t *type_b)
{
    if (left < 7 || p[4] != 0x12)
        return false;
    uint32_t at = 6 + (uint32_t)(p[5] >> 6); /* lead byte says how many more */
    if (at >= left)
        return false;
    uint32_t elements = p[at++];
    if (elements == 0)
        return false;
    uint32_t used = aml_integer(p + at, left - at, type_a);
    if (used == 0)
        return false;
    at += used;
    *type_b = *type_a; /* some tables give one only, and mean both */
    return elements == 1 || aml_integer(p + at, left - at, type_b) != 0;
}

static bool aml_s5_at(const struct table *t, uint32_t offset, uint8_t *type_a,
                      uint8_t *type_b)
{
    uint8_t p[S5_BYTES_MAX];
    uint32_t left = RT_MIN(t->bytes - offset, (uint32_t)S5_BYTES_MAX);
    /* Defined by NameOp, perhaps with the root prefix; else it is only a mention. */
    uint8_t before = take8(t, offset - 1);
    if (before != 0x08 && !(before == '\\' && take8(t, offset - 2) == 0x08))
        return false;
    return take(t, offset, p, left) && aml_s5_package(p, left, type_a, type_b);
}

/* What the AML of all tables adds up to. */
struct aml_found {
    bool s5;
    uint8_t s5_type_a, s5_type_b;
    uint32_t pcie_roots; /* mentions of EISA id PNP0A08 */
    uint32_t pci_roots;  /* of PNP0A03, which PCI Express roots give as second id */
};

static void aml_look(struct aml_found *found, const struct table *t, uint32_t at,
                     uint32_t name)
{
    if (name == SIG(0x41, 0xd0, 0x0a, 0x08))
        found->pcie_roots++;
    else if (name == SIG(0x41, 0xd0, 0x0a, 0x03))
        found->pci_roots++;
    else if (name == SIG('_', 'S', '5', '_') && !found->s5)
        found->s5 = aml_s5_at(t, at, &found->s5_type_a, &found->s5_type_b);
}

static void aml_scan(struct acpi_info *info, const struct table *t)
{
    uint8_t chunk[CHUNK_BYTES];
    struct aml_found found = {.s5 = info->fadt.s5_found};
    /* Chunks overlap by three bytes, so that no four-byte name is cut or seen twice. */
    for (uint32_t at = HEADER_BYTES; at < t->bytes; at += CHUNK_BYTES - 3) {
        uint32_t n = RT_MIN(t->bytes - at, (uint32_t)CHUNK_BYTES);
        if (n < 4 || !take(t, at, chunk, n))
            break;
        for (uint32_t i = 0; i <= n - 4; i++)
            if (chunk[i] == '_' || chunk[i] == 0x41) /* nearly no byte is worth a look */
                aml_look(&found, t, at + i, le32(chunk + i));
    }
    info->host_bridges += RT_MAX(found.pcie_roots, found.pci_roots);
    if (!found.s5 || info->fadt.s5_found)
        return;
    info->fadt.s5_found = true;
    info->fadt.s5_type_a = found.s5_type_a;
    info->fadt.s5_type_b = found.s5_type_b;
}

/* ---- FADT, 5.2.9 ---- */

/* The 64-bit block when there is one, else the 32-bit port. */
static struct acpi_gas fadt_block(const struct table *t, uint32_t offset, uint32_t x_offset,
                                  uint8_t width_bits)
{
    struct acpi_gas gas = take_gas(t, x_offset);
    if (gas.address != 0)
        return gas;
    return (struct acpi_gas){.space = ACPI_SPACE_IO,
                             .width_bits = width_bits,
                             .address = take32(t, offset)};
}

static bool open_dsdt(const struct acpi_info *info, const struct acpi_reader *reader,
                      uint64_t phys, struct table *t)
{
    return info->fadt.present && table_open(reader, phys, t) &&
           t->signature == SIG('D', 'S', 'D', 'T') && table_checksum(t);
}

static void parse_fadt(struct acpi_info *info, const struct table *t)
{
    struct acpi_fadt *fadt = &info->fadt;
    struct table dsdt;
    fadt->present = true;
    fadt->revision = t->revision;
    fadt->sci_irq = take16(t, 46);
    fadt->smi_command = take32(t, 48);
    fadt->acpi_enable = take8(t, 52);
    fadt->flags = take32(t, 112);
    fadt->boot_arch = take16(t, 109);
    fadt->pm1a_control = fadt_block(t, 64, 172, 16);
    fadt->pm1b_control = fadt_block(t, 68, 184, 16);
    fadt->pm_timer = fadt_block(t, 76, 208, 32);
    fadt->pm_timer_32bit = (fadt->flags & RT_BIT(8)) != 0;
    fadt->reset = take_gas(t, 116);
    fadt->reset_value = take8(t, 128);
    fadt->reset_supported = (fadt->flags & RT_BIT(10)) != 0 && fadt->reset.address != 0;
    fadt->hardware_reduced = (fadt->flags & RT_BIT(20)) != 0;
    fadt->sleep_control = take_gas(t, 244);
    fadt->dsdt = take64(t, 140);
    if (open_dsdt(info, t->reader, fadt->dsdt, &dsdt)) {
        aml_scan(info, &dsdt);
        return;
    }
    fadt->dsdt = take32(t, 40);
    if (open_dsdt(info, t->reader, fadt->dsdt, &dsdt))
        aml_scan(info, &dsdt);
}

/* ---- HPET (IA-PC HPET 1.0a 3.2.4), SPCR ---- */

static void parse_hpet(struct acpi_info *info, const struct table *t)
{
    struct acpi_gas gas = take_gas(t, 40);
    if (gas.space != ACPI_SPACE_MEMORY || gas.address == 0 || info->hpet.present)
        return;
    info->hpet = (struct acpi_hpet){.present = true,
                                    .base = gas.address,
                                    .block_id = take32(t, 36),
                                    .min_tick = take16(t, 53)};
}

static void parse_spcr(struct acpi_info *info, const struct table *t)
{
    static const uint32_t baud_of_code[] = {[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};
    struct acpi_gas gas = take_gas(t, 40);
    uint8_t code = take8(t, 58);
    if (gas.address == 0) /* redirection is switched off */
        return;
    info->spcr = (struct acpi_spcr){.present = true,
                                    .interface_type = take8(t, 36),
                                    .base = gas,
                                    .irq_gsi = take32(t, 54)};
    if (code < RT_ARRAY_SIZE(baud_of_code))
        info->spcr.baud = baud_of_code[code];
    uint32_t precise_baud = take32(t, 80);
    if (t->revision >= 4 && precise_baud != 0)
        info->spcr.baud = precise_baud;
    if (t->revision >= 3)
        info->spcr.clock_hz = take32(t, 76);
}

/* ---- DMAR (VT-d 4.1 8.1, 8.3), IVRS (AMD IOMMU 3.08 5.2) ---- */

enum {
    IOMMU_ENTRIES_AT = 48, /* both tables: entries with their length at offset 2 */
    IOMMU_ENTRY_BYTES_MIN = 4,
    DMAR_DRHD = 0,
    DRHD_BYTES = 16,
    IVHD_10 = 0x10, /* the same unit may be told in all three */
    IVHD_11 = 0x11,
    IVHD_40 = 0x40,
    IVHD_BYTES = 24,
};

static void add_iommu(struct acpi_info *info, struct acpi_iommu unit)
{
    if (unit.base == 0 || unit.base % 4096 != 0)
        return;
    for (uint32_t i = 0; i < info->iommu_count; i++)
        if (info->iommu[i].base == unit.base)
            return;
    if (info->iommu_count == ACPI_IOMMUS_MAX)
        info->iommus_dropped++;
    else
        info->iommu[info->iommu_count++] = unit;
}

/* The bytes of the entry at `at`; 0: there is none, or its length is wrong. */
static uint32_t iommu_entry(const struct table *t, uint32_t at)
{
    uint32_t bytes;
    if (at > t->bytes || t->bytes - at < IOMMU_ENTRY_BYTES_MIN)
        return 0;
    bytes = take16(t, at + 2);
    return bytes < IOMMU_ENTRY_BYTES_MIN || bytes > t->bytes - at ? 0 : bytes;
}

static void parse_dmar(struct acpi_info *info, const struct table *t)
{
    uint32_t bytes;
    info->dmar = true;
    info->dmar_dma_opt_in = (take8(t, 37) & RT_BIT(2)) != 0;
    for (uint32_t at = IOMMU_ENTRIES_AT; (bytes = iommu_entry(t, at)) != 0; at += bytes)
        if (take16(t, at) == DMAR_DRHD && bytes >= DRHD_BYTES)
            add_iommu(info, (struct acpi_iommu){ACPI_IOMMU_VTD, take16(t, at + 6),
                                                take64(t, at + 8)});
}

static void parse_ivrs(struct acpi_info *info, const struct table *t)
{
    uint32_t bytes;
    for (uint32_t at = IOMMU_ENTRIES_AT; (bytes = iommu_entry(t, at)) != 0; at += bytes) {
        uint8_t type = take8(t, at);
        if ((type == IVHD_10 || type == IVHD_11 || type == IVHD_40) && bytes >= IVHD_BYTES)
            add_iommu(info, (struct acpi_iommu){ACPI_IOMMU_AMD, take16(t, at + 16),
                                                take64(t, at + 8)});
    }
}

/* ---- root ---- */

typedef void parse_fn(struct acpi_info *info, const struct table *t);

static void parse_ssdt(struct acpi_info *info, const struct table *t)
{
    if (info->fadt.present)
        aml_scan(info, t);
}

static const struct {
    uint32_t signature;
    parse_fn *parse;
    uint32_t pass;
} parsers[] = {
    {SIG('A', 'P', 'I', 'C'), parse_madt, 0}, {SIG('M', 'C', 'F', 'G'), parse_mcfg, 0},
    {SIG('F', 'A', 'C', 'P'), parse_fadt, 0}, {SIG('H', 'P', 'E', 'T'), parse_hpet, 0},
    {SIG('S', 'P', 'C', 'R'), parse_spcr, 0}, {SIG('D', 'M', 'A', 'R'), parse_dmar, 0},
    {SIG('I', 'V', 'R', 'S'), parse_ivrs, 0},
    {SIG('S', 'R', 'A', 'T'), parse_srat, 1}, {SIG('S', 'S', 'D', 'T'), parse_ssdt, 1},
};

static void parse_table(struct acpi_info *info, const struct acpi_reader *reader,
                        uint64_t phys, uint32_t pass)
{
    struct table t;
    bool ok = table_open(reader, phys, &t);
    for (uint32_t i = 0; ok && i < RT_ARRAY_SIZE(parsers); i++) {
        if (parsers[i].signature != t.signature || parsers[i].pass != pass)
            continue;
        ok = table_checksum(&t);
        if (ok)
            parsers[i].parse(info, &t);
    }
    info->table_count += ok && pass == 0;
    info->table_bad += !ok && pass == 0;
}

static void copy_oem(struct acpi_info *info, const struct table *root)
{
    zero(info->oem, sizeof(info->oem));
    for (uint32_t i = 0; i < 6; i++) {
        uint8_t c = take8(root, 10 + i);
        info->oem[i] = c > ' ' && c <= '~' ? (char)c : '\0';
        if (info->oem[i] == '\0')
            return;
    }
}

static bool parse_root(struct acpi_info *info, const struct acpi_reader *reader,
                       uint64_t phys, uint32_t entry_bytes)
{
    struct table root;
    uint32_t want = entry_bytes == 8 ? SIG('X', 'S', 'D', 'T') : SIG('R', 'S', 'D', 'T');
    if (!table_open(reader, phys, &root) || root.signature != want || !table_checksum(&root))
        return false;
    info->valid = true;
    copy_oem(info, &root);
    uint32_t count = (root.bytes - HEADER_BYTES) / entry_bytes;
    count = RT_MIN(count, (uint32_t)ROOT_ENTRIES_MAX);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t offset = HEADER_BYTES + i * entry_bytes;
            uint64_t table = entry_bytes == 8 ? take64(&root, offset) : take32(&root, offset);
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
    if (!fetch(reader, phys, p, RSDP_V1_BYTES) || le32(p) != SIG('R', 'S', 'D', ' ') ||
        le32(p + 4) != SIG('P', 'T', 'R', ' ') || sum(p, RSDP_V1_BYTES) != 0)
        return false;
    *revision = p[15];
    roots[0] = 0;
    roots[1] = le32(p + 16);
    if (p[15] < 2 || !fetch(reader, phys, p, RSDP_V2_BYTES))
        return true;
    uint32_t bytes = le32(p + 20);
    if (bytes < RSDP_V2_BYTES || bytes > RSDP_BYTES_MAX || !fetch(reader, phys, p, bytes))
        return true; /* the first 20 bytes were good: the RSDT still counts */
    if (sum(p, bytes) == 0)
        roots[0] = le64(p + 24);
    return true;
}

enum rt_status acpi_parse(const struct acpi_reader *reader, uint64_t rsdp,
                          struct acpi_info *info)
{
    uint64_t roots[2];
    zero(info, sizeof(*info));
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
    for (uint64_t at = 0; at < bytes; at += 16)
        if (read_rsdp(reader, from + at, &revision, roots))
            return from + at;
    return 0;
}

/* 5.2.5.1 */
uint64_t acpi_find_rsdp(const struct acpi_reader *reader)
{
    uint8_t segment[2];
    uint64_t found = 0;
    if (fetch(reader, 0x40e, segment, 2)) {
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

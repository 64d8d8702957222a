/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the firmware's ACPI tables say about this machine, in one fixed structure.
 *
 * Only static tables are read (ACPI 6.5 chapter 5.2); there is no AML interpreter. Two things
 * are taken from AML by their byte patterns: the \_S5 package, because power-off needs two
 * numbers of it, and how many PCI host bridges there are, because looking for more is slow.
 *
 * acpi_parse() is pure: it sees memory only through the reader it is given, so that the
 * same code runs on the machine, in unit tests and under a fuzzer. Firmware is not to be
 * trusted: every length is checked, every count is bounded, a table with a wrong checksum
 * is not used, and what does not fit the fixed arrays is counted in `*_dropped`.
 * A missing table leaves its part zero. Runs on core 0, before anything depends on it.
 */
#ifndef RT_ACPI_H
#define RT_ACPI_H

#include <rt/base.h>

#define ACPI_CORES_MAX 256
#define ACPI_IOAPICS_MAX 16
#define ACPI_OVERRIDES_MAX 24
#define ACPI_ECAMS_MAX 48
#define ACPI_IOMMUS_MAX 64
#define ACPI_NODE_NONE UINT32_MAX

/* Reads physical memory. `read` copies `bytes` from `phys` to `out` and returns true, or
 * returns false when any of that range may not be read (outside the map, beyond a limit). */
struct acpi_reader {
    bool (*read)(void *ctx, uint64_t phys, void *out, size_t bytes);
    void *ctx;
};

/* Generic Address Structure, ACPI 6.5 5.2.3.2; address 0 means that it is absent. */
enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1, ACPI_SPACE_PCI_CONFIG = 2 };
struct acpi_gas {
    uint64_t address;
    uint8_t space; /* enum acpi_space, or another that we cannot use */
    uint8_t width_bits;
    uint8_t offset_bits;
    uint8_t access; /* 0 undefined, 1 byte, 2 word, 3 dword, 4 qword */
};

/* One core that firmware says is enabled, in table order (the boot core is among them). */
struct acpi_core {
    uint32_t apic_id; /* 8 bits from a local APIC entry, 32 from a local x2APIC entry */
    uint32_t acpi_uid;
    uint32_t node; /* SRAT proximity domain, ACPI_NODE_NONE when there is no SRAT */
};

struct acpi_ioapic {
    uint32_t id;
    uint32_t address;
    uint32_t gsi_base;
};

/* ISA interrupt `source` arrives at global interrupt `gsi` (MADT type 2). */
struct acpi_override {
    uint8_t source;
    uint32_t gsi;
    bool active_low;
    bool level;
};

struct acpi_ecam {
    uint64_t base; /* of start_bus 0, even when start_bus is not 0 (PCI Firmware 3.3 4.1.2) */
    uint16_t segment;
    uint8_t start_bus, end_bus;
};

/* Serial console that firmware uses (SPCR). */
struct acpi_spcr {
    bool present;
    uint8_t interface_type; /* 0 16550, 1 16450, 0x12 16550 as in the GAS, 3 PL011 (DBG2) */
    struct acpi_gas base;   /* port I/O or memory; register stride = access size */
    uint32_t irq_gsi;
    uint32_t baud;     /* 0: as firmware left it */
    uint32_t clock_hz; /* of the UART; 0: unknown */
};

enum acpi_fadt_arch { /* FADT IAPC_BOOT_ARCH, ACPI 6.5 5.2.9.3 */
    ACPI_ARCH_LEGACY_DEVICES = 1u << 0,
    ACPI_ARCH_8042 = 1u << 1,
    ACPI_ARCH_NO_VGA = 1u << 2,
    ACPI_ARCH_NO_MSI = 1u << 3,
    ACPI_ARCH_NO_ASPM = 1u << 4, /* the OS must not change ASPM */
    ACPI_ARCH_NO_RTC = 1u << 5,
};

struct acpi_fadt {
    bool present;
    uint8_t revision;
    uint32_t flags;     /* FADT Flags word */
    uint16_t boot_arch; /* enum acpi_fadt_arch */
    uint16_t sci_irq;
    uint32_t smi_command; /* port; 0: always in ACPI mode */
    uint8_t acpi_enable;  /* value for smi_command */
    struct acpi_gas pm1a_control, pm1b_control;
    struct acpi_gas pm_timer;
    bool pm_timer_32bit; /* else 24 bits; 3.579545 MHz either way */
    struct acpi_gas reset;
    uint8_t reset_value;
    bool reset_supported;
    bool hardware_reduced; /* no PM1 blocks: sleep_control is used instead */
    struct acpi_gas sleep_control;
    uint64_t dsdt;
    bool s5_found;
    uint8_t s5_type_a, s5_type_b; /* SLP_TYP values of \_S5 */
};

struct acpi_hpet {
    bool present;
    uint64_t base; /* memory mapped, 1 KiB */
    uint32_t block_id;
    uint16_t min_tick;
};

/* A unit that the DMAR (Intel VT-d) or IVRS (AMD) table describes. */
enum acpi_iommu_kind { ACPI_IOMMU_VTD, ACPI_IOMMU_AMD };
struct acpi_iommu {
    enum acpi_iommu_kind kind;
    uint16_t segment;
    uint64_t base; /* of its registers; a multiple of 4096, each once */
};

struct acpi_info {
    bool valid; /* an RSDP and a root table were found and passed their checksums */
    uint8_t revision;
    char oem[7];          /* of the root table, printable */
    uint32_t table_count; /* tables of the root table that could be read */
    uint32_t table_bad;   /* skipped: unreadable, wrong length or checksum */

    uint64_t lapic_base; /* after an address override */
    bool has_8259;       /* MADT PCAT_COMPAT */
    uint32_t core_count;
    uint32_t cores_disabled; /* listed but not enabled (hot-plug places) */
    uint32_t cores_dropped;  /* more than fit */
    struct acpi_core core[ACPI_CORES_MAX];
    uint32_t ioapic_count;
    struct acpi_ioapic ioapic[ACPI_IOAPICS_MAX];
    uint32_t override_count;
    struct acpi_override override[ACPI_OVERRIDES_MAX];

    uint32_t host_bridges; /* PCI roots that the AML names; 0: not known */
    uint32_t ecam_count;
    uint32_t ecam_dropped; /* more than fit */
    struct acpi_ecam ecam[ACPI_ECAMS_MAX];

    struct acpi_fadt fadt;
    struct acpi_hpet hpet;
    struct acpi_spcr spcr;
    bool dmar; /* an Intel IOMMU is described */
    bool dmar_dma_opt_in; /* firmware asks to keep DMA protection on */
    uint32_t iommu_count;
    uint32_t iommus_dropped; /* more than fit */
    struct acpi_iommu iommu[ACPI_IOMMUS_MAX];
    uint32_t node_count;  /* distinct SRAT domains that hold cores; 0 without SRAT */
};

/* Parses everything reachable from the RSDP at `rsdp` (0: nothing). `info` is overwritten
 * whole. RT_NOT_FOUND when there are no usable tables; the machine then runs on defaults
 * (one core, COM1, PIT). Bounded work whatever the tables hold. */
RT_NODISCARD enum rt_status acpi_parse(const struct acpi_reader *reader, uint64_t rsdp,
                                       struct acpi_info *info);

/* Looks for an RSDP where BIOS keeps it (first KiB of the EBDA, 0xe0000..0xfffff), for loaders
 * that do not pass it. Returns its address, 0 when there is none. */
uint64_t acpi_find_rsdp(const struct acpi_reader *reader);

/* One log line a table part: cores, nodes, IO-APICs, ECAM, timers, serial, DMAR. Core 0. */
void acpi_log(const struct acpi_info *info);

/* The global interrupt of an ISA line: the override's when there is one, else the line. */
uint32_t acpi_isa_gsi(const struct acpi_info *info, uint8_t source, bool *active_low,
                      bool *level);

#endif

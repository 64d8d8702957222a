/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader told us, in one fixed structure, whichever way we were started.
 *
 * Every entry (Linux boot protocol, PVH, EFI) only fills this structure; it is read-only
 * afterwards. The parsers behind it (command line, cpio, memory map) are pure functions
 * in rt/boot with unit tests and fuzzers, because a loader's data is not to be trusted.
 * The structure owns nothing: module data stays where the loader put it and is carved out
 * of the memory map as BOOT_MEM_MODULE.
 */
#ifndef RT_BOOT_INFO_H
#define RT_BOOT_INFO_H

#include <rt/base.h>

#define BOOT_INFO_MAGIC UINT32_C(0x4d524249) /* "MRBI" */
#define BOOT_MEM_MAX 256
#define BOOT_MODULE_MAX 64
#define BOOT_MODULE_NAME_BYTES 112
#define BOOT_CMDLINE_BYTES 2048

enum boot_mem_type {
    BOOT_MEM_RAM = 1,
    BOOT_MEM_RESERVED = 2,
    BOOT_MEM_ACPI = 3,
    BOOT_MEM_NVS = 4,
    BOOT_MEM_BAD = 5,
    BOOT_MEM_IMAGE = 0x100,  /* our own image and .bss */
    BOOT_MEM_MODULE = 0x101, /* data of a boot module */
    BOOT_MEM_BOOT = 0x102,   /* loader data still in use (tables, command line) */
};

enum boot_entry { BOOT_ENTRY_LINUX = 1, BOOT_ENTRY_PVH = 2, BOOT_ENTRY_EFI = 3 };

enum boot_flags {
    BOOT_FLAG_UEFI = 1u << 0,              /* firmware is UEFI */
    BOOT_FLAG_CMDLINE_TRUNCATED = 1u << 1, /* the loader's line was longer than we keep */
    BOOT_FLAG_MODULES_TRUNCATED = 1u << 2, /* more modules than BOOT_MODULE_MAX */
    BOOT_FLAG_MODULE_CUT_SHORT = 1u << 3,  /* an archive ends inside a file */
    BOOT_FLAG_MODULE_OVERLAP = 1u << 4,    /* a module lies over our image: its data is lost */
    BOOT_FLAG_MEM_TRUNCATED = 1u << 5,     /* more memory ranges than BOOT_MEM_MAX */
};

struct boot_mem {
    uint64_t base;
    uint64_t bytes;
    uint32_t type; /* enum boot_mem_type */
    uint32_t reserved;
};

struct boot_module {
    uint64_t base;
    uint64_t bytes;
    char name[BOOT_MODULE_NAME_BYTES];
};

struct boot_framebuffer {
    uint64_t base; /* 0: there is none */
    uint32_t width_px;
    uint32_t height_px;
    uint32_t pitch_bytes;
    uint8_t bits_per_px;
    uint8_t red_shift, green_shift, blue_shift;
};

struct boot_info {
    uint32_t magic; /* BOOT_INFO_MAGIC once complete */
    uint32_t version;
    uint32_t entry; /* enum boot_entry */
    uint32_t flags; /* enum boot_flags */
    uint64_t entry_cycles; /* TSC at our first instruction in C or before */
    uint64_t firmware_cycles; /* of the time since, spent in the firmware's ExitBootServices */
    uint64_t image_base;   /* first byte of the loaded image (page aligned) */
    uint64_t image_end;    /* first byte behind .bss */
    uint64_t rsdp;         /* 0: the loader gave none; the runtime searches the BIOS area */
    uint64_t smbios;
    uint64_t efi_systab;
    struct boot_framebuffer fb;
    uint32_t mem_count;
    uint32_t module_count;
    struct boot_mem mem[BOOT_MEM_MAX]; /* sorted, no overlaps, RAM page aligned inwards */
    struct boot_module module[BOOT_MODULE_MAX];
    char loader[32];
    char cmdline[BOOT_CMDLINE_BYTES];     /* arguments only, image name removed */
    char raw_cmdline[BOOT_CMDLINE_BYTES]; /* as the loader gave it */
};

/* The runtime: all that follows the loader. `bi` is complete and lives on. Core 0, once, on the
 * boot stack. */
RT_NORETURN void rt_start(const struct boot_info *bi);
/* Looks a module up by its name; NULL when there is none. Any core, any time. */
const struct boot_module *boot_module_find(const struct boot_info *bi, const char *name);

#endif

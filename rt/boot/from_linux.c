/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux boot protocol: boot_params to boot_info. Documentation/arch/x86/zero-page.rst. */
#include "efi.h"
#include "start.h"

#define E820_TABLE_MAX 128
#define SETUP_E820_EXT 1
#define SETUP_DATA_MAX 64 /* nodes we walk */
#define SETUP_DATA_BYTES_MAX UINT64_C(65536)
#define EFI_SIGNATURE_64 0x34364c45u /* "EL64" */
#define EFI_TABLES_MAX 256
#define VIDEO_VESA 0x23
#define VIDEO_EFI 0x70

struct linux_e820 {
    uint64_t base;
    uint64_t bytes;
    uint32_t type;
} RT_PACKED;
_Static_assert(sizeof(struct linux_e820) == 20, "zero-page.rst e820_table");

struct linux_screen {
    uint8_t skip0[0x0f];
    uint8_t is_vga; /* 0x0f */
    uint8_t skip1[2];
    uint16_t width_px, height_px, depth_bits; /* 0x12 */
    uint32_t base;                            /* 0x18 */
    uint8_t skip2[8];
    uint16_t line_bytes; /* 0x24 */
    uint8_t red_bits, red_shift, green_bits, green_shift, blue_bits, blue_shift;
    uint8_t skip3[14];
    uint32_t base_high; /* 0x3a */
    uint8_t skip4[2];
} RT_PACKED;
_Static_assert(offsetof(struct linux_screen, line_bytes) == 0x24, "screen_info");
_Static_assert(offsetof(struct linux_screen, base_high) == 0x3a, "screen_info");
_Static_assert(sizeof(struct linux_screen) == 0x40, "screen_info");

struct linux_params {
    struct linux_screen screen;
    uint8_t skip0[0x70 - 0x40];
    uint64_t rsdp; /* 0x70 */
    uint8_t skip1[0xc0 - 0x78];
    uint32_t ramdisk_high, ramdisk_bytes_high, cmdline_high; /* 0xc0 */
    uint8_t skip2[0x1c0 - 0xcc];
    uint32_t efi_signature, efi_systab; /* 0x1c0 */
    uint8_t skip3[0x1d8 - 0x1c8];
    uint32_t efi_systab_high; /* 0x1d8 */
    uint8_t skip4[0x1e8 - 0x1dc];
    uint8_t e820_count; /* 0x1e8 */
    uint8_t skip5[0x210 - 0x1e9];
    uint8_t loader_type; /* 0x210 */
    uint8_t skip6[7];
    uint32_t ramdisk, ramdisk_bytes; /* 0x218 */
    uint8_t skip7[8];
    uint32_t cmdline; /* 0x228 */
    uint8_t skip8[0x250 - 0x22c];
    uint64_t setup_data; /* 0x250 */
    uint8_t skip9[0x2d0 - 0x258];
    struct linux_e820 e820[E820_TABLE_MAX]; /* 0x2d0 */
} RT_PACKED;
_Static_assert(offsetof(struct linux_params, ramdisk_high) == 0xc0, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, efi_systab_high) == 0x1d8, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, loader_type) == 0x210, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, setup_data) == 0x250, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, e820) == 0x2d0, "zero-page.rst");

struct linux_setup_data { /* boot.rst, setup_data */
    uint64_t next;
    uint32_t type;
    uint32_t bytes;
};
_Static_assert(sizeof(struct linux_setup_data) == 16, "boot.rst setup_data");

struct efi_system_table_tail { /* UEFI 2.10 section 4.3: the end of EFI_SYSTEM_TABLE */
    uint64_t table_count;      /* offset 104 */
    uint64_t tables;
};

static uint64_t join(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

bool linux_ramdisk(const void *params, uint64_t *base, uint64_t *bytes)
{
    const struct linux_params *p = params;

    *base = join(p->ramdisk_high, p->ramdisk);
    *bytes = join(p->ramdisk_bytes_high, p->ramdisk_bytes);
    return *base != 0 && *bytes != 0;
}

/* boot.rst type_of_loader: high digit who, low digit version. */
static const char *loader_name(uint8_t type)
{
    switch (type >> 4) {
    case 0x3:
        return "syslinux";
    case 0x4:
    case 0x6:
        return "ipxe";
    case 0x7:
        return "grub";
    case 0x9:
        return "xen";
    case 0xb:
        return "qemu";
    case 0xd:
        return "kexec";
    default:
        return "linux";
    }
}

static void add_e820(const struct linux_e820 *table, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        memmap_add(&boot_memmap, table[i].base, table[i].bytes, RT_MIN(table[i].type, 255u));
}

/* More than 128 ranges come as a list element. */
static void add_e820_ext(uint64_t at)
{
    for (unsigned i = 0; i < SETUP_DATA_MAX; i++) {
        const struct linux_setup_data *node = (const void *)at;

        if (!boot_reachable(at, sizeof(*node)))
            return;
        if (node->type == SETUP_E820_EXT && node->bytes <= SETUP_DATA_BYTES_MAX &&
            boot_reachable(at, sizeof(*node) + node->bytes))
            add_e820((const void *)(node + 1), node->bytes / sizeof(struct linux_e820));
        at = node->next;
    }
}

/* GRUB before 2.12 on UEFI gives no RSDP, only the system table. */
static uint64_t rsdp_from_efi(uint64_t systab)
{
    static const struct efi_guid acpi20 = EFI_ACPI20_GUID;
    const struct efi_system_table_tail *tail = (const void *)(systab + 104);
    const struct efi_table_entry *table;
    uint64_t count;

    if (!boot_reachable(systab, 120))
        return 0;
    count = RT_MIN(tail->table_count, (uint64_t)EFI_TABLES_MAX);
    if (!boot_reachable(tail->tables, count * sizeof(*table)))
        return 0;
    table = (const void *)tail->tables;
    for (uint64_t i = 0; i < count; i++) {
        if (efi_same_guid(&table[i].guid, &acpi20))
            return (uint64_t)table[i].table;
    }
    return 0;
}

static void read_screen(const struct linux_screen *screen)
{
    if (screen->is_vga != VIDEO_VESA && screen->is_vga != VIDEO_EFI)
        return;
    boot_info.fb = (struct boot_framebuffer){
        .base = join(screen->base_high, screen->base),
        .width_px = screen->width_px,
        .height_px = screen->height_px,
        .pitch_bytes = screen->line_bytes,
        .bits_per_px = (uint8_t)RT_MIN(screen->depth_bits, 255u),
        .red_shift = screen->red_shift,
        .green_shift = screen->green_shift,
        .blue_shift = screen->blue_shift,
    };
}

void from_linux(const void *params)
{
    const struct linux_params *p = params;
    const char *name = loader_name(p->loader_type);
    uint64_t base, bytes;

    boot_copy_text(boot_info.loader, sizeof(boot_info.loader), name, sizeof(boot_info.loader));
    add_e820(p->e820, RT_MIN(p->e820_count, E820_TABLE_MAX));
    add_e820_ext(p->setup_data);
    boot_read_cmdline(join(p->cmdline_high, p->cmdline), CMDLINE_FIRST_GUESS);
    if (linux_ramdisk(params, &base, &bytes))
        boot_read_initrd(base, bytes);
    read_screen(&p->screen);
    boot_info.rsdp = p->rsdp;
    if (p->efi_signature == EFI_SIGNATURE_64) {
        boot_info.flags |= BOOT_FLAG_UEFI;
        boot_info.efi_systab = join(p->efi_systab_high, p->efi_systab);
        if (boot_info.rsdp == 0)
            boot_info.rsdp = rsdp_from_efi(boot_info.efi_systab);
    }
}

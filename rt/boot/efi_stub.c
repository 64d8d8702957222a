/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Started as a UEFI application: collect what the firmware has, leave it for good.
 *
 * Modules, in this order: the initrd by LoadFile2 (Linux' media path, UEFI 2.10 13.2), which
 * GRUB 2.12, QEMU and iPXE since 2023 offer; else the virtual file system of older iPXE,
 * known by its own protocol on our device. Never an arbitrary file system.
 */
#include "efi.h"
#include "start.h"

#define MAP_BYTES 65536 /* 1000 descriptors; firmware gives 100 to 300 */
#define EXIT_TRIES 8
#define FILES_MAX 128
#define INFO_BYTES 1024
#define OPTIONS_CHARS_MAX (2 * BOOT_CMDLINE_BYTES)

static const struct efi_guid loaded_image_guid = {
    0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid load_file2_guid = {
    0x4006c0c1, 0xfcb3, 0x403e, {0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d}};
static const struct efi_guid file_system_guid = {
    0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid ipxe_download_guid = {
    0x3eaeaebd, 0xdecf, 0x493b, {0x9b, 0xd1, 0xcd, 0xb2, 0xde, 0xca, 0xe7, 0x19}};
static const struct efi_guid graphics_guid = {
    0x9042a9de, 0x23dc, 0x4a38, {0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a}};
static const struct efi_guid acpi20_guid = EFI_ACPI20_GUID;
static const struct efi_guid acpi10_guid = {
    0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
static const struct efi_guid smbios3_guid = {
    0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};

/* LINUX_EFI_INITRD_MEDIA_GUID as a vendor media device path, then its end. */
static struct {
    uint8_t type, subtype;
    uint16_t bytes;
    struct efi_guid guid;
    uint8_t end[4];
} RT_PACKED initrd_path = {
    4, 3, 20,
    {0x5568e427, 0x68fc, 0x4f3d, {0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68}},
    {0x7f, 0xff, 4, 0}};
_Static_assert(sizeof(initrd_path) == 24, "UEFI 2.10 10.3.5.3, vendor media path");

static struct efi_boot_services *services;
static uint8_t map_buffer[MAP_BYTES] RT_ALIGNED(16);
static uint8_t info_buffer[INFO_BYTES] RT_ALIGNED(16);
static char options[OPTIONS_CHARS_MAX];

efi_status EFI_CALL boot_efi_main(efi_handle image, struct efi_system_table *system,
                                  uint64_t entry_cycles);
RT_NORETURN void boot_efi_leave(void); /* head.S */

static void *protocol_of(efi_handle handle, const struct efi_guid *guid)
{
    void *interface = NULL;

    if (!handle || services->handle_protocol(handle, guid, &interface) != EFI_SUCCESS)
        return NULL;
    return interface;
}

/* UCS-2 to ASCII; what is not ASCII becomes '?'. Returns the length. */
static size_t narrow(char *out, size_t out_bytes, const uint16_t *text, size_t chars)
{
    size_t n = 0;

    for (; n < chars && n + 1 < out_bytes && text[n] != 0; n++)
        out[n] = text[n] < 0x80 ? (char)text[n] : '?';
    out[n] = '\0';
    return n;
}

/* Before ExitBootServices there is a console; afterwards the runtime's. */
static void say(struct efi_system_table *system, const char *text)
{
    uint16_t wide[96];
    size_t n = 0;

    for (; text[n] != '\0' && n + 1 < RT_ARRAY_SIZE(wide); n++)
        wide[n] = (uint8_t)text[n];
    wide[n] = 0;
    if (system->out)
        system->out->output(system->out, wide);
}

static uint8_t *allocate(uint64_t bytes)
{
    uint64_t address = 0;
    uint64_t pages = (bytes + RT_PAGE_BYTES - 1) / RT_PAGE_BYTES;

    if (services->allocate_pages(EFI_ALLOCATE_ANY, EFI_LOADER_DATA_TYPE, pages, &address) !=
        EFI_SUCCESS)
        return NULL;
    return (uint8_t *)address;
}

/* False: nobody offers an initrd this way. A failing load counts as cut short. */
static bool add_load_file2(void)
{
    void *path = &initrd_path;
    efi_handle device;
    struct efi_load_file2 *loader;
    uint64_t bytes = 0;
    uint8_t *data;

    if (services->locate_device_path(&load_file2_guid, &path, &device) != EFI_SUCCESS)
        return false;
    loader = protocol_of(device, &load_file2_guid);
    if (!loader)
        return false;
    if (loader->load(loader, path, 0, &bytes, NULL) != EFI_BUFFER_TOO_SMALL || bytes == 0)
        return false;
    data = allocate(bytes);
    if (!data || loader->load(loader, path, 0, &bytes, data) != EFI_SUCCESS) {
        boot_info.flags |= BOOT_FLAG_MODULE_CUT_SHORT;
        return true;
    }
    cpio_add_modules(&boot_info, data, bytes, (uint64_t)data);
    return true;
}

static void add_file(struct efi_file *root, const struct efi_file_info *info, const char *name)
{
    struct efi_file *file;
    uint64_t bytes = info->file_bytes;
    uint8_t *data;

    if (root->open(root, &file, info->name, EFI_FILE_READ, 0) != EFI_SUCCESS)
        return;
    data = allocate(RT_MAX(bytes, UINT64_C(1)));
    if (data && file->read(file, &bytes, data) == EFI_SUCCESS && bytes == info->file_bytes) {
        if (bytes >= 6 && __builtin_memcmp(data, "07070", 5) == 0)
            cpio_add_modules(&boot_info, data, bytes, (uint64_t)data);
        else
            boot_module_add(&boot_info, (uint64_t)data, bytes, name, BOOT_MODULE_NAME_BYTES);
    } else {
        boot_info.flags |= BOOT_FLAG_MODULE_CUT_SHORT;
    }
    file->close(file);
}

static bool is_own_name(const char *name)
{
    size_t n = 0;

    while (name[n] != '\0' && name[n] == boot_info.raw_cmdline[n])
        n++;
    return n > 0 && name[n] == '\0' &&
           (boot_info.raw_cmdline[n] == ' ' || boot_info.raw_cmdline[n] == '\0');
}

static void add_ipxe_files(efi_handle device)
{
    struct efi_file_system *fs = protocol_of(device, &file_system_guid);
    struct efi_file_info *info = (struct efi_file_info *)(void *)info_buffer;
    struct efi_file *root;

    if (!fs || fs->open_volume(fs, &root) != EFI_SUCCESS)
        return;
    for (unsigned i = 0; i < FILES_MAX; i++) {
        uint64_t bytes = sizeof(info_buffer) - sizeof(uint16_t);
        char name[BOOT_MODULE_NAME_BYTES];

        if (root->read(root, &bytes, info) != EFI_SUCCESS || bytes <= sizeof(*info))
            break;
        info_buffer[bytes] = 0;
        info_buffer[bytes + 1] = 0;
        narrow(name, sizeof(name), info->name, (bytes - sizeof(*info)) / sizeof(uint16_t));
        if (!is_own_name(name))
            add_file(root, info, name);
    }
    root->close(root);
}

/* iPXE of early 2023 lists our own image in the archive too. */
static void drop_own_image(void)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < boot_info.module_count; i++) {
        if (is_own_name(boot_info.module[i].name))
            continue;
        if (kept != i)
            boot_info.module[kept] = boot_info.module[i];
        kept++;
    }
    boot_info.module_count = kept;
}

static void find_tables(const struct efi_system_table *system)
{
    uint64_t rsdp10 = 0;

    boot_info.efi_systab = (uint64_t)system;
    for (uint64_t i = 0; i < system->table_count; i++) {
        const struct efi_table_entry *entry = &system->tables[i];

        if (efi_same_guid(&entry->guid, &acpi20_guid))
            boot_info.rsdp = (uint64_t)entry->table;
        else if (efi_same_guid(&entry->guid, &acpi10_guid))
            rsdp10 = (uint64_t)entry->table;
        else if (efi_same_guid(&entry->guid, &smbios3_guid))
            boot_info.smbios = (uint64_t)entry->table;
    }
    if (boot_info.rsdp == 0)
        boot_info.rsdp = rsdp10;
}

static void find_framebuffer(void)
{
    void *interface = NULL;
    const struct efi_graphics *graphics;
    const struct efi_graphics_mode *mode;

    if (services->locate_protocol(&graphics_guid, NULL, &interface) != EFI_SUCCESS)
        return;
    graphics = interface;
    if (!graphics || !graphics->mode || graphics->mode->base == 0 || !graphics->mode->info)
        return;
    mode = graphics->mode->info;
    if (mode->format != EFI_PIXEL_RGB && mode->format != EFI_PIXEL_BGR)
        return;
    boot_info.fb = (struct boot_framebuffer){
        .base = graphics->mode->base,
        .width_px = mode->width_px,
        .height_px = mode->height_px,
        .pitch_bytes = mode->line_px * 4,
        .bits_per_px = 32,
        .red_shift = mode->format == EFI_PIXEL_RGB ? 0 : 16,
        .green_shift = 8,
        .blue_shift = mode->format == EFI_PIXEL_RGB ? 16 : 0,
    };
}

/* The map must be the newest one: nothing may be allocated between the two calls, and the
 * first ExitBootServices may change it (UEFI 2.10 section 7.4.6), hence the loop. */
static efi_status leave_firmware(efi_handle image)
{
    efi_status status = EFI_UNSUPPORTED;
    uint64_t bytes = 0, key = 0, stride_bytes = 0;
    uint32_t version = 0;

    for (unsigned i = 0; i < EXIT_TRIES && status != EFI_SUCCESS; i++) {
        bytes = sizeof(map_buffer);
        status = services->get_memory_map(&bytes, map_buffer, &key, &stride_bytes, &version);
        if (status == EFI_BUFFER_TOO_SMALL)
            return status;
        if (status == EFI_SUCCESS)
            status = services->exit_boot_services(image, key);
    }
    if (status != EFI_SUCCESS)
        return status;
    if (efi_map_add(&boot_memmap, map_buffer, bytes, stride_bytes) != RT_OK)
        boot_memmap.truncated = true; /* no RAM in the map: the runtime says so */
    return EFI_SUCCESS;
}

/* From head.S, relocated, .bss zeroed by the firmware. Returns only an error. */
efi_status EFI_CALL boot_efi_main(efi_handle image, struct efi_system_table *system,
                                  uint64_t entry_cycles)
{
    const struct efi_loaded_image *loaded;
    bool ipxe;
    size_t length;
    efi_status status;
    uint64_t leaving_cycles;

    services = system->boot;
    boot_describe(BOOT_ENTRY_EFI, entry_cycles, "efi");
    boot_info.flags |= BOOT_FLAG_UEFI;
    loaded = protocol_of(image, &loaded_image_guid);
    if (!loaded) {
        say(system, "boot state=failed reason=\"no loaded image protocol\"\r\n");
        return EFI_UNSUPPORTED;
    }
    ipxe = protocol_of(loaded->device, &ipxe_download_guid) != NULL;
    if (ipxe)
        boot_copy_text(boot_info.loader, sizeof(boot_info.loader), "ipxe", sizeof("ipxe"));
    length = narrow(options, sizeof(options), loaded->options,
                    loaded->options ? loaded->options_bytes / sizeof(uint16_t) : 0);
    cmdline_set(&boot_info, options, length, ipxe ? CMDLINE_FIRST_NAME : CMDLINE_FIRST_GUESS);
    if (!add_load_file2() && ipxe)
        add_ipxe_files(loaded->device);
    drop_own_image();
    find_tables(system);
    find_framebuffer();
    leaving_cycles = __builtin_ia32_rdtsc();
    status = leave_firmware(image);
    /* iPXE resets every NIC it drives here, 20 ms and more each. */
    boot_info.firmware_cycles = __builtin_ia32_rdtsc() - leaving_cycles;
    if (status != EFI_SUCCESS) {
        say(system, "boot state=failed reason=\"ExitBootServices\"\r\n");
        return status;
    }
    boot_efi_leave();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the UEFI 2.10 interface that the stub calls. Slots we skip are void pointers. */
#ifndef BOOT_EFI_H
#define BOOT_EFI_H

#include <rt/base.h>

#define EFI_CALL __attribute__((ms_abi))
#define EFI_ERROR(n) (UINT64_C(1) << 63 | (n))
#define EFI_SUCCESS UINT64_C(0)
#define EFI_UNSUPPORTED EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL EFI_ERROR(5)
#define EFI_OUT_OF_RESOURCES EFI_ERROR(9)
#define EFI_LOADER_DATA_TYPE 2
#define EFI_ALLOCATE_ANY 0
#define EFI_FILE_READ 1

typedef uint64_t efi_status;
typedef void *efi_handle;

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

/* Of the table that ACPI 2.0 and later have, section 4.6.1. */
#define EFI_ACPI20_GUID                                                                          \
    {                                                                                            \
        0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}             \
    }

RT_INLINE bool efi_same_guid(const struct efi_guid *a, const struct efi_guid *b)
{
    return __builtin_memcmp(a, b, sizeof(*a)) == 0;
}

struct efi_boot_services { /* section 4.4 */
    uint8_t header[24];
    void *raise_tpl, *restore_tpl;
    efi_status(EFI_CALL *allocate_pages)(uint32_t how, uint32_t type, uint64_t pages,
                                         uint64_t *address);
    efi_status(EFI_CALL *free_pages)(uint64_t address, uint64_t pages);
    efi_status(EFI_CALL *get_memory_map)(uint64_t *bytes, void *map, uint64_t *key,
                                         uint64_t *stride_bytes, uint32_t *version);
    void *allocate_pool, *free_pool;
    void *events[6];
    void *install[3];
    efi_status(EFI_CALL *handle_protocol)(efi_handle handle, const struct efi_guid *guid,
                                          void **interface);
    void *reserved, *register_notify, *locate_handle;
    efi_status(EFI_CALL *locate_device_path)(const struct efi_guid *guid, void **path,
                                             efi_handle *device);
    void *install_table;
    void *load_image, *start_image, *exit, *unload_image;
    efi_status(EFI_CALL *exit_boot_services)(efi_handle image, uint64_t key);
    void *monotonic, *stall, *watchdog;
    void *connect[2];
    void *open[3];
    void *protocols_per_handle, *locate_handle_buffer;
    efi_status(EFI_CALL *locate_protocol)(const struct efi_guid *guid, void *registration,
                                          void **interface);
};
_Static_assert(offsetof(struct efi_boot_services, get_memory_map) == 56, "UEFI 2.10 4.4");
_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 152, "UEFI 2.10 4.4");
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232, "UEFI 2.10 4.4");
_Static_assert(offsetof(struct efi_boot_services, locate_protocol) == 320, "UEFI 2.10 4.4");

struct efi_text_output { /* section 12.4 */
    void *reset;
    efi_status(EFI_CALL *output)(struct efi_text_output *self, const uint16_t *text);
};

struct efi_table_entry { /* section 4.6 */
    struct efi_guid guid;
    void *table;
};
_Static_assert(sizeof(struct efi_table_entry) == 24, "UEFI 2.10 4.6");

struct efi_system_table { /* section 4.3 */
    uint8_t header[24];
    uint16_t *vendor;
    uint32_t revision, pad;
    efi_handle in_handle;
    void *in;
    efi_handle out_handle;
    struct efi_text_output *out;
    efi_handle err_handle;
    void *err;
    void *runtime;
    struct efi_boot_services *boot;
    uint64_t table_count;
    struct efi_table_entry *tables;
};
_Static_assert(offsetof(struct efi_system_table, table_count) == 104, "UEFI 2.10 4.3");

struct efi_loaded_image { /* section 9.1 */
    uint32_t revision, pad;
    efi_handle parent;
    struct efi_system_table *system;
    efi_handle device;
    void *path, *reserved;
    uint32_t options_bytes, pad2;
    void *options;
    void *base;
    uint64_t bytes;
};
_Static_assert(offsetof(struct efi_loaded_image, options) == 56, "UEFI 2.10 9.1");

struct efi_load_file2 { /* section 13.2 */
    efi_status(EFI_CALL *load)(struct efi_load_file2 *self, void *path, uint8_t policy,
                               uint64_t *bytes, void *buffer);
};

struct efi_file { /* section 13.5 */
    uint64_t revision;
    efi_status(EFI_CALL *open)(struct efi_file *self, struct efi_file **file,
                               const uint16_t *name, uint64_t mode, uint64_t attributes);
    efi_status(EFI_CALL *close)(struct efi_file *self);
    void *remove;
    efi_status(EFI_CALL *read)(struct efi_file *self, uint64_t *bytes, void *buffer);
};

struct efi_file_system { /* section 13.4 */
    uint64_t revision;
    efi_status(EFI_CALL *open_volume)(struct efi_file_system *self, struct efi_file **root);
};

struct efi_file_info { /* section 13.5, EFI_FILE_INFO */
    uint64_t bytes; /* of this structure */
    uint64_t file_bytes, physical_bytes;
    uint8_t times[48];
    uint64_t attributes;
    uint16_t name[];
};
_Static_assert(offsetof(struct efi_file_info, name) == 80, "UEFI 2.10 13.5 EFI_FILE_INFO");

enum efi_pixel_format { EFI_PIXEL_RGB = 0, EFI_PIXEL_BGR = 1 };

struct efi_graphics_mode { /* section 12.9 */
    uint32_t version, width_px, height_px, format;
    uint32_t red_mask, green_mask, blue_mask, reserved_mask;
    uint32_t line_px;
};

struct efi_graphics {
    void *query, *set, *blt;
    struct {
        uint32_t max, mode;
        struct efi_graphics_mode *info;
        uint64_t info_bytes;
        uint64_t base;
        uint64_t bytes;
    } *mode;
};

#endif

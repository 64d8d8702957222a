/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules out of an initrd. Pure.
 *
 * iPXE puts each file on a 4 KiB boundary with a newc header in front when it has a name;
 * GRUB (newc:) and cpio(1) write the same headers on 4-byte boundaries. So: zeros are
 * padding, a header starts a file, anything else is a nameless blob that reaches to the
 * next 4 KiB boundary with a header. iPXE may leave its own script in front of all
 * (ipxe issue 1723): a blob that starts with "#!ipxe" is left out.
 */
#include "boot.h"

#define CPIO_HEADER_BYTES 110
#define CPIO_NAME_BYTES_MAX 4096
#define CPIO_ALIGN 4
#define CPIO_MODE_TYPE 0170000u
#define CPIO_MODE_FILE 0100000u
#define BLOB_ALIGN 4096 /* iPXE INITRD_ALIGN */

enum cpio_field { /* index of the 8-digit fields behind the magic */
    CPIO_FIELD_MODE = 1,
    CPIO_FIELD_FILE_BYTES = 6,
    CPIO_FIELD_NAME_BYTES = 11,
};

static bool has_prefix(const uint8_t *data, uint64_t bytes, const char *text, size_t text_bytes)
{
    if (bytes < text_bytes)
        return false;
    for (size_t i = 0; i < text_bytes; i++) {
        if (data[i] != (uint8_t)text[i])
            return false;
    }
    return true;
}

static bool is_header(const uint8_t *data, uint64_t bytes)
{
    return has_prefix(data, bytes, "070701", 6) || has_prefix(data, bytes, "070702", 6);
}

static bool read_field(const uint8_t *header, enum cpio_field field, uint32_t *value)
{
    const uint8_t *digits = header + 6 + 8 * (size_t)field;
    uint32_t v = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t c = digits[i];
        uint8_t lower = (uint8_t)(c | 0x20);

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            v = v << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    *value = v;
    return true;
}

void boot_module_add(struct boot_info *bi, uint64_t base, uint64_t bytes, const char *name,
                     size_t name_bytes)
{
    struct boot_module *module;

    if (bi->module_count >= BOOT_MODULE_MAX) {
        bi->flags |= BOOT_FLAG_MODULES_TRUNCATED;
        return;
    }
    module = &bi->module[bi->module_count++];
    module->base = base;
    module->bytes = bytes;
    boot_copy_text(module->name, sizeof(module->name), name, name_bytes);
}

static void add_named(struct boot_info *bi, uint64_t base, uint64_t bytes, const char *name,
                      size_t name_bytes)
{
    /* cpio(1) fed by find(1) writes "./name" */
    if (name_bytes > 2 && name[0] == '.' && name[1] == '/') {
        name += 2;
        name_bytes -= 2;
    } else if (name_bytes > 1 && name[0] == '/') {
        name += 1;
        name_bytes -= 1;
    }
    boot_module_add(bi, base, bytes, name, name_bytes);
}

/* Bytes of one archive member, header to end of data; 0 when it is cut or nonsense. The name
 * ends at its NUL or its length: GRUB leaves the NUL out. */
static uint64_t add_member(struct boot_info *bi, const uint8_t *data, uint64_t bytes,
                           uint64_t base)
{
    uint32_t mode, file_bytes, name_bytes;
    uint64_t data_offset;
    const char *name = (const char *)data + CPIO_HEADER_BYTES;

    if (bytes < CPIO_HEADER_BYTES || !read_field(data, CPIO_FIELD_MODE, &mode) ||
        !read_field(data, CPIO_FIELD_FILE_BYTES, &file_bytes) ||
        !read_field(data, CPIO_FIELD_NAME_BYTES, &name_bytes))
        return 0;
    if (name_bytes == 0 || name_bytes > CPIO_NAME_BYTES_MAX)
        return 0;
    data_offset = RT_ALIGN_UP((uint64_t)CPIO_HEADER_BYTES + name_bytes, CPIO_ALIGN);
    if (data_offset > bytes || file_bytes > bytes - data_offset)
        return 0;
    if ((mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE)
        add_named(bi, base + data_offset, file_bytes, name, name_bytes);
    return data_offset + file_bytes;
}

/* Bytes of a nameless blob at the start of `data`, `offset` into the initrd. */
static uint64_t blob_bytes(const uint8_t *data, uint64_t bytes, uint64_t offset)
{
    uint64_t step = BLOB_ALIGN - offset % BLOB_ALIGN;

    for (; step < bytes; step += BLOB_ALIGN) {
        if (is_header(data + step, bytes - step))
            return step;
    }
    return bytes;
}

static void add_blob(struct boot_info *bi, uint64_t base, uint64_t bytes)
{
    char name[] = "initrd00";
    uint32_t n = bi->module_count;
    size_t length = 7;

    if (n >= 10) {
        name[6] = (char)('0' + n / 10 % 10);
        length = 8;
    }
    name[length - 1] = (char)('0' + n % 10);
    boot_module_add(bi, base, bytes, name, length);
}

void cpio_add_modules(struct boot_info *bi, const uint8_t *data, uint64_t bytes, uint64_t base)
{
    uint64_t offset = 0;

    while (offset < bytes) { /* every turn advances by at least one byte */
        const uint8_t *at = data + offset;
        uint64_t left = bytes - offset;
        uint64_t step;

        if (*at == 0) {
            offset++;
            continue;
        }
        if (is_header(at, left)) {
            step = add_member(bi, at, left, base + offset);
            if (step == 0) {
                bi->flags |= BOOT_FLAG_MODULE_CUT_SHORT;
                return;
            }
        } else {
            step = blob_bytes(at, left, offset);
            if (!has_prefix(at, step, "#!ipxe", 6))
                add_blob(bi, base + offset, step);
        }
        offset += step;
    }
}

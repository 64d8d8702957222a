/* SPDX-License-Identifier: BSD-2-Clause */
/* Any initrd: modules lie inside it, in order, without overlap, with a NUL in their names. */
#include "boot.h"
#include <stdlib.h>
#include <string.h>

#define BASE UINT64_C(0x10000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct boot_info bi;
    uint64_t end = BASE;

    bi.flags = 0;
    bi.module_count = 0;
    cpio_add_modules(&bi, data, bytes, BASE);
    if (bi.module_count > BOOT_MODULE_MAX)
        abort();
    for (uint32_t i = 0; i < bi.module_count; i++) {
        const struct boot_module *m = &bi.module[i];

        if (m->base < end || m->bytes > BASE + bytes - m->base)
            abort();
        if (!memchr(m->name, '\0', sizeof(m->name)))
            abort();
        end = m->base + m->bytes;
    }
    return 0;
}

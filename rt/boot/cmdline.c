/* SPDX-License-Identifier: BSD-2-Clause */
/* Command line of the loader: kept as it came, and without the image's name. Pure. */
#include "boot.h"

static bool is_space(char c)
{
    return c == ' ';
}

/* "tftp://10.0.0.1/l2fwd.img", "l2fwd.img", "\EFI\l2fwd.img"; but never "name=value". */
static bool looks_like_name(const char *word, size_t bytes)
{
    bool path = false;

    for (size_t i = 0; i < bytes; i++) {
        char c = word[i];

        if (c == '=')
            return false;
        if (c == '/' || c == '\\' || c == ':' || c == '.')
            path = true;
    }
    return path;
}

void cmdline_set(struct boot_info *bi, const char *line, size_t bytes, enum cmdline_first first)
{
    size_t n = 0, start = 0, word = 0;

    while (n < bytes && line[n] != '\0') {
        if (n == BOOT_CMDLINE_BYTES - 1) {
            bi->flags |= BOOT_FLAG_CMDLINE_TRUNCATED;
            break;
        }
        bi->raw_cmdline[n] = (uint8_t)line[n] < 0x20 || line[n] == 0x7f ? ' ' : line[n];
        n++;
    }
    bi->raw_cmdline[n] = '\0';

    while (start < n && is_space(bi->raw_cmdline[start]))
        start++;
    while (start + word < n && !is_space(bi->raw_cmdline[start + word]))
        word++;
    if (first == CMDLINE_FIRST_NAME || looks_like_name(bi->raw_cmdline + start, word))
        start += word;
    while (start < n && is_space(bi->raw_cmdline[start]))
        start++;
    while (n > start && is_space(bi->raw_cmdline[n - 1]))
        n--;
    boot_copy_text(bi->cmdline, sizeof(bi->cmdline), bi->raw_cmdline + start, n - start);
}

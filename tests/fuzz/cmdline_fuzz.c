/* SPDX-License-Identifier: BSD-2-Clause */
/* Any command line: both copies end, hold no control characters, and args is a part of raw. */
#include "boot.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct boot_info bi;
    enum cmdline_first first = bytes & 1 ? CMDLINE_FIRST_NAME : CMDLINE_FIRST_GUESS;
    size_t length;

    bi.flags = 0;
    memset(bi.cmdline, 'x', 16);
    memset(bi.raw_cmdline, 'x', 16);
    cmdline_set(&bi, (const char *)data, bytes, first);
    if (!memchr(bi.cmdline, '\0', sizeof(bi.cmdline)) ||
        !memchr(bi.raw_cmdline, '\0', sizeof(bi.raw_cmdline)))
        abort();
    if (!strstr(bi.raw_cmdline, bi.cmdline))
        abort();
    length = strlen(bi.cmdline);
    for (size_t i = 0; i < length; i++) {
        if ((uint8_t)bi.cmdline[i] < 0x20)
            abort();
    }
    if (length > 0 && (bi.cmdline[0] == ' ' || bi.cmdline[length - 1] == ' '))
        abort();
    return 0;
}

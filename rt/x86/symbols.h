/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of our own functions, for back traces. Works in any context, touches no lock. */
#ifndef RT_X86_SYMBOLS_H
#define RT_X86_SYMBOLS_H

#include <rt/base.h>

/* Function that holds `addr`, and how far inside it; NULL (offset untouched) when the address
 * is outside the image's text or the table was not filled in (tools/ksyms.py). */
const char *symbol_lookup(uintptr_t addr, uintptr_t *offset);

#endif

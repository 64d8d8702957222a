/* SPDX-License-Identifier: BSD-2-Clause */
/* Search for the ACPI root pointer in BIOS memory. Pure. ACPI 6.4 section 5.2.5.1. */
#include "boot.h"

#define RSDP_BYTES 20 /* what the first checksum covers, section 5.2.5.3 */
#define RSDP_ALIGN 16

static bool rsdp_valid(const uint8_t *at)
{
    static const char signature[] = "RSD PTR ";
    uint8_t sum = 0;

    for (size_t i = 0; i < sizeof(signature) - 1; i++) {
        if (at[i] != (uint8_t)signature[i])
            return false;
    }
    for (size_t i = 0; i < RSDP_BYTES; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

size_t rsdp_scan(const uint8_t *area, size_t bytes)
{
    for (size_t at = 0; at + RSDP_BYTES <= bytes; at += RSDP_ALIGN) {
        if (rsdp_valid(area + at))
            return at;
    }
    return bytes;
}

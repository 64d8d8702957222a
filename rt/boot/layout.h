/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers shared by the assembly, the linker script and C. Preprocessor only. */
#ifndef BOOT_LAYOUT_H
#define BOOT_LAYOUT_H

#define BOOT_SETUP_BYTES 0x1000   /* header page: PE and Linux headers, real-mode code */
#define BOOT_LINK_BASE 0x200000   /* link address of the protected-mode part (_image_base) */
#define BOOT_ENTRY64_OFFSET 0x200 /* Linux boot protocol: 64-bit entry behind the 32-bit one */
#define BOOT_STACK_BYTES 0x8000

#define BOOT_CODE64 0x08 /* selectors of the boot GDT */
#define BOOT_DATA 0x10
#define BOOT_CODE32 0x18

/* Our real-mode code to our 32-bit entry: "ebp:edi hold the TSC". Any loader passes 0. */
#define BOOT_TSC_MAGIC 0x43535452

/* How head.S was entered: enum boot_entry, and bit 8 when it came through 32-bit mode. */
#define BOOT_VIA_LINUX 1
#define BOOT_VIA_PVH 2
#define BOOT_VIA_32BIT 0x100

#endif

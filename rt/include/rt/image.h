/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounds of our own image in memory, from the linker script (rt/boot/image.ld). Bare
 * machine only. All page aligned but the symbol addresses themselves.
 *
 * Until the runtime loads its own page tables, the boot tables map [0, boot_mapped_bytes)
 * one to one, writable and executable.
 */
#ifndef RT_IMAGE_H
#define RT_IMAGE_H

#include <rt/base.h>

extern uint8_t _image_base[], _image_end[];     /* all of it, .bss too */
extern uint8_t _text_start[], _text_end[];      /* read, execute */
extern uint8_t _rodata_start[], _rodata_end[];  /* read */
extern uint8_t _data_start[], _data_end[];      /* read, write; begins with relro */
extern uint8_t _relro_start[], _relro_end[];    /* relocated constants: read from now on */
extern uint8_t _bss_start[], _bss_end[];        /* read, write */

extern uint64_t boot_mapped_bytes; /* 512 GiB, or 4 GiB without 1 GiB pages */

#endif

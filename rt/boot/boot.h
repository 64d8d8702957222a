/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside rt/boot: the pure parsers that fill struct boot_info, and the steps of the entry.
 *
 *   boot_begin / boot_efi_main   one loader's words -> boot_info, by the pure parsers
 *   boot_finish                  memory map sorted and carved, own page tables, rt_start()
 *
 * The pure parsers (cpio, cmdline, memmap, efi_map, boot_info) take what a loader
 * gave as data and length, never trust it, and run on the host in tests and fuzzers.
 */
#ifndef BOOT_H
#define BOOT_H

#include <rt/base.h>
#include <rt/boot_info.h>

/* ---- memory map (memmap.c) ---- */

/* Ranges as they come, overlapping and unsorted, until memmap_finish(). */
#define MEMMAP_RANGES_MAX 512
#define MEMMAP_ADDRESS_END (UINT64_C(1) << 52) /* Intel SDM 3A 4.1.4: MAXPHYADDR at most 52 */

struct memmap {
    uint32_t count;
    bool truncated; /* some range did not fit; only RAM is ever lost */
    struct boot_mem ranges[MEMMAP_RANGES_MAX];
    uint64_t edges[2 * MEMMAP_RANGES_MAX]; /* scratch of memmap_finish() */
};

/* Adds one range; neighbours of one type melt together. Unknown types count as reserved,
 * an empty range is nothing, one that leaves the address space is cut. */
void memmap_add(struct memmap *map, uint64_t base, uint64_t bytes, uint32_t type);

/* Writes what counts at each address into bi->mem: sorted, disjoint, merged; where ranges
 * overlap the one that forbids most wins; RAM is rounded inwards to pages and never holds
 * page 0. Sets BOOT_FLAG_MEM_TRUNCATED when ranges were lost. */
void memmap_finish(struct memmap *map, struct boot_info *bi);

/* ---- EFI memory map (efi_map.c; UEFI 2.10 section 7.2, GetMemoryMap) ---- */

/* Converts descriptors of `stride_bytes` each. RT_INVALID when the stride is nonsense. */
RT_NODISCARD enum rt_status efi_map_add(struct memmap *map, const void *descriptors,
                                        uint64_t bytes, uint64_t stride_bytes);

/* ---- modules (cpio.c; Linux Documentation/driver-api/early-userspace/buffer-format) ---- */

/* Adds one module; sets BOOT_FLAG_MODULES_TRUNCATED when the table is full. */
void boot_module_add(struct boot_info *bi, uint64_t base, uint64_t bytes, const char *name,
                     size_t name_bytes);

/* Splits what the loader calls an initrd: newc archives one behind the other, zeros between
 * them, and nameless blobs (they get the name initrdN). `data` is readable for `bytes` and
 * lies at address `base`. An archive that ends inside a file sets BOOT_FLAG_MODULE_CUT_SHORT
 * and that file is left out. */
void cpio_add_modules(struct boot_info *bi, const uint8_t *data, uint64_t bytes, uint64_t base);

/* ---- command line (cmdline.c) ---- */

/* What the first word may be. */
enum cmdline_first {
    CMDLINE_FIRST_GUESS, /* dropped when it looks like a file name: no '=', but / \ : or . */
    CMDLINE_FIRST_NAME,  /* iPXE on UEFI: always the image's name */
};
/* Keeps the line as it came and without the image's name. Ends at a NUL or `bytes`.
 * Control characters become spaces. Sets BOOT_FLAG_CMDLINE_TRUNCATED when it is too long. */
void cmdline_set(struct boot_info *bi, const char *line, size_t bytes,
                 enum cmdline_first first);

/* ---- boot_info.c ---- */

bool boot_ranges_overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes);
size_t boot_copy_text(char *out, size_t out_bytes, const char *text, size_t text_bytes);
/* Takes modules out that lie over [image_base, image_end): BOOT_FLAG_MODULE_OVERLAP. */
void boot_drop_overlapping(struct boot_info *bi);
/* Marks image and modules in the map, finishes it, and declares bi complete. */
void boot_complete(struct boot_info *bi, struct memmap *map);

#endif

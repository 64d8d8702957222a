/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first 4 KiB of the image file: a PE32+ header and a Linux setup header over each
 * other, then real-mode code. File offset equals RVA, so one link serves both formats.
 *
 * PE: Microsoft PE format, "Optional Header"; UEFI 2.10 section 2.1.1.
 * Setup header: Linux Documentation/arch/x86/boot.rst, protocol 2.15.
 * What the linker knows is stored as `symbol - _setup`: an absolute value would need a
 * relocation that a position-independent link refuses (image.ld adds _setup to sizes).
 */
#include "layout.h"

#define VALUE(symbol) ((symbol) - _setup)
#define PARAMS 0x2000      /* boot_params, inside the 32 KiB a loader gives to setup code */
#define PARAMS_DWORDS 1024
#define PARAMS_HDR 0x1f1
#define PARAMS_E820_COUNT 0x1e8
#define PARAMS_E820 0x2d0
#define E820_MAX 128
#define E820_BYTES 20
#define SMAP 0x534d4150

        .section .setup, "ax", @progbits
        .code16
        .globl  _setup
_setup:
        .ascii  "MZ"
        .org    _setup + 0x3c
        .long   pe_header - _setup
pe_header:
        .ascii  "PE\0\0"
        .word   0x8664                  /* Machine: x86-64 */
        .word   3                       /* NumberOfSections */
        .long   0, 0, 0
        .word   pe_sections - pe_optional
        .word   0x022e                  /* executable, large addresses, stripped */
pe_optional:
        .word   0x020b                  /* PE32+ */
        .byte   1, 0
        .long   VALUE(_pe_text_bytes)
        .long   VALUE(_pe_data_file_bytes)
        .long   VALUE(_pe_bss_bytes)
        .long   VALUE(boot_entry_efi)   /* AddressOfEntryPoint */
        .long   BOOT_SETUP_BYTES        /* BaseOfCode */
        .quad   0                       /* ImageBase */
        .long   0x1000, 0x1000          /* SectionAlignment, FileAlignment */
        .word   0, 0
        .word   1, 0                    /* image version 1: initrd comes by LoadFile2 */
        .word   0, 0
        .long   0
        .long   VALUE(_pe_image_bytes)
        .long   BOOT_SETUP_BYTES        /* SizeOfHeaders */
        .long   0
        .word   10                      /* Subsystem: EFI application */
        .word   0x0100                  /* NX compatible */
        .quad   0, 0, 0, 0              /* stack and heap sizes: unused by UEFI */
        .long   0
        .long   6                       /* data directories; signing tools fill the 5th */
        .quad   0, 0, 0, 0, 0, 0
pe_sections:
        .ascii  ".text\0\0\0"
        .long   VALUE(_pe_text_bytes), BOOT_SETUP_BYTES
        .long   VALUE(_pe_text_bytes), BOOT_SETUP_BYTES, 0, 0, 0
        .long   0x60000020              /* code, read, execute */
        .ascii  ".rodata\0"
        .long   VALUE(_pe_rodata_bytes), VALUE(_rodata_start)
        .long   VALUE(_pe_rodata_bytes), VALUE(_rodata_start), 0, 0, 0
        .long   0x40000040              /* data, read */
        .ascii  ".data\0\0\0"
        .long   VALUE(_pe_data_bytes), VALUE(_data_start)
        .long   VALUE(_pe_data_file_bytes), VALUE(_data_start), 0, 0, 0
        .long   0xc0000040              /* data, read, write */

        .org    _setup + PARAMS_HDR
setup_header:
        .byte   BOOT_SETUP_BYTES / 512 - 1 /* setup_sects */
        .word   1                       /* root_flags */
        .long   VALUE(_linux_syssize)   /* syssize, 16-byte units */
        .word   0
        .word   0xffff                  /* vid_mode: normal */
        .word   0
        .word   0xaa55                  /* boot_flag */
        .byte   0xeb, setup_start - 1f  /* 0x200: short jump */
1:      .ascii  "HdrS"
        .word   0x020f                  /* version 2.15 */
        .long   0                       /* realmode_swtch */
        .word   0
        .word   setup_version - _setup - 0x200
        .byte   0                       /* type_of_loader, set by the loader */
        .byte   1                       /* loadflags: LOADED_HIGH */
        .word   0
setup_code32:
        .long   0x100000                /* code32_start, a loader may change it */
        .long   0, 0                    /* ramdisk_image, ramdisk_size */
        .long   0
        .word   0                       /* heap_end_ptr */
        .byte   0, 0
        .long   0                       /* cmd_line_ptr */
        .long   0x7fffffff              /* initrd_addr_max */
        .long   0x200000                /* kernel_alignment */
        .byte   1                       /* relocatable_kernel */
        .byte   21                      /* min_alignment: 2 MiB */
        .word   0x0063                  /* KERNEL_64, ABOVE_4G, 5LEVEL, 5LEVEL_ENABLED */
        .long   2047                    /* cmdline_size */
        .long   0
        .quad   0
        .long   0, 0                    /* payload */
        .quad   0                       /* setup_data */
        .quad   BOOT_LINK_BASE          /* pref_address */
        .long   VALUE(_linux_init_size)
        .long   0                       /* handover_offset: none, LoadFile2 is used */
        .long   0                       /* kernel_info_offset */
setup_header_end:
setup_version:
        .asciz  "millrace"

/* Real mode: CS = setup segment + 0x20, DS = ES = SS = setup segment, stack set. */
setup_start:
        cli
        cld
        rdtsc
        movl    %eax, setup_tsc - _setup
        movl    %edx, setup_tsc - _setup + 4
        movw    %ds, %ax
        movw    %ax, %es
        pushw   %ax
        pushw   $(1f - _setup)
        lretw                           /* CS = DS: labels are offsets now */
1:      movw    $PARAMS, %di
        xorl    %eax, %eax
        movw    $PARAMS_DWORDS, %cx
        rep stosl
        movw    $(setup_header - _setup), %si
        movw    $(PARAMS + PARAMS_HDR), %di
        movw    $(setup_header_end - setup_header), %cx
        rep movsb

        /* Memory map: ACPI 6.4 section 15.1, int 15h E820, bounded. */
        movw    $(PARAMS + PARAMS_E820), %di
        xorl    %ebx, %ebx
        xorw    %bp, %bp
2:      movl    $0xe820, %eax
        movl    $E820_BYTES, %ecx
        movl    $SMAP, %edx
        sti
        int     $0x15
        cli
        jc      3f
        cmpl    $SMAP, %eax
        jne     3f
        incw    %bp
        addw    $E820_BYTES, %di
        cmpw    $E820_MAX, %bp
        jae     3f
        testl   %ebx, %ebx
        jnz     2b
3:      movw    %bp, %ax
        movb    %al, PARAMS + PARAMS_E820_COUNT

        /* A20: ask the BIOS, then the fast gate. */
        movw    $0x2401, %ax
        sti
        int     $0x15
        cli
        inb     $0x92, %al
        testb   $2, %al
        jnz     4f
        orb     $2, %al
        andb    $0xfe, %al              /* bit 0 resets the machine */
        outb    %al, $0x92

4:      xorl    %eax, %eax
        movw    %ds, %ax
        shll    $4, %eax                /* linear address of the setup segment */
        leal    PARAMS(%eax), %esi
        leal    setup_gdt - _setup(%eax), %ecx
        movl    %ecx, setup_gdtr - _setup + 2
        leal    setup_protected - _setup(%eax), %ecx
        movl    %ecx, setup_far - _setup
        lgdtl   setup_gdtr - _setup
        movl    setup_code32 - _setup, %ecx
        movl    setup_tsc - _setup, %edi
        movl    setup_tsc - _setup + 4, %ebp
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   *(setup_far - _setup)
        .code32
setup_protected:
        movw    $0x18, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movl    $BOOT_TSC_MAGIC, %ebx
        jmp     *%ecx                   /* boot_entry32, esi = boot_params */

        .balign 8
setup_tsc:
        .quad   0
setup_far:
        .long   0
        .word   0x10
setup_gdtr:
        .word   setup_gdt_end - setup_gdt - 1
        .long   0
        .balign 8
setup_gdt:
        .quad   0, 0
        .quad   0x00cf9b000000ffff      /* 0x10: code, 4 GiB */
        .quad   0x00cf93000000ffff      /* 0x18: data, 4 GiB */
setup_gdt_end:
        .org    _setup + BOOT_SETUP_BYTES - 1
        .byte   0
        .section .note.GNU-stack, "", @progbits

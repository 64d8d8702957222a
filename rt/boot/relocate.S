/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_relocate: adds the load offset to every word of the image that holds an address. The
 * linker leaves a packed table of these words (ELF gABI, DT_RELR), and image.ld allows no other
 * relocation: an even entry is the link address of such a word, an odd one has a bit for each of
 * the 63 words behind the last one. The words hold their own addends, so what was added is kept:
 * called again, or after a move of the whole image, this adds what is missing.
 * No stack but the return address; clobbers rax, rcx, r8-r11.
 */
#include "layout.h"

        .text
        .globl  boot_relocate
        .hidden boot_relocate
        .type   boot_relocate, @function
boot_relocate:
        leaq    boot_entry32(%rip), %r8
        subq    $BOOT_LINK_BASE, %r8
        movq    %r8, %r9
        subq    boot_relocated(%rip), %r9       /* to be added */
        movq    %r8, boot_relocated(%rip)
        leaq    _relr_start(%rip), %r10
1:      leaq    _relr_end(%rip), %rax
        cmpq    %rax, %r10
        jae     5f
        movq    (%r10), %rax
        addq    $8, %r10
        testb   $1, %al
        jnz     2f
        leaq    (%rax, %r8), %r11
        addq    %r9, (%r11)
        addq    $8, %r11                        /* where the next odd entry begins */
        jmp     1b
2:      movq    %r11, %rcx
        addq    $(63 * 8), %r11
3:      shrq    $1, %rax
        jz      1b
        testb   $1, %al
        jz      4f
        addq    %r9, (%rcx)
4:      addq    $8, %rcx
        jmp     3b
5:      ret

        .section .data.boot, "aw", @progbits
        .balign 8
        .globl  boot_relocated
        .hidden boot_relocated
boot_relocated:                         /* what was added so far; the test sets it */
        .quad   0
        .section .note.GNU-stack, "", @progbits

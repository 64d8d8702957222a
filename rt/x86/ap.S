/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the start-up IPI to C. Every core runs this at the same time, so there is no memory
 * to write to until it has found its own stack by the id of its local APIC.
 *
 * ap_page_start..ap_page_end is copied to a page below 1 MiB; smp.c fills the data at
 * AP_DATA. The page tables are below 4 GiB and map that page, executable for the time
 * being. Intel SDM 3A 8.4.4, 9.8.5.
 */
#include "ap.h"

        .section .rodata.ap, "a", @progbits
        .balign 16
        .globl  ap_page_start, ap_page_end, ap_page_32, ap_page_64
        .code16
ap_page_start:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        xorl    %ebx, %ebx
        movw    %ax, %bx
        shll    $4, %ebx                /* linear address of the page, kept to the end */
        lgdtl   AP_GDTR
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   *AP_JUMP32

        .code32
ap_page_32:
        movl    $AP_FLAT_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    AP_CR4(%ebx), %eax
        movl    %eax, %cr4
        movl    AP_CR3(%ebx), %eax
        movl    %eax, %cr3
        cmpl    $0, AP_XD_OFF(%ebx)
        je      1f
        movl    $0x1a0, %ecx            /* MISC_ENABLE bit 34, as paging.c did on core 0 */
        rdmsr
        andl    $~(1 << 2), %edx
        wrmsr
1:      movl    $0xc0000080, %ecx
        rdmsr
        orl     AP_EFER(%ebx), %eax
        wrmsr
        movl    AP_CR0(%ebx), %eax
        movl    %eax, %cr0
        ljmpl   *AP_JUMP64(%ebx)

        .code64
ap_page_64:
        movq    AP_ENTRY(%rbx), %rax
        jmp     *%rax
ap_page_end:

        .text
        .globl  ap_entry
        .type   ap_entry, @function
ap_entry:
        /* The id that messages go by is the one of the local APIC: x2APIC MSR 802h, or its page
         * where core 0 mapped it. CPUID may say another (hypervisors: it is not theirs). */
        movl    $0x1b, %ecx             /* APIC_BASE */
        rdmsr
        btl     $10, %eax
        jc      6f
        btl     $11, %eax
        jnc     7f                      /* switched off: the page holds nothing */
        movq    ap_apic_page(%rip), %rsi
        shlq    $32, %rdx
        orq     %rdx, %rax
        andq    $-4096, %rax
        cmpq    %rax, %rsi              /* another page is not mapped */
        jne     7f
        movl    0x20(%rsi), %edx
        shrl    $24, %edx
        jmp     2f
6:      movl    $0x802, %ecx
        rdmsr
        movl    %eax, %edx
        jmp     2f
7:      /* Leaf 0Bh has the x2APIC id where there is one, else the 8-bit initial id. */
        xorl    %eax, %eax
        cpuid
        cmpl    $0xb, %eax
        jb      1f
        movl    $0xb, %eax
        xorl    %ecx, %ecx
        cpuid
        testl   %ebx, %ebx              /* 0: the leaf is not implemented */
        jnz     2f
1:      movl    $1, %eax
        cpuid
        shrl    $24, %ebx
        movl    %ebx, %edx
2:      movl    ap_slot_count(%rip), %ecx
        leaq    ap_slots(%rip), %rsi
        testl   %ecx, %ecx
        jz      4f
3:      cmpl    %edx, AP_SLOT_APIC_ID(%rsi)
        je      5f
        addq    $AP_SLOT_BYTES, %rsi
        decl    %ecx
        jnz     3b
4:      cli                             /* nobody asked for this core */
        hlt
        jmp     4b
5:      movq    AP_SLOT_STACK(%rsi), %rsp
        movq    AP_SLOT_CORE(%rsi), %rdi
        xorl    %ebp, %ebp
        call    ap_main
        ud2
        .section .note.GNU-stack, "", @progbits

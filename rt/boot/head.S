/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries behind the header page, and the way into C:
 *
 *   boot_entry32  Linux 32-bit: esi = boot_params, paging off      (BIOS loaders, GRUB)
 *   boot_entry64  Linux 64-bit: rsi = boot_params, loader's tables (kexec)
 *   boot_entry_pvh  PVH: ebx = hvm_start_info, paging off          (QEMU -kernel, VMMs)
 *   boot_entry_efi  PE: rcx = image handle, rdx = system table, Microsoft ABI
 *
 * The first three meet in boot_to_c: stack, SSE, relocation, then boot_begin() which also
 * clears .bss, because it must look first whether the loader put a ramdisk there. Until
 * then only .bss.boot (stack and page tables) is written.
 */
#include "layout.h"

#define REL(symbol) ((symbol) - boot_entry32)
#define COM1 0x3f8
#define EFER 0xc0000080
#define EFER_LME 0x100
#define CR0_PE_MP_NE_PG 0x80000023
#define CR0_EM_TS 0xc
#define CR4_PAE_SSE 0x620 /* PAE, OSFXSR, OSXMMEXCPT */
#define PTE_PRESENT_WRITE 0x3
#define PTE_LARGE 0x83

        .section .head, "ax", @progbits
        .code32
        .globl  boot_entry32
boot_entry32:
        cli
        cld
        cmpl    $BOOT_TSC_MAGIC, %ebx
        je      1f
        rdtsc
        movl    %eax, %edi
        movl    %edx, %ebp
1:      movl    %ebp, %ebx              /* ebx:edi = TSC */
        leal    0x1e8(%esi), %esp       /* boot_params.scratch: the only stack there is */
        call    2f
2:      popl    %ebp
        subl    $REL(2b), %ebp          /* ebp = where we are */
        leal    REL(boot_stack_top)(%ebp), %esp
        pushl   %ebx
        pushl   %edi
        pushl   $0
        pushl   $(BOOT_VIA_LINUX | BOOT_VIA_32BIT)
        jmp     boot_to_long

        .globl  boot_entry_pvh
boot_entry_pvh:
        cli
        cld
        rdtsc
        movl    %ebx, %esi
        movl    $BOOT_LINK_BASE, %ebp   /* PVH loads at the physical address of the ELF */
        leal    REL(boot_stack_top)(%ebp), %esp
        pushl   %edx
        pushl   %eax
        pushl   $0
        pushl   $(BOOT_VIA_PVH | BOOT_VIA_32BIT)

/* ebp = base, esi = loader's structure, on the stack: TSC, how we came (8 bytes each). */
boot_to_long:
        movl    $0x80000000, %eax
        cpuid
        cmpl    $0x80000001, %eax
        jb      boot_no_long_mode
        movl    $0x80000001, %eax
        cpuid
        btl     $29, %edx
        jnc     boot_no_long_mode

        leal    REL(boot_tables)(%ebp), %edi
        xorl    %eax, %eax
        movl    $(2 * 4096 / 4), %ecx   /* top two levels */
        rep stosl
        leal    REL(boot_tables)(%ebp), %edi
        leal    (0x1000 + PTE_PRESENT_WRITE)(%edi), %eax
        movl    %eax, (%edi)
        leal    (0x2000 + PTE_PRESENT_WRITE)(%edi), %eax
        leal    0x1000(%edi), %edx
        movl    $4, %ecx
1:      movl    %eax, (%edx)
        addl    $0x1000, %eax
        addl    $8, %edx
        loop    1b
        leal    0x2000(%edi), %edx
        movl    $PTE_LARGE, %eax
        movl    $2048, %ecx             /* 4 GiB in 2 MiB pages */
2:      movl    %eax, (%edx)
        movl    $0, 4(%edx)
        addl    $0x200000, %eax
        addl    $8, %edx
        loop    2b

        movl    %edi, %cr3
        movl    %cr4, %eax
        orl     $CR4_PAE_SSE, %eax
        movl    %eax, %cr4
        movl    $EFER, %ecx
        rdmsr
        orl     $EFER_LME, %eax
        wrmsr
        leal    REL(boot_gdt)(%ebp), %eax
        movl    %eax, (REL(boot_gdtr) + 2)(%ebp)
        lgdtl   REL(boot_gdtr)(%ebp)
        movl    %cr0, %eax
        andl    $~CR0_EM_TS, %eax
        orl     $CR0_PE_MP_NE_PG, %eax
        movl    %eax, %cr0
        leal    REL(boot_long)(%ebp), %eax
        pushl   $BOOT_CODE64
        pushl   %eax
        lretl

/* No 64-bit mode: say so on COM1 (each byte waits a bounded time), then stop. */
boot_no_long_mode:
        leal    REL(boot_uart_setup)(%ebp), %esi
        movl    $6, %ecx
1:      movzbl  (%esi), %edx
        addl    $COM1, %edx
        movb    1(%esi), %al
        outb    %al, %dx
        addl    $2, %esi
        loop    1b
        leal    REL(boot_no_long_text)(%ebp), %esi
2:      movl    $100000, %ecx
        movl    $(COM1 + 5), %edx
3:      inb     %dx, %al
        testb   $0x20, %al
        jnz     4f
        loop    3b
4:      movb    (%esi), %al
        incl    %esi
        testb   %al, %al
        jz      5f
        movl    $COM1, %edx
        outb    %al, %dx
        jmp     2b
5:      cli
        hlt
        jmp     5b
boot_uart_setup:                        /* register, value: 115200 8N1, FIFO on */
        .byte   1, 0x00, 3, 0x80, 0, 0x01, 1, 0x00, 3, 0x03, 2, 0x07
boot_no_long_text:
        .asciz  "boot state=failed reason=\"this processor has no 64-bit mode\"\n"

        .code64
        .org    boot_entry32 + BOOT_ENTRY64_OFFSET
        .globl  boot_entry64
boot_entry64:
        cli
        cld
        rdtsc
        shlq    $32, %rdx
        orq     %rdx, %rax
        leaq    boot_stack_top(%rip), %rsp
        pushq   %rax
        pushq   $BOOT_VIA_LINUX
        jmp     boot_to_c

boot_long:                              /* upper halves of the registers are undefined */
        movl    %esi, %esi
        movl    %esp, %esp
boot_to_c:
        call    boot_cpu_setup
        call    boot_relocate
        popq    %rdi                    /* how we came */
        popq    %rdx                    /* entry TSC */
        xorl    %ebp, %ebp              /* end of every back trace */
        call    boot_begin              /* (via, loader's structure, TSC): no return */
        ud2

/* Our GDT and segments, SSE on. Keeps rsi, rdi and the stack contents. */
boot_cpu_setup:
        leaq    boot_gdt(%rip), %rax
        movq    %rax, boot_gdtr + 2(%rip)
        lgdt    boot_gdtr(%rip)
        movl    $BOOT_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movq    %cr0, %rax
        andq    $~CR0_EM_TS, %rax
        orq     $0x22, %rax             /* MP, NE */
        movq    %rax, %cr0
        movq    %cr4, %rax
        orq     $CR4_PAE_SSE, %rax
        movq    %rax, %cr4
        ldmxcsr boot_mxcsr(%rip)
        popq    %rcx
        leaq    1f(%rip), %rax
        pushq   $BOOT_CODE64
        pushq   %rax
        lretq
1:      jmp     *%rcx

        .globl  boot_entry_efi
boot_entry_efi:
        movq    %rdx, %r10
        rdtsc
        shlq    $32, %rdx
        orq     %rdx, %rax
        movq    %r10, %rdx
        pushq   %rcx
        pushq   %rdx
        pushq   %rax
        subq    $32, %rsp               /* home space of the Microsoft ABI; stack aligned */
        call    boot_relocate
        movq    32(%rsp), %r8           /* entry TSC */
        movq    40(%rsp), %rdx
        movq    48(%rsp), %rcx
        call    boot_efi_main           /* returns only an early error */
        addq    $56, %rsp
        ret

/* After ExitBootServices: our stack, GDT and SSE state, then C. No return. */
        .globl  boot_efi_leave
boot_efi_leave:
        cli
        cld
        leaq    boot_stack_top(%rip), %rsp
        call    boot_cpu_setup
        xorl    %ebp, %ebp
        call    boot_finish
        ud2

        .section .data.boot, "aw", @progbits
        .balign 8
boot_gdt:
        .quad   0
        .quad   0x00af9b000000ffff      /* 0x08: 64-bit code */
        .quad   0x00cf93000000ffff      /* 0x10: data */
        .quad   0x00cf9b000000ffff      /* 0x18: 32-bit code */
boot_gdt_end:
        .balign 8
        .word   0, 0, 0                 /* so that the base is aligned */
boot_gdtr:
        .word   boot_gdt_end - boot_gdt - 1
        .quad   0
boot_mxcsr:
        .long   0x1f80                  /* all exceptions masked */

/* PVH: Xen public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY = 18. */
        .section .note.pvh, "a", @note
        .balign 4
        .long   4, 4, 18
        .ascii  "Xen\0"
        .long   BOOT_LINK_BASE + REL(boot_entry_pvh)

/* Not cleared with .bss: in use while that is done. boot_map.c knows the table order. */
        .section .bss.boot, "aw", @nobits
        .balign 4096
        .globl  boot_tables
boot_tables:
        .skip   8 * 4096                /* levels 4, 3, 4 x 2, wide 3, 5 */
boot_stack:
        .skip   BOOT_STACK_BYTES
        .globl  boot_stack_top
boot_stack_top:
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 256 entry stubs of 16 bytes each. A stub makes the stack look the same for all vectors
 * (error code, vector) and goes on to one of two bodies.
 *
 * Exceptions save every register for the report and never return. Interrupts arrive only
 * in the halt of x86_halt_open(); they save what a C function may change, count, and return
 * with IF cleared, so that exactly one interrupt ends one halt.
 */
        .text
        .balign 16
        .globl  trap_stubs
        .type   trap_stubs, @function
trap_stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        /* The processor pushes an error code for 8, 10-14, 17, 21, 29, 30 (SDM 3A 6.13). */
        .set    plain, (vector != 8) && ((vector < 10) || (vector > 14)) && (vector != 17)
        .if     plain && (vector != 21) && (vector != 29) && (vector != 30)
        pushq   $0
        .endif
        pushq   $vector
        .if     vector < 32
        jmp     trap_exception_entry
        .else
        jmp     trap_irq_entry
        .endif
        .set    vector, vector + 1
        .endr

        .balign 16
        .type   trap_exception_entry, @function
trap_exception_entry:
        pushq   %rax
        pushq   %rbx
        pushq   %rcx
        pushq   %rdx
        pushq   %rbp
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        cld
        movq    %rsp, %rdi              /* struct trap_frame; the stack is 16-byte aligned */
        xorl    %ebp, %ebp
        call    trap_exception
        ud2

        .balign 16
        .type   trap_irq_entry, @function
trap_irq_entry:
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        cld
        movq    72(%rsp), %rdi          /* vector, behind nine registers */
        call    irq_handle              /* built without SSE: those registers are not saved */
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp               /* vector, error */
        andq    $~0x200, 16(%rsp)       /* IF in the saved RFLAGS */
        iretq

/* trap_load_segments(struct table_pointer of the GDT in rdi; its limit is at 6): GDT, then all
 * segments, then the task register. */
        .globl  trap_load_segments
        .type   trap_load_segments, @function
trap_load_segments:
        lgdt    6(%rdi)
        popq    %rax
        pushq   $0x08
        pushq   %rax
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs               /* clears its base: the caller sets it again */
        movl    $0x18, %eax
        ltr     %ax
        lretq

/* stack_switch(top in rdi, function in rsi, argument in rdx): never returns. */
        .globl  stack_switch
        .type   stack_switch, @function
stack_switch:
        movq    %rdi, %rsp
        xorl    %ebp, %ebp
        movq    %rdx, %rdi
        call    *%rsi
        ud2
        .section .note.GNU-stack, "", @progbits

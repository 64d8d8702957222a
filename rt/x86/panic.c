/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of a fault, a failed assertion or rt_panic(), and the end that follows it.
 *
 * The first core that gets here reports; the others are stopped by NMI. Nothing here takes
 * a lock or allocates. A fault during the report gives one more line and the end; a fault
 * in that, the end at once.
 */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/image.h>
#include <rt/log.h>
#include <rt/trace.h>
#include <stdarg.h>

#include "console.h"
#include "paging.h"
#include "symbols.h"
#include "trap.h"

enum {
    PANIC_CODE = 70, /* EX_SOFTWARE of sysexits.h */
    PANIC_LINE_BYTES = 320,
    BACKTRACE_FRAMES = 32,
    PANIC_TRACE_EVENTS = 16,
};

/* Page-fault error code, Intel SDM 3A 4.7 figure 4-12. */
enum {
    PF_PRESENT = 1 << 0,
    PF_WRITE = 1 << 1,
    PF_RESERVED = 1 << 3,
    PF_FETCH = 1 << 4,
};

static uint32_t panic_depth; /* of the one core that core_stop_others() lets go on */

const char *trap_name(uint64_t vector)
{
    static const char *const names[TRAP_EXCEPTIONS] = {
        "#DE divide error", "#DB debug", "NMI", "#BP breakpoint", "#OF overflow",
        "#BR bound range", "#UD invalid opcode", "#NM no FPU", "#DF double fault",
        "coprocessor overrun", "#TS invalid TSS", "#NP segment not present",
        "#SS stack segment", "#GP general protection", "#PF page fault", "reserved",
        "#MF x87 error", "#AC alignment", "#MC machine check", "#XM SIMD error",
        "#VE virtualization", "#CP control protection", "reserved", "reserved", "reserved",
        "reserved", "reserved", "reserved", "#HV hypervisor", "#VC VMM communication",
        "#SX security", "reserved",
    };

    return vector < TRAP_EXCEPTIONS ? names[vector] : "interrupt";
}

static void say(const char *fmt, ...) RT_PRINTF(1, 2);
static void say(const char *fmt, ...)
{
    char line[PANIC_LINE_BYTES];
    va_list args;
    size_t bytes;

    va_start(args, fmt);
    bytes = rt_vsnprintf(line, sizeof(line) - 1, fmt, args);
    va_end(args);
    bytes = RT_MIN(bytes, sizeof(line) - 2);
    line[bytes] = '\n';
    hal_console_write(line, bytes + 1);
}

static void say_event(const char *text)
{
    say("%s", text);
}

/* Returns on the core that reports. Its third fault ends the run here; another core halts. */
static void panic_begin(void)
{
    __asm__ volatile("cli" ::: "memory");
    console_take();
    core_stop_others();
    if (++panic_depth == 1) {
        console_flush();
        return;
    }
    if (panic_depth > 2)
        exit_machine(PANIC_CODE, true);
    hal_console_write("\n", 1); /* the first report may have stopped inside a line */
}

static void say_address(unsigned index, uintptr_t address)
{
    uintptr_t offset = 0;
    const char *name = symbol_lookup(address, &offset);

    if (name != NULL)
        say("frame n=%u rip=0x%lx image_offset=0x%lx at=%s+0x%lx", index, address,
            address - (uintptr_t)_text_start, name, offset);
    else
        say("frame n=%u rip=0x%lx image_offset=0x%lx", index, address,
            address - (uintptr_t)_text_start);
}

/* A saved frame pointer can be followed only while it points at mapped, aligned memory. */
static bool frame_readable(uintptr_t rbp)
{
    uint64_t page_bytes;

    return rbp % 8 == 0 && rbp >= RT_PAGE_BYTES && paging_lookup(rbp, &page_bytes) != 0 &&
           paging_lookup(rbp + 8, &page_bytes) != 0;
}

static void backtrace(uintptr_t rip, uintptr_t rbp)
{
    unsigned n = 0;

    if (rip != 0)
        say_address(n++, rip);
    while (n < BACKTRACE_FRAMES && frame_readable(rbp)) {
        const uintptr_t *frame = (const uintptr_t *)rbp;

        if (frame[1] < (uintptr_t)_text_start || frame[1] >= (uintptr_t)_text_end)
            break;
        say_address(n++, frame[1] - 1); /* inside the call, not behind it */
        if (frame[0] <= rbp)            /* stacks grow down: callers are above */
            break;
        rbp = frame[0];
    }
}

RT_NORETURN static void panic_end(uintptr_t rip, uintptr_t rbp)
{
    backtrace(rip, rbp);
    rt_trace_dump(hal_core_id(), PANIC_TRACE_EVENTS, say_event);
    exit_machine(PANIC_CODE, true);
}

static void say_registers(const struct trap_frame *f)
{
    say("regs rax=0x%lx rbx=0x%lx rcx=0x%lx rdx=0x%lx rsi=0x%lx rdi=0x%lx", f->rax, f->rbx,
        f->rcx, f->rdx, f->rsi, f->rdi);
    say("regs r8=0x%lx r9=0x%lx r10=0x%lx r11=0x%lx r12=0x%lx r13=0x%lx r14=0x%lx r15=0x%lx",
        f->r8, f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15);
    say("regs rip=0x%lx cs=0x%lx rflags=0x%lx rsp=0x%lx ss=0x%lx rbp=0x%lx cr3=0x%lx", f->rip,
        f->cs, f->rflags, f->rsp, f->ss, f->rbp, x86_read_cr3());
}

/* Which guard page, if any, this address lies in. */
static const char *guard_hit(uint64_t address)
{
    static const char *const names[IST_COUNT] = {"core", "fault", "double-fault", "nmi",
                                                 "machine-check"};
    const struct core *core = core_this();

    for (unsigned i = 0; i < IST_COUNT; i++) {
        const uintptr_t low = (uintptr_t)core->stack[i];

        if (core->stack[i] != NULL && address < low && address >= low - CORE_GUARD_BYTES)
            return names[i];
    }
    return NULL;
}

static void say_page_fault(const struct trap_frame *f, uint64_t address)
{
    const char *stack = guard_hit(address);
    const char *what = "read";
    const char *why = "nothing is mapped there";
    uint64_t page_bytes = 0;

    if ((f->error & PF_FETCH) != 0)
        what = "execute";
    else if ((f->error & PF_WRITE) != 0)
        what = "write";
    if ((f->error & PF_RESERVED) != 0)
        why = "the page table entry is broken";
    else if ((f->error & PF_PRESENT) != 0)
        why = (f->error & PF_FETCH) != 0 ? "the page holds data" : "the page is read-only";
    else if (address < RT_PAGE_BYTES)
        why = "null pointer";
    else if (stack != NULL)
        why = "stack overflow";
    say("fault access=%s address=0x%lx reason=\"%s\" stack=%s error=0x%lx pte=0x%lx", what,
        address, why, stack != NULL ? stack : "-", f->error,
        paging_lookup(address, &page_bytes));
}

/* gcc traps with ud2 (0f 0b), clang with ud1 and the number of the check (67 0f b9 40 nn). */
static void say_invalid_opcode(const struct trap_frame *f)
{
    const uint8_t *code = (const uint8_t *)f->rip;

    if (f->rip < (uintptr_t)_text_start || f->rip > (uintptr_t)_text_end - 5)
        say("fault reason=\"code outside the image\"");
    else if (code[0] == 0x0f && code[1] == 0x0b)
        say("fault reason=\"ud2: undefined behaviour caught, or unreachable code\"");
    else if (code[0] == 0x67 && code[1] == 0x0f && code[2] == 0xb9 && code[3] == 0x40)
        say("fault reason=\"undefined behaviour caught\" ubsan_check=%u", code[4]);
    else if (code[0] == 0x0f && code[1] == 0xb9)
        say("fault reason=\"ud1: undefined behaviour caught\"");
    else
        say("fault reason=\"not an instruction\" bytes=%02x%02x%02x%02x", code[0], code[1],
            code[2], code[3]);
}

void panic_trap(const struct trap_frame *f)
{
    const uint64_t address = x86_read_cr2(); /* before anything can fault again */

    panic_begin();
    say("panic core=%u reason=\"%s\" vector=%lu error=0x%lx rip=0x%lx depth=%u", hal_core_id(),
        trap_name(f->vector), f->vector, f->error, f->rip, panic_depth);
    if (panic_depth > 1)
        exit_machine(PANIC_CODE, true);
    if (f->vector == TRAP_PAGE_FAULT || f->vector == TRAP_DOUBLE_FAULT)
        say_page_fault(f, address);
    if (f->vector == TRAP_UNDEFINED)
        say_invalid_opcode(f);
    say_registers(f);
    panic_end(f->rip, f->rbp);
}

void rt_panic(const char *fmt, ...)
{
    char reason[200];
    va_list args;

    panic_begin();
    va_start(args, fmt);
    (void)rt_vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    say("panic core=%u reason=\"%s\" depth=%u", hal_core_id(), reason, panic_depth);
    if (panic_depth > 1)
        exit_machine(PANIC_CODE, true);
    panic_end(0, (uintptr_t)__builtin_frame_address(0));
}

void rt_assert_failed(const char *file, int line, const char *expr, uint64_t left,
                      uint64_t right)
{
    panic_begin();
    say("panic core=%u reason=\"assertion failed\" expr=\"%s\" left=0x%lx right=0x%lx at=%s:%d"
        " depth=%u", hal_core_id(), expr, left, right, file, line, panic_depth);
    if (panic_depth > 1)
        exit_machine(PANIC_CODE, true);
    panic_end(0, (uintptr_t)__builtin_frame_address(0));
}

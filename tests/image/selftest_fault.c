/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose: each must end in a panic that names it, and exit code 70. */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/image.h>
#include <rt/log.h>

#include "selftest.h"

enum fault {
    FAULT_NONE,
    FAULT_NULL,
    FAULT_TEXT_WRITE,
    FAULT_RODATA_WRITE,
    FAULT_DATA_EXEC,
    FAULT_STACK_OVERFLOW,
    FAULT_DIV0,
    FAULT_UD2,
    FAULT_UBSAN,
    FAULT_ASSERT,
    FAULT_GP,
    FAULT_DOUBLE_PANIC,
    FAULT_AFTER_SEAL,
    FAULT_OTHER_CORE,
    FAULT_ALL_CORES,
};

static volatile uint8_t code_in_data[] = {0xc3}; /* ret */
static volatile uintptr_t hidden; /* keeps the compiler from seeing what we do */

static void write_byte(uintptr_t address)
{
    hidden = address;
    *(volatile uint8_t *)hidden = 0;
}

static void run_data(void)
{
    void (*fn)(void);

    hidden = (uintptr_t)code_in_data;
    fn = (void (*)(void))hidden;
    fn();
}

static unsigned recurse(unsigned depth)
{
    volatile uint8_t room[256];

    room[depth % sizeof(room)] = (uint8_t)depth;
    if (hidden == 1)
        return depth;
    return recurse(depth + 1) + room[(depth + 1) % sizeof(room)];
}

static void divide(void)
{
    hidden = 0;
    __asm__ volatile("divl %0" ::"r"((uint32_t)hidden), "a"(1), "d"(0));
}

static void write_null(void *arg)
{
    write_byte(0);
}

static void on_other_core(void)
{
    if (hal_core_count() < 2 || hal_core_run(1, write_null, NULL) != RT_OK)
        rt_log("selftest fault=other_core reason=\"one core\"");
    hal_delay_us(1000000);
}

static void on_all_cores(void)
{
    for (unsigned i = 1; i < hal_core_count(); i++) {
        if (hal_core_run(i, write_null, NULL) != RT_OK)
            rt_log("selftest fault=all_cores core=%u state=busy", i);
    }
    write_byte(0);
}

void selftest_fault(uint32_t which)
{
    switch ((enum fault)which) {
    case FAULT_NONE:
        break;
    case FAULT_NULL:
        write_byte(0);
        break;
    case FAULT_TEXT_WRITE:
        write_byte((uintptr_t)_text_start + 0x300);
        break;
    case FAULT_RODATA_WRITE:
        write_byte((uintptr_t)_rodata_start);
        break;
    case FAULT_DATA_EXEC:
        run_data();
        break;
    case FAULT_STACK_OVERFLOW:
        hidden = recurse(0);
        break;
    case FAULT_DIV0:
        divide();
        break;
    case FAULT_UD2:
        __asm__ volatile("ud2");
        break;
    case FAULT_UBSAN:
        hidden = 77;
        hidden = (uintptr_t)selftest_undefined(1, (int)hidden);
        break;
    case FAULT_ASSERT:
        hidden = 3;
        RT_ASSERT_EQ((uint64_t)hidden, UINT64_C(4));
        break;
    case FAULT_GP:
        write_byte(UINT64_C(1) << 63); /* not canonical */
        break;
    case FAULT_DOUBLE_PANIC:
        hidden = 16;
        rt_panic("%s", (const char *)hidden); /* faults while it reports */
    case FAULT_AFTER_SEAL:
        hal_seal();
        hidden = (uintptr_t)hal_alloc(64, 64, "too late");
        break;
    case FAULT_OTHER_CORE:
        on_other_core();
        break;
    case FAULT_ALL_CORES:
        on_all_cores();
        break;
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inlined part of the hal on the bare machine (x86-64); see <rt/hal.h>.
 *
 * virt == phys, so an address given to a device is the pointer itself. Register accesses
 * are single instructions with a compiler barrier: x86 keeps stores in order and does not
 * pass an uncached access, so no fence is needed (Intel SDM 3A 9.2.2, 12.3).
 */
#ifndef RT_HAL_ARCH_H
#define RT_HAL_ARCH_H

#include <rt/base.h>
#include <rt/hal_clock.h>

/* Registers of one device, mapped uncached by hal_map_mmio(). */
struct hal_mmio {
    volatile uint8_t *base;
    size_t bytes;
};

/* Offset of struct core.id behind %gs (rt/x86/cpu.h asserts it). */
#define HAL_GS_CORE_ID 8

/* Time stamp counter; hal_cycles_hz says its rate. Not ordered with loads around it. RDTSC
 * clears the upper halves of both registers (Intel SDM 2B, RDTSC). */
RT_INLINE uint64_t hal_cycles(void)
{
    uint64_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}

/* 0..hal_core_count()-1. Not volatile: a core never changes under the code it runs. */
RT_INLINE unsigned hal_core_id(void)
{
    unsigned id;

    __asm__("movl %%gs:%c1, %0" : "=r"(id) : "i"(HAL_GS_CORE_ID));
    return id;
}

/* Stores before it are seen before loads behind it read: x86 keeps all other orders by itself. */
RT_INLINE void hal_fence(void)
{
    __asm__ volatile("mfence" ::: "memory");
}

/* In a loop that waits for another core: saves power, and leaves a sibling the pipeline. */
RT_INLINE void hal_pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

/* A register of a device, `offset` a multiple of 4 inside of it. Any core. */
RT_INLINE uint32_t hal_read32(const struct hal_mmio *mmio, uint32_t offset)
{
    uint32_t value;

    __asm__ volatile("movl %1, %0"
                     : "=r"(value)
                     : "m"(*(const volatile uint32_t *)(mmio->base + offset))
                     : "memory");
    return value;
}

/* ... written; it may arrive later. */
RT_INLINE void hal_write32(const struct hal_mmio *mmio, uint32_t offset, uint32_t value)
{
    __asm__ volatile("movl %1, %0"
                     : "=m"(*(volatile uint32_t *)(mmio->base + offset))
                     : "r"(value)
                     : "memory");
}

/* The address of our memory as a device must be given it. */
RT_INLINE phys_t hal_phys(const void *p)
{
    return (phys_t){(uintptr_t)p};
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is inlined on the data path, as a Linux process. Registers are plain memory, or a
 * software device with `ops`. The clock is the TSC, or virtual time that a test moves
 * (<rt/host.h>).
 */
#ifndef RT_HAL_ARCH_H
#define RT_HAL_ARCH_H

#include <rt/base.h>

struct hal_mmio_ops {
    uint32_t (*read32)(void *ctx, uint32_t offset);
    void (*write32)(void *ctx, uint32_t offset, uint32_t value);
};

struct hal_mmio {
    volatile uint8_t *base;
    size_t bytes;
    const struct hal_mmio_ops *ops; /* NULL: base is plain memory */
    void *ctx;
};

extern bool host_clock_is_virtual;
extern uint64_t host_clock_virtual_cycles;
extern _Thread_local unsigned host_core_current;

/* The time stamp counter, or the virtual clock of tests. */
RT_INLINE uint64_t hal_cycles(void)
{
    if (RT_UNLIKELY(host_clock_is_virtual))
        return __atomic_load_n(&host_clock_virtual_cycles, __ATOMIC_RELAXED);
    return __builtin_ia32_rdtsc();
}

/* A span of hal_cycles(). */
uint64_t hal_us_from_cycles(uint64_t cycles);
/* What hal_now_us() gave when hal_cycles() gave this. */
uint64_t hal_us_at(uint64_t cycles);

/* The thread's core; in tests what host_set_core() said. */
RT_INLINE unsigned hal_core_id(void)
{
    return host_core_current;
}

/* Stores before it are seen before loads behind it read: x86 keeps all other orders by itself. */
RT_INLINE void hal_fence(void)
{
    __asm__ volatile("mfence" ::: "memory");
}

/* In a loop that waits for another core: saves power, and leaves a sibling the pipeline. */
RT_INLINE void hal_pause(void)
{
    __builtin_ia32_pause();
}

/* A register of a device, `offset` a multiple of 4 inside of it. Any core. */
RT_INLINE uint32_t hal_read32(const struct hal_mmio *mmio, uint32_t offset)
{
    if (mmio->ops != NULL)
        return mmio->ops->read32(mmio->ctx, offset);
    return *(volatile uint32_t *)(void *)(uintptr_t)(mmio->base + offset);
}

/* ... written; it may arrive later. */
RT_INLINE void hal_write32(const struct hal_mmio *mmio, uint32_t offset, uint32_t value)
{
    if (mmio->ops != NULL)
        mmio->ops->write32(mmio->ctx, offset, value);
    else
        *(volatile uint32_t *)(void *)(uintptr_t)(mmio->base + offset) = value;
}

/* A software device sees our addresses as they are. */
RT_INLINE phys_t hal_phys(const void *p)
{
    return (phys_t){(uint64_t)(uintptr_t)p};
}

#endif

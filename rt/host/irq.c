/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts on the host: a software device writes its message, the core's count grows. */
#include "host.h"

enum {
    VECTORS_MAX = 256,
    VECTOR_FIRST = 0x30,
    MSI_BASE = 0xfee00000, /* as on the bare machine: the core's id is in bits 19:12 */
    MSI_CORE_SHIFT = 12,
};

static struct {
    bool used;
    unsigned core;
    uint64_t count;
} vectors[VECTORS_MAX];
static uint64_t totals[HAL_CORES_MAX];
static uint32_t vector_next = VECTOR_FIRST;
static bool alloc_fails;

enum rt_status hal_irq_alloc(unsigned core, const char *name, struct hal_irq *irq)
{
    uint32_t v = vector_next;

    if (core >= HAL_CORES_MAX)
        return RT_INVALID;
    if (v >= VECTORS_MAX || alloc_fails)
        return RT_FULL;
    vector_next++;
    vectors[v].used = true;
    vectors[v].core = core;
    vectors[v].count = 0;
    *irq = (struct hal_irq){
        .msi_address = (uint64_t)MSI_BASE | (uint64_t)core << MSI_CORE_SHIFT,
        .msi_data = v,
        .vector = v,
        .core = core,
        .count = &vectors[v].count,
    };
    return RT_OK;
}

enum rt_status hal_irq_alloc_line(uint32_t line, const char *name, struct hal_irq *irq)
{
    if (line >= 24)
        return RT_INVALID;
    return hal_irq_alloc(0, name, irq);
}

uint64_t hal_irq_total(unsigned core)
{
    return __atomic_load_n(&totals[core % HAL_CORES_MAX], __ATOMIC_RELAXED);
}

void host_msi(uint64_t address, uint32_t data)
{
    unsigned core = (unsigned)(address >> MSI_CORE_SHIFT) & 0xff;

    if ((address & 0xfff00000) != MSI_BASE || data >= VECTORS_MAX || !vectors[data].used)
        return;
    core %= HAL_CORES_MAX;
    __atomic_fetch_add(&vectors[data].count, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&totals[core], 1, __ATOMIC_RELAXED);
    host_core_wake(core);
}

void host_irq_reset(void)
{
    for (uint32_t i = 0; i < VECTORS_MAX; i++)
        vectors[i].used = false;
    vector_next = VECTOR_FIRST;
    alloc_fails = false;
}

void host_irq_fail(bool fail)
{
    alloc_fails = fail;
}

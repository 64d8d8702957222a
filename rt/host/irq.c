/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts on the host: a software device writes its message, the core's count grows. */
#include "host.h"

#include <rt/assert.h>

enum {
    VECTORS_MAX = 256,
    VECTOR_FIRST = 0x30,
    MSI_BASE = 0xfee00000, /* as on the bare machine: the core's id is in bits 19:12 */
    MSI_CORE_SHIFT = 12,
    LINES = 16, /* of the 8259 pair */
};

static struct {
    bool used;
    unsigned core;
    uint64_t count;
} vectors[VECTORS_MAX];
static uint64_t totals[HAL_CORES_MAX];
static uint32_t vector_next = VECTOR_FIRST;
static uint32_t vectors_left = UINT32_MAX; /* what host_irq_limit() still allows */
static uint64_t blocked_cores;
static uint32_t line_vector[LINES];         /* 0: nobody asked for the line */

enum rt_status hal_irq_alloc(unsigned core, const char *name, struct hal_irq *irq)
{
    uint32_t v = vector_next;

    if (core >= HAL_CORES_MAX)
        return RT_INVALID;
    if (v >= VECTORS_MAX || vectors_left == 0)
        return RT_FULL;
    RT_ASSERT(!vectors[v].used);
    RT_ASSERT(irq != NULL);
    vectors_left--;
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
    enum rt_status st;

    if (line >= LINES)
        return RT_INVALID;
    st = hal_irq_alloc(0, name, irq);
    if (st != RT_OK)
        return st;
    irq->msi_address = 0;
    RT_ASSERT_EQ(irq->core, 0u);
    irq->msi_data = 0;
    line_vector[line] = irq->vector;
    return RT_OK;
}

uint64_t hal_irq_total(unsigned core)
{
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    return __atomic_load_n(&totals[core % HAL_CORES_MAX], __ATOMIC_RELAXED);
}

static void arrive(unsigned core, uint32_t vector)
{
    if (vector >= VECTORS_MAX || !vectors[vector].used)
        return;
    core %= HAL_CORES_MAX;
    if ((blocked_cores >> core & 1) != 0)
        return;
    __atomic_fetch_add(&vectors[vector].count, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&totals[core], 1, __ATOMIC_RELAXED);
    host_core_wake(core);
}

void host_msi(uint64_t address, uint32_t data)
{
    if ((address & 0xfff00000) == MSI_BASE)
        arrive((unsigned)(address >> MSI_CORE_SHIFT) & 0xff, data);
}

void host_line(uint32_t line)
{
    if (line < LINES && line_vector[line] != 0)
        arrive(0, line_vector[line]);
}

void host_irq_reset(void)
{
    for (uint32_t i = 0; i < VECTORS_MAX; i++)
        vectors[i].used = false;
    for (uint32_t i = 0; i < LINES; i++)
        line_vector[i] = 0;
    vector_next = VECTOR_FIRST;
    vectors_left = UINT32_MAX;
    blocked_cores = 0;
}

void host_irq_block(uint64_t cores)
{
    blocked_cores = cores;
}

void host_irq_limit(uint32_t vectors_more)
{
    vectors_left = vectors_more;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory, statistics, chance; see the header. */
#include "x82599_base.h"

/* ---- guest memory ---- */

void *x82599_dma(struct x82599 *dev, uint64_t phys, uint32_t bytes, bool device_writes)
{
    void *p;

    RT_ASSERT_LT(0u, bytes); /* nothing is read of a descriptor without bytes */
    if (phys > UINT64_MAX - bytes) {
        dev->count.dma_errors++;
        return NULL;
    }
    if (dev->config.dma == NULL)
        p = (void *)(uintptr_t)phys;
    else
        p = dev->config.dma(dev->config.ctx, phys, bytes, device_writes);
    if (p == NULL)
        dev->count.dma_errors++;
    return p;
}

void x82599_wrote(struct x82599 *dev, void *p, uint32_t bytes)
{
    if (dev->config.wrote != NULL)
        dev->config.wrote(dev->config.ctx, p, bytes);
}

/* ---- statistics ---- */

void x82599_count(struct x82599 *dev, uint32_t offset, uint32_t by)
{
    RT_ASSERT_LT(offset, X82599_BAR_BYTES);
    x82599_put(dev, offset, x82599_get(dev, offset) + by);
}

/* Octet counters have 36 bits in two registers. */
void x82599_count_wide(struct x82599 *dev, uint32_t offset_low, uint32_t by)
{
    uint64_t value = x82599_get(dev, offset_low) |
                     (uint64_t)x82599_get(dev, offset_low + 4) << 32;

    value = (value + by) & ((UINT64_C(1) << 36) - 1);
    x82599_put(dev, offset_low, (uint32_t)value);
    x82599_put(dev, offset_low + 4, (uint32_t)(value >> 32));
}

/* 64, 65-127, 128-255, 256-511, 512-1023, 1024 to the largest: six counters in a row. */
void x82599_count_size(struct x82599 *dev, uint32_t offset_first, uint32_t bytes_with_crc)
{
    static const uint32_t last[] = {64, 127, 255, 511, 1023};
    unsigned i = 0;

    RT_ASSERT_LE(offset_first + 4 * (uint32_t)RT_ARRAY_SIZE(last), X82599_BAR_BYTES - 4);
    while (i < RT_ARRAY_SIZE(last) && bytes_with_crc > last[i])
        i++;
    x82599_count(dev, offset_first + 4 * i, 1);
}

/* ---- chance: from one seed, so that a run can be repeated ---- */

/* splitmix64 */
uint64_t x82599_random(struct x82599 *dev)
{
    uint64_t z = dev->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

bool x82599_fault_hits(struct x82599 *dev, enum x82599_fault kind)
{
    RT_ASSERT_LT((unsigned)kind, (unsigned)X82599_FAULT_KINDS);
    if (dev->chance[kind] == 0 && dev->forced[kind] == 0)
        return false;
    if (dev->forced[kind] > 0)
        dev->forced[kind]--;
    else if ((x82599_random(dev) & 0xffff) >= dev->chance[kind])
        return false;
    dev->count.faults[kind]++;
    return true;
}

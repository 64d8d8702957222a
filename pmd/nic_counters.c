/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statistics registers that clear when read: added up in nic->counters, a few at a time. A
 * register read holds the core up for a microsecond on a real bus, so that reading all sixty
 * at once would be seen in the latency of the frames behind it.
 */
#include "nic_driver.h"

#include <rt/assert.h>

enum rt_status nic_counters_alloc(struct nic *nic, const struct nic_counter_reg *regs,
                                  uint32_t count)
{
    uint32_t rows = count + NIC_WATCH_ROWS;

    RT_ASSERT_EQ(nic->counter_reg_count, 0u); /* a table of registers is a port's for good */
    nic->counters = hal_alloc(rows * sizeof(struct nic_counter), RT_CACHE_LINE, "nic counters");
    if (nic->counters == NULL)
        return RT_NO_MEMORY;
    nic->counter_regs = regs;
    nic->counter_reg_count = count;
    nic->counter_count = rows;
    nic->counter_next = 0;
    for (uint32_t i = 0; i < count; i++)
        nic->counters[i] = (struct nic_counter){regs[i].name, 0};
    nic_watch_name_rows(nic);
    return RT_OK;
}

bool nic_counters_read(struct nic *nic, const struct hal_mmio *mmio, uint32_t rows)
{
    RT_ASSERT_LE(nic->counter_next, nic->counter_reg_count);
    RT_ASSERT_EQ(nic->counter_count, nic->counter_reg_count + NIC_WATCH_ROWS);
    if (rows >= nic->counter_reg_count)
        nic->counter_next = 0; /* all, in order */
    for (; rows > 0 && nic->counter_next < nic->counter_reg_count; rows--) {
        const struct nic_counter_reg *reg = &nic->counter_regs[nic->counter_next];
        struct nic_counter *row = &nic->counters[nic->counter_next++];

        row->value += hal_read32(mmio, reg->offset);
        if (reg->high != 0)
            row->value += (uint64_t)hal_read32(mmio, reg->high) << 32;
    }
    if (nic->counter_next < nic->counter_reg_count)
        return false;
    nic->counter_next = 0;
    return true;
}

uint64_t nic_count_now(struct nic *nic, const struct hal_mmio *mmio, uint32_t offset)
{
    RT_ASSERT_NE(offset, 0u);
    for (uint32_t i = 0; i < nic->counter_reg_count; i++)
        if (nic->counter_regs[i].offset == offset)
            return nic->counters[i].value += hal_read32(mmio, offset);
    return 0;
}

uint64_t nic_counted(const struct nic *nic, uint32_t offset)
{
    RT_ASSERT_LE(nic->counter_reg_count + NIC_WATCH_ROWS, nic->counter_count);
    for (uint32_t i = 0; i < nic->counter_reg_count; i++)
        if (nic->counter_regs[i].offset == offset)
            return nic->counters[i].value;
    return 0;
}

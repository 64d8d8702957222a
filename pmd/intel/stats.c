/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel: statistics registers, in the sums of struct nic_stats. Core 0. */
#include "intel.h"

static uint64_t sum_of(const struct nic *nic, const uint16_t *regs, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += nic_counted(nic, regs[i]);
    return sum;
}

void intel_poll_stats(struct nic *nic, const struct intel_stats_regs *regs, uint32_t status_reg,
                      uint32_t rows)
{
    struct nic_stats *stats = &nic->stats;

    if (hal_read32(&nic->mmio, status_reg) == UINT32_MAX)
        return; /* removed: all ones everywhere */
    if (!nic_counters_read(nic, &nic->mmio, rows))
        return;
    stats->rx_packets = nic_counted(nic, regs->rx_frames);
    stats->tx_packets = nic_counted(nic, regs->tx_frames);
    /* The chip counts the four bytes of the CRC, we do not. */
    stats->rx_bytes = nic_counted(nic, regs->rx_bytes) - INTEL_CRC_BYTES * stats->rx_packets;
    stats->tx_bytes = nic_counted(nic, regs->tx_bytes) - INTEL_CRC_BYTES * stats->tx_packets;
    stats->rx_missed = nic_counted(nic, regs->missed);
    stats->rx_no_buffer = nic_counted(nic, regs->no_buffer);
    stats->rx_crc_errors = nic_counted(nic, regs->crc_errors);
    stats->rx_length_errors =
        sum_of(nic, regs->length_errors, RT_ARRAY_SIZE(regs->length_errors));
    stats->tx_errors = sum_of(nic, regs->tx_errors, RT_ARRAY_SIZE(regs->tx_errors));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel: statistics registers, in the sums of struct nic_stats. Core 0. */
#include "intel.h"

enum rt_status intel_counters_alloc(struct nic *nic)
{
    const struct intel_counters *counters = nic->ops->counters;

    RT_ASSERT_LT(0u, counters->reg_count);
    return nic_counters_alloc(nic, counters->regs, counters->reg_count);
}

/* The chip counts the four bytes of a frame's CRC, we do not. */
static uint64_t bytes_of(const struct nic *nic, uint32_t reg, uint64_t frames)
{
    uint64_t bytes = nic_counted(nic, reg);

    return bytes - RT_MIN(bytes, INTEL_CRC_BYTES * frames);
}

void intel_poll_stats(struct nic *nic, uint32_t rows)
{
    const struct intel_counters *counters = nic->ops->counters;
    struct nic_stats *stats = &nic->stats;

    if (hal_read32(&nic->mmio, nic->ops->card->status_reg) == UINT32_MAX)
        return; /* removed: all ones everywhere */
    if (!nic_counters_read(nic, &nic->mmio, rows))
        return;
    stats->rx_packets = nic_counted(nic, INTEL_GPRC);
    stats->tx_packets = nic_counted(nic, INTEL_GPTC);
    stats->rx_bytes = bytes_of(nic, INTEL_GORCL, stats->rx_packets);
    stats->tx_bytes = bytes_of(nic, INTEL_GOTCL, stats->tx_packets);
    stats->rx_missed = nic_counted(nic, counters->missed);
    stats->rx_no_buffer = nic_counted(nic, counters->no_buffer);
    stats->rx_crc_errors = nic_counted(nic, INTEL_CRCERRS);
    stats->rx_length_errors = nic_counted(nic, counters->length_errors) +
                              nic_counted(nic, INTEL_RUC) + nic_counted(nic, INTEL_RFC) +
                              nic_counted(nic, INTEL_ROC) + nic_counted(nic, INTEL_RJC);
    stats->tx_errors = nic_counted(nic, counters->tx_errors[0]) +
                       nic_counted(nic, counters->tx_errors[1]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Times and batches of a core, for the table and the report. */
#ifndef KIT_TOTALS_H
#define KIT_TOTALS_H

#include "state.h"

struct kit_core_totals {
    uint64_t busy_cycles, spin_cycles, halt_cycles; /* with the halt going on */
    uint64_t elapsed_cycles; /* of the loop: what these three add up to */
    uint64_t batch[BUF_BATCH_MAX + 1];
};

struct kit_core_totals kit_core_totals(const struct kit *kit, unsigned core);

#endif

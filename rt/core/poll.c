/* SPDX-License-Identifier: BSD-2-Clause */
/* The poll policy; the idea is in the header. */
#include <rt/poll.h>

enum poll_action poll_quiet(struct poll_state *state, const struct poll_config *config,
                            uint32_t packets, uint64_t now_us)
{
    if (config->mode == POLL_IRQ)
        return POLL_SLEEP;
    if (packets != 0)
        return POLL_RUN;
    if (state->empty_run != UINT32_MAX)
        state->empty_run++;
    if (config->mode == POLL_ALWAYS || state->empty_run < config->empty_polls)
        return POLL_SPIN;
    /* Signed, so that a clock that steps back means "not yet", never "long ago". */
    if ((int64_t)(now_us - state->last_busy_us) < (int64_t)config->spin_us)
        return POLL_SPIN;
    return POLL_SLEEP;
}

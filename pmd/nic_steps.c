/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks through tables of steps; see nic_steps.h. Core 0. */
#include "nic_driver.h"

#include <rt/assert.h>

#define LOOK_US 10         /* a register is read again after so long ... */
#define LOOK_PART 64       /* ... or this part of what was waited already, when that is longer */
#define CALLS_MAX 10000000 /* every step has a deadline; this only bounds the loop */

void nic_steps_begin(struct nic_steps *steps, struct nic_step_table table, uint32_t flags)
{
    RT_ASSERT(table.step != NULL);
    *steps = (struct nic_steps){.table = table, .flags = flags};
}

uint64_t nic_step_us(const struct nic_steps *steps)
{
    RT_ASSERT(steps->begun);
    return hal_now_us() - steps->since_us;
}

enum rt_status nic_step_reg(struct nic_steps *steps, const struct hal_mmio *mmio,
                            struct nic_step_wait wait, uint32_t *value)
{
    uint64_t waited_us = nic_step_us(steps); /* before the read: once more after the deadline */

    RT_ASSERT_LT(wait.offset, mmio->bytes);
    RT_ASSERT_EQ(wait.want & ~wait.mask, 0u); /* or it would never come */
    *value = hal_read32(mmio, wait.offset);
    if ((*value & wait.mask) == wait.want)
        return RT_OK;
    if (waited_us >= wait.timeout_us)
        return RT_TIMEOUT;
    steps->wait_us = (uint32_t)RT_MAX((uint64_t)LOOK_US, waited_us / LOOK_PART);
    return RT_BUSY;
}

enum rt_status nic_step_await(struct nic *nic, struct nic_steps *steps,
                              struct nic_step_wait wait, const char *what, const char *reg)
{
    uint32_t value = 0;
    enum rt_status st = nic_step_reg(steps, &nic->mmio, wait, &value);

    if (st == RT_TIMEOUT)
        nic_complain(nic, what, reg, value);
    return st;
}

enum rt_status nic_steps_run(struct nic *nic, struct nic_steps *steps)
{
    const struct nic_step *step = &steps->table.step[steps->next];
    uint64_t now_us = hal_now_us();
    enum rt_status st = RT_OK;

    RT_ASSERT_LE(steps->next, steps->table.count);
    if (now_us < steps->due_us)
        return RT_BUSY;
    if (steps->next == steps->table.count)
        return RT_OK;
    if (!steps->begun)
        steps->since_us = now_us;
    steps->begun = true;
    steps->wait_us = 0;
    if (step->run == NULL)
        steps->wait_us = step->wait_us;
    else if (step->only == 0 || (step->only & steps->flags) != 0)
        st = step->run(nic, steps);
    if (st != RT_OK && st != RT_BUSY)
        return st;
    steps->due_us = hal_now_us() + steps->wait_us;
    if (st == RT_OK) {
        steps->next++;
        steps->begun = false;
    }
    return steps->next == steps->table.count && steps->wait_us == 0 ? RT_OK : RT_BUSY;
}

enum rt_status nic_steps_finish(struct nic *nic, struct nic_steps *steps)
{
    RT_ASSERT_LE(steps->next, steps->table.count);
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        enum rt_status st = nic_steps_run(nic, steps);
        uint64_t now_us = hal_now_us();

        if (st != RT_BUSY)
            return st;
        if (steps->due_us > now_us)
            hal_delay_us((uint32_t)(steps->due_us - now_us));
    }
    return RT_TIMEOUT;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bring-up and stop as tables of steps, so that nothing has to stand still while a device takes
 * its time. A step does its part and says
 *
 *   RT_OK    done; the next one may run steps->wait_us from now (0: at once)
 *   RT_BUSY  not yet; it is called again steps->wait_us from now
 *   else     failed; it has logged why
 *
 * nic_start and nic_stop run a table with plain waits (nic_steps_finish), recovery from
 * nic_poll_link, a step a call (nic_steps_run). A step never waits itself for longer than
 * a bus access or two; what it waits for is a row of its own: nic_step_reg().
 */
#ifndef PMD_NIC_STEPS_H
#define PMD_NIC_STEPS_H

#include <rt/base.h>
#include <rt/hal.h>

struct nic;
struct nic_steps;

struct nic_step {
    enum rt_status (*run)(struct nic *nic, struct nic_steps *steps); /* NULL: a wait only */
    uint32_t only;    /* models that have any of these flags; 0: all */
    uint32_t wait_us; /* `run` NULL: the next one may run so long from now */
};

struct nic_step_table {
    const struct nic_step *step;
    uint32_t count;
};
#define NIC_STEPS(array) {(array), RT_ARRAY_SIZE(array)}
/* A row in which the device is left alone for so long. */
#define NIC_STEP_WAIT(us) {.wait_us = (us)}

/* A walk through a table. */
struct nic_steps {
    struct nic_step_table table;
    uint32_t next;
    uint32_t flags;    /* of the model */
    uint32_t wait_us;  /* set by a step, see above */
    bool begun;        /* the step at `next` was called, first at ... */
    uint64_t since_us;
    uint64_t due_us; /* no call before */
};

void nic_steps_begin(struct nic_steps *steps, struct nic_step_table table, uint32_t flags);
/* The next step, once it is due. RT_OK: all done; RT_BUSY: go on at due_us; else it failed. */
RT_NODISCARD enum rt_status nic_steps_run(struct nic *nic, struct nic_steps *steps);
/* All of them, with plain waits. */
RT_NODISCARD enum rt_status nic_steps_finish(struct nic *nic, struct nic_steps *steps);

/* For a step that waits for a register: RT_OK when (value & mask) == want, RT_BUSY, or
 * RT_TIMEOUT once timeout_us have passed since the step's first call; `value` gets what was
 * read. */
struct nic_step_wait {
    uint32_t offset, mask, want, timeout_us;
};
RT_NODISCARD enum rt_status nic_step_reg(struct nic_steps *steps, const struct hal_mmio *mmio,
                                         struct nic_step_wait wait, uint32_t *value);
/* ... of the port's device; RT_TIMEOUT with a line that names what did not come and the
 * register. */
RT_NODISCARD enum rt_status nic_step_await(struct nic *nic, struct nic_steps *steps,
                                           struct nic_step_wait wait, const char *what,
                                           const char *reg);
/* The step has been tried for so long. */
uint64_t nic_step_us(const struct nic_steps *steps);

#endif

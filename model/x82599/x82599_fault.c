/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults: late write-backs, and what befalls the whole device. */
#include "x82599_base.h"
#include "x82599_irq.h"
#include "x82599_late.h"
#include "x82599_link.h"

#include <limits.h>

#define LATE_MIN_NS 1000u
#define LATE_SPAN_NS 50000u
#define FLAP_MIN_NS 1000000u
#define FLAP_SPAN_NS 9000000u

const char *x82599_fault_name(enum x82599_fault kind)
{
    static const char *const names[X82599_FAULT_KINDS] = {
        [X82599_FAULT_LATE_WRITEBACK] = "late-writeback",
        [X82599_FAULT_WRONG_LENGTH] = "wrong-length",
        [X82599_FAULT_DD_WITHOUT_DATA] = "dd-without-data",
        [X82599_FAULT_LOST_IRQ] = "lost-irq",
        [X82599_FAULT_SPURIOUS_IRQ] = "spurious-irq",
        [X82599_FAULT_STUCK_TX] = "stuck-tx",
        [X82599_FAULT_LINK_FLAP] = "link-flap",
        [X82599_FAULT_REMOVAL] = "removal",
        [X82599_FAULT_RESET_NEEDED] = "reset-needed",
    };

    return (unsigned)kind < X82599_FAULT_KINDS ? names[kind] : "unknown";
}

/* ---- late write-backs: in the order of their queue ---- */

static bool waits_already(const struct x82599 *dev, unsigned queue)
{
    RT_ASSERT_LE(dev->late_count, LATE_MAX);
    for (unsigned i = 0; i < dev->late_count; i++)
        if (dev->late[i].queue == queue)
            return true;
    return false;
}

bool x82599_late(struct x82599 *dev, const struct late *what)
{
    bool hit = x82599_fault_hits(dev, X82599_FAULT_LATE_WRITEBACK);

    RT_ASSERT_LT((unsigned)what->queue, 2 * QUEUES_ALL);
    RT_ASSERT_LE(dev->late_count, LATE_MAX);
    if (!hit && (dev->late_count == 0 || !waits_already(dev, what->queue)))
        return false;
    if (dev->late_count == LATE_MAX)
        x82599_late_flush(dev);
    if (dev->late_count == 0)
        dev->late_at_ns = dev->now_ns + LATE_MIN_NS + x82599_random(dev) % LATE_SPAN_NS;
    RT_ASSERT_LT(dev->late_count, LATE_MAX);
    dev->late[dev->late_count++] = *what;
    return true;
}

void x82599_late_forget(struct x82599 *dev, unsigned queue)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < dev->late_count; i++)
        if (queue != UINT_MAX && dev->late[i].queue != queue)
            dev->late[kept++] = dev->late[i];
    RT_ASSERT_LE(kept, dev->late_count);
    dev->late_count = kept;
}

void x82599_late_flush(struct x82599 *dev)
{
    RT_ASSERT_LE(dev->late_count, LATE_MAX);
    for (unsigned i = 0; i < dev->late_count; i++) {
        const struct late *late = &dev->late[i];
        struct x82599_desc *desc = x82599_dma(dev, late->phys, sizeof(*desc), true);

        if (desc == NULL)
            continue; /* the guest gave the memory away meanwhile */
        if (late->queue < QUEUES_ALL)
            desc->w[0] = late->desc.w[0];
        __atomic_store_n(&desc->w[1], late->desc.w[1], __ATOMIC_RELEASE);
        x82599_wrote(dev, desc, sizeof(*desc));
        if (late->cause)
            x82599_cause_queue(dev, late->queue % QUEUES_ALL, late->queue >= QUEUES_ALL);
    }
    dev->late_count = 0;
    x82599_irq_deliver(dev);
}

/* ---- faults of the whole device ---- */

static void flap(struct x82599 *dev)
{
    RT_ASSERT(!dev->flapped);
    dev->flapped = true;
    dev->cable_back_ns = dev->now_ns + FLAP_MIN_NS + x82599_random(dev) % FLAP_SPAN_NS;
    x82599_link_restart(dev);
}

static void remove_device(struct x82599 *dev)
{
    RT_ASSERT(!dev->removed);
    dev->removed = true;
    x82599_late_forget(dev, UINT_MAX);
    for (uint32_t offset = 0; offset < X82599_BAR_BYTES; offset += 4)
        x82599_put(dev, offset, UINT32_MAX); /* for those who look at plain memory */
}

void x82599_fault_step(struct x82599 *dev)
{
    if (x82599_fault_hits(dev, X82599_FAULT_SPURIOUS_IRQ) && dev->config.interrupt != NULL) {
        unsigned vector = dev->irq_mode == MODEL_IRQ_MSIX
                              ? (unsigned)(x82599_random(dev) % X82599_VECTORS) : 0;

        dev->config.interrupt(dev->config.ctx, vector);
    }
    if (!dev->flapped && x82599_fault_hits(dev, X82599_FAULT_LINK_FLAP))
        flap(dev);
    if (!dev->halted && x82599_fault_hits(dev, X82599_FAULT_RESET_NEEDED)) {
        dev->halted = true;
        x82599_cause_other(dev, EICR_ECC);
    }
    if (x82599_fault_hits(dev, X82599_FAULT_REMOVAL))
        remove_device(dev);
}

void x82599_stuck_master(struct x82599 *dev)
{
    dev->stuck_resets = 2;
    dev->cleared = false;
    dev->halted = true;
}

void x82599_fault_chance(struct x82599 *dev, enum x82599_fault kind, uint32_t chance_65536)
{
    if ((unsigned)kind < X82599_FAULT_KINDS)
        dev->chance[kind] = RT_MIN(chance_65536, 65536u);
}

void x82599_fault_now(struct x82599 *dev, enum x82599_fault kind, unsigned queue)
{
    switch (kind) {
    case X82599_FAULT_STUCK_TX:
        if (queue < X82599_QUEUES && !dev->txq[queue].stuck) {
            dev->txq[queue].stuck = true;
            dev->count.faults[kind]++;
        }
        return;
    case X82599_FAULT_LINK_FLAP:
    case X82599_FAULT_REMOVAL:
    case X82599_FAULT_RESET_NEEDED:
    case X82599_FAULT_SPURIOUS_IRQ:
        dev->forced[kind] = 1;
        if (!dev->removed)
            x82599_fault_step(dev);
        x82599_irq_deliver(dev);
        return;
    case X82599_FAULT_LATE_WRITEBACK:
    case X82599_FAULT_WRONG_LENGTH:
    case X82599_FAULT_DD_WITHOUT_DATA:
    case X82599_FAULT_LOST_IRQ:
        dev->forced[kind]++;
        return;
    case X82599_FAULT_KINDS:
    default:
        return;
    }
}

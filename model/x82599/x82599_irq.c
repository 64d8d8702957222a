/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt causes (82599 datasheet 7.3). A cause sets its bit in EICR and, once enabled and not
 * throttled, sends one message. In MSI-X mode a queue cause is a vector (IVAR) and the other
 * causes share the vector of IVAR_MISC; else vectors 0 to 15 are bits of EICR and everything
 * shares one message.
 */
#include "x82599_base.h"
#include "x82599_irq.h"

#include <string.h>

static bool msix(const struct x82599 *dev)
{
    return dev->irq_mode == MODEL_IRQ_MSIX;
}

void x82599_irq_reset(struct x82599 *dev)
{
    dev->vectors = dev->vectors_due = dev->vectors_enabled = dev->vectors_auto_mask = 0;
    dev->other = dev->other_due = dev->other_enabled = 0;
    dev->line = false;
    memset(dev->next_irq_ns, 0, sizeof(dev->next_irq_ns));
}

void x82599_irq_mode(struct x82599 *dev, enum model_irq mode)
{
    RT_ASSERT_LE((unsigned)mode, (unsigned)MODEL_IRQ_MSIX);
    dev->irq_mode = mode;
    x82599_irq_deliver(dev);
}

/* True: the message leaves or is lost; false: it waits for the moderation timer. */
static bool send(struct x82599 *dev, unsigned vector)
{
    uint64_t interval =
        (uint64_t)FIELD_GET(EITR_INTERVAL, x82599_get(dev, R_EITR(vector))) * EITR_UNIT_NS;

    RT_ASSERT_LT(vector, X82599_VECTORS);
    if (dev->now_ns < dev->next_irq_ns[vector]) {
        dev->count.interrupts_held++;
        return false;
    }
    dev->next_irq_ns[vector] = interval > 0 ? dev->now_ns + interval : 0;
    if (x82599_fault_hits(dev, X82599_FAULT_LOST_IRQ))
        return true;
    dev->count.interrupts++;
    if (dev->config.interrupt != NULL)
        dev->config.interrupt(dev->config.ctx, vector);
    return true;
}

/* 7.3.1.4, 7.3.1.5: what sending a message clears and masks. */
static void sent_vector(struct x82599 *dev, unsigned vector)
{
    uint64_t bit = UINT64_C(1) << vector;

    RT_ASSERT_LT(vector, X82599_VECTORS);
    dev->vectors_due &= ~bit;
    if (vector >= 16 || (x82599_get(dev, R_EIAC) & RT_BIT(vector)) != 0)
        dev->vectors &= ~bit;
    if ((x82599_get(dev, R_GPIE) & GPIE_EIAME) != 0)
        dev->vectors_enabled &= ~(dev->vectors_auto_mask & bit);
}

static void sent_other(struct x82599 *dev)
{
    dev->other_due &= ~dev->other_enabled;
    if ((x82599_get(dev, R_GPIE) & GPIE_EIAME) != 0)
        dev->other_enabled &= ~(x82599_get(dev, R_EIAM) & EICR_OTHER);
}

/* The TCP timer has an entry of its own, the rest of the other causes share one. */
static bool other_vector(const struct x82599 *dev, uint32_t bits, unsigned *vector)
{
    uint32_t entry = x82599_get(dev, R_IVAR_MISC);

    if ((bits & ~EICR_TCP_TIMER) != 0)
        entry >>= 8;
    *vector = FIELD_GET(IVAR_VECTOR, entry);
    return (entry & IVAR_VALID) != 0;
}

static void deliver_msix(struct x82599 *dev)
{
    uint64_t due = dev->vectors_due & dev->vectors_enabled;
    uint32_t other = dev->other_due & dev->other_enabled;
    unsigned vector;

    RT_ASSERT_EQ(other & ~(uint32_t)EICR_OTHER, 0u);
    for (vector = 0; vector < X82599_VECTORS && due >> vector != 0; vector++)
        if ((due >> vector & 1) != 0 && send(dev, vector))
            sent_vector(dev, vector);
    if (other == 0)
        return;
    if (!other_vector(dev, other, &vector) || send(dev, vector))
        sent_other(dev);
}

/* INTx is a level, MSI an edge: both fall together when a new cause comes up. */
static void deliver_shared(struct x82599 *dev)
{
    bool due = (dev->vectors_due & dev->vectors_enabled & EICR_QUEUES) != 0 ||
               (dev->other_due & dev->other_enabled) != 0;

    RT_ASSERT_NE((unsigned)dev->irq_mode, (unsigned)MODEL_IRQ_MSIX);
    if (!due || dev->irq_mode == MODEL_IRQ_NONE || !send(dev, 0))
        return;
    dev->vectors_due &= ~dev->vectors_enabled;
    dev->other_due &= ~dev->other_enabled;
}

void x82599_irq_deliver(struct x82599 *dev)
{
    if (dev->in_irq || dev->removed)
        return; /* the callback came back into the model; the outer call goes on */
    dev->in_irq = true;
    if (msix(dev))
        deliver_msix(dev);
    else
        deliver_shared(dev);
    dev->in_irq = false;
}

bool x82599_irq_line(const struct x82599 *dev)
{
    return dev->irq_mode == MODEL_IRQ_INTX && !dev->removed &&
           ((dev->vectors & dev->vectors_enabled & EICR_QUEUES) != 0 ||
            (dev->other & dev->other_enabled) != 0);
}

void x82599_irq_again(struct x82599 *dev)
{
    if (dev->irq_mode != MODEL_IRQ_INTX)
        return;
    dev->vectors_due |= dev->vectors & EICR_QUEUES;
    dev->other_due |= dev->other;
    x82599_irq_deliver(dev);
}

static void raise(struct x82599 *dev, uint64_t vectors, uint32_t other)
{
    RT_ASSERT_EQ(other & ~(uint32_t)EICR_OTHER, 0u);
    dev->vectors |= vectors;
    dev->vectors_due |= vectors;
    dev->other |= other;
    dev->other_due |= other;
}

void x82599_cause_queue(struct x82599 *dev, unsigned queue, bool transmit)
{
    unsigned shift = 16 * (queue & 1) + (transmit ? 8 : 0);
    uint32_t entry = x82599_get(dev, R_IVAR(queue / 2)) >> shift;

    RT_ASSERT_LT(queue, QUEUES_ALL);
    if ((entry & IVAR_VALID) != 0)
        raise(dev, UINT64_C(1) << FIELD_GET(IVAR_VECTOR, entry), 0);
}

void x82599_cause_other(struct x82599 *dev, uint32_t bits)
{
    raise(dev, 0, bits & EICR_OTHER);
}

static void enable(struct x82599 *dev, uint64_t vectors, uint32_t other)
{
    RT_ASSERT_EQ(other & ~(uint32_t)EICR_OTHER, 0u);
    /* a cause that is shown and becomes enabled is sent (7.3.1.3) */
    dev->vectors_due |= dev->vectors & vectors & ~dev->vectors_enabled;
    dev->other_due |= dev->other & other & ~dev->other_enabled;
    dev->vectors_enabled |= vectors;
    dev->other_enabled |= other;
    x82599_irq_deliver(dev);
}

static void clear(struct x82599 *dev, uint64_t vectors, uint32_t other)
{
    RT_ASSERT_EQ(other & ~(uint32_t)EICR_OTHER, 0u);
    dev->vectors &= ~vectors;
    dev->vectors_due &= ~vectors;
    dev->other &= ~other;
    dev->other_due &= ~other;
}

/* Without EIAME, EIAM masks when EICR is read or cleared: the legacy way. */
static void auto_mask(struct x82599 *dev)
{
    uint32_t eiam = x82599_get(dev, R_EIAM);

    if ((x82599_get(dev, R_GPIE) & GPIE_EIAME) != 0)
        return;
    dev->vectors_enabled &= ~(uint64_t)(eiam & EICR_QUEUES);
    dev->other_enabled &= ~(eiam & EICR_OTHER);
}

static uint32_t shown(const struct x82599 *dev)
{
    RT_ASSERT_EQ(dev->other & (uint32_t)EICR_QUEUES, 0u); /* two words in one */
    return (uint32_t)(dev->vectors & EICR_QUEUES) | dev->other;
}

bool x82599_irq_read(struct x82599 *dev, uint32_t offset, uint32_t *value)
{
    switch (offset) {
    case R_EICR:
        *value = shown(dev);
        auto_mask(dev);
        clear(dev, (x82599_get(dev, R_GPIE) & GPIE_OCD) != 0 ? 0 : EICR_QUEUES, EICR_OTHER);
        return true;
    case R_EICS:
        *value = shown(dev);
        return true;
    case R_EIMS:
    case R_EIMC:
        *value = (uint32_t)(dev->vectors_enabled & EICR_QUEUES) | dev->other_enabled;
        return true;
    case R_EIMS_EX(0):
    case R_EIMC_EX(0):
        *value = (uint32_t)dev->vectors_enabled;
        return true;
    case R_EIMS_EX(1):
    case R_EIMC_EX(1):
        *value = (uint32_t)(dev->vectors_enabled >> 32);
        return true;
    case R_EICS_EX(0):
        *value = (uint32_t)dev->vectors;
        return true;
    case R_EICS_EX(1):
        *value = (uint32_t)(dev->vectors >> 32);
        return true;
    default:
        return false;
    }
}

static void auto_mask_write(struct x82599 *dev, uint32_t offset, uint32_t value)
{
    x82599_put(dev, offset, value);
    if (offset == R_EIAM)
        dev->vectors_auto_mask = (dev->vectors_auto_mask & ~(uint64_t)EICR_QUEUES) |
                                 (value & EICR_QUEUES);
    else if (offset == R_EIAM_EX(0))
        dev->vectors_auto_mask = (dev->vectors_auto_mask & ~(uint64_t)UINT32_MAX) | value;
    else
        dev->vectors_auto_mask =
            (dev->vectors_auto_mask & UINT32_MAX) | (uint64_t)value << 32;
}

bool x82599_irq_write(struct x82599 *dev, uint32_t offset, uint32_t value)
{
    uint64_t high = (uint64_t)value << 32;

    switch (offset) {
    case R_EICR:
        auto_mask(dev);
        clear(dev, value & EICR_QUEUES, value & EICR_OTHER);
        return true;
    case R_EICS:
        raise(dev, value & EICR_QUEUES, value & EICR_OTHER);
        break;
    case R_EICS_EX(0):
        raise(dev, value, 0);
        break;
    case R_EICS_EX(1):
        raise(dev, high, 0);
        break;
    case R_EIMS:
        enable(dev, value & EICR_QUEUES, value & EICR_OTHER);
        return true;
    case R_EIMS_EX(0):
        enable(dev, value, 0);
        return true;
    case R_EIMS_EX(1):
        enable(dev, high, 0);
        return true;
    case R_EIMC:
        dev->vectors_enabled &= ~(uint64_t)(value & EICR_QUEUES);
        dev->other_enabled &= ~(value & EICR_OTHER);
        return true;
    case R_EIMC_EX(0):
        dev->vectors_enabled &= ~(uint64_t)value;
        return true;
    case R_EIMC_EX(1):
        dev->vectors_enabled &= ~high;
        return true;
    case R_EIAM:
    case R_EIAM_EX(0):
    case R_EIAM_EX(1):
        auto_mask_write(dev, offset, value);
        return true;
    default:
        return false;
    }
    x82599_irq_deliver(dev);
    return true;
}

uint64_t x82599_irq_next_ns(const struct x82599 *dev)
{
    uint64_t due = dev->vectors_due & dev->vectors_enabled, next = UINT64_MAX;
    bool other = (dev->other_due & dev->other_enabled) != 0;
    unsigned vector = 0;

    if (dev->irq_mode == MODEL_IRQ_NONE || (due == 0 && !other))
        return UINT64_MAX;
    if (!msix(dev))
        return dev->next_irq_ns[0];
    for (; vector < X82599_VECTORS; vector++)
        if ((due >> vector & 1) != 0)
            next = RT_MIN(next, dev->next_irq_ns[vector]);
    if (other && other_vector(dev, dev->other_due & dev->other_enabled, &vector))
        next = RT_MIN(next, dev->next_irq_ns[vector]);
    return next;
}

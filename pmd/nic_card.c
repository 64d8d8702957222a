/* SPDX-License-Identifier: BSD-2-Clause */
/* Cards by tables of steps; see nic_card.h. */
#include "nic_card.h"

#include "ring/ring.h"

#include <rt/log.h>

static uint32_t status_of(const struct nic *nic)
{
    return hal_read32(&nic->mmio, nic->ops->card->status_reg);
}

enum rt_status nic_card_attach(struct nic *nic, const struct nic_ops *ops, void *priv,
                               size_t bytes_min)
{
    enum rt_status st = pci_map_bar(nic->pci, 0, &nic->mmio);

    RT_ASSERT(nic->ops == NULL); /* a port is attached once */
    nic->ops = ops;
    nic->priv = priv;
    if (st != RT_OK || nic->mmio.bytes < bytes_min) {
        nic_complain(nic, "bar0", "bytes", (uint32_t)nic->mmio.bytes);
        return st != RT_OK ? st : RT_IO;
    }
    if (status_of(nic) == UINT32_MAX) {
        nic_complain(nic, "not-answering", "status", UINT32_MAX);
        return RT_IO;
    }
    return RT_OK;
}

enum rt_status nic_card_steps(struct nic *nic, const struct nic_step_table *table)
{
    struct nic_steps steps;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    nic_steps_begin(&steps, *table, nic->model_flags);
    return nic_steps_finish(nic, &steps);
}

bool nic_card_gone(struct nic *nic)
{
    bool now = status_of(nic) == UINT32_MAX;

    if (now)
        nic->ops->card->forget(nic);
    return now;
}

void nic_card_begin(struct nic *nic, enum nic_way way, struct nic_steps *steps)
{
    const struct nic_card *card = nic->ops->card;
    bool there = !nic_card_gone(nic);

    RT_ASSERT_EQ(hal_core_id(), 0u);
    card->let_go(nic, there);
    if (way == NIC_UP)
        nic_steps_begin(steps, *card->up, nic->model_flags);
    else
        nic_steps_begin(steps, there ? *card->down : *card->off_bus, nic->model_flags);
}

static enum rt_status go(struct nic *nic, enum nic_way way)
{
    struct nic_steps steps;

    nic_card_begin(nic, way, &steps);
    return nic_steps_finish(nic, &steps);
}

/* Back to a device without DMA and interrupts; buffers of both sides are ours again. */
static void shut_down(struct nic *nic)
{
    if (go(nic, NIC_DOWN) != RT_OK)
        nic_complain(nic, "stop", "status", status_of(nic));
    nic_rings_empty(nic);
}

enum rt_status nic_card_start(struct nic *nic)
{
    const struct nic_card *card = nic->ops->card;
    enum rt_status st = nic->fresh ? RT_OK : go(nic, NIC_DOWN);

    RT_ASSERT(!nic->started);
    nic->irqs_silent = 0; /* each is tried below */
    if (st == RT_OK)
        st = go(nic, NIC_UP);
    if (st == RT_OK)
        nic_irq_try(nic, card->irq_raise, card->irq_lower);
    else
        shut_down(nic);
    return st;
}

void nic_card_stop(struct nic *nic)
{
    RT_ASSERT(nic->started);
    nic->ops->poll_stats(nic, NIC_STATS_ALL);
    shut_down(nic);
    if (!nic_card_gone(nic))
        nic->ops->card->unload(nic);
    nic->link.up = false;
    rt_log("%s state=stopped", nic->name);
}

uint64_t nic_card_pauses(struct nic *nic)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    return nic_count_now(nic, &nic->mmio, nic->ops->card->pause_reg);
}

/* Whatever it does from here on, it does not do it to our memory. */
enum rt_status nic_card_bus_master_off(struct nic *nic, struct nic_steps *steps)
{
    pci_bus_master(nic->pci, false);
    return RT_OK;
}

enum rt_status nic_card_irqs_free(struct nic *nic, struct nic_steps *steps)
{
    nic_irq_teardown(nic);
    return RT_OK;
}

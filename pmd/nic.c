/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of <pmd/nic.h>: checks that every driver wants done, then the driver's function. */
#include "nic_driver.h"
#include "nic_park.h"

#include <rt/assert.h>
#include <rt/log.h>

/* One line that names the thing, the wrong value and what would be right. */
static enum rt_status out_of_range(const struct nic *nic, const char *what, uint32_t value,
                                   uint32_t min, uint32_t max)
{
    rt_log("%s error=configure %s=%u allowed=%u..%u", nic->name, what, value,
           min, max);
    return RT_INVALID;
}

static enum rt_status check_ring(const struct nic *nic, const char *what, uint32_t descs)
{
    const struct nic_caps *caps = &nic->caps;

    if (descs < caps->ring_min || descs > caps->ring_max)
        return out_of_range(nic, what, descs, caps->ring_min, caps->ring_max);
    if (descs % caps->ring_multiple != 0) {
        rt_log("%s error=configure %s=%u remedy=\"use a multiple of %u, such as %u\"",
               nic->name, what, descs, caps->ring_multiple,
               RT_ALIGN_UP(descs, (uint32_t)caps->ring_multiple));
        return RT_INVALID;
    }
    return RT_OK;
}

enum rt_status nic_configure(struct nic *nic, const struct nic_config *config)
{
    const struct nic_caps *caps = &nic->caps;
    enum rt_status st;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (nic->failed != NULL) {
        rt_log("%s error=configure reason=\"%s\"", nic->name, nic->failed);
        return RT_IO;
    }
    if (nic->started) {
        rt_log("%s error=configure reason=\"port is started\" remedy=\"stop it first\"",
               nic->name);
        return RT_BUSY;
    }
    if (config->rxqs < 1 || config->rxqs > caps->rxq_max)
        return out_of_range(nic, "rxqs", config->rxqs, 1, caps->rxq_max);
    if (config->txqs < 1 || config->txqs > caps->txq_max)
        return out_of_range(nic, "txqs", config->txqs, 1, caps->txq_max);
    if (config->frame_max_bytes < NIC_FRAME_BYTES_MIN ||
        config->frame_max_bytes > caps->frame_max_bytes)
        return out_of_range(nic, "frame_max_bytes", config->frame_max_bytes,
                            NIC_FRAME_BYTES_MIN, caps->frame_max_bytes);
    if (config->irq_mode > NIC_IRQ_NONE)
        return out_of_range(nic, "irq_mode", config->irq_mode, 0, NIC_IRQ_NONE);
    nic->config = *config;
    if (POOL_HOSTILE) {
        nic->config.rx_descs = caps->ring_min;
        nic->config.tx_descs = caps->ring_min;
    }
    st = check_ring(nic, "rx_descs", nic->config.rx_descs);
    if (st == RT_OK)
        st = check_ring(nic, "tx_descs", nic->config.tx_descs);
    if (st == RT_OK)
        st = nic->ops->configure(nic);
    return st;
}

static enum rt_status check_queue(const struct nic *nic, const char *what, uint32_t queue,
                                  uint32_t queues, unsigned core, const struct pool *pool)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    RT_ASSERT(pool != NULL);
    if (nic->started)
        return RT_BUSY;
    if (queue >= queues) {
        rt_log("%s error=queue %s=%u configured=%u", nic->name, what, queue,
               queues);
        return RT_INVALID;
    }
    if (pool->core != core) {
        rt_log("%s error=queue %s=%u core=%u pool=%s pool_core=%u remedy=\"a queue's pool "
               "belongs to the queue's core\"",
               nic->name, what, queue, core, pool->name, pool->core);
        return RT_INVALID;
    }
    return RT_OK;
}

/* Drivers receive into the usual room, behind the usual headroom. */
static bool receives_into(const struct nic *nic, uint32_t queue, const struct pool *pool)
{
    if (pool->headroom_bytes == BUF_HEADROOM_BYTES && pool->room_bytes >= BUF_ROOM_BYTES)
        return true;
    rt_log("%s error=queue rxq=%u pool=%s headroom_bytes=%u room_bytes=%u remedy=\"a receive "
           "queue's pool has %u and at least %u\"",
           nic->name, (unsigned)queue, pool->name, (unsigned)pool->headroom_bytes,
           (unsigned)pool->room_bytes, (unsigned)BUF_HEADROOM_BYTES, (unsigned)BUF_ROOM_BYTES);
    return false;
}

enum rt_status nic_rxq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool)
{
    enum rt_status st = check_queue(nic, "rxq", queue, nic->config.rxqs, core, pool);

    if (st == RT_OK && !receives_into(nic, queue, pool))
        st = RT_INVALID;
    if (st == RT_OK)
        st = nic->ops->rxq_setup(nic, queue, core, pool);
    if (st == RT_OK)
        nic_park_rxq(nic->rxq[queue]); /* until the start */
    return st;
}

enum rt_status nic_txq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool)
{
    enum rt_status st = check_queue(nic, "txq", queue, nic->config.txqs, core, pool);

    if (st == RT_OK)
        st = nic->ops->txq_setup(nic, queue, core, pool);
    if (st == RT_OK)
        nic_park_txq(nic->txq[queue]);
    return st;
}

static bool all_set_up(const struct nic *nic)
{
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        if (nic->rxq[q] == NULL) {
            rt_log("%s error=start rxq=%u reason=\"not set up\"", nic->name, q);
            return false;
        }
    }
    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        if (nic->txq[q] == NULL) {
            rt_log("%s error=start txq=%u reason=\"not set up\"", nic->name, q);
            return false;
        }
    }
    return nic->config.rxqs != 0;
}

enum rt_status nic_start(struct nic *nic)
{
    enum rt_status st;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (nic->started)
        return RT_BUSY;
    if (!all_set_up(nic))
        return RT_INVALID;
    nic->link = (struct nic_link){.up = false};
    nic->let_in = (struct nic_filters){.groups = 0};
    st = nic->ops->start(nic);
    if (st != RT_OK) {
        rt_log("%s error=start status=%s", nic->name, rt_status_name(st));
        return st;
    }
    nic->ops->poll_link(nic);
    nic->ops->poll_stats(nic, NIC_STATS_ALL); /* clears what the device counted before */
    for (uint32_t i = 0; i < nic->counter_count; i++)
        nic->counters[i].value = 0;
    nic->stats = (struct nic_stats){0};
    nic_watch_start(nic);
    nic->started = true;
    return RT_OK;
}

void nic_stop(struct nic *nic)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (!nic->started)
        return;
    nic_watch_stop(nic);
    nic->ops->stop(nic);
    nic->started = false;
}

void nic_poll_link(struct nic *nic)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (!nic->started)
        return;
    nic_watch_poll(nic);
    if (nic_watch_calm(nic))
        nic->ops->poll_link(nic);
}

uint64_t nic_next_us(const struct nic *nic)
{
    return nic->started ? RT_MIN(nic_watch_next_us(nic), nic->link_due_us) : UINT64_MAX;
}

void nic_poll_stats(struct nic *nic, uint32_t rows)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (nic->started && nic_watch_calm(nic))
        nic->ops->poll_stats(nic, rows);
}

enum rt_status nic_set_promiscuous(struct nic *nic, bool on)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (!nic->started || nic_watch_runs(nic))
        return nic->ops->set_promiscuous(nic, on);
    nic->config.promiscuous = on; /* written when it has recovered */
    return RT_OK;
}

/* Remembered, for a reset would clear the card's table. */
static enum rt_status remember_group(struct nic *nic, const uint8_t mac[6])
{
    struct nic_filters *let_in = &nic->let_in;

    for (uint32_t i = 0; i < let_in->groups; i++)
        if (__builtin_memcmp(let_in->group[i], mac, sizeof(let_in->group[i])) == 0)
            return RT_OK;
    if (let_in->groups == NIC_GROUPS_MAX) {
        rt_log("%s error=multicast groups=%u remedy=\"promiscuous\"", nic->name,
               let_in->groups);
        return RT_FULL;
    }
    __builtin_memcpy(let_in->group[let_in->groups++], mac, sizeof(let_in->group[0]));
    return RT_OK;
}

enum rt_status nic_add_multicast(struct nic *nic, const uint8_t mac[6])
{
    enum rt_status st;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if ((mac[0] & 1) == 0) {
        rt_log("%s error=multicast mac=%02x:%02x:%02x:%02x:%02x:%02x reason=\"not a multicast "
               "address\"",
               nic->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        return RT_INVALID;
    }
    if (!nic->started)
        return RT_BUSY;
    st = remember_group(nic, mac);
    return st == RT_OK && nic_watch_runs(nic) ? nic->ops->add_multicast(nic, mac) : st;
}

enum rt_status nic_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on)
{
    const uint64_t bit = UINT64_C(1) << (vlan % 64);
    uint64_t *word;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (vlan > NIC_VLAN_MAX)
        return out_of_range(nic, "vlan", vlan, 0, NIC_VLAN_MAX);
    if (!nic->started)
        return RT_BUSY;
    word = &nic->let_in.vlan[vlan / 64];
    *word = on ? *word | bit : *word & ~bit;
    return nic_watch_runs(nic) ? nic->ops->set_vlan_filter(nic, vlan, on) : RT_OK;
}

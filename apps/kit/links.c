/* SPDX-License-Identifier: BSD-2-Clause */
/* Links and the cards' own counters, looked at by core 0: a port at a time, for each read of a
 * register holds the frames of this core up. */
#include "links.h"

#include <rt/assert.h>
#include <rt/log.h>

enum {
    LINK_POLL_MS = 10,
    WATCH_US = 200000, /* links and device counters, a port a time and ... */
    WATCH_ROWS = 8,    /* ... so many counters */
};

static uint32_t links_down(struct kit *kit)
{
    uint32_t down = 0;

    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (kit->ports[p] == NULL)
            continue;
        nic_poll_link(kit->ports[p]);
        down += !kit->ports[p]->link.up;
    }
    return down;
}

void kit_links_wait(struct kit *kit, uint32_t timeout_ms)
{
    for (uint32_t ms = 0; ms < timeout_ms; ms += LINK_POLL_MS) {
        if (links_down(kit) == 0)
            return;
        hal_delay_us(LINK_POLL_MS * 1000);
    }
    if (timeout_ms != 0 && links_down(kit) != 0)
        rt_log("%s warning=\"%u links are still down, going on\"", rt_app.name,
               links_down(kit));
}

void kit_links_read_all(struct kit *kit)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (kit->ports[p] == NULL)
            continue;
        nic_poll_link(kit->ports[p]);
        nic_poll_stats(kit->ports[p], NIC_STATS_ALL);
    }
}

/* A link interrupt only woke this core; here its cause is read. */
static void follow_irqs(struct kit_links *links)
{
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        struct nic *nic = links->kit->ports[p];
        uint64_t irqs = nic != NULL && nic->link_irq.count != NULL ? *nic->link_irq.count : 0;

        if (irqs == links->irqs[p])
            continue;
        RT_ASSERT(nic != NULL);
        links->irqs[p] = irqs;
        nic_poll_link(nic);
    }
}

/* A port's link and some of its counters. */
static void watch_next(struct kit_links *links, uint64_t now_us)
{
    if (now_us < links->due_us)
        return;
    links->due_us = now_us + WATCH_US;
    for (uint32_t i = 0; i < NIC_PORTS_MAX; i++) {
        struct nic *nic;

        RT_ASSERT_LT(links->watched, (uint32_t)NIC_PORTS_MAX);
        links->watched = (links->watched + 1) % NIC_PORTS_MAX;
        nic = links->kit->ports[links->watched];
        if (nic == NULL)
            continue;
        nic_poll_link(nic);
        nic_poll_stats(nic, WATCH_ROWS);
        break;
    }
}

/* A port that recovers: its next step. Returns when that of the next one is due. */
static uint64_t recover(struct kit_links *links, uint64_t now_us)
{
    uint64_t due_us = UINT64_MAX;

    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        struct nic *nic = links->kit->ports[p];

        if (nic == NULL)
            continue;
        if (nic_next_us(nic) <= now_us)
            nic_poll_link(nic);
        due_us = RT_MIN(due_us, nic_next_us(nic));
    }
    return due_us;
}

uint64_t kit_links_look(struct kit_links *links, uint64_t now_us)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    follow_irqs(links);
    watch_next(links, now_us);
    return recover(links, now_us);
}

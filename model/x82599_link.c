/* SPDX-License-Identifier: BSD-2-Clause */
/* The cable and what LINKS says about it. */
#include "x82599_int.h"

static void set(struct x82599 *dev, bool up)
{
    x82599_put(dev, R_LINKS, up ? LINKS_UP_10G : 0);
    if (dev->link == up)
        return;
    dev->link = up;
    x82599_cause_other(dev, EICR_LSC);
}

static bool cable(const struct x82599 *dev)
{
    return dev->cable && !dev->flapped;
}

/* Reset, AN restart or a plugged cable: down, then up when negotiation is over. */
void x82599_link_restart(struct x82599 *dev)
{
    set(dev, false);
    dev->link_at_ns = cable(dev) ? dev->now_ns + dev->config.link_up_ns : UINT64_MAX;
    if (dev->link_at_ns <= dev->now_ns) {
        dev->link_at_ns = UINT64_MAX;
        set(dev, true);
    }
    x82599_irq_deliver(dev);
}

void x82599_link_step(struct x82599 *dev)
{
    if (dev->flapped && dev->now_ns >= dev->cable_back_ns) {
        dev->flapped = false;
        x82599_link_restart(dev);
    }
    if (dev->link_at_ns <= dev->now_ns) {
        dev->link_at_ns = UINT64_MAX;
        set(dev, true);
    }
}

void x82599_link(struct x82599 *dev, bool up)
{
    if (dev->cable == up || dev->removed) {
        dev->cable = up;
        return;
    }
    dev->cable = up;
    x82599_link_restart(dev);
}

uint64_t x82599_link_next_ns(const struct x82599 *dev)
{
    return dev->flapped ? RT_MIN(dev->link_at_ns, dev->cable_back_ns) : dev->link_at_ns;
}

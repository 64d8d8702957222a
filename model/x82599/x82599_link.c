/* SPDX-License-Identifier: BSD-2-Clause */
/* The cable, the module, and what LINKS says about them. */
#include "x82599_irq.h"
#include "x82599_link.h"

#define AN_STATE_BEGUN 0xcu

static bool slow_module(const struct x82599 *dev)
{
    return dev->module == X82599_MODULE_1G_SX || dev->module == X82599_MODULE_1G_LX ||
           dev->module == X82599_MODULE_1G_T;
}

/* A passive cable has no laser; the copper port none either. */
bool x82599_light(const struct x82599 *dev)
{
    const uint32_t dark = ESDP_SDP3 | ESDP_SDP3_OUT;

    if (dev->config.device_id == X82599_ID_X540 || dev->module == X82599_MODULE_CABLE)
        return true;
    return dev->module != X82599_MODULE_NONE && (x82599_get(dev, R_ESDP) & dark) != dark;
}

/* What a link takes besides the cable. Without light the partner reports a remote fault. */
static bool ready(const struct x82599 *dev)
{
    uint32_t lms = FIELD_GET(AUTOC_LMS, x82599_get(dev, R_AUTOC));

    if (dev->config.device_id == X82599_ID_X540)
        return true;
    if (!x82599_light(dev) || (x82599_get(dev, R_AUTOC2) & AUTOC2_LINK_OFF) != 0 || dev->stale)
        return false;
    return slow_module(dev) ? lms == LMS_1G_PLAIN || lms == LMS_1G_AN : lms == LMS_10G_SERIAL;
}

static void set(struct x82599 *dev, bool up)
{
    uint32_t links = slow_module(dev) ? LINKS_UP_1G : LINKS_UP_10G;

    x82599_put(dev, R_LINKS, up ? links : 0);
    if (dev->link == up)
        return;
    dev->link = up;
    x82599_cause_other(dev, EICR_LSC);
}

static bool cable(const struct x82599 *dev)
{
    return dev->cable && !dev->flapped && ready(dev);
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

/* 8.2.3.22.19: nothing happens without the restart bit. With bit 2 of LMS set the state machine of
 * negotiation begins, which is what restarts the pipeline (the DSP takes its settings over); in
 * the modes without negotiation it rests. */
void x82599_autoc_write(struct x82599 *dev, uint32_t value)
{
    bool negotiates = (FIELD_GET(AUTOC_LMS, value) & LMS_AN_BIT) != 0;

    x82599_put(dev, R_AUTOC, value & ~AUTOC_RESTART);
    if ((value & AUTOC_RESTART) == 0)
        return;
    x82599_put(dev, R_ANLP1, negotiates ? FIELD_PUT(ANLP1_AN_STATE, AN_STATE_BEGUN) : 0);
    if (negotiates)
        dev->stale = false;
    x82599_link_restart(dev);
}

void x82599_esdp_write(struct x82599 *dev, uint32_t value)
{
    bool light = x82599_light(dev);

    x82599_put(dev, R_ESDP, value);
    if (light != x82599_light(dev))
        x82599_link_restart(dev);
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

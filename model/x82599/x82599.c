/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of a model, its reset and clock. */
#include "x82599_base.h"
#include "x82599_irq.h"
#include "x82599_late.h"
#include "x82599_link.h"
#include "x82599_reset.h"
#include "x82599_serial.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- reset ---- */

static void reset_tables(struct x82599 *dev)
{
    const uint8_t *mac = dev->config.mac;

    for (unsigned q = 0; q < QUEUES_ALL; q++)
        x82599_put(dev, R_RXQ(q) + RXQ_SRRCTL, SRRCTL_DEFAULT);
    /* Address 0 is loaded from the EEPROM, 4.6.3.2 */
    x82599_put(dev, R_RAL(0), (uint32_t)mac[0] | (uint32_t)mac[1] << 8 |
                                  (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24);
    x82599_put(dev, R_RAH(0), (uint32_t)mac[4] | (uint32_t)mac[5] << 8 | RAH_AV);
}

void x82599_queue_disabled(struct x82599 *dev, bool transmit, unsigned queue)
{
    if (queue >= X82599_QUEUES)
        return;
    if (transmit) {
        struct tx_queue *txq = &dev->txq[queue];

        txq->gathering = txq->bad = txq->stuck = false;
        txq->bytes = txq->buffers = 0;
    }
    x82599_late_forget(dev, transmit ? QUEUES_ALL + queue : queue);
}

/* CTRL.RST and LRST (4.2.1.6). What sits behind auxiliary power survives: semaphores, and the
 * states of the pins (8.2.3.1.4). */
void x82599_reset(struct x82599 *dev, bool power_on)
{
    uint32_t swsm = x82599_get(dev, R_SWSM), gssr = x82599_get(dev, R_GSSR);
    uint32_t esdp = power_on ? ESDP_SDP3_OUT : x82599_get(dev, R_ESDP); /* the laser is on */

    RT_ASSERT(dev->reg != NULL);
    RT_ASSERT_LE(dev->stuck_resets, 2u);
    dev->count.resets++;
    memset(dev->reg, 0, X82599_BAR_BYTES);
    if (!power_on) {
        x82599_put(dev, R_SWSM, swsm);
        x82599_put(dev, R_GSSR, gssr);
    }
    x82599_put(dev, R_ESDP, esdp);
    if (power_on || (dev->cleared && dev->stuck_resets > 0))
        dev->stuck_resets = power_on ? 0 : dev->stuck_resets - 1;
    dev->halted = dev->stuck_resets > 0;
    dev->stale = false;
    x82599_late_forget(dev, UINT_MAX);
    for (unsigned q = 0; q < X82599_QUEUES; q++) {
        x82599_queue_disabled(dev, true, q);
        memset(dev->txq[q].context, 0, sizeof(dev->txq[q].context));
    }
    x82599_put(dev, R_STATUS, STATUS_GIO);
    x82599_put(dev, R_FWSM, FWSM_VALID);
    x82599_put(dev, R_EEMNGCTL, EEMNGCTL_CFG_DONE);
    x82599_put(dev, R_RXPBSIZE(0), 0x80000);
    x82599_put(dev, R_TXPBSIZE(0), 0x28000);
    x82599_put(dev, R_HLREG0, HLREG0_DEFAULT);
    x82599_put(dev, R_MAXFRS, FIELD_PUT(MAXFRS_MFS, 1518));
    x82599_put(dev, R_AUTOC, 0xc09c6004); /* LMS: 10G serial (SFI) */
    x82599_put(dev, R_AUTOC2, 0x000a0000 | (dev->config.link_disabled ? AUTOC2_LINK_OFF : 0));
    x82599_put(dev, R_RDRXCTL, RDRXCTL_DMAIDONE);
    x82599_put(dev, R_SECRXSTAT, 1);
    x82599_put(dev, R_SECTXSTAT, 1);
    x82599_put(dev, R_FDIRCTRL, FDIRCTRL_DONE);
    x82599_put(dev, R_DMATXCTL, FIELD_PUT(DMATXCTL_VT, 0x8100));
    x82599_put(dev, R_DTXTCPFLGL, FIELD_PUT(TCPFLG_MID, 0xf76) | FIELD_PUT(TCPFLG_FIRST, 0xff6));
    x82599_put(dev, R_DTXTCPFLGH, 0xf7f);
    x82599_put(dev, R_VLNCTRL, FIELD_PUT(VLNCTRL_VET, 0x8100));
    reset_tables(dev);
    x82599_irq_reset(dev);
    x82599_nvm_reset(dev);
    x82599_link_restart(dev);
    if (dev->shadow != NULL)
        memcpy(dev->shadow, dev->reg, X82599_BAR_BYTES);
}

/* ---- life ---- */

struct x82599 *x82599_create(const struct x82599_config *config)
{
    static const uint8_t default_mac[6] = {0x00, 0x1b, 0x21, 0x82, 0x59, 0x00}, none[6];
    struct x82599 *dev = calloc(1, sizeof(*dev));

    if (dev == NULL)
        return NULL;
    RT_ASSERT_EQ((uintptr_t)config->bar % 4096, (uintptr_t)0);
    dev->config = *config;
    if (config->device_id == 0)
        dev->config.device_id = X82599_ID_SFP;
    if (memcmp(config->mac, none, 6) == 0)
        memcpy(dev->config.mac, default_mac, 6);
    dev->random = config->seed;
    dev->cable = true;
    dev->irq_mode = MODEL_IRQ_MSIX;
    dev->reg = config->bar;
    dev->own_reg = config->bar == NULL;
    if (dev->own_reg)
        dev->reg = aligned_alloc(4096, X82599_BAR_BYTES);
    dev->rss = calloc(1, sizeof(*dev->rss));
    for (unsigned q = 0; q < X82599_QUEUES; q++)
        dev->txq[q].frame = malloc(TX_FRAME_BYTES);
    for (unsigned q = 0; q < X82599_QUEUES; q++) {
        if (dev->txq[q].frame == NULL || dev->reg == NULL || dev->rss == NULL) {
            x82599_destroy(dev);
            return NULL;
        }
    }
    memset(dev->reg, 0, X82599_BAR_BYTES);
    x82599_nvm_init(dev);
    x82599_power_on(dev);
    dev->count.resets = 0;
    return dev;
}

void x82599_destroy(struct x82599 *dev)
{
    for (unsigned q = 0; q < X82599_QUEUES; q++)
        free(dev->txq[q].frame);
    free(dev->rss);
    free(dev->shadow);
    if (dev->own_reg)
        free(dev->reg);
    free(dev);
}

void x82599_power_on(struct x82599 *dev)
{
    RT_ASSERT(dev->reg != NULL);
    if (!dev->removed)
        x82599_reset(dev, true);
}

void x82599_replug(struct x82599 *dev)
{
    dev->removed = false;
    x82599_power_on(dev);
}

void x82599_clock(struct x82599 *dev, uint64_t now_ns)
{
    dev->now_ns = RT_MAX(dev->now_ns, now_ns);
}

void x82599_step(struct x82599 *dev, uint64_t now_ns)
{
    x82599_clock(dev, now_ns);
    if (dev->removed)
        return;
    x82599_fault_step(dev);
    x82599_link_step(dev);
    RT_ASSERT_LE(dev->late_count, LATE_MAX);
    if (dev->late_count > 0 && dev->now_ns >= dev->late_at_ns)
        x82599_late_flush(dev);
    x82599_irq_deliver(dev);
}

uint64_t x82599_next_ns(const struct x82599 *dev)
{
    uint64_t next = x82599_irq_next_ns(dev), link = x82599_link_next_ns(dev);

    RT_ASSERT_LE(dev->late_count, LATE_MAX);
    if (dev->removed)
        return UINT64_MAX;
    next = RT_MIN(next, link);
    return dev->late_count > 0 ? RT_MIN(next, dev->late_at_ns) : next;
}

const struct x82599_counters *x82599_counters(const struct x82599 *dev)
{
    return &dev->count;
}

void x82599_mac(const struct x82599 *dev, uint8_t mac[6])
{
    memcpy(mac, dev->config.mac, 6);
}

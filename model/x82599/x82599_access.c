/* SPDX-License-Identifier: BSD-2-Clause */
/* What a driver's accesses to registers do: by calls, or found by looking at plain memory. */
#include "x82599_irq.h"
#include "x82599_link.h"
#include "x82599_reset.h"
#include "x82599_serial.h"

#include <stdlib.h>
#include <string.h>

#define ALONE_NS 1000000u /* 8.2.3.1.1: about a millisecond in which nobody touches a register */

/* ---- calls ---- */

/* 82598 addresses that the 82599 still decodes, and second names of its own. */
static uint32_t canonical(uint32_t offset)
{
    if (offset >= 0x2100 && offset < 0x2140)
        return R_RXQ((offset - 0x2100) / 4) + RXQ_SRRCTL;
    if (offset >= 0x2200 && offset < 0x2240)
        return R_RXQ((offset - 0x2200) / 4) + Q_DCA;
    if (offset >= 0x5400 && offset < 0x5480)
        return offset - 0x5400 + R_RAL(0);
    if (offset >= 0x5480 && offset < 0x54c0)
        return offset - 0x5480 + 0xea00; /* PSRTYPE */
    if (offset >= 0x5c00 && offset < 0x5c80)
        return offset - 0x5c00 + R_RETA(0);
    if (offset >= 0x5c80 && offset < 0x5ca8)
        return offset - 0x5c80 + R_RSSRK(0);
    if (offset == 0x5818)
        return R_MRQC;
    if (offset >= 0x8680 && offset < 0x86c0)
        return R_QPTC((offset - 0x8680) / 4);
    return offset;
}

static bool clears_on_read(uint32_t offset)
{
    uint32_t in_queue = offset & 0x3f;

    if (offset >= R_STATS_FIRST && offset <= R_STATS_LAST)
        return true;
    if (offset >= R_QPRC(0) && offset < R_QPRC(16)) /* QPRC, QBRC, and QPRDC 16 rows on */
        return in_queue >= 0x30 && in_queue <= 0x38;
    if (offset >= R_QPRDC(0) && offset < R_QPRDC(16))
        return in_queue == 0x30;
    if (offset >= R_QPTC(0) && offset < R_QPTC(16))
        return in_queue == 0x30 || in_queue == 0x34;
    return offset >= R_QBTCL(0) && offset < R_QBTCL(16);
}

static uint32_t esdp_read(const struct x82599 *dev)
{
    uint32_t value = x82599_get(dev, R_ESDP);

    RT_ASSERT_LE((unsigned)dev->module, (unsigned)X82599_MODULE_NONE);
    if ((value & ESDP_SDP2_OUT) != 0)
        return value;
    return (value & ~ESDP_SDP2) | (dev->module != X82599_MODULE_NONE ? ESDP_SDP2 : 0);
}

uint32_t x82599_read32(struct x82599 *dev, uint32_t offset)
{
    uint32_t value;

    dev->count.reads++;
    dev->count.early += dev->now_ns < dev->alone_until_ns;
    if (dev->removed || offset >= X82599_BAR_BYTES || (offset & 3) != 0)
        return UINT32_MAX;
    offset = canonical(offset);
    if (x82599_irq_read(dev, offset, &value))
        return value;
    value = x82599_get(dev, offset);
    switch (offset) {
    case R_STATUS:
        value = (x82599_get(dev, R_CTRL) & CTRL_GIO_DIS) != 0 && dev->stuck_resets == 0
                    ? 0 : STATUS_GIO;
        return value | (dev->link ? STATUS_LINK : 0);
    case R_ESDP:
        return esdp_read(dev);
    case R_SWSM: /* the read itself takes the semaphore, 8.2.3.4.11 */
        x82599_put(dev, offset, value | SWSM_SMBI);
        return value;
    case R_GSSR:
        if (dev->config.device_id == X82599_ID_X540)
            x82599_put(dev, offset, value | GSSR_REGSMP);
        return value;
    default:
        break;
    }
    if (clears_on_read(offset))
        x82599_put(dev, offset, 0);
    return value;
}

static bool read_only(uint32_t offset)
{
    switch (offset) {
    case R_STATUS:
    case R_FWSM:
    case R_LINKS:
    case R_ANLP1:
    case R_SECRXSTAT:
    case R_SECTXSTAT:
    case R_EEMNGCTL:
        return true;
    default:
        return offset >= R_STATS_FIRST && offset <= R_STATS_LAST;
    }
}

static void queue_write(struct x82599 *dev, bool transmit, unsigned queue, uint32_t offset,
                        uint32_t value)
{
    uint32_t base = transmit ? R_TXQ(queue) : R_RXQ(queue), old = x82599_get(dev, offset);
    bool enabled = (x82599_get(dev, base + Q_CTL) & QCTL_ENABLE) != 0;

    RT_ASSERT_LT(queue, QUEUES_ALL);
    RT_ASSERT_LT(offset - base, 0x40u);
    switch (offset - base) {
    case Q_HEAD: /* 8.2.3.8.4: only while the queue is off */
        if (!enabled)
            x82599_put(dev, offset, value & 0xffff);
        return;
    case Q_TAIL:
        x82599_put(dev, offset, value & 0xffff);
        break;
    case Q_LEN:
        x82599_put(dev, offset, value & QLEN_MASK);
        return;
    case Q_CTL:
        x82599_put(dev, offset, value & ~QCTL_SWFLSH);
        if ((old & QCTL_ENABLE) != 0 && (value & QCTL_ENABLE) == 0)
            x82599_queue_disabled(dev, transmit, queue);
        break;
    default:
        x82599_put(dev, offset, value);
        return;
    }
    if (transmit)
        x82599_tx_run(dev, queue);
}

static bool queue_block(struct x82599 *dev, uint32_t offset, uint32_t value)
{
    RT_ASSERT_LT(offset, X82599_BAR_BYTES);
    if (offset >= R_RXQ(0) && offset < R_RXQ(63) + 0x40)
        queue_write(dev, false, (offset - R_RXQ(0)) / 0x40, offset, value);
    else if (offset >= R_RXQ(64) && offset < R_RXQ(127) + 0x40)
        queue_write(dev, false, 64 + (offset - R_RXQ(64)) / 0x40, offset, value);
    else if (offset >= R_TXQ(0) && offset < R_TXQ(127) + 0x40)
        queue_write(dev, true, (offset - R_TXQ(0)) / 0x40, offset, value);
    else
        return false;
    return true;
}

static void ctrl_write(struct x82599 *dev, uint32_t value)
{
    if ((value & (CTRL_RST | CTRL_LRST)) != 0) {
        x82599_reset(dev, false);
        dev->alone_until_ns = dev->now_ns + ALONE_NS;
        value &= ~(CTRL_RST | CTRL_LRST | CTRL_GIO_DIS);
    }
    x82599_put(dev, R_CTRL, value);
}

static void write_effect(struct x82599 *dev, uint32_t offset, uint32_t value)
{
    RT_ASSERT_LT(offset, X82599_BAR_BYTES);
    RT_ASSERT_EQ(offset & 3, 0u);
    if (queue_block(dev, offset, value) || x82599_irq_write(dev, offset, value) ||
        read_only(offset))
        return;
    switch (offset) {
    case R_CTRL:
        ctrl_write(dev, value);
        return;
    case R_EEC:
        x82599_eec_write(dev, value);
        return;
    case R_EERD:
        x82599_eerd_write(dev, value);
        return;
    case R_I2CCTL:
        x82599_i2c_write(dev, value);
        return;
    case R_MSCA:
        x82599_msca_write(dev, value);
        return;
    case R_RDRXCTL:
        x82599_put(dev, offset, value | RDRXCTL_DMAIDONE);
        return;
    case R_FDIRCTRL:
        x82599_put(dev, offset, value | FDIRCTRL_DONE);
        return;
    case R_FDIRCMD: /* commands are over at once */
        x82599_put(dev, offset, value & ~RT_BITS(1, 0));
        return;
    case R_AUTOC:
        x82599_autoc_write(dev, value);
        return;
    case R_ESDP:
        x82599_esdp_write(dev, value);
        return;
    case R_GCR_EXT: /* with the receiver off and the MAC looped back, so that nothing new comes */
        dev->cleared |= (value & GCR_EXT_CLEAR) != 0 &&
                        (x82599_get(dev, R_HLREG0) & HLREG0_LPBK) != 0 &&
                        (x82599_get(dev, R_RXCTRL) & RXCTRL_RXEN) == 0;
        x82599_put(dev, offset, value);
        return;
    case R_CORECTL:
        dev->stale = true;
        x82599_put(dev, offset, value);
        return;
    case R_DMATXCTL:
        x82599_put(dev, offset, value);
        for (unsigned q = 0; q < X82599_QUEUES; q++)
            x82599_tx_run(dev, q);
        return;
    default:
        x82599_put(dev, offset, value);
        return;
    }
}

void x82599_write32(struct x82599 *dev, uint32_t offset, uint32_t value)
{
    dev->count.writes++;
    dev->count.early += dev->now_ns < dev->alone_until_ns;
    if (dev->removed || offset >= X82599_BAR_BYTES || (offset & 3) != 0)
        return;
    offset = canonical(offset);
    write_effect(dev, offset, value);
    if (dev->shadow != NULL) /* x82599_look has nothing to find here */
        dev->shadow[offset / 4] = x82599_get(dev, offset);
}

/* ---- plain memory ---- */

volatile uint8_t *x82599_bar(struct x82599 *dev)
{
    RT_ASSERT(dev->reg != NULL);
    return (volatile uint8_t *)dev->reg;
}

/* Registers whose write means more than storage, and the ranges of other names. */
static const struct {
    uint32_t first, last;
} watched[] = {
    {R_CTRL, R_CTRL},           {R_ESDP, R_I2CCTL},           {0x800, 0x818},
    {0x880, 0x890},             {0xa90, 0xad4},               {R_RDRXCTL, R_RDRXCTL},
    {R_RXQ(0), R_RXQ(15) + 60}, {0x2100, 0x213c},             {0x2200, 0x223c},
    {R_MSCA, R_MSCA},           {R_AUTOC, R_AUTOC},           {R_DMATXCTL, R_DMATXCTL},
    {0x5400, 0x54bc},           {0x5818, 0x5818},             {0x5c00, 0x5ca4},
    {R_TXQ(0), R_TXQ(15) + 60}, {R_SECRXSTAT, R_SECRXSTAT},   {R_FDIRCTRL, R_FDIRCTRL},
    {R_FDIRCMD, R_FDIRCMD},     {R_EEC, R_EERD},              {R_CORECTL, R_CORECTL},
};

static bool look_skips(uint32_t offset)
{
    uint32_t in_queue = offset & 0x3f;
    bool rx = offset >= R_RXQ(0) && offset <= R_RXQ(15) + 60;
    bool tx = offset >= R_TXQ(0) && offset <= R_TXQ(15) + 60;

    /* storage and our own writes: heads, statistics; tails are read when needed */
    return (rx || tx) && in_queue != Q_CTL;
}

/* A register changed under us: undo it, then write it as a driver would by a call. */
static void look_at(struct x82599 *dev, uint32_t offset)
{
    uint32_t now = x82599_get(dev, offset), before = dev->shadow[offset / 4];
    uint32_t real = canonical(offset), value;

    RT_ASSERT(dev->shadow != NULL);
    if (now == before || look_skips(offset))
        return;
    x82599_put(dev, offset, before);
    x82599_write32(dev, offset, now);
    if (real != offset) {
        /* a second name reads back what was written; a device answers by the first */
        value = now;
    } else if (!x82599_irq_read(dev, offset, &value)) {
        value = x82599_get(dev, offset);
    } else {
        value = offset == R_EIAM || offset == R_EIAC ? now : 0; /* set and clear registers */
    }
    x82599_put(dev, offset, value);
    dev->shadow[offset / 4] = value;
}

void x82599_look(struct x82599 *dev)
{
    if (dev->removed)
        return;
    if (dev->shadow == NULL) {
        dev->shadow = malloc(X82599_BAR_BYTES);
        if (dev->shadow == NULL)
            return;
        memcpy(dev->shadow, dev->reg, X82599_BAR_BYTES);
        /* not changed yet, but worth a look: what was written before the first look */
        dev->shadow[R_CTRL / 4] = 0;
        dev->shadow[R_EERD / 4] = EERD_DONE;
    }
    for (unsigned i = 0; i < RT_ARRAY_SIZE(watched); i++)
        for (uint32_t o = watched[i].first; o <= watched[i].last; o += 4)
            look_at(dev, o);
    for (unsigned q = 0; q < X82599_QUEUES; q++)
        x82599_tx_run(dev, q);
}

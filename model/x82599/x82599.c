/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of a model, its register dispatch and its clock. */
#include "x82599_int.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ALONE_NS 1000000u /* 8.2.3.1.1: about a millisecond in which nobody touches a register */

/* ---- guest memory ---- */

void *x82599_dma(struct x82599 *dev, uint64_t phys, uint32_t bytes, bool device_writes)
{
    void *p;

    if (phys > UINT64_MAX - bytes) {
        dev->count.dma_errors++;
        return NULL;
    }
    if (dev->config.dma == NULL)
        p = (void *)(uintptr_t)phys;
    else
        p = dev->config.dma(dev->config.ctx, phys, bytes, device_writes);
    if (p == NULL)
        dev->count.dma_errors++;
    return p;
}

void x82599_wrote(struct x82599 *dev, void *p, uint32_t bytes)
{
    if (dev->config.wrote != NULL)
        dev->config.wrote(dev->config.ctx, p, bytes);
}

/* ---- statistics ---- */

void x82599_count(struct x82599 *dev, uint32_t offset, uint32_t by)
{
    x82599_put(dev, offset, x82599_get(dev, offset) + by);
}

/* Octet counters have 36 bits in two registers. */
void x82599_count_wide(struct x82599 *dev, uint32_t offset_low, uint32_t by)
{
    uint64_t value = x82599_get(dev, offset_low) |
                     (uint64_t)x82599_get(dev, offset_low + 4) << 32;

    value = (value + by) & ((UINT64_C(1) << 36) - 1);
    x82599_put(dev, offset_low, (uint32_t)value);
    x82599_put(dev, offset_low + 4, (uint32_t)(value >> 32));
}

/* 64, 65-127, 128-255, 256-511, 512-1023, 1024 to the largest: six counters in a row. */
void x82599_count_size(struct x82599 *dev, uint32_t offset_first, uint32_t bytes_with_crc)
{
    static const uint32_t last[] = {64, 127, 255, 511, 1023};
    unsigned i = 0;

    while (i < RT_ARRAY_SIZE(last) && bytes_with_crc > last[i])
        i++;
    x82599_count(dev, offset_first + 4 * i, 1);
}

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

/* ---- register dispatch ---- */

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

/* ---- life ---- */

struct x82599 *x82599_create(const struct x82599_config *config)
{
    static const uint8_t default_mac[6] = {0x00, 0x1b, 0x21, 0x82, 0x59, 0x00}, none[6];
    struct x82599 *dev = calloc(1, sizeof(*dev));

    if (dev == NULL)
        return NULL;
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
    if (dev->late_count > 0 && dev->now_ns >= dev->late_at_ns)
        x82599_late_flush(dev);
    x82599_irq_deliver(dev);
}

uint64_t x82599_next_ns(const struct x82599 *dev)
{
    uint64_t next = x82599_irq_next_ns(dev), link = x82599_link_next_ns(dev);

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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82599, X540 and X550: bring-up and stop, in the order of the datasheet's initialisation
 * chapter (DS 4.6.3). Core 0.
 */
#include "ixgbe.h"

#include <rt/log.h>

#define VENDOR_INTEL 0x8086
#define MASTER_OFF_TIMEOUT_US 80000
#define STUCK_LOOP_US 3000 /* what is on its way arrives */
#define STUCK_CLEAR_US 20
#define RST_ALONE_US 1000
#define RST_TIMEOUT_US 10000
#define RESET_SETTLE_US 50000 /* DS 4.2.1.7: 10 ms; the X540's firmware takes longer */
#define AUTO_RD_TIMEOUT_US 100000
#define CFG_DONE_TIMEOUT_US 200000
#define DMA_INIT_TIMEOUT_US 10000
#define SECRX_TIMEOUT_US 4000
#define RXEN_OFF_US 2000
#define FRAME_BYTES_MAX 15872 /* 15.5 KiB without CRC, DS 8.2.3.22.13 */
#define FLAGS_82599 (IXGBE_NVM_EERD | IXGBE_UDP_ZERO_BAD)
#define FLAGS_X540 (IXGBE_COPPER | IXGBE_NVM_EERD | IXGBE_REGSMP)
#define FLAGS_X550 (IXGBE_COPPER | IXGBE_REGSMP)

static const struct ixgbe_model models[] = {
    {0x10fb, 512, 160, FLAGS_82599 | IXGBE_SFP, "82599ES SFI/SFP+"},
    {0x1557, 512, 160, FLAGS_82599 | IXGBE_SFP, "82599EN SFI/SFP+"},
    {0x154d, 512, 160, FLAGS_82599 | IXGBE_SFP, "82599 SFP+ SF2"},
    {0x10f7, 512, 160, FLAGS_82599 | IXGBE_BACKPLANE, "82599 KX4"},
    {0x10f8, 512, 160, FLAGS_82599 | IXGBE_BACKPLANE, "82599 backplane"},
    {0x1528, 384, 160, FLAGS_X540, "X540-AT2"},
    {0x1560, 384, 160, FLAGS_X540, "X540-AT1"},
    {0x1563, 384, 160, FLAGS_X550, "X550-T2"},
    {0x15d1, 384, 160, FLAGS_X550, "X550-T1"},
};

static const struct ixgbe_model *model_of(const struct pci_dev *pci)
{
    if (pci->vendor != VENDOR_INTEL)
        return NULL;
    for (size_t i = 0; i < RT_ARRAY_SIZE(models); i++)
        if (models[i].device == pci->device)
            return &models[i];
    return NULL;
}

static bool match(const struct pci_dev *pci)
{
    return model_of(pci) != NULL;
}

void ixgbe_complain(const struct ixgbe *dev, const char *what, const char *reg, uint32_t value)
{
    char bdf[NIC_BDF_BYTES];

    rt_log("nic pci=%s error=%s %s=0x%08x", nic_bdf(dev->nic->pci, bdf), what, reg,
           (unsigned)value);
}

/* A register that a step waits for, with a line when it does not come. */
static enum rt_status await(struct nic *nic, struct nic_steps *steps, struct nic_step_wait wait,
                            const char *what, const char *reg)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t value = 0;
    enum rt_status st = nic_step_reg(steps, &dev->mmio, wait, &value);

    if (st == RT_TIMEOUT)
        ixgbe_complain(dev, what, reg, value);
    return st;
}

/* Of a wait that is as good as over when its time has passed. */
static enum rt_status no_matter(enum rt_status st)
{
    return st == RT_TIMEOUT ? RT_OK : st;
}

/* ---- steps down: DS 4.6.3.1, 5.2.5.3.2: no interrupts, no new DMA ---- */

static enum rt_status irqs_off(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;

    ixgbe_irq_quiet(dev);
    return RT_OK;
}

/* DS 4.6.7: the receive path drains into nothing while its enable changes. */
static enum rt_status rx_path_close(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_SECRXCTRL, ixgbe_read(dev, IXGBE_SECRXCTRL) | SECRXCTRL_RX_DIS);
    return RT_OK;
}

static enum rt_status rx_path_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait drained = {IXGBE_SECRXSTAT, SECRXSTAT_RDY, SECRXSTAT_RDY,
                                                 SECRX_TIMEOUT_US};

    return no_matter(await(nic, steps, drained, "rx-path-busy", "secrxstat"));
}

static void receive_switch(const struct ixgbe *dev, uint32_t rxctrl)
{
    ixgbe_write(dev, IXGBE_RXCTRL, rxctrl);
    ixgbe_write(dev, IXGBE_SECRXCTRL, ixgbe_read(dev, IXGBE_SECRXCTRL) & ~SECRXCTRL_RX_DIS);
    (void)ixgbe_read(dev, IXGBE_STATUS);
}

static enum rt_status receive_off(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    steps->wait_us = (ixgbe_read(dev, IXGBE_RXCTRL) & RXCTRL_RXEN) != 0 ? RXEN_OFF_US : 0;
    receive_switch(dev, 0);
    return RT_OK;
}

static enum rt_status master_off(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) | CTRL_GIO_MASTER_DISABLE);
    return RT_OK;
}

static enum rt_status master_off_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait off = {IXGBE_STATUS, STATUS_GIO_MASTER_ENABLE, 0,
                                             MASTER_OFF_TIMEOUT_US};
    struct ixgbe *dev = nic->priv;
    enum rt_status st = await(nic, steps, off, "dma-still-on", "status");

    dev->dma_stuck = st == RT_TIMEOUT;
    return no_matter(st);
}

/* DS 5.2.5.3.2: a request without its answer would outlive one reset. With the MAC looped back
 * nothing new comes, the buffers towards PCIe are cleared for a moment, and two resets follow. */
static enum rt_status stuck_loop(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_HLREG0, ixgbe_read(dev, IXGBE_HLREG0) | HLREG0_LPBK);
    steps->wait_us = STUCK_LOOP_US;
    return RT_OK;
}

static enum rt_status stuck_clear(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_GCR_EXT, ixgbe_read(dev, IXGBE_GCR_EXT) | GCR_EXT_BUFFERS_CLEAR);
    (void)ixgbe_read(dev, IXGBE_STATUS);
    steps->wait_us = STUCK_CLEAR_US;
    return RT_OK;
}

static enum rt_status stuck_done(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_GCR_EXT, ixgbe_read(dev, IXGBE_GCR_EXT) & ~GCR_EXT_BUFFERS_CLEAR);
    ixgbe_write(dev, IXGBE_HLREG0, ixgbe_read(dev, IXGBE_HLREG0) & ~HLREG0_LPBK);
    return RT_OK;
}

/* Whatever it does from here on, it does not do it to our memory. */
static enum rt_status bus_master_off(struct nic *nic, struct nic_steps *steps)
{
    pci_bus_master(nic->pci, false);
    return RT_OK;
}

/* DS 4.6.3 steps 2 and 3; DS 8.2.3.1.1: no register is touched for a millisecond. */
static enum rt_status reset(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) | CTRL_RST);
    steps->wait_us = RST_ALONE_US;
    return RT_OK;
}

static enum rt_status reset_again(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    bool stuck = dev->dma_stuck;

    dev->dma_stuck = false;
    return stuck ? reset(nic, steps) : RT_OK;
}

static enum rt_status reset_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait over = {IXGBE_CTRL, CTRL_RST, 0, RST_TIMEOUT_US};
    struct ixgbe *dev = nic->priv;
    enum rt_status st = await(nic, steps, over, "reset-timeout", "ctrl");

    dev->fresh = st == RT_OK;
    return st;
}

static enum rt_status reset_settle(struct nic *nic, struct nic_steps *steps)
{
    steps->wait_us = RESET_SETTLE_US;
    return RT_OK;
}

static enum rt_status irqs_free(struct nic *nic, struct nic_steps *steps)
{
    nic_irq_teardown(nic);
    return RT_OK;
}

#define SILENCE_STEPS                                                                            \
    {irqs_off}, {rx_path_close}, {rx_path_wait}, {receive_off}, {ixgbe_queues_off},              \
        {ixgbe_queues_off_wait}, {master_off}, {master_off_wait}, {bus_master_off},              \
        {stuck_loop}, {stuck_clear}, {stuck_done}
#define RESET_STEPS {reset}, {reset_wait}, {reset_again}, {reset_wait}

static enum rt_status finish(struct nic *nic, const struct nic_step *table, size_t count)
{
    const struct ixgbe *dev = nic->priv;
    struct nic_steps steps;

    nic_steps_begin(&steps, table, (uint32_t)count, dev->model->flags);
    return nic_steps_finish(nic, &steps);
}

static enum rt_status attach(struct nic *nic, uint32_t *settle_us)
{
    struct ixgbe *dev = hal_alloc(sizeof(*dev), RT_CACHE_LINE, "ixgbe");
    static const struct nic_step silence[] = {SILENCE_STEPS};
    uint32_t status;
    enum rt_status st;

    if (dev == NULL)
        return RT_NO_MEMORY;
    *dev = (struct ixgbe){.nic = nic, .model = model_of(nic->pci)};
    nic->priv = dev;
    st = pci_map_bar(nic->pci, 0, &dev->mmio);
    if (st != RT_OK || dev->mmio.bytes < IXGBE_BAR0_BYTES_MIN) {
        ixgbe_complain(dev, "bar0", "bytes", (uint32_t)dev->mmio.bytes);
        return st != RT_OK ? st : RT_IO;
    }
    status = ixgbe_read(dev, IXGBE_STATUS);
    if (status == UINT32_MAX) {
        ixgbe_complain(dev, "not-answering", "status", status);
        return RT_IO;
    }
    dev->lan = FIELD_GET(STATUS_LAN_ID, status) & 1;
    *settle_us = 0;
    return finish(nic, silence, RT_ARRAY_SIZE(silence));
}

static enum rt_status reset_step(struct nic *nic, uint32_t *settle_us)
{
    static const struct nic_step rows[] = {RESET_STEPS};

    *settle_us = RESET_SETTLE_US;
    return finish(nic, rows, RT_ARRAY_SIZE(rows));
}

/* ---- steps up: DS 4.6.3 steps 4 to 6: EEPROM read, firmware and DMA ready ---- */

/* A memory error since the reset: it takes another one. Reading clears the causes. */
static enum rt_status healthy(struct nic *nic)
{
    const char *fault = ixgbe_fault(nic);

    if (fault != NULL)
        rt_log("%s error=start reason=%s", nic->name, fault);
    return fault == NULL ? RT_OK : RT_IO;
}

static enum rt_status causes_clear(struct nic *nic, struct nic_steps *steps)
{
    ixgbe_irq_quiet(nic->priv);
    return healthy(nic);
}

static enum rt_status eeprom_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait read = {IXGBE_EEC, EEC_AUTO_RD, EEC_AUTO_RD,
                                              AUTO_RD_TIMEOUT_US};

    return await(nic, steps, read, "eeprom-load", "eec");
}

/* A blank EEPROM has no firmware. */
static enum rt_status firmware_wait(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t done = EEMNGCTL_CFG_DONE(dev->lan);
    const struct nic_step_wait up = {IXGBE_EEMNGCTL, done, done, CFG_DONE_TIMEOUT_US};

    return no_matter(await(nic, steps, up, "no-firmware", "eemngctl"));
}

static enum rt_status dma_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait ready = {IXGBE_RDRXCTL, RDRXCTL_DMAIDONE,
                                               RDRXCTL_DMAIDONE, DMA_INIT_TIMEOUT_US};

    return await(nic, steps, ready, "dma-init", "rdrxctl");
}

#define SETTLED_STEPS                                                                            \
    {causes_clear}, {eeprom_wait, IXGBE_NVM_EERD}, {firmware_wait}, {dma_wait}

static enum rt_status choose_mac(struct ixgbe *dev)
{
    uint32_t low = ixgbe_read(dev, IXGBE_RAL(0)), high = ixgbe_read(dev, IXGBE_RAH(0));

    for (unsigned i = 0; i < 6; i++)
        dev->nic->mac[i] = (uint8_t)((i < 4 ? low : high) >> (8 * (i % 4)));
    return nic_check_mac(dev->nic);
}

static const struct nic_ops ixgbe_ops;

static enum rt_status probe(struct nic *nic)
{
    static const struct nic_step settled[] = {SETTLED_STEPS};
    struct ixgbe *dev = nic->priv;
    enum rt_status st;

    dev->nic = nic;
    st = finish(nic, settled, RT_ARRAY_SIZE(settled));
    if (st == RT_OK && (dev->model->flags & IXGBE_NVM_EERD) != 0) {
        st = ixgbe_sync_take(dev, SYNC_NVM);
        if (st == RT_OK)
            st = ixgbe_nvm_check(dev);
        ixgbe_sync_give(dev, SYNC_NVM);
    }
    if (st == RT_OK)
        st = choose_mac(dev);
    if (st == RT_OK)
        st = ixgbe_stats_alloc(dev);
    if (st != RT_OK)
        return st;
    nic->ops = &ixgbe_ops;
    nic->caps = (struct nic_caps){
        .rxq_max = IXGBE_QUEUES_MAX,
        .txq_max = IXGBE_QUEUES_MAX,
        .ring_min = IXGBE_RING_MIN,
        .ring_max = IXGBE_RING_MAX,
        .ring_multiple = IXGBE_RING_MIN,
        .frame_max_bytes = FRAME_BYTES_MAX,
        .tx_held_max = IXGBE_TX_HELD_MAX,
        .rss = true,
        .vlan = true,
        .rx_checksum = true,
        .tx_checksum = true,
        .tso = true,
        .msix = true,
    };
    return RT_OK;
}

static enum rt_status configure(struct nic *nic)
{
    return RT_OK; /* every setting is written at start */
}

/* DS 4.6.11.3.4 without traffic classes: one packet buffer for everything. */
static enum rt_status buffers(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t frame_kib = (nic->config.frame_max_bytes + 1023u) / 1024;

    for (unsigned i = 0; i < IXGBE_PACKET_BUFFERS; i++) {
        ixgbe_write(dev, IXGBE_RXPBSIZE(i),
                    i == 0 ? ixgbe_field(RXPBSIZE_KIB, dev->model->rx_buffer_kib) : 0);
        ixgbe_write(dev, IXGBE_TXPBSIZE(i), i == 0 ? dev->model->tx_buffer_kib * 1024u : 0);
        ixgbe_write(dev, IXGBE_TXPBTHRESH(i),
                    i == 0 ? dev->model->tx_buffer_kib - frame_kib - 1 : 0);
    }
    return RT_OK;
}

static enum rt_status filters(struct nic *nic, struct nic_steps *steps)
{
    ixgbe_filter_init(nic->priv);
    return RT_OK;
}

static enum rt_status receive_scaling(struct nic *nic, struct nic_steps *steps)
{
    ixgbe_rss_init(nic->priv);
    return RT_OK;
}

/* Step 9 (DS 4.6.7), up to the queues. */
static enum rt_status receive_setup(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    const struct nic_config *config = &nic->config;
    uint32_t hlreg0 = HLREG0_TXCRCEN | HLREG0_RXCRCSTRP | HLREG0_TXPADEN |
                      (ixgbe_read(dev, IXGBE_HLREG0) & ~HLREG0_JUMBOEN);
    uint32_t rdrxctl = ixgbe_read(dev, IXGBE_RDRXCTL) & ~RDRXCTL_RSCFRSTSIZE;

    ixgbe_write(dev, IXGBE_FCTRL,
                FCTRL_BAM | (config->promiscuous ? FCTRL_UPE | FCTRL_MPE : 0));
    if (config->frame_max_bytes > IXGBE_STANDARD_FRAME_BYTES)
        hlreg0 |= HLREG0_JUMBOEN;
    ixgbe_write(dev, IXGBE_HLREG0, hlreg0);
    ixgbe_write(dev, IXGBE_MAXFRS,
                ixgbe_field(MAXFRS_MFS, (uint32_t)config->frame_max_bytes + IXGBE_CRC_BYTES));
    ixgbe_write(dev, IXGBE_RDRXCTL,
                rdrxctl | RDRXCTL_CRC_STRIP | RDRXCTL_RSCACKC | RDRXCTL_FCOE_WRFIX);
    ixgbe_write(dev, IXGBE_RXCSUM, RXCSUM_PCSD);
    for (unsigned i = 0; i < 32; i++) {
        ixgbe_write(dev, IXGBE_RQSMR(i), 0);
        ixgbe_write(dev, IXGBE_TQSM(i), 0);
    }
    return RT_OK;
}

/* Step 10 (DS 4.6.8), up to the queues. */
static enum rt_status transmit_setup(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_RTTDCS, ixgbe_read(dev, IXGBE_RTTDCS) | RTTDCS_ARBDIS);
    ixgbe_write(dev, IXGBE_MTQC, 0);
    ixgbe_write(dev, IXGBE_DTXMXSZRQ, DTXMXSZRQ_MAX);
    ixgbe_write(dev, IXGBE_RTTDCS, ixgbe_read(dev, IXGBE_RTTDCS) & ~RTTDCS_ARBDIS);
    ixgbe_write(dev, IXGBE_DMATXCTL, ixgbe_read(dev, IXGBE_DMATXCTL) | DMATXCTL_TE);
    return RT_OK;
}

static enum rt_status driver_loaded(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;

    dev->fresh = false;
    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) & ~CTRL_GIO_MASTER_DISABLE);
    ixgbe_write(dev, IXGBE_CTRL_EXT,
                ixgbe_read(dev, IXGBE_CTRL_EXT) | CTRL_EXT_NS_DIS | CTRL_EXT_RO_DIS |
                    CTRL_EXT_DRV_LOAD);
    return RT_OK;
}

static enum rt_status rings(struct nic *nic, struct nic_steps *steps)
{
    return ixgbe_rings_start(nic->priv);
}

static enum rt_status dma_on(struct nic *nic, struct nic_steps *steps)
{
    enum rt_status st = healthy(nic);

    if (st != RT_OK)
        return st;
    ixgbe_irq_setup(nic->priv);
    pci_bus_master(nic->pci, true);
    return RT_OK;
}

static enum rt_status receive_on(struct nic *nic, struct nic_steps *steps)
{
    receive_switch(nic->priv, RXCTRL_RXEN);
    return RT_OK;
}

/* No register answers. */
static const struct nic_step off_bus[] = {{bus_master_off}, {irqs_free}};
static const struct nic_step down[] = {SILENCE_STEPS, RESET_STEPS, {reset_settle}, {irqs_free}};
static const struct nic_step up[] = {
    SETTLED_STEPS,
    {driver_loaded},
    {ixgbe_serial_module, IXGBE_SFP},
    {ixgbe_laser_on, IXGBE_SFP},
    {ixgbe_serial_begin, IXGBE_SFP},
    {ixgbe_serial_wait, IXGBE_SFP},
    {ixgbe_copper_begin, IXGBE_COPPER},
    {ixgbe_backplane_begin, IXGBE_BACKPLANE},
    {ixgbe_flow_control},
    {buffers},
    {filters},
    {receive_scaling},
    {receive_setup},
    {transmit_setup},
    {rings},
    {dma_on},
    {ixgbe_tx_on},
    {ixgbe_tx_on_wait},
    {ixgbe_rx_on},
    {ixgbe_rx_on_wait},
    {rx_path_close},
    {rx_path_wait},
    {receive_on},
};

static bool is_gone(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;
    bool now = ixgbe_read(dev, IXGBE_STATUS) == UINT32_MAX; /* has bits that read as zero */

    if (now)
        dev->link_known = false; /* another module, for all we know */
    return now;
}

/* Semaphores that steps left off half-way held go back first. */
static void begin(struct nic *nic, enum nic_way way, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;
    bool there = !is_gone(nic);

    if (there)
        ixgbe_sync_give(dev, dev->synced);
    dev->synced = 0;
    if (way == NIC_UP)
        nic_steps_begin(steps, up, RT_ARRAY_SIZE(up), dev->model->flags);
    else if (there)
        nic_steps_begin(steps, down, RT_ARRAY_SIZE(down), dev->model->flags);
    else
        nic_steps_begin(steps, off_bus, RT_ARRAY_SIZE(off_bus), dev->model->flags);
}

static enum rt_status go(struct nic *nic, enum nic_way way)
{
    struct nic_steps steps;

    begin(nic, way, &steps);
    return nic_steps_finish(nic, &steps);
}

/* Back to a device without DMA and interrupts; buffers of both sides are ours again. */
static void shut_down(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;

    if (go(nic, NIC_DOWN) != RT_OK)
        ixgbe_complain(dev, "stop", "status", ixgbe_read(dev, IXGBE_STATUS));
    ixgbe_rings_stop(dev);
}

static enum rt_status start(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;
    enum rt_status st = dev->fresh ? RT_OK : go(nic, NIC_DOWN);

    dev->link_known = false; /* another module since, perhaps */
    if (st == RT_OK)
        st = go(nic, NIC_UP);
    if (st == RT_OK)
        ixgbe_irq_try(nic->priv);
    else
        shut_down(nic);
    return st;
}

static void stop(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;

    ixgbe_poll_stats(nic, NIC_STATS_ALL);
    shut_down(nic);
    if (!is_gone(nic))
        ixgbe_write(dev, IXGBE_CTRL_EXT,
                    ixgbe_read(dev, IXGBE_CTRL_EXT) & ~CTRL_EXT_DRV_LOAD);
    nic->link.up = false;
    rt_log("%s state=stopped", nic->name);
}

/* Pause frames first: with receive off and the packet buffer full it would send them for ever. */
static void quiesce(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;

    ixgbe_irq_quiet(dev);
    ixgbe_write(dev, IXGBE_FCCFG, 0);
    ixgbe_write(dev, IXGBE_RXCTRL, 0);
    ixgbe_write(dev, IXGBE_DMATXCTL, 0);
    for (uint16_t q = 0; q < IXGBE_QUEUES_MAX; q++) {
        ixgbe_write(dev, IXGBE_RXDCTL(q), 0);
        ixgbe_write(dev, IXGBE_TXDCTL(q), 0);
    }
}

static bool receives(struct nic *nic)
{
    return (ixgbe_read(nic->priv, IXGBE_RXCTRL) & RXCTRL_RXEN) != 0;
}

static void tx_position(const struct nic_txq *txq, uint32_t *head, uint32_t *tail)
{
    const struct ixgbe *dev = txq->nic->priv;

    *head = ixgbe_read(dev, IXGBE_TDH(txq->index));
    *tail = ixgbe_read(dev, IXGBE_TDT(txq->index));
}

static uint64_t pauses(struct nic *nic)
{
    const struct ixgbe *dev = nic->priv;

    return nic_count_now(nic, &dev->mmio, IXGBE_LXOFFRXC);
}

static const struct nic_ops ixgbe_ops = {
    .configure = configure,
    .rxq_setup = ixgbe_rxq_setup,
    .txq_setup = ixgbe_txq_setup,
    .start = start,
    .stop = stop,
    .quiesce = quiesce,
    .poll_link = ixgbe_poll_link,
    .poll_stats = ixgbe_poll_stats,
    .set_promiscuous = ixgbe_set_promiscuous,
    .add_multicast = ixgbe_add_multicast,
    .set_vlan_filter = ixgbe_set_vlan_filter,
    .begin = begin,
    .gone = is_gone,
    .fault = ixgbe_fault,
    .receives = receives,
    .tx_position = tx_position,
    .pauses = pauses,
    .rxq_run = ixgbe_rxq_run,
    .rxq_drop = ixgbe_rxq_drop,
    .txq_run = ixgbe_txq_run,
    .txq_empty = ixgbe_txq_empty,
};

const struct nic_driver ixgbe_driver = {
    .name = "ixgbe",
    .match = match,
    .attach = attach,
    .reset = reset_step,
    .probe = probe,
};

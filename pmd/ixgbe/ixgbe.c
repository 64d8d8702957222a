/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82599, X540 and X550: bring-up and stop, in the order of the datasheet's initialisation
 * chapter (DS 4.6.3). Core 0.
 */
#include "ixgbe.h"

#include <rt/log.h>

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

static const struct nic_ops ixgbe_ops;

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
    return intel_model_of(pci, models, RT_ARRAY_SIZE(models), sizeof(models[0]));
}

static bool match(const struct pci_dev *pci)
{
    return model_of(pci) != NULL;
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

    ixgbe_write(dev, IXGBE_SECRXCTRL,
                ixgbe_read(dev, IXGBE_SECRXCTRL) | IXGBE_SECRXCTRL_RX_DIS);
    return RT_OK;
}

static enum rt_status rx_path_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait drained = {IXGBE_SECRXSTAT, IXGBE_SECRXSTAT_RDY,
                                                 IXGBE_SECRXSTAT_RDY, SECRX_TIMEOUT_US};

    return no_matter(nic_step_await(nic, steps, drained, "rx-path-busy", "secrxstat"));
}

static void receive_switch(const struct ixgbe *dev, uint32_t rxctrl)
{
    ixgbe_write(dev, IXGBE_RXCTRL, rxctrl);
    ixgbe_write(dev, IXGBE_SECRXCTRL,
                ixgbe_read(dev, IXGBE_SECRXCTRL) & ~IXGBE_SECRXCTRL_RX_DIS);
    (void)ixgbe_read(dev, IXGBE_STATUS);
}

static enum rt_status receive_off(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    steps->wait_us = (ixgbe_read(dev, IXGBE_RXCTRL) & IXGBE_RXCTRL_RXEN) != 0 ? RXEN_OFF_US : 0;
    receive_switch(dev, 0);
    return RT_OK;
}

static enum rt_status master_off(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) | IXGBE_CTRL_GIO_MASTER_DISABLE);
    return RT_OK;
}

static enum rt_status master_off_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait off = {IXGBE_STATUS, IXGBE_STATUS_GIO_MASTER_ENABLE, 0,
                                             MASTER_OFF_TIMEOUT_US};
    struct ixgbe *dev = nic->priv;
    enum rt_status st = nic_step_await(nic, steps, off, "dma-still-on", "status");

    dev->dma_stuck = st == RT_TIMEOUT;
    return no_matter(st);
}

/* DS 5.2.5.3.2: a request without its answer would outlive one reset. With the MAC looped back
 * nothing new comes, the buffers towards PCIe are cleared for a moment, and two resets
 * follow. */
static enum rt_status stuck_loop(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_HLREG0, ixgbe_read(dev, IXGBE_HLREG0) | IXGBE_HLREG0_LPBK);
    steps->wait_us = STUCK_LOOP_US;
    return RT_OK;
}

static enum rt_status stuck_clear(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_GCR_EXT,
                ixgbe_read(dev, IXGBE_GCR_EXT) | IXGBE_GCR_EXT_BUFFERS_CLEAR);
    (void)ixgbe_read(dev, IXGBE_STATUS);
    steps->wait_us = STUCK_CLEAR_US;
    return RT_OK;
}

static enum rt_status stuck_done(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    if (!dev->dma_stuck)
        return RT_OK;
    ixgbe_write(dev, IXGBE_GCR_EXT,
                ixgbe_read(dev, IXGBE_GCR_EXT) & ~IXGBE_GCR_EXT_BUFFERS_CLEAR);
    ixgbe_write(dev, IXGBE_HLREG0, ixgbe_read(dev, IXGBE_HLREG0) & ~IXGBE_HLREG0_LPBK);
    return RT_OK;
}

/* DS 4.6.3 steps 2 and 3; DS 8.2.3.1.1: no register is touched for a millisecond. */
static enum rt_status reset(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) | IXGBE_CTRL_RST);
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
    static const struct nic_step_wait over = {IXGBE_CTRL, IXGBE_CTRL_RST, 0, RST_TIMEOUT_US};
    enum rt_status st = nic_step_await(nic, steps, over, "reset-timeout", "ctrl");

    nic->fresh = st == RT_OK;
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

#define SILENCE_STEPS                                                                          \
    {irqs_off}, {rx_path_close}, {rx_path_wait}, {receive_off}, {ixgbe_queues_off},            \
        {ixgbe_queues_off_wait}, {master_off}, {master_off_wait},                              \
        {nic_card_bus_master_off}, {stuck_loop}, {stuck_clear}, {stuck_done}
#define RESET_STEPS {reset}, {reset_wait}, {reset_again}, {reset_wait}

static enum rt_status attach(struct nic *nic, uint32_t *settle_us)
{
    struct ixgbe *dev = hal_alloc(sizeof(*dev), RT_CACHE_LINE, "ixgbe");
    static const struct nic_step silence[] = {SILENCE_STEPS};
    enum rt_status st;

    if (dev == NULL)
        return RT_NO_MEMORY;
    *dev = (struct ixgbe){.nic = nic, .model = model_of(nic->pci)};
    nic->priv = dev;
    nic->ops = &ixgbe_ops;
    nic->model_flags = dev->model->flags;
    st = nic_card_map(nic, IXGBE_BAR0_BYTES_MIN);
    if (st != RT_OK)
        return st;
    dev->lan = FIELD_GET(IXGBE_STATUS_LAN_ID, ixgbe_read(dev, IXGBE_STATUS)) & 1;
    *settle_us = 0;
    return nic_card_steps(nic, (struct nic_step_table)NIC_STEPS(silence));
}

static enum rt_status reset_step(struct nic *nic, uint32_t *settle_us)
{
    static const struct nic_step rows[] = {RESET_STEPS};

    *settle_us = RESET_SETTLE_US;
    return nic_card_steps(nic, (struct nic_step_table)NIC_STEPS(rows));
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
    static const struct nic_step_wait read = {IXGBE_EEC, IXGBE_EEC_AUTO_RD, IXGBE_EEC_AUTO_RD,
                                              AUTO_RD_TIMEOUT_US};

    return nic_step_await(nic, steps, read, "eeprom-load", "eec");
}

/* A blank EEPROM has no firmware. */
static enum rt_status firmware_wait(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t done = IXGBE_EEMNGCTL_CFG_DONE(dev->lan);
    const struct nic_step_wait up = {IXGBE_EEMNGCTL, done, done, CFG_DONE_TIMEOUT_US};

    return no_matter(nic_step_await(nic, steps, up, "no-firmware", "eemngctl"));
}

static enum rt_status dma_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait ready = {IXGBE_RDRXCTL, IXGBE_RDRXCTL_DMAIDONE,
                                               IXGBE_RDRXCTL_DMAIDONE, DMA_INIT_TIMEOUT_US};

    return nic_step_await(nic, steps, ready, "dma-init", "rdrxctl");
}

#define SETTLED_STEPS                                                                          \
    {causes_clear}, {eeprom_wait, IXGBE_NVM_EERD}, {firmware_wait}, {dma_wait}

static enum rt_status choose_mac(struct nic *nic)
{
    intel_read_mac(nic, &ixgbe_filter_regs, nic->mac);
    return nic_check_mac(nic);
}

static enum rt_status probe(struct nic *nic)
{
    static const struct nic_step settled[] = {SETTLED_STEPS};
    struct ixgbe *dev = nic->priv;
    enum rt_status st;

    dev->nic = nic;
    st = nic_card_steps(nic, (struct nic_step_table)NIC_STEPS(settled));
    if (st == RT_OK && (dev->model->flags & IXGBE_NVM_EERD) != 0) {
        st = ixgbe_sync_take(dev, IXGBE_SYNC_NVM);
        if (st == RT_OK)
            st = ixgbe_nvm_check(dev);
        ixgbe_sync_give(dev, IXGBE_SYNC_NVM);
    }
    if (st == RT_OK)
        st = choose_mac(nic);
    if (st == RT_OK)
        st = ixgbe_stats_alloc(dev);
    if (st != RT_OK)
        return st;
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
                    i == 0 ? FIELD_PUT(IXGBE_RXPBSIZE_KIB, dev->model->rx_buffer_kib) : 0);
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
    uint32_t hlreg0 = IXGBE_HLREG0_TXCRCEN | IXGBE_HLREG0_RXCRCSTRP | IXGBE_HLREG0_TXPADEN |
                      (ixgbe_read(dev, IXGBE_HLREG0) & ~IXGBE_HLREG0_JUMBOEN);
    uint32_t rdrxctl = ixgbe_read(dev, IXGBE_RDRXCTL) & ~IXGBE_RDRXCTL_RSCFRSTSIZE;

    ixgbe_write(dev, IXGBE_FCTRL,
                IXGBE_FCTRL_BAM |
                    (config->promiscuous ? IXGBE_FCTRL_UPE | IXGBE_FCTRL_MPE : 0));
    if (config->frame_max_bytes > IXGBE_STANDARD_FRAME_BYTES)
        hlreg0 |= IXGBE_HLREG0_JUMBOEN;
    ixgbe_write(dev, IXGBE_HLREG0, hlreg0);
    ixgbe_write(
        dev, IXGBE_MAXFRS,
        FIELD_PUT(IXGBE_MAXFRS_MFS, (uint32_t)config->frame_max_bytes + INTEL_CRC_BYTES));
    ixgbe_write(dev, IXGBE_RDRXCTL,
                rdrxctl | IXGBE_RDRXCTL_CRC_STRIP | IXGBE_RDRXCTL_RSCACKC |
                    IXGBE_RDRXCTL_FCOE_WRFIX);
    ixgbe_write(dev, IXGBE_RXCSUM, IXGBE_RXCSUM_PCSD);
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

    ixgbe_write(dev, IXGBE_RTTDCS, ixgbe_read(dev, IXGBE_RTTDCS) | IXGBE_RTTDCS_ARBDIS);
    ixgbe_write(dev, IXGBE_MTQC, 0);
    ixgbe_write(dev, IXGBE_DTXMXSZRQ, IXGBE_DTXMXSZRQ_MAX);
    ixgbe_write(dev, IXGBE_RTTDCS, ixgbe_read(dev, IXGBE_RTTDCS) & ~IXGBE_RTTDCS_ARBDIS);
    ixgbe_write(dev, IXGBE_DMATXCTL, ixgbe_read(dev, IXGBE_DMATXCTL) | IXGBE_DMATXCTL_TE);
    return RT_OK;
}

static enum rt_status driver_loaded(struct nic *nic, struct nic_steps *steps)
{
    struct ixgbe *dev = nic->priv;

    nic->fresh = false;
    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) & ~IXGBE_CTRL_GIO_MASTER_DISABLE);
    ixgbe_write(dev, IXGBE_CTRL_EXT,
                ixgbe_read(dev, IXGBE_CTRL_EXT) | IXGBE_CTRL_EXT_NS_DIS |
                    IXGBE_CTRL_EXT_RO_DIS | IXGBE_CTRL_EXT_DRV_LOAD);
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
    receive_switch(nic->priv, IXGBE_RXCTRL_RXEN);
    return RT_OK;
}

/* No register answers. */
static const struct nic_step off_bus[] = {{nic_card_bus_master_off}, {irqs_free}};
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

/* Another module, for all we know. */
static void forget(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;

    dev->link_known = false;
}

static void let_go(struct nic *nic, bool there)
{
    struct ixgbe *dev = nic->priv;

    if (there)
        ixgbe_sync_give(dev, dev->synced);
    dev->synced = 0;
}

static enum rt_status start(struct nic *nic)
{
    forget(nic);
    return nic_card_start(nic);
}

static void unload(struct nic *nic)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_CTRL_EXT,
                ixgbe_read(dev, IXGBE_CTRL_EXT) & ~IXGBE_CTRL_EXT_DRV_LOAD);
}

/* Pause frames first: with receive off and the packet buffer full it would send them for
 * ever. */
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
    return (ixgbe_read(nic->priv, IXGBE_RXCTRL) & IXGBE_RXCTRL_RXEN) != 0;
}

static const struct nic_card card = {
    .up = NIC_STEPS(up),
    .down = NIC_STEPS(down),
    .off_bus = NIC_STEPS(off_bus),
    .status_reg = IXGBE_STATUS,
    .pause_reg = IXGBE_LXOFFRXC,
    .let_go = let_go,
    .forget = forget,
    .unload = unload,
    .irq_raise = ixgbe_irq_raise,
    .irq_lower = ixgbe_irq_lower,
};

static const struct nic_ops ixgbe_ops = {
    .card = &card,
    .rings = &ixgbe_rings,
    .filters = &ixgbe_filter_regs,
    .configure = configure,
    .rxq_setup = nic_rx_ring_setup,
    .txq_setup = nic_tx_ring_setup,
    .start = start,
    .stop = nic_card_stop,
    .quiesce = quiesce,
    .poll_link = ixgbe_poll_link,
    .poll_stats = ixgbe_poll_stats,
    .set_promiscuous = intel_set_promiscuous,
    .add_multicast = intel_add_multicast,
    .set_vlan_filter = intel_set_vlan_filter,
    .begin = nic_card_begin,
    .gone = nic_card_gone,
    .fault = ixgbe_fault,
    .receives = receives,
    .tx_position = nic_tx_ring_position,
    .pauses = nic_card_pauses,
    .rxq_run = ixgbe_rxq_run,
    .rxq_drop = nic_rx_ring_drop,
    .txq_run = ixgbe_txq_run,
    .txq_empty = nic_tx_ring_empty,
};

const struct nic_driver ixgbe_driver = {
    .name = "ixgbe",
    .match = match,
    .attach = attach,
    .reset = reset_step,
    .probe = probe,
};

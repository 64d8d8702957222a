/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82574L and 82583V (and QEMU's e1000e): bring-up and stop, in the order of the
 * datasheet's initialisation chapter (DS 4.6). Core 0. README.md explains each step.
 */
#include "e1000e.h"

#include <rt/log.h>

#define MASTER_OFF_TIMEOUT_US 80000
#define AUTO_RD_TIMEOUT_US 10000
#define AFTER_RST_US 10
#define DMA_DRAIN_US 10000
#define EE_RST_US 10
#define RESET_SETTLE_US 25000
#define VLAN_ETHERTYPE 0x8100
#define TIPG_COPPER                                                                            \
    (FIELD_PUT(E1000E_TIPG_IPGT, 8) | FIELD_PUT(E1000E_TIPG_IPGR1, 8) |                        \
     FIELD_PUT(E1000E_TIPG_IPGR2, 6))
#define TCTL_COLLISIONS (FIELD_PUT(E1000E_TCTL_CT, 0x0f) | FIELD_PUT(E1000E_TCTL_COLD, 0x40))
#define TX_BUFFER_KB_MIN 8

#define FLAGS_82583                                                                            \
    (E1000E_ASPM_OFF | E1000E_RCTL_EN_STAYS | E1000E_TARC_HANG | E1000E_NVM_AUPDEN |           \
     E1000E_ACK_INT_SPURIOUS)
#define FLAGS_82574 (FLAGS_82583 | E1000E_MSIX | E1000E_TWO_TXQ_TARC | E1000E_PHY_HANGS)

static const struct nic_ops e1000e_ops;

static const struct e1000e_model models[] = {
    {0x10d3, 2, 9230, 32, FLAGS_82574, "82574L"},
    {0x10f6, 2, 9230, 32, FLAGS_82574, "82574LA"},
    {0x150c, 1, 9230, 32, FLAGS_82583, "82583V"},
};

static const struct e1000e_model *model_of(const struct pci_dev *pci)
{
    return intel_model_of(pci, models, RT_ARRAY_SIZE(models), sizeof(models[0]));
}

static bool match(const struct pci_dev *pci)
{
    return model_of(pci) != NULL;
}

/* ---- steps 2 and 3 of README.md: no new DMA, no interrupts, both units off ---- */

static enum rt_status irqs_off(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;

    e1000e_irq_quiet(dev);
    e1000e_write(dev, E1000E_CTRL,
                 e1000e_read(dev, E1000E_CTRL) | E1000E_CTRL_GIO_MASTER_DISABLE);
    return RT_OK;
}

/* The reset ends what still goes on then. */
static enum rt_status master_off_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait off = {E1000E_STATUS, E1000E_STATUS_GIO_MASTER_ENABLE, 0,
                                             MASTER_OFF_TIMEOUT_US};
    enum rt_status st = nic_step_await(nic, steps, off, "dma-still-on", "status");

    return st == RT_TIMEOUT ? RT_OK : st;
}

/* Receive goes off only on the way to a reset (E1000E_RCTL_EN_STAYS). */
static enum rt_status units_off(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_RCTL, 0);
    e1000e_write(dev, E1000E_TCTL, e1000e_read(dev, E1000E_TCTL) & ~E1000E_TCTL_EN);
    (void)e1000e_read(dev, E1000E_STATUS); /* the writes have arrived */
    return RT_OK;
}

static enum rt_status drain(struct nic *nic, struct nic_steps *steps)
{
    steps->wait_us = DMA_DRAIN_US;
    return RT_OK;
}

/* ---- step 5 ---- */

/* With the semaphore. The packet buffer split is written before, and survives. */
static enum rt_status reset(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_PBA, dev->rx_buffer_kb);
    e1000e_write(dev, E1000E_CTRL, e1000e_read(dev, E1000E_CTRL) | E1000E_CTRL_RST);
    steps->wait_us = AFTER_RST_US;
    return RT_OK;
}

static enum rt_status reset_begun(struct nic *nic, struct nic_steps *steps)
{
    struct e1000e *dev = nic->priv;

    e1000e_semaphore_give(dev);
    if (FIELD_GET(E1000E_EECD_NVM_TYPE, e1000e_read(dev, E1000E_EECD)) ==
        E1000E_EECD_NVM_TYPE_FLASH)
        steps->wait_us = EE_RST_US;
    return RT_OK;
}

static enum rt_status flash_reset(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    if (FIELD_GET(E1000E_EECD_NVM_TYPE, e1000e_read(dev, E1000E_EECD)) ==
        E1000E_EECD_NVM_TYPE_FLASH)
        e1000e_write(dev, E1000E_CTRL_EXT,
                     e1000e_read(dev, E1000E_CTRL_EXT) | E1000E_CTRL_EXT_EE_RST);
    return RT_OK;
}

static enum rt_status reset_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait read = {E1000E_EECD, E1000E_EECD_AUTO_RD,
                                              E1000E_EECD_AUTO_RD, AUTO_RD_TIMEOUT_US};
    struct e1000e *dev = nic->priv;
    enum rt_status st = nic_step_await(nic, steps, read, "reset-timeout", "eecd");

    if (st != RT_OK)
        return st;
    e1000e_write(dev, E1000E_IMC, UINT32_MAX);
    (void)e1000e_read(dev, E1000E_ICR);
    nic->fresh = true;
    return RT_OK;
}

/* The chip reads its NVM again and configures the PHY: it is left alone meanwhile. */
static enum rt_status reset_settle(struct nic *nic, struct nic_steps *steps)
{
    steps->wait_us = RESET_SETTLE_US;
    return RT_OK;
}

static enum rt_status irqs_free(struct nic *nic, struct nic_steps *steps)
{
    e1000e_irq_teardown(nic->priv);
    return RT_OK;
}

#define SILENCE_STEPS {irqs_off}, {master_off_wait}, {units_off}
#define RESET_STEPS                                                                            \
    {e1000e_semaphore_step}, {reset}, {reset_begun}, {flash_reset}, {reset_wait}

static enum rt_status attach(struct nic *nic, uint32_t *settle_us)
{
    static const struct nic_step silence[] = {SILENCE_STEPS};
    struct e1000e *dev = hal_alloc(sizeof(*dev), RT_CACHE_LINE, "e1000e");
    uint32_t rctl, tctl;
    enum rt_status st;

    if (dev == NULL)
        return RT_NO_MEMORY;
    *dev = (struct e1000e){.nic = nic, .model = model_of(nic->pci)};
    nic->priv = dev;
    nic->ops = &e1000e_ops;
    nic->model_flags = dev->model->flags;
    st = nic_card_map(nic, E1000E_BAR0_BYTES_MIN);
    if (st != RT_OK)
        return st;
    if ((dev->model->flags & E1000E_ASPM_OFF) != 0)
        pci_aspm_off(nic->pci);
    dev->rx_buffer_kb = dev->model->rx_buffer_kb;
    rctl = e1000e_read(dev, E1000E_RCTL);
    tctl = e1000e_read(dev, E1000E_TCTL);
    st = nic_card_steps(nic, (struct nic_step_table)NIC_STEPS(silence));
    /* A unit that was never switched on has no transfer under way. */
    *settle_us =
        (rctl & E1000E_RCTL_EN) != 0 || (tctl & E1000E_TCTL_EN) != 0 ? DMA_DRAIN_US : 0;
    e1000e_write(dev, E1000E_SWSM, e1000e_read(dev, E1000E_SWSM) & ~E1000E_SWSM_SMBI);
    return st;
}

static enum rt_status reset_step(struct nic *nic, uint32_t *settle_us)
{
    static const struct nic_step rows[] = {RESET_STEPS};

    *settle_us = RESET_SETTLE_US;
    return nic_card_steps(nic, (struct nic_step_table)NIC_STEPS(rows));
}

/* The address that the chip loaded, unless firmware gave it none: then the NVM's. */
static enum rt_status choose_mac(struct e1000e *dev, const uint8_t nvm_mac[6])
{
    uint32_t low = e1000e_read(dev, E1000E_RAL(0)), high = e1000e_read(dev, E1000E_RAH(0));
    bool valid =
        (high & E1000E_RAH_AV) != 0 && (low | (high & E1000E_RAH_ADDR)) != 0 && (low & 1) == 0;

    for (unsigned i = 0; i < 6; i++) {
        uint32_t word = i < 4 ? low : high;

        dev->nic->mac[i] = (uint8_t)(valid ? word >> (8 * (i % 4)) : nvm_mac[i]);
    }
    return nic_check_mac(dev->nic);
}

static enum rt_status probe(struct nic *nic)
{
    struct e1000e *dev = nic->priv;
    const struct e1000e_model *model = dev->model;
    uint8_t mac[6] = {0};
    enum rt_status st;

    dev->nic = nic;
    st = e1000e_semaphore_take(dev);
    if (st != RT_OK)
        return st;
    st = e1000e_nvm_check(dev, mac);
    e1000e_semaphore_give(dev);
    if (st == RT_OK)
        st = choose_mac(dev, mac);
    if (st == RT_OK)
        st = e1000e_stats_alloc(dev);
    if (st != RT_OK)
        return st;
    if ((model->flags & E1000E_NVM_AUPDEN) != 0)
        e1000e_write(dev, E1000E_EECD, e1000e_read(dev, E1000E_EECD) & ~E1000E_EECD_AUPDEN);
    nic->caps = (struct nic_caps){
        .rxq_max = model->queues,
        .txq_max = model->queues,
        .ring_min = E1000E_RING_MIN,
        .ring_max = E1000E_RING_MAX,
        .ring_multiple = E1000E_RING_MIN,
        .frame_max_bytes = model->frame_max_bytes,
        .rss = model->queues > 1,
        .vlan = true,
        .rx_checksum = true,
        .tx_checksum = true,
        .tso = false, /* see README.md */
        .msix = (model->flags & E1000E_MSIX) != 0,
    };
    return RT_OK;
}

/* Receive gets what two whole transmit frames leave of the packet buffer. */
static enum rt_status configure(struct nic *nic)
{
    struct e1000e *dev = nic->priv;
    uint32_t frame = (uint32_t)nic->config.frame_max_bytes + E1000E_VLAN_BYTES;
    uint32_t tx_kb = (2 * (frame + INTEL_CRC_BYTES) + 1023) / 1024;
    uint32_t rx_kb = E1000E_PACKET_BUFFER_KB - RT_MAX(tx_kb, (uint32_t)TX_BUFFER_KB_MIN);

    rx_kb = RT_MIN(rx_kb, (uint32_t)dev->model->rx_buffer_kb);
    if (rx_kb != dev->rx_buffer_kb)
        nic->fresh = false; /* needs a reset to take effect */
    dev->rx_buffer_kb = rx_kb;
    return RT_OK;
}

/* Step 8: what every driver of this chip sets, see README.md. */
static enum rt_status hardware_bits(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;
    uint32_t flags = dev->model->flags, tarc0, tarc1;

    e1000e_write(dev, E1000E_CTRL,
                 e1000e_read(dev, E1000E_CTRL) &
                     ~(E1000E_CTRL_BIT29 | E1000E_CTRL_GIO_MASTER_DISABLE));
    e1000e_write(dev, E1000E_CTRL_EXT,
                 (e1000e_read(dev, E1000E_CTRL_EXT) & ~E1000E_CTRL_EXT_BIT23) |
                     E1000E_CTRL_EXT_BIT22);
    if ((flags & E1000E_ASPM_OFF) != 0) {
        e1000e_write(dev, E1000E_GCR,
                     e1000e_read(dev, E1000E_GCR) | E1000E_GCR_BIT22 |
                         E1000E_GCR_L1_WITHOUT_L0S_RX);
        e1000e_write(dev, E1000E_GCR2, e1000e_read(dev, E1000E_GCR2) | E1000E_GCR2_BIT0);
    }
    tarc0 = (e1000e_read(dev, E1000E_TARC(0)) & ~E1000E_TARC0_BITS_CLEAR) |
            E1000E_TARC_QUEUE_ENABLE;
    tarc1 = e1000e_read(dev, E1000E_TARC(1)) | E1000E_TARC_QUEUE_ENABLE;
    if ((flags & E1000E_TARC_HANG) != 0)
        tarc0 |= E1000E_TARC0_BIT26;
    if ((flags & E1000E_TWO_TXQ_TARC) != 0 && dev->nic->config.txqs > 1) {
        tarc0 |= E1000E_TARC_TWO_QUEUES;
        tarc1 |= E1000E_TARC_TWO_QUEUES;
    }
    e1000e_write(dev, E1000E_TARC(0), tarc0);
    e1000e_write(dev, E1000E_TARC(1), tarc1);
    return RT_OK;
}

/* Step 12: pause frames, sent when the packet buffer is 90 % full (or lacks one frame). */
static enum rt_status flow_control(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;
    uint32_t buffer = dev->rx_buffer_kb * 1024;
    uint32_t frame = (uint32_t)dev->nic->config.frame_max_bytes + E1000E_VLAN_BYTES +
                     INTEL_CRC_BYTES;
    uint32_t high = RT_MIN(buffer / 10 * 9, buffer - frame) & ~7u;

    e1000e_write(dev, E1000E_FCT, 0x8808);
    e1000e_write(dev, E1000E_FCAH, 0x0100);
    e1000e_write(dev, E1000E_FCAL, 0x00c28001);
    e1000e_write(dev, E1000E_FCTTV, 0x0680);
    e1000e_write(dev, E1000E_FCRTL, (high - 8) | E1000E_FCRTL_XONE);
    e1000e_write(dev, E1000E_FCRTH, high);
    return RT_OK;
}

/* The reset values of MULR and of the read thresholds stay: without MULR a small frame waits
 * for the read of the one before it, and a x1 link is far from its rate. */
static void transmit_on(struct e1000e *dev)
{
    uint32_t tctl = e1000e_read(dev, E1000E_TCTL) & ~(E1000E_TCTL_CT | E1000E_TCTL_COLD);

    e1000e_write(dev, E1000E_TIPG, TIPG_COPPER);
    e1000e_write(dev, E1000E_TIDV, 0);
    e1000e_write(dev, E1000E_TADV, 0);
    e1000e_write(dev, E1000E_TCTL,
                 tctl | E1000E_TCTL_EN | E1000E_TCTL_PSP | TCTL_COLLISIONS | E1000E_TCTL_RTLC |
                     E1000E_TCTL_MULR);
}

static void receive_on(struct e1000e *dev)
{
    const struct nic_config *config = &dev->nic->config;
    uint32_t rctl = E1000E_RCTL_EN | E1000E_RCTL_BAM | E1000E_RCTL_SECRC;
    uint32_t rfctl = E1000E_RFCTL_EXTEN | E1000E_RFCTL_ISCSI_DIS | E1000E_RFCTL_NFSW_DIS |
                     E1000E_RFCTL_NFSR_DIS;
    uint32_t ctrl = e1000e_read(dev, E1000E_CTRL) & ~E1000E_CTRL_VME;

    if ((dev->model->flags & E1000E_ACK_INT_SPURIOUS) != 0)
        rfctl |= E1000E_RFCTL_ACK_DIS;
    e1000e_write(dev, E1000E_CTRL, config->vlan_strip ? ctrl | E1000E_CTRL_VME : ctrl);
    e1000e_write(dev, E1000E_RFCTL, rfctl);
    e1000e_write(dev, E1000E_PSRCTL, 0);
    e1000e_write(dev, E1000E_RXCSUM,
                 E1000E_RXCSUM_PCSD |
                     (config->rx_checksum ? E1000E_RXCSUM_IPOFL | E1000E_RXCSUM_TUOFL : 0));
    e1000e_write(dev, E1000E_RDTR, 0);
    e1000e_write(dev, E1000E_RADV, 0);
    if (e1000e_takes_long(dev->nic))
        rctl |= E1000E_RCTL_LPE;
    if (config->promiscuous)
        rctl |= E1000E_RCTL_UPE | E1000E_RCTL_MPE;
    e1000e_write(dev, E1000E_RCTL, rctl);
    for (uint16_t q = 0; q < config->rxqs; q++) /* next = 0: all but the last descriptor */
        nic_rx_post(nic_rx_ring_of(dev->nic->rxq[q]));
}

static enum rt_status filters(struct nic *nic, struct nic_steps *steps)
{
    nic->fresh = false;
    intel_filter_init(nic);
    return RT_OK;
}

static enum rt_status driver_loaded(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_CTRL_EXT,
                 e1000e_read(dev, E1000E_CTRL_EXT) | E1000E_CTRL_EXT_DRV_LOAD);
    e1000e_write(dev, E1000E_WUC, 0);
    e1000e_write(dev, E1000E_VET, VLAN_ETHERTYPE);
    return RT_OK;
}

static enum rt_status rings(struct nic *nic, struct nic_steps *steps)
{
    e1000e_rss_init(nic->priv);
    return e1000e_rings_start(nic->priv);
}

static enum rt_status dma_on(struct nic *nic, struct nic_steps *steps)
{
    e1000e_irq_setup(nic->priv);
    pci_bus_master(nic->pci, true);
    return RT_OK;
}

static enum rt_status units_on(struct nic *nic, struct nic_steps *steps)
{
    transmit_on(nic->priv);
    receive_on(nic->priv);
    return RT_OK;
}

/* No register answers. */
static const struct nic_step off_bus[] = {{nic_card_bus_master_off}, {irqs_free}};
static const struct nic_step down[] = {
    SILENCE_STEPS, {drain}, {nic_card_bus_master_off}, RESET_STEPS, {reset_settle}, {irqs_free},
};
static const struct nic_step up[] = {
    {filters},
    {hardware_bits},
    {driver_loaded},
    {e1000e_semaphore_step},
    {e1000e_link_begin},
    {flow_control},
    {rings},
    {dma_on},
    {units_on},
};

static void forget(struct nic *nic)
{
    struct e1000e *dev = nic->priv;

    dev->phy_known = false;
}

static void let_go(struct nic *nic, bool there)
{
    struct e1000e *dev = nic->priv;

    if (there)
        e1000e_semaphore_give(dev);
    dev->semaphore = false;
}

static void unload(struct nic *nic)
{
    const struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_CTRL_EXT,
                 e1000e_read(dev, E1000E_CTRL_EXT) & ~E1000E_CTRL_EXT_DRV_LOAD);
}

/* Thresholds of zero: no pause frame, though the packet buffer fills up (DS 10.2.2). */
static void quiesce(struct nic *nic)
{
    struct e1000e *dev = nic->priv;

    e1000e_write(dev, E1000E_IMC, UINT32_MAX);
    e1000e_write(dev, E1000E_FCRTL, 0);
    e1000e_write(dev, E1000E_FCRTH, 0);
    e1000e_write(dev, E1000E_RCTL, 0);
    e1000e_write(dev, E1000E_TCTL, 0);
}

/* The chip has no cause of its own for that; its ring errors are seen as a hang. */
static const char *no_fault(struct nic *nic)
{
    return NULL;
}

static bool receives(struct nic *nic)
{
    return (e1000e_read(nic->priv, E1000E_RCTL) & E1000E_RCTL_EN) != 0;
}

static const struct nic_card card = {
    .up = NIC_STEPS(up),
    .down = NIC_STEPS(down),
    .off_bus = NIC_STEPS(off_bus),
    .status_reg = E1000E_STATUS,
    .pause_reg = E1000E_XOFFRXC,
    .let_go = let_go,
    .forget = forget,
    .unload = unload,
    .irq_raise = e1000e_irq_raise,
    .irq_lower = e1000e_irq_lower,
};

static const struct nic_ops e1000e_ops = {
    .card = &card,
    .rings = &e1000e_rings,
    .filters = &e1000e_filter_regs,
    .configure = configure,
    .rxq_setup = nic_rx_ring_setup,
    .txq_setup = nic_tx_ring_setup,
    .start = nic_card_start,
    .stop = nic_card_stop,
    .quiesce = quiesce,
    .poll_link = e1000e_poll_link,
    .poll_stats = e1000e_poll_stats,
    .set_promiscuous = intel_set_promiscuous,
    .add_multicast = intel_add_multicast,
    .set_vlan_filter = intel_set_vlan_filter,
    .begin = nic_card_begin,
    .gone = nic_card_gone,
    .fault = no_fault,
    .receives = receives,
    .tx_position = nic_tx_ring_position,
    .pauses = nic_card_pauses,
    .rxq_run = e1000e_rxq_run,
    .rxq_drop = nic_rx_ring_drop,
    .txq_run = e1000e_txq_run,
    .txq_empty = nic_tx_ring_empty,
};

const struct nic_driver e1000e_driver = {
    .name = "e1000e",
    .match = match,
    .attach = attach,
    .reset = reset_step,
    .probe = probe,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82574L and 82583V (and QEMU's e1000e): models, finding, what the driver is to the rest.
 * Core 0. The steps up and down are in e1000e_up.c and e1000e_down.c; README.md explains each.
 */
#include "e1000e.h"

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

static const void *model_of(const struct pci_dev *pci)
{
    return intel_model_of(pci, models, RT_ARRAY_SIZE(models), sizeof(models[0]));
}

static enum rt_status attach(struct nic *nic, uint32_t *settle_us)
{
    struct e1000e *dev = hal_alloc(sizeof(*dev), RT_CACHE_LINE, "e1000e");
    uint32_t rctl, tctl;
    enum rt_status st;

    if (dev == NULL)
        return RT_NO_MEMORY;
    *dev = (struct e1000e){.nic = nic, .model = model_of(nic->pci)};
    nic->model_flags = dev->model->flags;
    st = nic_card_attach(nic, &e1000e_ops, dev, E1000E_BAR0_BYTES_MIN);
    if (st != RT_OK)
        return st;
    if ((dev->model->flags & E1000E_ASPM_OFF) != 0)
        pci_aspm_off(nic->pci);
    dev->rx_buffer_kb = dev->model->rx_buffer_kb;
    rctl = e1000e_read(dev, E1000E_RCTL);
    tctl = e1000e_read(dev, E1000E_TCTL);
    st = nic_card_steps(nic, &e1000e_silence);
    /* A unit that was never switched on has no transfer under way. */
    *settle_us = (rctl & E1000E_RCTL_EN) != 0 || (tctl & E1000E_TCTL_EN) != 0
                     ? E1000E_DMA_DRAIN_US
                     : 0;
    e1000e_write(dev, E1000E_SWSM, e1000e_read(dev, E1000E_SWSM) & ~E1000E_SWSM_SMBI);
    return st;
}

/* The address that the chip loaded, unless firmware gave it none: then the NVM's. */
static enum rt_status choose_mac(struct nic *nic, const uint8_t nvm_mac[6])
{
    if (!intel_read_mac(nic))
        __builtin_memcpy(nic->mac, nvm_mac, sizeof(nic->mac));
    return nic_check_mac(nic);
}

static enum rt_status probe(struct nic *nic)
{
    struct e1000e *dev = nic->priv;
    const struct e1000e_model *model = dev->model;
    uint8_t mac[6] = {0};
    enum rt_status st;

    RT_ASSERT(!nic->started);
    RT_ASSERT(nic->fresh); /* the reset before has ended */
    st = e1000e_semaphore_take(dev);
    if (st != RT_OK)
        return st;
    st = e1000e_nvm_check(dev, mac);
    e1000e_semaphore_give(dev);
    if (st == RT_OK)
        st = choose_mac(nic, mac);
    if (st == RT_OK)
        st = intel_counters_alloc(nic);
    if (st != RT_OK)
        return st;
    if ((model->flags & E1000E_NVM_AUPDEN) != 0)
        e1000e_write(dev, E1000E_EECD, e1000e_read(dev, E1000E_EECD) & ~E1000E_EECD_AUPDEN);
    nic->caps = (struct nic_caps){
        .rxq_max = model->queues,
        .txq_max = model->queues,
        INTEL_CAPS,
        .frame_max_bytes = model->frame_max_bytes,
        .rss = model->queues > 1,
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

    RT_ASSERT(!nic->started);
    RT_ASSERT_LT(tx_kb, (uint32_t)E1000E_PACKET_BUFFER_KB);
    rx_kb = RT_MIN(rx_kb, (uint32_t)dev->model->rx_buffer_kb);
    if (rx_kb != dev->rx_buffer_kb)
        nic->fresh = false; /* needs a reset to take effect */
    dev->rx_buffer_kb = rx_kb;
    return RT_OK;
}

static void forget(struct nic *nic)
{
    struct e1000e *dev = nic->priv;

    dev->phy_known = false;
}

static void let_go(struct nic *nic, bool there)
{
    struct e1000e *dev = nic->priv;

    e1000e_walk_drop(dev);
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
    INTEL_CARD(e1000e),
    .reset_settle_us = E1000E_RESET_SETTLE_US,
    .status_reg = E1000E_STATUS,
    .pause_reg = E1000E_XOFFRXC,
};

static const struct nic_ops e1000e_ops = {
    INTEL_NIC_OPS(e1000e),
    .start = nic_card_start,
    .fault = no_fault,
};

const struct nic_driver e1000e_driver = {
    INTEL_DRIVER(e1000e),
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82599, X540 and X550: models, finding, what the driver is to the rest. Core 0. The steps
 * up and down are in ixgbe_up.c and ixgbe_down.c.
 */
#include "ixgbe.h"

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

static const void *model_of(const struct pci_dev *pci)
{
    return intel_model_of(pci, models, RT_ARRAY_SIZE(models), sizeof(models[0]));
}

static enum rt_status attach(struct nic *nic, uint32_t *settle_us)
{
    struct ixgbe *dev = hal_alloc(sizeof(*dev), RT_CACHE_LINE, "ixgbe");
    enum rt_status st;

    if (dev == NULL)
        return RT_NO_MEMORY;
    *dev = (struct ixgbe){.nic = nic, .model = model_of(nic->pci)};
    nic->model_flags = dev->model->flags;
    st = nic_card_attach(nic, &ixgbe_ops, dev, IXGBE_BAR0_BYTES_MIN);
    if (st != RT_OK)
        return st;
    dev->lan = FIELD_GET(IXGBE_STATUS_LAN_ID, ixgbe_read(dev, IXGBE_STATUS)) & 1;
    *settle_us = 0;
    return nic_card_steps(nic, &ixgbe_silence);
}

static enum rt_status probe(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;
    enum rt_status st = nic_card_steps(nic, &ixgbe_settled);

    RT_ASSERT(!nic->started);
    if (st == RT_OK && (dev->model->flags & IXGBE_NVM_EERD) != 0) {
        st = ixgbe_sync_take(dev, IXGBE_SYNC_NVM);
        if (st == RT_OK)
            st = ixgbe_nvm_check(dev);
        ixgbe_sync_give(dev, IXGBE_SYNC_NVM);
    }
    (void)intel_read_mac(nic); /* loaded by the chip itself, or wrong */
    if (st == RT_OK)
        st = nic_check_mac(nic);
    if (st == RT_OK)
        st = intel_counters_alloc(nic);
    if (st != RT_OK)
        return st;
    nic->caps = (struct nic_caps){
        .rxq_max = IXGBE_QUEUES_MAX,
        .txq_max = IXGBE_QUEUES_MAX,
        INTEL_CAPS,
        .frame_max_bytes = FRAME_BYTES_MAX,
        .rss = true,
        .tso = true,
        .msix = true,
    };
    return RT_OK;
}

static enum rt_status configure(struct nic *nic)
{
    RT_ASSERT(!nic->started);
    return RT_OK; /* every setting is written at start */
}

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
    RT_ASSERT(!nic->started);
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
    INTEL_CARD(ixgbe),
    .reset_settle_us = IXGBE_RESET_SETTLE_US,
    .status_reg = IXGBE_STATUS,
    .pause_reg = IXGBE_LXOFFRXC,
};

static const struct nic_ops ixgbe_ops = {
    INTEL_NIC_OPS(ixgbe),
    .start = start,
    .fault = ixgbe_fault,
};

const struct nic_driver ixgbe_driver = {
    INTEL_DRIVER(ixgbe),
};

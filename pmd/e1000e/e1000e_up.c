/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e: steps from a fresh device to a started one, in the order of the datasheet's
 * initialisation chapter (DS 4.6). The numbers are those of README.md. Core 0.
 */
#include "e1000e.h"

#define VLAN_ETHERTYPE 0x8100
#define TIPG_COPPER                                                                            \
    (FIELD_PUT(E1000E_TIPG_IPGT, 8) | FIELD_PUT(E1000E_TIPG_IPGR1, 8) |                        \
     FIELD_PUT(E1000E_TIPG_IPGR2, 6))
#define TCTL_COLLISIONS (FIELD_PUT(E1000E_TCTL_CT, 0x0f) | FIELD_PUT(E1000E_TCTL_COLD, 0x40))

/* Step 8: what every driver of this chip sets, see README.md. */
static enum rt_status hardware_bits(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;
    uint32_t flags = dev->model->flags, tarc0, tarc1;

    RT_ASSERT_LE(nic->config.txqs, dev->model->queues);
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

    RT_ASSERT_LT(frame, buffer);
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

    RT_ASSERT_LE(config->rxqs, dev->model->queues);
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
    RT_ASSERT(nic->fresh);
    nic->fresh = false;
    intel_filter_init(nic);
    return RT_OK;
}

static enum rt_status driver_loaded(struct nic *nic, struct nic_steps *steps)
{
    const struct e1000e *dev = nic->priv;

    RT_ASSERT(!nic->fresh); /* `filters` was before */
    e1000e_write(dev, E1000E_CTRL_EXT,
                 e1000e_read(dev, E1000E_CTRL_EXT) | E1000E_CTRL_EXT_DRV_LOAD);
    e1000e_write(dev, E1000E_WUC, 0);
    e1000e_write(dev, E1000E_VET, VLAN_ETHERTYPE);
    return RT_OK;
}

static enum rt_status rings(struct nic *nic, struct nic_steps *steps)
{
    RT_ASSERT(!nic->fresh); /* `filters` was before */
    e1000e_rss_init(nic->priv);
    return e1000e_rings_start(nic->priv);
}

static enum rt_status dma_on(struct nic *nic, struct nic_steps *steps)
{
    RT_ASSERT(!nic->fresh);
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

static const struct nic_step rows[] = {
    {filters},
    {hardware_bits},
    {driver_loaded},
    {e1000e_semaphore_step},
    {e1000e_phy_ask},
    {e1000e_phy_step},
    {e1000e_phy_negotiate},
    {e1000e_phy_step},
    {e1000e_link_begin},
    {flow_control},
    {rings},
    {e1000e_irq_settle},
    {dma_on},
    {units_on},
};
const struct nic_step_table e1000e_up = NIC_STEPS(rows);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe: steps from a fresh device to a started one, in the order of the datasheet's
 * initialisation chapter (DS 4.6.3). Core 0.
 */
#include "ixgbe.h"

#include <rt/log.h>

#define AUTO_RD_TIMEOUT_US 100000
#define CFG_DONE_TIMEOUT_US 200000
#define DMA_INIT_TIMEOUT_US 10000

/* ---- steps 4 to 6: EEPROM read, firmware and DMA ready ---- */

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

    return ixgbe_no_matter(nic_step_await(nic, steps, up, "no-firmware", "eemngctl"));
}

static enum rt_status dma_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait ready = {IXGBE_RDRXCTL, IXGBE_RDRXCTL_DMAIDONE,
                                               IXGBE_RDRXCTL_DMAIDONE, DMA_INIT_TIMEOUT_US};

    return nic_step_await(nic, steps, ready, "dma-init", "rdrxctl");
}

#define SETTLED_STEPS                                                                          \
    {causes_clear}, {eeprom_wait, IXGBE_NVM_EERD}, {firmware_wait}, {dma_wait}

static const struct nic_step settled_rows[] = {SETTLED_STEPS};
const struct nic_step_table ixgbe_settled = NIC_STEPS(settled_rows);

/* ---- the rest ---- */

/* DS 4.6.11.3.4 without traffic classes: one packet buffer for everything. */
static enum rt_status buffers(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t frame_kib = (nic->config.frame_max_bytes + 1023u) / 1024;

    RT_ASSERT_LT(frame_kib + 1, (uint32_t)dev->model->tx_buffer_kib);
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

    RT_ASSERT_LE(config->frame_max_bytes, nic->caps.frame_max_bytes);
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

    RT_ASSERT(nic->fresh);
    nic->fresh = false;
    ixgbe_write(dev, IXGBE_CTRL, ixgbe_read(dev, IXGBE_CTRL) & ~IXGBE_CTRL_GIO_MASTER_DISABLE);
    ixgbe_write(dev, IXGBE_CTRL_EXT,
                ixgbe_read(dev, IXGBE_CTRL_EXT) | IXGBE_CTRL_EXT_NS_DIS |
                    IXGBE_CTRL_EXT_RO_DIS | IXGBE_CTRL_EXT_DRV_LOAD);
    return RT_OK;
}

static enum rt_status rings(struct nic *nic, struct nic_steps *steps)
{
    RT_ASSERT(!nic->fresh); /* `driver_loaded` was before */
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

static const struct nic_step up_rows[] = {
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
    {ixgbe_rx_path_close},
    {ixgbe_rx_path_wait},
    {ixgbe_receive_on},
};
const struct nic_step_table ixgbe_up = NIC_STEPS(up_rows);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the ixgbe driver. */
#ifndef PMD_IXGBE_H
#define PMD_IXGBE_H

#include "ixgbe_reg.h"
#include "intel/intel.h"
#include "nic_card.h"
#include "ring/ring.h"

#define IXGBE_QUEUES_MAX NIC_QUEUES_MAX
#define IXGBE_TX_TSO_BYTES_MAX 0x3ffff /* PAYLEN has 18 bits; a segment of it 16 (DTALEN) */
#define IXGBE_VLAN_BYTES NIC_VLAN_BYTES
#define IXGBE_STANDARD_FRAME_BYTES 1514

/* What differs between the parts. */
enum ixgbe_model_flags {
    IXGBE_SFP = 1u << 0,        /* module in a cage, read by I2C */
    IXGBE_COPPER = 1u << 1,     /* 10GBASE-T PHY behind MDIO */
    IXGBE_NVM_EERD = 1u << 2,   /* the EEPROM can be read by register */
    IXGBE_REGSMP = 1u << 3,     /* second semaphore in SW_FW_SYNC, not in SWSM */
    IXGBE_UDP_ZERO_BAD = 1u << 5, /* takes a UDP sum of zero, which is none, for a wrong one */
    IXGBE_BACKPLANE = 1u << 4,  /* link over traces: the EEPROM chose its mode */
};

struct ixgbe_model {
    uint16_t device;
    uint16_t rx_buffer_kib, tx_buffer_kib;
    uint32_t flags;
    const char *name;
};

struct ixgbe {
    struct nic *nic;
    const struct ixgbe_model *model;
    uint32_t lan;    /* which of the two functions */
    uint32_t synced; /* SW_FW_SYNC bits that we hold */
    uint32_t phy;    /* address on MDIO, MDIO_PHYS: none */
    bool link_known; /* module set up or PHY found: both outlive a reset */
    bool module_1g;
    bool dma_stuck; /* the master would not go off: buffers cleared, two resets */
};

/* ixgbe_nvm.c: semaphores and EEPROM */
RT_NODISCARD enum rt_status ixgbe_sync_take(struct ixgbe *dev, uint32_t resources);
/* ... for a step: RT_BUSY while another holds them. */
RT_NODISCARD enum rt_status ixgbe_sync_step(struct ixgbe *dev, struct nic_steps *steps,
                                            uint32_t resources);
void ixgbe_sync_give(struct ixgbe *dev, uint32_t resources);
RT_NODISCARD enum rt_status ixgbe_nvm_read(struct ixgbe *dev, uint32_t word, uint16_t *value);
RT_NODISCARD enum rt_status ixgbe_nvm_check(struct ixgbe *dev);

/* ixgbe_module.c: what is in the cage. A step of the bring-up. */
RT_NODISCARD enum rt_status ixgbe_serial_module(struct nic *nic, struct nic_steps *steps);

/* ixgbe_link.c: steps of the bring-up, each for one kind of port. */
RT_NODISCARD enum rt_status ixgbe_laser_on(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_serial_begin(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_serial_wait(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_copper_begin(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_backplane_begin(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_flow_control(struct nic *nic, struct nic_steps *steps);
void ixgbe_poll_link(struct nic *nic);

/* ixgbe_irq.c */
void ixgbe_irq_setup(struct ixgbe *dev);
void ixgbe_irq_quiet(struct ixgbe *dev);
void ixgbe_irq_raise(struct nic *nic); /* these two: see nic_irq_try() */
void ixgbe_irq_lower(struct nic *nic);
const char *ixgbe_fault(struct nic *nic);
bool ixgbe_rx_arm(struct nic_rxq *rxq);
void ixgbe_rx_disarm(struct nic_rxq *rxq);

/* ixgbe_up.c, ixgbe_down.c: tables of steps */
#define IXGBE_RESET_SETTLE_US 50000 /* DS 4.2.1.7: 10 ms; the X540's firmware takes longer */
extern const struct nic_step_table ixgbe_up, ixgbe_down, ixgbe_off_bus;
extern const struct nic_step_table ixgbe_silence; /* the first steps down: no DMA any more */
extern const struct nic_step_table ixgbe_reset;
extern const struct nic_step_table ixgbe_settled; /* the first steps up: registers may be used */

/* ixgbe_filter.c: addresses, VLAN, RSS, statistics */
extern const struct intel_filter_regs ixgbe_filter_regs;
extern const struct intel_counters ixgbe_counters;
void ixgbe_filter_init(struct ixgbe *dev);
void ixgbe_rss_init(struct ixgbe *dev);

/* ixgbe_ring.c: queues, without the data path */
extern const struct nic_ring_chip ixgbe_rings;
RT_NODISCARD enum rt_status ixgbe_rings_start(struct ixgbe *dev); /* fills and programs */
/* Steps: on or off, all of them */
RT_NODISCARD enum rt_status ixgbe_queues_off(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_queues_off_wait(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_tx_on(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_tx_on_wait(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_rx_on(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_rx_on_wait(struct nic *nic, struct nic_steps *steps);
/* Steps: the receive path drains, then it goes on or off */
RT_NODISCARD enum rt_status ixgbe_rx_path_close(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_rx_path_wait(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_receive_on(struct nic *nic, struct nic_steps *steps);
RT_NODISCARD enum rt_status ixgbe_receive_off(struct nic *nic, struct nic_steps *steps);
void ixgbe_rxq_run(struct nic_rxq *rxq); /* these two: see nic_driver.h */
void ixgbe_txq_run(struct nic_txq *txq);

/* ixgbe_rxtx.c: the data path */
uint32_t ixgbe_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
/* ... of a port with rx_checksum */
uint32_t ixgbe_rx_checked(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max);
void ixgbe_tx(struct nic_txq *txq, struct buf_batch *batch);
uint32_t ixgbe_tx_reclaim(struct nic_txq *txq);
/* ixgbe_rxtx_odd.c: a received descriptor that is not one plain frame */
RT_COLD void ixgbe_rx_odd(struct nic_rx_ring *ring, struct buf_batch *out);
/* Fills the ring's table of what a status says about sums. */
void ixgbe_rx_sums(struct nic_rx_ring *ring);

/* What a status says about sums, as an index into the ring's table. */
enum ixgbe_says { IXGBE_SAYS_L4E = 1, IXGBE_SAYS_IPE = 2, IXGBE_SAYS_UDP = 4 };
RT_INLINE uint32_t ixgbe_rx_says(uint64_t type, uint64_t status)
{
    return (uint32_t)(status >> 30 & 3) | (uint32_t)(type >> 7 & IXGBE_SAYS_UDP);
}
_Static_assert(IXGBE_RXD_ERR_L4E == UINT32_C(1) << 30 &&
                   IXGBE_RXD_ERR_IPE == UINT32_C(1) << 31 &&
                   IXGBE_RXD_TYPE_UDP >> 7 == IXGBE_SAYS_UDP,
               "three bits, two of them neighbours");

RT_INLINE uint32_t ixgbe_read(const struct ixgbe *dev, uint32_t reg)
{
    return hal_read32(&dev->nic->mmio, reg);
}
RT_INLINE void ixgbe_write(const struct ixgbe *dev, uint32_t reg, uint32_t value)
{
    hal_write32(&dev->nic->mmio, reg, value);
}
/* Of a wait that is as good as over when its time has passed. */
RT_INLINE enum rt_status ixgbe_no_matter(enum rt_status st)
{
    return st == RT_TIMEOUT ? RT_OK : st;
}
/* The longest frame without CRC that the MAC lets in, tagged: MAXFRS counts no tag, and acts
 * above the usual size only (DS 8.2.3.22.13). */
RT_INLINE uint32_t ixgbe_card_max_bytes(const struct nic *nic)
{
    uint32_t frame = nic->config.frame_max_bytes;

    return RT_MAX(frame, (uint32_t)IXGBE_STANDARD_FRAME_BYTES) + IXGBE_VLAN_BYTES;
}

#endif

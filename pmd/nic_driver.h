/* SPDX-License-Identifier: BSD-2-Clause */
/* What a driver implements. Errors as in <pmd/nic.h>; every wait inside has a deadline. */
#ifndef PMD_NIC_DRIVER_H
#define PMD_NIC_DRIVER_H

#include "nic_steps.h"
#include "nic_watch.h"

#include <pmd/nic.h>

enum nic_way { NIC_DOWN, NIC_UP };

struct nic_card;
struct nic_ring_chip;
struct intel_filter_regs;
struct intel_counters;

struct nic_ops {
    /* where shared parts find what the chip has; NULL: the driver does not use that part */
    const struct nic_card *card;             /* nic_card.h */
    const struct nic_ring_chip *rings;       /* ring/ring.h */
    const struct intel_filter_regs *filters; /* intel/intel.h, both */
    const struct intel_counters *counters;
    enum rt_status (*configure)(struct nic *nic);
    enum rt_status (*rxq_setup)(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool);
    enum rt_status (*txq_setup)(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool);
    enum rt_status (*start)(struct nic *nic);
    void (*stop)(struct nic *nic);
    /* The machine ends, perhaps in a panic: receive, transmit, pause frames and interrupts off.
     * As <rt/quiesce.h> asks: writes to registers, nothing else, from any core. */
    void (*quiesce)(struct nic *nic);
    void (*poll_link)(struct nic *nic); /* acknowledges and looks */
    void (*poll_stats)(struct nic *nic, uint32_t rows);
    enum rt_status (*set_promiscuous)(struct nic *nic, bool on);
    enum rt_status (*add_multicast)(struct nic *nic, const uint8_t mac[6]);
    enum rt_status (*set_vlan_filter)(struct nic *nic, uint16_t vlan, bool on);
    /* For recovery, core 0. Down: to a device without DMA, whatever it does; up: to a started
     * one, with rings that are empty (transmit) or hold their buffers (receive). */
    void (*begin)(struct nic *nic, enum nic_way way, struct nic_steps *steps);
    bool (*gone)(struct nic *nic);         /* off the bus */
    const char *(*fault)(struct nic *nic); /* it asks for a reset: why; NULL: it does not */
    bool (*receives)(struct nic *nic); /* as start left it: nobody else has reset it */
    void (*tx_position)(const struct nic_txq *txq, uint32_t *head, uint32_t *tail);
    uint64_t (*pauses)(struct nic *nic);   /* pause frames received since start */
    /* ... on the queue's core. Run: data path functions; drop: a half received frame; empty:
     * DMA is off, every buffer goes home. */
    void (*rxq_run)(struct nic_rxq *rxq);
    void (*rxq_drop)(struct nic_rxq *rxq);
    void (*txq_run)(struct nic_txq *txq);
    void (*txq_empty)(struct nic_txq *txq);
};

/*
 * Bring-up in three steps, so that the settle times of all ports pass together: `attach`, the
 * reset of its table (nic_card.h), `probe`. A device is left alone for *settle_us behind the
 * first, for reset_settle_us behind the second. Who fails has logged why and left the device
 * without DMA and interrupts.
 */
struct nic_driver {
    const char *name;
    /* The driver's row for this model; NULL: none of its cards. */
    const void *(*model_of)(const struct pci_dev *pci);
    enum rt_status (*attach)(struct nic *nic, uint32_t *settle_us); /* stops DMA; nic->ops */
    enum rt_status (*probe)(struct nic *nic); /* fills nic->caps/mac/counters */
};

/* A statistics register. `high`: upper half of a pair, read after the lower; 0: none. */
struct nic_counter_reg {
    uint16_t offset, high;
    const char *name;
};

/* nic_counters.c: rows for `regs`, which must outlive the port, and those of nic_watch.h. */
RT_NODISCARD enum rt_status nic_counters_alloc(struct nic *nic,
                                               const struct nic_counter_reg *regs,
                                               uint32_t count);
/* Reads the next `rows` registers, or all from the first; true when that was the last. */
bool nic_counters_read(struct nic *nic, const struct hal_mmio *mmio, uint32_t rows);
uint64_t nic_counted(const struct nic *nic, uint32_t offset); /* 0: no such register */
/* Reads this register now, ahead of its turn; what has been counted with it. */
uint64_t nic_count_now(struct nic *nic, const struct hal_mmio *mmio, uint32_t offset);

/* nic_limit.c: `rx` becomes the queue's receive function; behind a check of the length when the
 * card lets in frames of up to card_max_bytes (without CRC) and the port takes less. */
void nic_rx_use(struct nic_rxq *q, nic_rx_fn *rx, uint32_t card_max_bytes);

/* nic_irq.c: the best mode that works, best first from config.irq_mode; sets nic->irq_mode.
 * `program` writes the chip's causes, vectors and moderation; all stay masked. */
RT_NODISCARD enum rt_status nic_irq_init(struct nic *nic);
void nic_irq_setup(struct nic *nic, void (*program)(struct nic *nic, bool own_vectors));
/* Once at start, with bus mastering on and no core in its loop: `raise` raises every interrupt
 * by hand, `lower` masks and clears them again. A queue whose interrupt does not come is
 * polled. */
void nic_irq_try(struct nic *nic, void (*raise)(struct nic *nic),
                 void (*lower)(struct nic *nic));
void nic_irq_teardown(struct nic *nic); /* when nothing can interrupt any more */

/* nic_port.c. The next port, for nic_probe_all() alone. */
struct nic *nic_port_add(struct pci_dev *pci, const char *driver_name);
void nic_ports_forget(void);

/* A line: what is wrong with the card, a register and its value. */
void nic_complain(const struct nic *nic, const char *what, const char *reg, uint32_t value);

/* Neither zero nor a group's. */
bool nic_mac_is_station(const uint8_t mac[6]);
/* nic->mac is a station's address. RT_IO, and a line: it is zero or a group's, as in a card
 * whose NVM was never written. No address is made up: two machines would make up the same. */
RT_NODISCARD enum rt_status nic_check_mac(const struct nic *nic);

extern const struct nic_driver e1000e_driver;
extern const struct nic_driver ixgbe_driver;

#endif

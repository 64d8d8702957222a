/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A software 82574 for unit tests: registers, rings, interrupts and PCI configuration space,
 * with the faults of a broken or hostile device. It writes what the chip writes, in its order.
 * Bring one up with fake_add(), then pci_scan() and nic_probe_all() find it.
 */
#ifndef TESTS_FAKE_E1000E_H
#define TESTS_FAKE_E1000E_H

#include <pmd/nic.h>
#include <rt/host.h>

#define FAKE_BAR_BYTES 0x20000
#define FAKE_WRITES_MAX 4096
#define FAKE_FRAME_MAX 16384
#define FAKE_VECTORS 5

struct fake_write {
    uint32_t offset, value;
};

/* What the device did with a transmitted frame. */
struct fake_tx {
    uint32_t bytes;
    uint32_t queue;
    uint32_t descs;
    bool ip_sum, l4_sum, vlan;
    uint16_t vlan_tci;
    uint64_t context; /* first word of the context that was in force */
    uint8_t data[FAKE_FRAME_MAX];
};

/* How to deliver a frame. All zero: as the chip does. */
struct fake_rx {
    uint32_t queue;
    uint32_t status;     /* more bits for the last descriptor (errors, checksums) */
    uint32_t hash_type;
    uint32_t hash;
    bool no_eop;         /* hostile: the end never comes */
    bool set_length;     /* hostile: `length` instead of the true one */
    uint16_t length;
};

struct fake_e1000e {
    uint32_t bdf;
    uint64_t bar0, bar3;
    uint32_t reg[FAKE_BAR_BYTES / 4];
    uint32_t msix_table[64];
    uint32_t config[64], config_mask[64];
    uint16_t nvm[64], phy[32];
    uint32_t tx_context[2];
    uint32_t tx_reported[2]; /* up to here descriptors say that they are done */
    bool link;
    /* faults */
    bool stuck_master, stuck_reset, stuck_nvm, stuck_phy, phy_error, stuck_semaphore, gone;
    bool stuck_tx; /* tails are taken, nothing is sent */
    bool late_reports; /* frames go out, their descriptors say so with fake_tx_report() */
    bool no_msix, no_msi;
    /* before the next read or write of this register, once */
    uint32_t hook_offset;
    void (*hook)(struct fake_e1000e *f);
    /* what happened */
    struct fake_write writes[FAKE_WRITES_MAX];
    uint32_t write_count;
    uint32_t reads; /* of any register */
    uint32_t resets;
    uint32_t messages[FAKE_VECTORS]; /* MSI-X by entry; MSI and INTx in [0] */
    uint32_t dma_refused;            /* DMA wanted while bus mastering was off */
    void (*sent)(struct fake_e1000e *f, const struct fake_tx *tx);
    struct fake_tx tx;
    uint32_t tx_frames;
};

/* Makes PCI function 00:slot.0 of it; several may exist. Forgotten by fake_reset_all(). */
void fake_add(struct fake_e1000e *f, unsigned slot, uint16_t device);
void fake_reset_all(void);
/* Writes this address into the NVM, and a checksum that is right. */
void fake_mac(struct fake_e1000e *f, const uint8_t mac[6]);
/* One frame from the wire; false: not received (link, filters and room permitting). */
bool fake_receive(struct fake_e1000e *f, const void *frame, uint32_t bytes,
                  const struct fake_rx *how);
void fake_link(struct fake_e1000e *f, bool up);
/* Index of the first write of `offset` at or after `from`; UINT32_MAX: none. */
uint32_t fake_wrote(const struct fake_e1000e *f, uint32_t offset, uint32_t from);

#endif

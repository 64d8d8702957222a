/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Intel's cards from the 82574 to the X550 (and igb) have in common beside rings: address,
 * multicast and VLAN tables, the key of receive scaling, statistics, the EEPROM. The registers
 * work alike and lie elsewhere: a driver says where. Core 0.
 */
#ifndef PMD_INTEL_H
#define PMD_INTEL_H

#include "nic_driver.h"

#define INTEL_VENDOR 0x8086
#define INTEL_CRC_BYTES 4

/* ---- model.c ---- */

/* The row of an array of `count` structures of `bytes`, which begin with a device id
 * (uint16_t); NULL: it is none of them, or not Intel's. */
const void *intel_model_of(const struct pci_dev *pci, const void *models, size_t count,
                           size_t bytes);

/* ---- filter.c: what is let in. Tables that a start clears: RT_BUSY before it ---- */

struct intel_bits {
    uint32_t reg, bits;
};
struct intel_filter_regs {
    uint32_t multicast, vlan; /* MTA, VFTA: 128 words, a bit for each hash and each tag */
    uint32_t address;         /* RAL0; RAH is behind it, the next entry 8 bytes on */
    uint32_t addresses;
    struct intel_bits all;     /* promiscuous, multicast too */
    struct intel_bits tagged;  /* only tags of the table come in */
    struct intel_bits hashing; /* the multicast table counts; no bits: always */
};
/* Our address, and empty tables, where nic->ops->filters says. */
void intel_filter_init(const struct nic *nic);
/* These are functions of struct nic_ops. */
RT_NODISCARD enum rt_status intel_set_promiscuous(struct nic *nic, bool on);
RT_NODISCARD enum rt_status intel_add_multicast(struct nic *nic, const uint8_t mac[6]);
RT_NODISCARD enum rt_status intel_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on);

/* The usual key, so that others can recompute the hash. */
#define INTEL_RSS_KEY_BYTES 40
extern const uint8_t intel_rss_key[INTEL_RSS_KEY_BYTES];
void intel_rss_write_key(const struct nic *nic, uint32_t first_reg);

/* The address that the chip has loaded, from RAL0 and RAH0. */
void intel_read_mac(const struct nic *nic, const struct intel_filter_regs *regs,
                    uint8_t mac[6]);

/* ---- stats.c ---- */

/* Which counters add up to what struct nic_stats has; 0: none. */
struct intel_stats_regs {
    uint16_t rx_frames, tx_frames;
    uint16_t rx_bytes, tx_bytes; /* with the CRC */
    uint16_t missed, no_buffer, crc_errors;
    uint16_t length_errors[5], tx_errors[2];
};
/* See nic_poll_stats(). `status_reg` tells whether the card is there. */
void intel_poll_stats(struct nic *nic, const struct intel_stats_regs *regs, uint32_t status_reg,
                      uint32_t rows);

/* ---- nvm.c: with the semaphore ---- */

#define INTEL_EERD_START RT_BIT(0)
#define INTEL_EERD_DONE RT_BIT(1)
#define INTEL_EERD_ADDR RT_BITS(15, 2)
#define INTEL_EERD_DATA RT_BITS(31, 16)
#define INTEL_NVM_SUM 0xbaba /* of the words that are summed, in 16 bits */
#define INTEL_NVM_WORDS_MAX (1 << 14) /* that EERD can address */
/* One word by the EERD register at `eerd_reg`. A line when it does not come. */
RT_NODISCARD enum rt_status intel_nvm_read(const struct nic *nic, uint32_t eerd_reg,
                                           uint32_t word, uint16_t *value);
/* RT_IO, and a line: it is another sum. */
RT_NODISCARD enum rt_status intel_nvm_check_sum(const struct nic *nic, uint16_t sum);

#endif

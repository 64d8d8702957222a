/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Intel's cards from the 82574 to the X550 (and igb) have in common beside rings: address,
 * multicast and VLAN tables, the key of receive scaling, statistics, the EEPROM. The registers
 * work alike and lie elsewhere: a driver says where. Core 0.
 */
#ifndef PMD_INTEL_H
#define PMD_INTEL_H

#include "nic_card.h"
#include "ring/ring.h"

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

/* The key of <pmd/rss.h>, from this register on. */
void intel_rss_write_key(const struct nic *nic, uint32_t first_reg);

/* nic->mac becomes the address that the chip has loaded (RAL0, RAH0). False: it has loaded none,
 * or says that it does not count. */
bool intel_read_mac(struct nic *nic);

/* ---- stats.c: counters that clear when read (82574 10.2.7, 82599 8.2.3.23) ---- */

/* In the same place in every chip. Of a pair the high read clears both. */
#define INTEL_CRCERRS 0x4000 /* CRC errors */
#define INTEL_RLEC 0x4040    /* length errors */
#define INTEL_GPRC 0x4074    /* good frames received */
#define INTEL_GPTC 0x4080    /* good frames sent */
#define INTEL_GORCL 0x4088   /* ... and their bytes with CRC */
#define INTEL_GORCH 0x408c
#define INTEL_GOTCL 0x4090
#define INTEL_GOTCH 0x4094
#define INTEL_RUC 0x40a4 /* undersize */
#define INTEL_RFC 0x40a8 /* fragments */
#define INTEL_ROC 0x40ac /* oversize */
#define INTEL_RJC 0x40b0 /* jabber */

/* Rows of a driver's table, in three pieces: each chip has others between them. */
#define INTEL_COUNTERS_GOOD                                                                    \
    {0x405c, 0, "rx_64"}, {0x4060, 0, "rx_65_127"}, {0x4064, 0, "rx_128_255"},                 \
        {0x4068, 0, "rx_256_511"}, {0x406c, 0, "rx_512_1023"}, {0x4070, 0, "rx_1024_max"},     \
        {INTEL_GPRC, 0, "rx_good"}, {0x4078, 0, "rx_broadcast"}, {0x407c, 0, "rx_multicast"},  \
        {INTEL_GPTC, 0, "tx_good"}, {INTEL_GORCL, INTEL_GORCH, "rx_good_bytes"},               \
        {INTEL_GOTCL, INTEL_GOTCH, "tx_good_bytes"}
#define INTEL_COUNTERS_LENGTHS                                                                 \
    {INTEL_RUC, 0, "undersize"}, {INTEL_RFC, 0, "fragments"}, {INTEL_ROC, 0, "oversize"},      \
        {INTEL_RJC, 0, "jabber"}, {0x40b4, 0, "management_rx"},                                \
        {0x40b8, 0, "management_dropped"}
#define INTEL_COUNTERS_TOTALS                                                                  \
    {0x40d0, 0, "rx_total"}, {0x40d4, 0, "tx_total"}, {0x40d8, 0, "tx_64"},                    \
        {0x40dc, 0, "tx_65_127"}, {0x40e0, 0, "tx_128_255"}, {0x40e4, 0, "tx_256_511"},        \
        {0x40e8, 0, "tx_512_1023"}, {0x40ec, 0, "tx_1024_max"}, {0x40f0, 0, "tx_multicast"},   \
        {0x40f4, 0, "tx_broadcast"}

/* What a chip counts (nic->ops->counters), and which of it belongs into struct nic_stats beside
 * what all count alike; 0: it has no such counter. */
struct intel_counters {
    const struct nic_counter_reg *regs;
    uint32_t reg_count;
    uint16_t missed, no_buffer;
    uint16_t length_errors; /* beside RUC, RFC, ROC, RJC */
    uint16_t tx_errors[2];
};
RT_NODISCARD enum rt_status intel_counters_alloc(struct nic *nic);
/* `poll_stats` of struct nic_ops; nothing when the card is gone. */
void intel_poll_stats(struct nic *nic, uint32_t rows);

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

/* ---- what the tables of every one of these drivers say, `x` being its name ---- */

/* Its functions that only the top file knows are called the same in each. */
#define INTEL_CARD(x)                                                                          \
    .up = &x##_up, .down = &x##_down, .off_bus = &x##_off_bus, .reset = &x##_reset,            \
    .irq_raise = x##_irq_raise, .irq_lower = x##_irq_lower, .let_go = let_go,                  \
    .forget = forget, .unload = unload

#define INTEL_DRIVER(x) .name = #x, .model_of = model_of, .attach = attach, .probe = probe

/* Of struct nic_caps: what all can do. */
#define INTEL_RING_MIN 8 /* length registers count 128 bytes */
#define INTEL_RING_MAX 4096
#define INTEL_CAPS                                                                             \
    .ring_min = INTEL_RING_MIN, .ring_max = INTEL_RING_MAX, .ring_multiple = INTEL_RING_MIN,   \
    .tx_segments_max = NIC_TX_CHAIN_MAX, .vlan = true, .rx_checksum = true,                    \
    .tx_checksum = true

#define INTEL_NIC_OPS(x)                                                                       \
    .rings = &x##_rings, .filters = &x##_filter_regs, .counters = &x##_counters,               \
    .rxq_setup = nic_rx_ring_setup, .txq_setup = nic_tx_ring_setup, .stop = nic_card_stop,     \
    .poll_link = x##_poll_link, .poll_stats = intel_poll_stats,                                \
    .set_promiscuous = intel_set_promiscuous, .add_multicast = intel_add_multicast,            \
    .set_vlan_filter = intel_set_vlan_filter, .begin = nic_card_begin, .gone = nic_card_gone,  \
    .card = &card, .configure = configure, .quiesce = quiesce, .receives = receives,           \
    .tx_position = nic_tx_ring_position, .pauses = nic_card_pauses, .rxq_run = x##_rxq_run,    \
    .rxq_drop = nic_rx_ring_drop, .txq_run = x##_txq_run, .txq_empty = nic_tx_ring_empty

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the model's files share. Registers are `reg`; what they do not show is beside them. */
#ifndef MODEL_X82599_INT_H
#define MODEL_X82599_INT_H

#include "x82599_reg.h"
#include <model/x82599.h>
#include <rt/assert.h>

#define NVM_WORDS X82599_NVM_WORDS
#define QUEUES_ALL 128u
#define TX_FRAME_BYTES (262144u + 1024u) /* PAYLEN has 18 bits */
#define TX_BUFFERS_MAX 40u               /* 7.2.1.1: descriptors of a frame */
#define LATE_MAX 256u

/* A write-back that the fault switches hold back. `queue` >= QUEUES_ALL: transmit. */
struct late {
    uint64_t phys;
    struct x82599_desc desc;
    uint16_t queue;
    bool cause; /* raise the queue's interrupt afterwards */
};

struct tx_context {
    uint32_t lengths, command, mss_l4; /* 7.2.3.2.3: the words that count */
};

struct tx_queue {
    struct tx_context context[2];
    uint32_t command, olinfo; /* of the frame's first descriptor: only there are they valid */
    uint32_t bytes, buffers;  /* gathered so far */
    bool gathering, bad, stuck;
    uint8_t *frame; /* TX_FRAME_BYTES */
};

struct i2c_slave {
    enum { I2C_IDLE, I2C_ADDRESS, I2C_POINTER, I2C_WRITE, I2C_READ } state;
    unsigned bit;
    uint8_t shift, pointer;
    bool scl, sda, out; /* out: what the slave puts on the open-drain data line */
};

struct spi_slave {
    unsigned bits;
    uint32_t in;
    uint32_t address;
    uint8_t op;
    bool sk;
};

#define RSS_KEY_BYTES 40
#define RSS_INPUT_MAX 36 /* two IPv6 addresses and ports */
struct rss_table {
    bool built;
    uint32_t key[RSS_KEY_BYTES / 4];
    uint32_t add[2 * RSS_INPUT_MAX][16];
};

struct x82599 {
    uint32_t *reg;
    struct rss_table *rss;
    bool own_reg, removed, halted, in_irq;
    unsigned stuck_resets; /* PCIe request without an end: resets still needed ... */
    bool cleared;          /* ... which count once its buffers were cleared */
    struct x82599_config config;
    struct x82599_counters count;
    uint64_t now_ns, random;

    uint16_t nvm[NVM_WORDS];
    uint8_t sfp[256];
    enum x82599_module module;
    uint16_t phy[32][64]; /* X540: MDIO device, register */
    uint16_t phy_address;
    struct i2c_slave i2c;
    struct spi_slave spi;

    bool cable, link;
    bool stale;               /* CORECTL was written, the pipeline not restarted since */
    uint64_t alone_until_ns;  /* after CTRL.RST */
    uint64_t link_at_ns;      /* negotiation ends; UINT64_MAX: not running */
    uint64_t cable_back_ns;   /* end of a link flap */
    bool flapped;

    /* Causes: what EICR shows, what still has to be sent, what is enabled. Vectors are 64 bit,
     * the other causes are bits 30:16 of a word of their own. */
    enum model_irq irq_mode;
    uint64_t vectors, vectors_due, vectors_enabled, vectors_auto_mask;
    uint32_t other, other_due, other_enabled;
    bool line; /* INTx or MSI: something is due */
    uint64_t next_irq_ns[X82599_VECTORS];

    struct tx_queue txq[X82599_QUEUES];
    uint8_t tx_scratch[X82599_FRAME_MAX + 64]; /* a frame in the making */
    uint8_t rx_scratch[X82599_FRAME_MAX + 64]; /* apart: what is sent may come back at once */
    uint32_t *shadow; /* x82599_look: registers as last seen */

    uint32_t chance[X82599_FAULT_KINDS];
    uint32_t forced[X82599_FAULT_KINDS]; /* number of times to happen without chance */
    struct late late[LATE_MAX];
    unsigned late_count;
    uint64_t late_at_ns;
};

RT_INLINE uint32_t *x82599_reg(struct x82599 *dev, uint32_t offset)
{
    return dev->reg + offset / 4;
}
RT_INLINE uint32_t x82599_get(const struct x82599 *dev, uint32_t offset)
{
    return __atomic_load_n(dev->reg + offset / 4, __ATOMIC_RELAXED);
}
RT_INLINE void x82599_put(struct x82599 *dev, uint32_t offset, uint32_t value)
{
    __atomic_store_n(dev->reg + offset / 4, value, __ATOMIC_RELEASE);
}

/* x82599.c: life, reset, memory, statistics; x82599_access.c: what accesses do */
void *x82599_dma(struct x82599 *dev, uint64_t phys, uint32_t bytes, bool device_writes);
void x82599_wrote(struct x82599 *dev, void *p, uint32_t bytes);
void x82599_count(struct x82599 *dev, uint32_t offset, uint32_t by);
void x82599_count_wide(struct x82599 *dev, uint32_t offset_low, uint32_t by);
void x82599_count_size(struct x82599 *dev, uint32_t offset_first, uint32_t bytes_with_crc);
void x82599_reset(struct x82599 *dev, bool power_on);
void x82599_queue_disabled(struct x82599 *dev, bool transmit, unsigned queue);

/* x82599_irq.c: registers of the interrupt block answer true when they took the access */
bool x82599_irq_read(struct x82599 *dev, uint32_t offset, uint32_t *value);
bool x82599_irq_write(struct x82599 *dev, uint32_t offset, uint32_t value);
void x82599_irq_reset(struct x82599 *dev);
void x82599_cause_queue(struct x82599 *dev, unsigned queue, bool transmit);
void x82599_cause_other(struct x82599 *dev, uint32_t bits);
void x82599_irq_deliver(struct x82599 *dev); /* sends what is due and not throttled */
uint64_t x82599_irq_next_ns(const struct x82599 *dev);

/* x82599_nvm.c: EEPROM, SFP module and PHY; x82599_serial.c: the registers that lead to them */
void x82599_nvm_init(struct x82599 *dev);
void x82599_nvm_reset(struct x82599 *dev);
void x82599_eec_write(struct x82599 *dev, uint32_t value);
void x82599_eerd_write(struct x82599 *dev, uint32_t value);
void x82599_i2c_write(struct x82599 *dev, uint32_t value);
void x82599_msca_write(struct x82599 *dev, uint32_t value);

/* x82599_link.c */
void x82599_link_restart(struct x82599 *dev);
void x82599_autoc_write(struct x82599 *dev, uint32_t value);
void x82599_esdp_write(struct x82599 *dev, uint32_t value);
void x82599_link_step(struct x82599 *dev);
uint64_t x82599_link_next_ns(const struct x82599 *dev);

/* x82599_parse.c: what a frame is, and where RSS sends it */
struct x82599_parsed {
    uint32_t type;      /* RXD_TYPE_* */
    uint32_t status;    /* RXD_* of checksums, good or bad */
    uint32_t hash, rss_type;
    unsigned queue;
};
void x82599_parse(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes,
                  struct x82599_parsed *out);
bool x82599_filter(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes);
bool x82599_is_vlan(const struct x82599 *dev, const uint8_t *frame);
uint32_t x82599_sum(const uint8_t *p, uint32_t bytes, uint32_t sum);
uint16_t x82599_fold(uint32_t sum);
/* x82599_rss.c; `input`: at most RSS_INPUT_MAX bytes */
uint32_t x82599_toeplitz(const struct x82599 *dev, const uint8_t *input, uint32_t bytes);

/* x82599_offload.c: turns a gathered frame into what goes over the wire */
void x82599_emit(struct x82599 *dev, unsigned queue, const uint8_t *frame, uint32_t bytes);
void x82599_offload(struct x82599 *dev, unsigned queue);

/* x82599_fault.c */
uint64_t x82599_random(struct x82599 *dev);
bool x82599_fault_hits(struct x82599 *dev, enum x82599_fault kind);
/* True: the write-back is held back; the caller must not do it. */
bool x82599_late(struct x82599 *dev, const struct late *what);
void x82599_late_forget(struct x82599 *dev, unsigned queue); /* UINT_MAX: all */
void x82599_late_flush(struct x82599 *dev);
void x82599_fault_step(struct x82599 *dev);

#endif

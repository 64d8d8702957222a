/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a card: registers are `reg`; what they do not show is beside them. */
#ifndef MODEL_X82599_STATE_H
#define MODEL_X82599_STATE_H

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

#endif

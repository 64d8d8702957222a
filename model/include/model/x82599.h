/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A software Intel 82599 (and X540): what a driver sees behind BAR 0.
 *
 * It judges drivers, so it does what the datasheet says, in the chip's order: descriptors are
 * fetched at the tail bump, data is written before its descriptor, DD comes last, causes are
 * raised after the write-back. Everything a driver can write is clamped: no register value,
 * descriptor or address makes it touch memory that `dma` did not hand out.
 *
 * One `struct x82599` is one port. There is no global state and no thread inside: it acts in
 * the calls below only, and one thread at a time may be in any call on one device (exception:
 * x82599_look, see there). Time is an argument (x82599_step).
 *
 * Two ways to reach the registers:
 *  - calls: x82599_read32()/x82599_write32(); <model/x82599_port.h> makes a hal_mmio of them;
 *  - plain memory: the driver writes into x82599_bar() as into a real BAR, and the model finds
 *    out by looking (x82599_look, x82599_tx_run, x82599_receive). For benchmarks: no call is
 *    left in the driver's path. Registers with read side effects do not work in this way.
 */
#ifndef MODEL_X82599_H
#define MODEL_X82599_H

#include <model/model.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X82599_BAR_BYTES 0x20000u
#define X82599_QUEUES 16u   /* queue pairs that move frames; the registers of 128 exist */
#define X82599_VECTORS 64u  /* MSI-X */
#define X82599_FRAME_MAX 16128u /* 15.75 KiB without CRC: the largest MAXFRS takes */
#define X82599_ID_SFP 0x10fbu
#define X82599_ID_X540 0x1528u

struct x82599;

/* Faults. Chances are per opportunity, in 1/65536; 0 = off. */
enum x82599_fault {
    X82599_FAULT_LATE_WRITEBACK,  /* RX and TX write-backs wait for a later step */
    X82599_FAULT_WRONG_LENGTH,    /* a random length in an RX write-back */
    X82599_FAULT_DD_WITHOUT_DATA, /* RX write-back, but the buffer was not written */
    X82599_FAULT_LOST_IRQ,        /* a message is not sent, its cause is gone */
    X82599_FAULT_SPURIOUS_IRQ,    /* a message without a cause, at a step */
    X82599_FAULT_STUCK_TX,        /* a queue takes no more until it is disabled or reset */
    X82599_FAULT_LINK_FLAP,       /* at a step: link down for 1 to 10 ms */
    X82599_FAULT_REMOVAL,         /* at a step: reads give all ones from now on, no DMA */
    X82599_FAULT_RESET_NEEDED,    /* at a step: EICR.ECC, no DMA until CTRL.RST */
    X82599_FAULT_KINDS
};

/* What is in the SFP+ cage. */
enum x82599_module {
    X82599_MODULE_SR,
    X82599_MODULE_LR,
    X82599_MODULE_CABLE,        /* direct attach, passive */
    X82599_MODULE_CABLE_ACTIVE, /* direct attach, limiting */
    X82599_MODULE_CABLE_LINEAR, /* direct attach, active without limiting: the card cannot */
    X82599_MODULE_1G_SX,
    X82599_MODULE_1G_LX,
    X82599_MODULE_1G_T,
    X82599_MODULE_DUAL_SR, /* 10G and 1G */
    X82599_MODULE_NONE,
};
/* Word that the EEPROM has for CORECTL and a module kind of its list (3 to 6). */
#define X82599_CORECTL_OF(id) (0x1000u + (id))

enum x82599_rx {
    X82599_RX_ACCEPTED,
    X82599_RX_NO_DESCRIPTOR, /* nothing happened: offer the frame again, or see x82599_missed */
    X82599_RX_DROPPED,       /* filters, link down, size or a fault: counted as the chip does */
};

struct x82599_config {
    uint16_t device_id; /* X82599_ID_*; 0 = X82599_ID_SFP */
    uint8_t mac[6];     /* all zero: 00:1b:21:82:59:00 */
    uint64_t seed;      /* of the faults */
    uint64_t link_up_ns; /* after reset or restart of negotiation; 0 = at once */
    bool link_disabled;  /* the EEPROM loads AUTOC2 with the link off */

    /* Memory for the registers, X82599_BAR_BYTES, page aligned, stays the caller's; NULL: own. */
    void *bar;

    void *ctx; /* first argument of everything below */

    /* Guest memory [phys, phys + bytes) as a pointer, or NULL when any byte is not the
     * guest's. NULL callback: an address is a pointer and trusted (a driver of ours). */
    void *(*dma)(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes);
    /* A frame left the port, after offloads and without CRC. Borrowed for the call. */
    void (*transmit)(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes);
    /* MSI-X message `vector`; in INTx and MSI mode vector 0. */
    void (*interrupt)(void *ctx, unsigned vector);
    /* The device has written here (frame or descriptor): for cache temperature. */
    void (*wrote)(void *ctx, void *p, uint32_t bytes);
};

/* Counters of the model itself, not of the chip: never cleared by a driver. */
struct x82599_counters {
    uint64_t reads, writes, resets;
    uint64_t early; /* accesses within a millisecond of CTRL.RST, 8.2.3.1.1 */
    uint64_t rx_frames, rx_bytes, rx_descs, rx_dropped, rx_missed;
    uint64_t tx_frames, tx_bytes, tx_descs, tx_contexts;
    uint64_t rx_queue[X82599_QUEUES], tx_queue[X82599_QUEUES];
    uint64_t interrupts, interrupts_held; /* sent; held back by EITR */
    uint64_t dma_errors;     /* address outside guest memory */
    uint64_t bad_descs;      /* descriptors that the datasheet forbids */
    uint64_t bad_tails;      /* tail or ring size outside its range */
    uint64_t faults[X82599_FAULT_KINDS];
};

/* The device as a bus or a server holds it; `dev` is a struct x82599. */
extern const struct model_ops x82599_ops;

/* A powered-up, not yet driven device; NULL without memory. */
struct x82599 *x82599_create(const struct x82599_config *config);
void x82599_destroy(struct x82599 *dev);
/* PCI or power-on reset: all registers, but not counters and fault switches. */
void x82599_power_on(struct x82599 *dev);

/* Register access. Offsets that are no multiple of 4 or outside give all ones, do nothing. */
uint32_t x82599_read32(struct x82599 *dev, uint32_t offset);
void x82599_write32(struct x82599 *dev, uint32_t offset, uint32_t value);

/* Plain memory: the registers themselves. */
volatile uint8_t *x82599_bar(struct x82599 *dev);
/* Plain memory: acts on what the driver wrote into the control registers since the last look
 * (reset, EEPROM, I2C, MDIO, semaphores, queue enable, interrupt masks) and on tails. Call it
 * often during bring-up, e.g. from the driver's delay function. */
void x82599_look(struct x82599 *dev);
/* Sends what TDT of the queue covers. Returns frames sent. x82599_write32 does it by itself. */
unsigned x82599_tx_run(struct x82599 *dev, unsigned queue);

/* A frame without CRC arrives from the wire; `frame` is borrowed. */
enum x82599_rx x82599_receive(struct x82599 *dev, const uint8_t *frame, uint32_t bytes);
/* The frame that found no descriptor is lost: counts it where the chip does (RXMPC, QPRDC). */
void x82599_missed(struct x82599 *dev, const uint8_t *frame, uint32_t bytes);
/* True when some enabled queue has a descriptor free: a hint when to offer again. */
bool x82599_rx_room(const struct x82599 *dev);

/* Time moves to `now_ns` (never backwards): EITR, link, TCP timer, late write-backs, faults. */
void x82599_step(struct x82599 *dev, uint64_t now_ns);
/* When x82599_step next has something to do; UINT64_MAX: nothing is waiting. */
uint64_t x82599_next_ns(const struct x82599 *dev);

/* Time moves, nothing happens: for who calls x82599_step rarely. */
void x82599_clock(struct x82599 *dev, uint64_t now_ns);

void x82599_link(struct x82599 *dev, bool up); /* the cable */
/* Another module. As with the laser's switch (ESDP.SDP3 high: dark) the link ends; it comes when
 * there is light both ways and the driver has chosen the module's speed, and restarted the
 * pipeline behind changed analog settings. */
void x82599_module(struct x82599 *dev, enum x82599_module kind);
bool x82599_light(const struct x82599 *dev); /* what the partner sees */
/* The EEPROM: X82599_NVM_WORDS words, to be changed before a driver reads them. Seal: the checksum
 * is made right for them. */
#define X82599_NVM_WORDS 1024u
uint16_t *x82599_nvm(struct x82599 *dev);
void x82599_nvm_seal(struct x82599 *dev);
/* As the machine enables interrupts in configuration space. Default: MSI-X. */
void x82599_irq_mode(struct x82599 *dev, enum model_irq mode);
/* INTx is level triggered: sends it again when a cause is still pending (after an EOI). */
void x82599_irq_again(struct x82599 *dev);
/* The INTx line is up: an enabled cause is pending. What PCI status shows in bit 3. */
bool x82599_irq_line(const struct x82599 *dev);

/* From now on it happens so often by itself; 0: never. */
void x82599_fault_chance(struct x82599 *dev, enum x82599_fault kind, uint32_t chance_65536);
/* Makes it happen now, or at the next opportunity for faults of single descriptors and
 * messages. */
void x82599_fault_now(struct x82599 *dev, enum x82599_fault kind, unsigned queue);
const char *x82599_fault_name(enum x82599_fault kind);
/* A request on PCIe does not end: the master stays on, and nothing moves, until its buffers were
 * cleared and the device was reset twice (5.2.5.3.2). */
void x82599_stuck_master(struct x82599 *dev);
/* A removed device is plugged in again. Implies x82599_power_on. */
void x82599_replug(struct x82599 *dev);

/* Borrowed, and they go on counting. */
const struct x82599_counters *x82599_counters(const struct x82599 *dev);
/* The queue and hash that RSS gives this frame now (for tests against software Toeplitz). */
unsigned x82599_rss(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes,
                    uint32_t *hash);
/* Permanent address of the port. */
void x82599_mac(const struct x82599 *dev, uint8_t mac[6]);

#endif

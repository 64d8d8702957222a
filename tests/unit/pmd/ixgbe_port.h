/* SPDX-License-Identifier: BSD-2-Clause */
/* A started ixgbe port on the software 82599, in virtual time. */
#ifndef TESTS_IXGBE_PORT_H
#define TESTS_IXGBE_PORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ixgbe.h"

#include <model/x82599_port.h>
#include <rt/host.h>

#define POOL_BUFS 4000

struct sent {
    unsigned queue;
    uint32_t bytes;
    uint8_t data[X82599_FRAME_MAX];
};

struct card {
    struct x82599_port *port;
    struct x82599 *dev;
    struct nic *nic;
    struct pool *pool;
    uint64_t sent_frames, sent_bad;
    uint32_t expect_seed; /* when check_seeds: the next frame's */
    bool check_seeds;
    void (*on_sent)(struct card *card, const uint8_t *frame, uint32_t bytes); /* or NULL */
    uint64_t violations;  /* the device was told to touch what is not its own */
    uint64_t link_irqs_seen;
    struct sent last;
    char console[65536];
};

/* rxqs = txqs = 1, 64 descriptors, 1514 bytes, promiscuous, MSI-X, no moderation. */
extern const struct nic_config card_config;

struct card *card_new(uint16_t device_id, uint64_t seed);
/* ... with all that `config` says; its callbacks are set here. */
struct card *card_new_config(const struct x82599_config *config);
/* card_new, probe, pool, queues on core 0, start. */
struct card *card_start(const struct nic_config *config, uint64_t seed);
/* The same for a card that card_new made. */
void card_bring_up(struct card *card, const struct nic_config *config);
void card_configure(struct card *card, const struct nic_config *config);
/* Stops the port and checks that every buffer is home. */
void card_stop(struct card *card);
void card_free(struct card *card);
bool card_logged(const struct card *card, const char *text);
/* Time passes for the model and the driver's clock. */
void card_pass_us(struct card *card, uint64_t us);
/* ... and core 0's timers fire: each step of a recovery at its time. Returns the longest call. */
uint64_t card_live_us(struct card *card, uint64_t us);
/* A frame with recognisable bytes arrives. */
enum x82599_rx card_receive(struct card *card, uint32_t bytes, uint32_t seed);
void card_fill(uint8_t *frame, uint32_t bytes, uint32_t seed);
bool card_is(const uint8_t *frame, uint32_t bytes, uint32_t seed);
/* A buffer that the stack owns with such a frame in it; with `segments` buffers of it. */
struct buf *card_buf(struct card *card, uint32_t bytes, uint32_t seed);
struct buf *card_chain(struct card *card, const uint8_t *frame, uint32_t bytes,
                       uint32_t segment_bytes);
/* Ethernet, IPv4 and TCP or UDP; sums are as a transmit request wants them (IP sum zero, L4 sum
 * of the pseudo header; for TSO without the length) or correct. */
enum card_sums { SUMS_RIGHT, SUMS_REQUEST, SUMS_TSO };
void card_ip4(uint8_t *frame, uint32_t bytes, bool tcp, uint32_t flow, enum card_sums sums);
bool card_sums_right(const uint8_t *frame, uint32_t bytes);

/* card_config with so many queues each way, such frames, tags stripped or not. */
struct nic_config card_with(uint16_t queues, uint16_t frame_max, bool vlan);
/* Sends one buffer; returns how many frames the port then sent. */
uint64_t card_send_one(struct card *card, struct buf *b);
/* Sends all, in as many calls as the ring needs. */
void card_send_all(struct card *card, struct buf_batch *batch);
/* Descriptors of a ring that one call may fill or find for sure. */
uint32_t card_sure_of(uint16_t descs);

#endif

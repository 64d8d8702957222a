/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for model tests: memory that starts at a physical address of its own (so that an
 * untranslated address faults), one ring of each kind per queue, and what the device did.
 */
#ifndef TESTS_MODEL_GUEST_H
#define TESTS_MODEL_GUEST_H

#include <model/x82599.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GUEST_BASE 0x40000000ull
#define GUEST_BYTES (4u << 20)
#define GUEST_DESCS 32u
#define GUEST_SENT_MAX 64u

struct guest_sent {
    unsigned queue;
    uint32_t bytes;
    uint8_t data[X82599_FRAME_MAX];
};

struct guest {
    struct x82599 *dev;
    uint8_t *memory; /* of its own allocation: ASan sees both ends */
    unsigned sent_count;
    struct guest_sent sent[GUEST_SENT_MAX];
    uint64_t messages[X82599_VECTORS], message_count;
    uint32_t tx_tail[X82599_QUEUES], rx_tail[X82599_QUEUES];
    uint64_t seed;
};

struct guest *guest_new(uint16_t device_id, uint64_t seed);
void guest_free(struct guest *g);
uint32_t guest_read(struct guest *g, uint32_t offset);
void guest_write(struct guest *g, uint32_t offset, uint32_t value);
uint64_t guest_random(struct guest *g);

/* Address and pointer of a place in guest memory. Each queue owns 64 KiB of rings and buffers. */
uint64_t guest_phys(const void *p, const struct guest *g);
void *guest_at(struct guest *g, uint32_t offset);
uint64_t *guest_rx_desc(struct guest *g, unsigned queue, unsigned index);
uint64_t *guest_tx_desc(struct guest *g, unsigned queue, unsigned index);
uint8_t *guest_rx_buffer(struct guest *g, unsigned queue, unsigned index);

/* Rings on, promiscuous, CRC stripped; `descriptor_type` 0 legacy, 1 advanced. */
void guest_receive_on(struct guest *g, unsigned queue, uint32_t buffer_kib,
                      uint32_t descriptor_type);
/* Gives `count` descriptors to the device. */
void guest_refill(struct guest *g, unsigned queue, unsigned count);
void guest_transmit_on(struct guest *g, unsigned queue);
/* Writes one descriptor at the tail without moving the device's tail. */
void guest_tx_put(struct guest *g, unsigned queue, uint64_t w0, uint64_t w1);
void guest_tx_go(struct guest *g, unsigned queue);

/* Frames. All return their length; sums are correct. `tag` < 0: untagged. */
uint32_t guest_frame_ip4(uint8_t *out, uint8_t protocol, uint32_t payload, int tag);
uint32_t guest_frame_ip6_tcp(uint8_t *out, uint32_t payload);
uint16_t guest_sum(const uint8_t *p, uint32_t bytes, uint32_t start); /* folded, not inverted */
/* IP and TCP or UDP sums of an untagged frame are right. */
void guest_assert_sums(const uint8_t *frame, uint32_t bytes);

#endif

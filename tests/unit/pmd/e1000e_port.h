/* SPDX-License-Identifier: BSD-2-Clause */
/* One or more started ports on fake devices, in virtual time, for tests of the driver. */
#ifndef TESTS_E1000E_PORT_H
#define TESTS_E1000E_PORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e1000e.h"
#include "fake_e1000e.h"

#define PORTS_MAX 4
#define PORT_POOL 600 /* buffers of the pool that all queues share */

struct port {
    struct fake_e1000e *fake;
    struct nic *nic;
    struct nic_rxq *rxq;
    struct nic_txq *txq;
};

struct bench {
    struct port port[PORTS_MAX];
    struct pool *pool;
    uint32_t ports;
    char console[65536];
};

/* rxqs = txqs = 1, 64 descriptors, 1514 bytes, promiscuous, MSI-X, no moderation. */
extern const struct nic_config port_config;

/* A machine with `ports` devices, nothing probed. */
struct bench *bench_new(uint32_t ports, uint16_t device);
/* Probes, makes the pool, configures, sets queues up on core 0; ... and starts. */
struct bench *bench_ready(uint32_t ports, const struct nic_config *config);
struct bench *bench_start(uint32_t ports, const struct nic_config *config);
void bench_configure(struct bench *bench, const struct nic_config *config);
void bench_free(struct bench *bench);
/* Stops the ports and checks that every buffer is home and that no DMA is possible. */
void bench_stop_and_check(struct bench *bench);
bool bench_logged(const struct bench *bench, const char *text);
/* A frame with recognisable bytes. */
void frame_fill(uint8_t *frame, uint32_t bytes, uint32_t seed);
bool frame_is(const uint8_t *frame, uint32_t bytes, uint32_t seed);
/* A buffer that the stack owns with such a frame in it. */
struct buf *frame_buf(struct pool *pool, uint32_t bytes, uint32_t seed);

/* port_config with so many queues each way, such frames, tags stripped or not. */
struct nic_config port_with(uint16_t queues, uint16_t frame_max, bool vlan);
/* A frame with recognisable bytes arrives; false: the card dropped it. */
bool port_receive(struct port *port, uint32_t bytes, uint32_t seed, const struct fake_rx *how);
/* Sends one buffer, which the port takes. */
void port_send_one(struct port *port, struct buf *b);

#endif

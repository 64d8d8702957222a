/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of a Linux process in tests: made, started, and frames to send and to compare. */
#ifndef TESTS_HOST_PORT_H
#define TESTS_HOST_PORT_H

#include "../mempool/fixture.h"

#include <mempool/ext.h>
#include <pmd/nic.h>

/* A port with its pool, started. Its two queues are on one core. */
struct host_port {
    struct nic *nic;
    struct pool *pool;
    unsigned core;
};

#define HOST_PORT_DESCS 64

/* As set_up() and tear_down() of fixture.h, and no port there. */
int host_set_up(void **state);
int host_tear_down(void **state);
#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, host_set_up, host_tear_down)

/* Pool and queues on `core`, rings of HOST_PORT_DESCS descriptors, started. */
void host_port_start(struct host_port *port, struct nic *nic, unsigned core,
                     uint16_t frame_max_bytes);
/* Stopped; every buffer of its pool is home. */
void host_port_stop(struct host_port *port);

/* Whatever waits, into the batch; the test plays the port's core. */
uint32_t host_port_receive(struct host_port *port, struct buf_batch *out);
/* Sends; returns whether the port took it. One that it left is freed. */
bool host_port_send(struct host_port *port, struct buf *frame_owned);

/* A frame of `bytes` bytes that only `number` and its length decide, for anybody, in as many
 * buffers as it needs. NULL: the pool is empty. */
struct buf *frame_make(struct pool *pool, uint32_t number, uint32_t bytes);
/* The bytes of a frame of one buffer or more are those of frame_make(), padded to 60. */
void frame_check(const struct buf *frame, uint32_t number, uint32_t bytes);
/* The number that a frame was made with. */
uint32_t frame_number(const struct buf *frame);
#define FRAME_BYTES_MIN 22 /* with its number */

#endif

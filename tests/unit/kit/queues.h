/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests above the drivers: a receive queue that has frames, one to send that takes some. */
#ifndef TESTS_KIT_QUEUES_H
#define TESTS_KIT_QUEUES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pmd/nic.h>

struct fake_rxq {
    struct nic_rxq head;
    uint32_t waiting; /* frames of 60 bytes: 6 of 0x11, the rest 0x22 */
    uint64_t next;    /* number of the next one, in buf.user */
    bool armed, arm_pending;
};

struct fake_txq {
    struct nic_txq head;
    uint32_t room;       /* frames that the ring takes before a reclaim */
    uint32_t room_after; /* room made by each reclaim */
    uint32_t calls, reclaims, sent;
    uint64_t next; /* number wanted next */
    bool in_order;
    uint64_t (*number_of)(const struct buf *b); /* buf.user, unless a test has its own */
    uint8_t last[12];                           /* addresses of the last frame */
};

/* Frames come from `pool`. */
void fake_rxq_init(struct fake_rxq *q, struct pool *pool);
/* With all the room there is. */
void fake_txq_init(struct fake_txq *q);

/* In hostile builds single takes fail: asks again. The pool is not empty. */
struct buf *take_surely(struct pool *pool);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the TAP driver. */
#ifndef PMD_TAP_PRIVATE_H
#define PMD_TAP_PRIVATE_H

#include "soft/soft.h"

#include <pmd/tap.h>
#include <pthread.h>

/*
 * The interrupt of a TAP: a thread that waits until the descriptor has a frame. Asleep while the
 * queue is not armed.
 */
struct tap_watch {
    struct soft_rxq *q;
    int fd;      /* of the TAP; borrowed */
    int wake_fd; /* an eventfd: the queue was armed, or `leave` is set */
    uint32_t leave;
    pthread_t thread;
};

struct tap_port {
    struct soft_port port; /* first: nic->priv */
    int fd;
    int ask_fd; /* a socket of the namespace in which it was made, for questions */
    char name[TAP_NAME_BYTES];
    struct tap_watch watch;
    uint8_t in[SOFT_BOX_BYTES], out[SOFT_BOX_BYTES]; /* the receiving core's; the sending one's */
};
_Static_assert(offsetof(struct tap_port, port) == 0, "what soft_port_of() returns");

/* watch.c. Core 0. */
RT_NODISCARD enum rt_status tap_watch_start(struct tap_watch *watch, struct soft_rxq *q, int fd);
void tap_watch_stop(struct tap_watch *watch); /* nothing when it was not started */
/* It looks at the descriptor from now on. The queue's core, which has armed the queue. */
void tap_watch_armed(const struct tap_watch *watch);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept while a card sends it, for any driver on its software card: random sequences of
 * sending values that lie elsewhere, acknowledging, sending again while the card holds the first,
 * letting the value go, late and premature completions, a full ring, recovery, stop and start.
 *
 * Each pin is released exactly once, and then its bytes are overwritten and freed: a card that
 * still reads them is caught by what leaves the port, which is compared byte by byte, and by ASan.
 */
#ifndef TESTS_KEPT_H
#define TESTS_KEPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pmd/nic.h>

/* A started port and the software card under it, whose sent frames go to kept_frame_left(). */
struct kept_card {
    struct nic *nic;
    struct pool *pool; /* of its queues */
    void *ctx;
    void (*pass)(void *ctx);    /* time for the card: what it does late is done */
    void (*stick)(void *ctx);   /* it takes frames and sends none, until it passes or recovers */
    void (*recover)(void *ctx); /* a fault, and the recovery to its end */
    void (*stop)(void *ctx);    /* a stopped port, with every buffer home ... */
    void (*start)(void *ctx);   /* ... and started again; may behave another way from here on */
};

/* The test, as a cmocka program: `prog [SEQUENCES [SEED]]`. `make` brings the card up, after
 * kept_random() has its seed; `free` is its end. */
struct kept_maker {
    struct kept_card (*make)(void);
    void (*free)(void *ctx);
};
int kept_main(int argc, char **argv, const struct kept_maker *maker);

/* The card has sent this. */
void kept_frame_left(const uint8_t *frame, uint32_t bytes);
/* A number below `below`, of the test's seed. */
uint32_t kept_random(uint32_t below);

#endif

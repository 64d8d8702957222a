/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of pools share: four cores, virtual time, a console that is kept. */
#ifndef TESTS_MEMPOOL_FIXTURE_H
#define TESTS_MEMPOOL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mempool/pool.h>
#include <rt/host.h>

#define CORES 4

extern char console[65536];

int set_up(void **state);
int tear_down(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A pool of usual buffers; the hostile build makes it smaller. */
struct pool *make(const char *name, unsigned core, uint32_t count);
/* A buffer, unless the pool is empty: hostile builds fail a take now and then. */
struct buf *take(struct pool *pool);
/* gcc sees use after buf_free() at compile time, unless it loses sight of the pointer. */
struct buf *hidden(struct buf *b);
/* A random number below `below`, the same in each run. */
uint32_t rnd(uint32_t below);
void rnd_seed(uint64_t seed);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Three software 82599, each used by one thread at a time. Included once, by recovery_test.c. */
#ifndef TESTS_L2FWD_RECOVERY_CARDS_H
#define TESTS_L2FWD_RECOVERY_CARDS_H

#include "worker.h"

#include <mempool/poison.h>
#include <model/x82599_port.h>
#include <pthread.h>
#include <rt/host.h>

enum { PORTS = 3, CORES = 3, POOL_PATHS = 2 };

/* A card is used by one thread at a time: registers, wire and time under one lock. */
struct card {
    pthread_mutex_t lock;
    struct x82599 *dev;
    struct nic *nic;
    uint64_t accepted, sent, violations;
};

struct core {
    struct rt_loop loop;
    struct poll_config poll;
    struct pool *pool;
    struct l2fwd_path paths[POOL_PATHS];
};

static struct card cards[PORTS];
static struct core cores[CORES];
static char console[65536];

/* A device writes memory that cores look at: that is what DMA is. Counters are read as they are. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:x82599_\nrace:rt_loop_stop\nrace:rt_loop_run\n";
}

static uint32_t locked_read(void *ctx, uint32_t offset)
{
    struct card *card = ctx;
    uint32_t value;

    pthread_mutex_lock(&card->lock);
    value = x82599_read32(card->dev, offset);
    pthread_mutex_unlock(&card->lock);
    return value;
}

static void locked_write(void *ctx, uint32_t offset, uint32_t value)
{
    struct card *card = ctx;

    pthread_mutex_lock(&card->lock);
    x82599_write32(card->dev, offset, value);
    pthread_mutex_unlock(&card->lock);
}

static const struct hal_mmio_ops locked = {locked_read, locked_write};

static void transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct card *card = ctx;

    card->sent++;
}

#ifdef MEMPOOL_ASAN
static void unpoison(const char *p, uint32_t bytes)
{
    __asan_unpoison_memory_region(p, bytes);
}
#else
static void unpoison(const char *p, uint32_t bytes)
{
}
#endif

/* Of buffers, the device may touch those that are in a ring. */
static void *dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    struct card *card = ctx;
    char *p = (char *)(uintptr_t)phys;

    for (unsigned i = 1; i < CORES; i++) {
        const struct pool *pool = cores[i].pool;
        size_t index;

        if (pool == NULL || p < pool->base)
            continue;
        index = (size_t)(p - pool->base) / pool->stride_bytes;
        if (index >= pool->total)
            continue;
        if (pool->owners[index] != BUF_NIC) {
            card->violations++;
            return NULL;
        }
        unpoison(p, bytes);
    }
    return p;
}

static void plug(void)
{
    host_set_core(0);
    host_irq_reset();
    assert_int_equal(host_cores_start(CORES), RT_OK);
    host_console_capture(console, sizeof(console));
    for (unsigned i = 0; i < PORTS; i++) {
        struct x82599_config config = {.seed = i + 1, .ctx = &cards[i], .dma = dma,
                                       .transmit = transmit};

        pthread_mutex_init(&cards[i].lock, NULL);
        cards[i].accepted = cards[i].sent = cards[i].violations = 0;
        cards[i].dev = x82599_port_device(x82599_port_add(2 + i, &config, X82599_CALLS));
    }
    pci_scan();
    assert_int_equal(nic_probe_all(), PORTS);
    for (unsigned i = 0; i < PORTS; i++) {
        cards[i].nic = nic_get(i);
        cards[i].nic->mmio.ops = &locked;
        cards[i].nic->mmio.ctx = &cards[i];
    }
}

#endif

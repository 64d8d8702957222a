/* SPDX-License-Identifier: BSD-2-Clause */
/* Our driver, pool and ring: as in an image, ownership checks on. */
#include "ixgbe.h"
#include "native.h"

#include <model/port.h>
#include <rt/host.h>
#include <rt/ring.h>
#include <stdio.h>
#include <string.h>

#define ETH_BYTES 14
#define IP_BYTES 20

struct ours {
    struct nic_rxq *rxq;
    struct nic_txq *txq;
    struct buf_batch batch;
};

static struct ours lanes[3];
static struct pool *spare_pool;
static struct ring ring;
static void *ring_slots[1024];
static uint16_t udp_sum;

static void swap_all(struct buf_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        native_swap(buf_data(batch->buf[i]));
}

static void csum_all(struct buf_batch *batch)
{
    const uint16_t none = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct buf *b = batch->buf[i];
        uint8_t *frame = buf_data(b);

        native_swap(frame);
        __builtin_memcpy(frame + ETH_BYTES + 10, &none, sizeof(none));
        __builtin_memcpy(frame + ETH_BYTES + IP_BYTES + 6, &udp_sum, sizeof(udp_sum));
        b->flags = BUF_TX_IP_CSUM | BUF_TX_UDP_CSUM;
        b->l2_bytes = ETH_BYTES;
        b->l3_bytes = IP_BYTES;
    }
}

static uint32_t step(void *ctx, enum native_work work, uint32_t ask)
{
    struct ours *o = ctx;
    struct buf_batch *batch = &o->batch;
    uint32_t got = nic_rx(o->rxq, batch, ask);

    if (work == WORK_SWAP)
        swap_all(batch);
    else if (work == WORK_CSUM)
        csum_all(batch);
    if (got > 0)
        nic_tx(o->txq, batch);
    return got - batch->count; /* 0 left, or main() stops */
}

static void empty(void *ctx)
{
    struct ours *o = ctx;

    for (unsigned i = 0; i < NATIVE_POLLS; i++)
        (void)nic_rx(o->rxq, &o->batch, 32);
}

static void pool_step(void *ctx)
{
    struct buf *b[NATIVE_BULK];

    for (unsigned i = 0; i < NATIVE_BULK; i++)
        b[i] = pool_take(spare_pool);
    for (unsigned i = 0; i < NATIVE_BULK; i++)
        buf_free(b[i]);
}

static void ring_step(void *ctx)
{
    void *items[NATIVE_BULK] = {0};

    (void)ring_put(&ring, items, NATIVE_BULK);
    (void)ring_get(&ring, items, NATIVE_BULK);
}

static void ring_one_step(void *ctx)
{
    void *item = NULL;

    for (unsigned i = 0; i < NATIVE_BULK; i++) {
        (void)ring_put(&ring, &item, 1);
        (void)ring_get(&ring, &item, 1);
    }
}

/* Bring-up by calls, the data path on the registers as memory. */
static bool lane_start(struct native_lane *lane, struct ours *o, uint32_t number,
                       uint16_t descs)
{
    const struct nic_config config = {.rxqs = 1, .txqs = 1, .rx_descs = descs,
                                      .tx_descs = descs, .frame_max_bytes = 1514,
                                      .irq_mode = NIC_IRQ_NONE, .promiscuous = true,
                                      .rx_checksum = true};
    struct nic *nic = nic_get(number);
    struct pool *pool = NULL;
    struct ixgbe *dev;

    if (nic == NULL || pool_create("lane", 0, 1, 4u * descs - 1, &pool) != RT_OK ||
        nic_configure(nic, &config) != RT_OK || nic_rxq_setup(nic, 0, 0, pool) != RT_OK ||
        nic_txq_setup(nic, 0, 0, pool) != RT_OK || nic_start(nic) != RT_OK)
        return false;
    dev = nic->priv;
    dev->rxq[0]->mmio = x82599_mmio(lane->card.dev, X82599_PLAIN);
    dev->txq[0]->mmio = dev->rxq[0]->mmio;
    o->rxq = nic->rxq[0];
    o->txq = nic->txq[0];
    lane->ctx = o;
    lane->step = step;
    lane->empty = empty;
    return true;
}

bool native_ours_start(struct native *native)
{
    static const struct {
        uint16_t descs;
        const char *name;
    } rows[] = {{128, "ours_128"}, {512, "ours_512"}, {1024, "ours_1024"}};
    static char log[16384];

    host_clock_virtual(0);
    host_set_core_count(1);
    host_set_core(0);
    host_console_capture(log, sizeof(log));
    udp_sum = native_pseudo_sum();
    for (unsigned i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct native_card *card = &native->lane[LANE_OURS_128 + i].card;
        struct x82599_config config = native_card_config(card);
        struct x82599_port *port = x82599_port_add(i, &config, X82599_CALLS);

        if (port == NULL)
            return false;
        card->dev = x82599_port_device(port);
    }
    pci_scan();
    if (nic_probe_all() != RT_ARRAY_SIZE(rows) ||
        pool_create("spare", 0, 1, 511, &spare_pool) != RT_OK) {
        fprintf(stderr, "%s", log);
        return false;
    }
    for (unsigned i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct native_lane *lane = &native->lane[LANE_OURS_128 + i];

        lane->name = rows[i].name;
        if (!lane_start(lane, &lanes[i], i, rows[i].descs)) {
            fprintf(stderr, "%s", log);
            return false;
        }
    }
    ring_init(&ring, ring_slots, RT_ARRAY_SIZE(ring_slots));
    native->pool[OBJECT_OURS].step = pool_step;
    native->ring[OBJECT_OURS].step = ring_step;
    native->ring_one[OBJECT_OURS].step = ring_one_step;
    return true;
}

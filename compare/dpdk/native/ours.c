/* SPDX-License-Identifier: BSD-2-Clause */
/* Our driver, pool and ring: as in an image, ownership checks on. */
#include "native.h"
#include "ring/ring.h"

#include <mempool/take.h>
#include <model/x82599_port.h>
#include <rt/host.h>
#include <rt/ring.h>
#include <stdio.h>
#include <string.h>

#define ETH_BYTES 14
#define UDP_SUM_AT       6
#define FRAME_BYTES_LONG 9014

struct ours {
    struct nic_rxq *rxq;
    struct nic_txq *txq;
    struct buf_batch batch;
};

static const struct {
    enum native_lanes lane;
    const char *name;
    uint16_t descs, frame_max_bytes;
} rows[] = {
    {LANE_OURS_128, "ours_128", 128, 1514},
    {LANE_OURS_512, "ours_512", 512, 1514},
    {LANE_OURS_1024, "ours_1024", 1024, 1514},
    {LANE_OURS_LONG, "ours_long", 512, FRAME_BYTES_LONG},
};

static struct ours lanes[RT_ARRAY_SIZE(rows)];
static struct pool *spare_pool;
static struct ring ring;
static void *ring_slots[1024];
static uint16_t udp_sum;

/* As swap_ssse3() of apps/l2fwd/forward.c. */
static void swap_all(struct buf_batch *batch)
{
    struct buf **b = batch->buf;
    uint32_t left = batch->count;

    for (; left >= 4; left -= 4, b += 4) {
        native_swap(buf_data(b[0]));
        native_swap(buf_data(b[1]));
        native_swap(buf_data(b[2]));
        native_swap(buf_data(b[3]));
    }
    for (; left > 0; left--, b++)
        native_swap(buf_data(*b));
}

static void csum_all(struct buf_batch *batch)
{
    const uint16_t none = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct buf *b = batch->buf[i];
        uint8_t *frame = buf_data(b), *ip = frame + ETH_BYTES;
        uint32_t ip_bytes = (ip[0] & 15u) * 4;

        native_swap(frame);
        __builtin_memcpy(ip + 10, &none, sizeof(none));
        __builtin_memcpy(ip + ip_bytes + UDP_SUM_AT, &udp_sum, sizeof(udp_sum));
        b->flags = BUF_TX_IP_CSUM | BUF_TX_UDP_CSUM;
        b->l2_bytes = ETH_BYTES;
        b->l3_bytes = (uint16_t)ip_bytes;
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

/* In line, as the peer's are. */
static void pool_step(void *ctx)
{
    struct buf *b[NATIVE_BULK];

    for (unsigned i = 0; i < NATIVE_BULK; i++)
        b[i] = pool_take_inline(spare_pool);
    for (unsigned i = 0; i < NATIVE_BULK; i++)
        buf_free_inline(b[i]);
}

static void pool_bulk_step(void *ctx)
{
    struct buf_batch batch = {.count = 0};

    (void)pool_take_batch(spare_pool, &batch, NATIVE_BULK);
    buf_batch_free(&batch);
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

static void lay_out(struct native_layout *layout, const struct pool *pool)
{
    for (uint32_t i = 0; i < pool->total; i++)
        native_layout_add(layout, pool->base + (size_t)i * pool->stride_bytes);
    layout->huge_kb = native_huge_kb(pool->base);
}

/* Bring-up by calls, the data path on the registers as memory. */
static bool lane_start(struct native_lane *lane, unsigned number)
{
    const struct nic_config config = {.rxqs = 1,
                                      .txqs = 1,
                                      .rx_descs = rows[number].descs,
                                      .tx_descs = rows[number].descs,
                                      .frame_max_bytes = rows[number].frame_max_bytes,
                                      .irq_mode = NIC_IRQ_NONE,
                                      .promiscuous = true,
                                      .rx_checksum = true};
    struct nic *nic = nic_get(number);
    struct ours *o = &lanes[number];
    struct pool *pool = NULL;

    if (nic == NULL || pool_create("lane", 0, 1, 4u * rows[number].descs - 1, &pool) != RT_OK ||
        nic_configure(nic, &config) != RT_OK || nic_rxq_setup(nic, 0, 0, pool) != RT_OK ||
        nic_txq_setup(nic, 0, 0, pool) != RT_OK || nic_start(nic) != RT_OK)
        return false;
    o->rxq = nic->rxq[0];
    o->txq = nic->txq[0];
    nic_rx_ring_of(o->rxq)->mmio = x82599_mmio(lane->card.dev, X82599_PLAIN);
    nic_tx_ring_of(o->txq)->mmio = nic_rx_ring_of(o->rxq)->mmio;
    *lane = (struct native_lane){
        rows[number].name,     lane->card, o, step, empty, .burst_rx = "one path",
        .burst_tx = "one path"};
    lay_out(&lane->layout, pool);
    return true;
}

bool native_ours_start(struct native *native)
{
    static char log[16384];

    host_clock_virtual(0);
    host_set_core_count(1);
    host_set_core(0);
    host_console_capture(log, sizeof(log));
    udp_sum = native_pseudo_sum();
    for (unsigned i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct native_card *card = &native->lane[rows[i].lane].card;
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
        if (!lane_start(&native->lane[rows[i].lane], i)) {
            fprintf(stderr, "%s", log);
            return false;
        }
    }
    ring_init(&ring, ring_slots, RT_ARRAY_SIZE(ring_slots));
    native->pool[OBJECT_OURS].step = pool_step;
    native->pool_bulk[OBJECT_OURS].step = pool_bulk_step;
    native->ring[OBJECT_OURS].step = ring_step;
    native->ring_one[OBJECT_OURS].step = ring_one_step;
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "ixgbe_port.h"

#include <mempool/poison.h>
#include <stdlib.h>
#include <string.h>

const struct nic_config card_config = {
    .rxqs = 1,
    .txqs = 1,
    .rx_descs = 64,
    .tx_descs = 64,
    .frame_max_bytes = 1514,
    .irq_mode = NIC_IRQ_MSIX,
    .promiscuous = true,
    .rx_checksum = true,
};

void card_fill(uint8_t *frame, uint32_t bytes, uint32_t seed)
{
    for (uint32_t i = 0; i < bytes; i++)
        frame[i] = (uint8_t)((i + seed) * 2654435761u >> 24);
    frame[12] = 0x88; /* no VLAN, no IP */
    frame[13] = 0xb5;
}

bool card_is(const uint8_t *frame, uint32_t bytes, uint32_t seed)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (i != 12 && i != 13 && frame[i] != (uint8_t)((i + seed) * 2654435761u >> 24))
            return false;
    return true;
}

static void transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct card *card = ctx;

    card->sent_frames++;
    card->last.queue = queue;
    card->last.bytes = bytes;
    memcpy(card->last.data, frame, bytes);
    if (card->check_seeds && !card_is(frame, bytes, card->expect_seed++))
        card->sent_bad++;
    if (card->on_sent != NULL)
        card->on_sent(card, frame, bytes);
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

/* A buffer of another pool than the card's, if that is what it is. */
static void *dma_elsewhere(char *p, uint32_t bytes)
{
    for (struct pool *pool = pool_first(); pool != NULL; pool = pool->next) {
        size_t offset = (size_t)(p - pool->base), index = offset / pool->stride_bytes;

        if (p >= pool->base && index < pool->total && pool->owners[index] == BUF_NIC &&
            offset % pool->stride_bytes + bytes <= pool->stride_bytes)
            unpoison(p, bytes);
    }
    return p;
}

/* The device reaches rings (ASan knows their ends) and, of buffers, the room of those that are in
 * a ring. Everything else is a violation, and refused. */
static void *dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    struct card *card = ctx;
    const struct pool *pool = card->pool;
    char *p = (char *)(uintptr_t)phys;
    size_t offset = pool != NULL ? (size_t)(p - pool->base) : SIZE_MAX;
    size_t index = pool != NULL ? offset / pool->stride_bytes : 0;

    if (pool == NULL || p < pool->base || index >= pool->total)
        return dma_elsewhere(p, bytes);
    offset %= pool->stride_bytes;
    if ((pool->owners[index] != BUF_NIC && pool->owners[index] != BUF_KEPT_NIC) ||
        offset < sizeof(struct buf) ||
        offset + bytes > BUF_STRIDE_BYTES ||
        (device_writes && offset < sizeof(struct buf) + BUF_HEADROOM_BYTES)) {
        card->violations++;
        return NULL;
    }
    unpoison(p, bytes);
    return p;
}

struct card *card_new(uint16_t device_id, uint64_t seed)
{
    return card_new_config(&(struct x82599_config){.device_id = device_id, .seed = seed});
}

struct card *card_new_config(const struct x82599_config *wanted)
{
    struct card *card = calloc(1, sizeof(*card));
    struct x82599_config config = *wanted;

    config.ctx = card;
    config.dma = dma;
    config.transmit = transmit;
    assert_non_null(card);
    host_clock_virtual(0);
    host_set_core_count(2);
    host_set_core(0);
    host_irq_reset();
    host_console_capture(card->console, sizeof(card->console));
    card->port = x82599_port_add(2, &config, X82599_CALLS);
    assert_non_null(card->port);
    card->dev = x82599_port_device(card->port);
    return card;
}

void card_configure(struct card *card, const struct nic_config *config)
{
    assert_int_equal(nic_configure(card->nic, config), RT_OK);
    for (uint16_t q = 0; q < config->rxqs; q++)
        assert_int_equal(nic_rxq_setup(card->nic, q, 0, card->pool), RT_OK);
    for (uint16_t q = 0; q < config->txqs; q++)
        assert_int_equal(nic_txq_setup(card->nic, q, 0, card->pool), RT_OK);
}

struct card *card_start(const struct nic_config *config, uint64_t seed)
{
    struct card *card = card_new(X82599_ID_SFP, seed);

    card_bring_up(card, config);
    return card;
}

void card_bring_up(struct card *card, const struct nic_config *config)
{
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    card->nic = nic_get(0);
    assert_int_equal(pool_create("test", 0, 2, POOL_BUFS, &card->pool), RT_OK);
    card_configure(card, config);
    assert_int_equal(nic_start(card->nic), RT_OK);
}

void card_stop(struct card *card)
{
    nic_stop(card->nic);
    pool_collect(card->pool);
    assert_int_equal(card->pool->free, card->pool->total);
    assert_int_equal(pool_count_owner(card->pool, BUF_POOL), card->pool->total);
    assert_int_equal(card->violations, 0);
    assert_int_equal(x82599_counters(card->dev)->early, 0);
}

void card_free(struct card *card)
{
    host_console_capture(NULL, 0);
    x82599_port_reset_all();
    pool_forget_all();
    host_memory_reset();
    host_clock_real();
    free(card);
}

bool card_logged(const struct card *card, const char *text)
{
    return strstr(card->console, text) != NULL;
}

void card_pass_us(struct card *card, uint64_t us)
{
    host_clock_advance_us(us);
    x82599_step(card->dev, hal_now_us() * 1000);
}

uint64_t card_live_us(struct card *card, uint64_t us)
{
    uint64_t end_us = hal_now_us() + us, longest_us = 0;

    while (nic_next_us(card->nic) <= end_us) {
        uint64_t now_us = hal_now_us();

        card_pass_us(card, nic_next_us(card->nic) - RT_MIN(nic_next_us(card->nic), now_us));
        now_us = hal_now_us();
        nic_poll_link(card->nic);
        longest_us = RT_MAX(longest_us, hal_now_us() - now_us);
    }
    if (hal_now_us() < end_us)
        card_pass_us(card, end_us - hal_now_us());
    return longest_us;
}

enum x82599_rx card_receive(struct card *card, uint32_t bytes, uint32_t seed)
{
    static uint8_t frame[X82599_FRAME_MAX];

    card_fill(frame, bytes, seed);
    return x82599_receive(card->dev, frame, bytes);
}

static struct buf *take(struct card *card)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 1000 && b == NULL; i++)
        b = pool_take(card->pool); /* hostile builds fail now and then */
    assert_non_null(b);
    return b;
}

struct buf *card_buf(struct card *card, uint32_t bytes, uint32_t seed)
{
    struct buf *b = take(card);

    card_fill(buf_data(b), bytes, seed);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    return b;
}

struct buf *card_chain(struct card *card, const uint8_t *frame, uint32_t bytes,
                       uint32_t segment_bytes)
{
    struct buf *first = NULL, *last = NULL;

    for (uint32_t offset = 0; offset < bytes; offset += segment_bytes) {
        struct buf *b = take(card);
        uint32_t now = RT_MIN(segment_bytes, bytes - offset);

        memcpy(buf_data(b), frame + offset, now);
        b->data_len = (uint16_t)now;
        if (first == NULL) {
            first = b;
            first->segments = 1;
        } else {
            last->next = b;
            first->segments++;
        }
        last = b;
    }
    assert_non_null(first);
    first->pkt_len = bytes;
    return first;
}

static uint32_t sum16(const uint8_t *p, uint32_t bytes, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < bytes; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    if (bytes % 2 != 0)
        sum += (uint32_t)p[bytes - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t pseudo(const uint8_t *ip, uint32_t l4_bytes)
{
    return sum16(ip + 12, 8, ip[9] + l4_bytes);
}

void card_ip4(uint8_t *frame, uint32_t bytes, bool tcp, uint32_t flow, enum card_sums sums)
{
    uint8_t *ip = frame + 14, *l4 = ip + 20;
    uint32_t l4_bytes = bytes - 34, at = tcp ? 16 : 6;

    card_fill(frame, bytes, flow);
    put16(frame + 12, 0x0800);
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, (uint16_t)(bytes - 14));
    ip[8] = 64;
    ip[9] = tcp ? 6 : 17;
    ip[12] = 10;
    ip[15] = (uint8_t)(flow >> 16);
    ip[16] = 10;
    ip[19] = 2;
    put16(l4, (uint16_t)flow);
    put16(l4 + 2, 80);
    if (tcp) {
        l4[12] = 0x50;
        l4[13] = 0x10;
    } else {
        put16(l4 + 4, (uint16_t)l4_bytes);
    }
    put16(l4 + at, fold(pseudo(ip, sums == SUMS_TSO ? 0 : l4_bytes)));
    if (sums != SUMS_RIGHT)
        return;
    put16(ip + 10, (uint16_t)~fold(sum16(ip, 20, 0)));
    put16(l4 + at, (uint16_t)~fold(sum16(l4, l4_bytes, 0)));
}

bool card_sums_right(const uint8_t *frame, uint32_t bytes)
{
    const uint8_t *ip = frame + 14;
    uint32_t l4_bytes = ((uint32_t)ip[2] << 8 | ip[3]) - 20;

    return bytes >= 34 + l4_bytes && fold(sum16(ip, 20, 0)) == 0xffff &&
           fold(sum16(ip + 20, l4_bytes, pseudo(ip, l4_bytes))) == 0xffff;
}

struct nic_config card_with(uint16_t queues, uint16_t frame_max, bool vlan)
{
    struct nic_config c = card_config;

    c.rxqs = queues;
    c.txqs = queues;
    c.frame_max_bytes = frame_max;
    c.vlan_strip = vlan;
    return c;
}

/* Sends one buffer, counts what the port then sent. */
uint64_t card_send_one(struct card *card, struct buf *b)
{
    struct buf_batch batch = {1, {b}};
    uint64_t before = card->sent_frames;

    nic_tx(card->nic->txq[0], &batch);
    assert_int_equal(batch.count, 0);
    return card->sent_frames - before;
}

/* Descriptors of a ring that the other side has at any time: a quarter at most waits for its
 * doorbell or report. Rings of 64 in the normal build, of 8 in the hostile one. */
uint32_t card_sure_of(uint16_t descs)
{
    return descs * 3u / 4;
}

/* The device sends at once, so a call moves a ring's worth. What fits is one call. */
void card_send_all(struct card *card, struct buf_batch *batch)
{
    uint32_t sure = card_sure_of(card->nic->config.tx_descs);
    uint32_t calls = (batch->count + sure - 1) / sure;

    for (uint32_t i = 0; i < calls; i++)
        nic_tx(card->nic->txq[0], batch);
    assert_int_equal(batch->count, 0);
}

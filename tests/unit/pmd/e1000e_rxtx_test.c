/* SPDX-License-Identifier: BSD-2-Clause */
/* The data path, frame by frame: contents, results, requests, and every way to go wrong. */
#include "e1000e_port.h"

#include <stdlib.h>
#include <string.h>

#define JUMBO 9018

static struct nic_config config_with(uint16_t queues, uint16_t frame_max, bool vlan)
{
    struct nic_config c = port_config;

    c.rxqs = queues;
    c.txqs = queues;
    c.frame_max_bytes = frame_max;
    c.vlan_strip = vlan;
    return c;
}

static bool receive(struct port *port, uint32_t bytes, uint32_t seed, const struct fake_rx *how)
{
    uint8_t frame[FAKE_FRAME_MAX];

    frame_fill(frame, bytes, seed);
    return fake_receive(port->fake, frame, bytes, how);
}

static struct fake_tx *sent_last;
static uint32_t sent_seed;

static void keep_sent(struct fake_e1000e *f, const struct fake_tx *tx)
{
    memcpy(sent_last, tx, sizeof(*tx));
}

static void check_sent(struct fake_e1000e *f, const struct fake_tx *tx)
{
    assert_true(frame_is(tx->data, tx->bytes, sent_seed));
    sent_seed++;
}

/* ---- receive ---- */

static void run_rx_sizes(void **state)
{
    static const uint32_t sizes[] = {60, 61, 64, 1514, 1517, 1518};
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    for (uint32_t i = 0; i < 20 * RT_ARRAY_SIZE(sizes); i++) {
        uint32_t bytes = sizes[i % RT_ARRAY_SIZE(sizes)];
        struct buf_batch batch = {.count = 0};
        struct buf *b;

        assert_true(receive(port, bytes, i, NULL));
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
        b = batch.buf[0];
        assert_int_equal(*b->owner, BUF_STACK);
        assert_int_equal(b->data_len, bytes);
        assert_int_equal(b->pkt_len, bytes);
        assert_int_equal(b->data_off, BUF_HEADROOM_BYTES);
        assert_int_equal(b->segments, 1);
        assert_int_equal(b->port, 0);
        assert_int_equal(b->flags, 0);
        assert_null(b->next);
        assert_true(frame_is(buf_data(b), bytes, i));
        buf_batch_free(&batch);
    }
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Bursts around the end of the ring, behind what is in the batch, never more than asked. */
static void run_rx_bursts(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint32_t room = port->nic->config.rx_descs * 3u / 4 - 1, in = 0, out = 0;

    for (unsigned round = 0; round < 200; round++) {
        uint32_t burst = round % room + 1;

        for (uint32_t i = 0; i < burst; i++)
            assert_true(receive(port, 60, in++, NULL));
        while (out < in) {
            struct buf_batch batch = {.count = 0};
            uint32_t want = RT_MIN(round % 33 + 1, in - out);
            uint32_t n = nic_rx(port->rxq, &batch, round % 33 + 1);

            assert_int_equal(n, want);
            assert_int_equal(batch.count, n);
            for (uint32_t i = 0; i < n; i++)
                assert_true(frame_is(buf_data(batch.buf[i]), 60, out++));
            buf_batch_free(&batch);
        }
    }
    assert_int_equal(port->rxq->stats.packets, in);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_rx_batch_full(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};

    for (uint32_t i = 0; i < BUF_BATCH_MAX - 2; i++)
        batch.buf[batch.count++] = frame_buf(bench->pool, 60, 0);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(receive(port, 60, i, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 2);
    assert_int_equal(batch.count, BUF_BATCH_MAX);
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
    buf_batch_free(&batch);
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 3);
    buf_batch_free(&batch);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* The pool is empty: frames are read and dropped in place, the chip's ring stays full. */
static void run_rx_no_replacement(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};
    struct buf *held[PORT_POOL];
    uint32_t holds = 0, rounds = 5 * port->nic->config.rx_descs;

    while (bench->pool->free > 0) {
        struct buf *b = pool_take(bench->pool);

        if (b != NULL)
            held[holds++] = b;
    }
    for (uint32_t i = 0; i < rounds; i++) {
        assert_true(receive(port, 60, i, NULL));
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
    }
    assert_int_equal(port->rxq->stats.no_replacement, rounds);
    assert_int_equal(port->rxq->stats.packets, 0);
    buf_free(held[--holds]);
    assert_true(receive(port, 60, 77, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_true(frame_is(buf_data(batch.buf[0]), 60, 77));
    buf_batch_free(&batch);
    while (holds > 0)
        buf_free(held[--holds]);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_rx_chains(void **state)
{
    struct nic_config c = config_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];

    for (uint32_t bytes = 2040; bytes <= JUMBO; bytes += 97) {
        struct buf_batch batch = {.count = 0};
        uint32_t segments = (bytes + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES, done = 0;
        struct buf *b;

        if (segments > (uint32_t)port->nic->config.rx_descs * 3 / 4)
            break; /* hostile rings hold no more */
        assert_true(receive(port, bytes, bytes, NULL));
        assert_true(receive(port, 60, 3, NULL));
        for (unsigned i = 0; i < 4; i++) /* a call may end inside a frame */
            nic_rx(port->rxq, &batch, 3);
        assert_int_equal(batch.count, 2);
        b = batch.buf[0];
        assert_int_equal(b->segments, segments);
        assert_int_equal(b->pkt_len, bytes);
        for (const struct buf *s = b; s != NULL; s = s->next) {
            assert_true(frame_is(buf_data(s), s->data_len, bytes + done));
            done += s->data_len;
        }
        assert_int_equal(done, bytes);
        assert_int_equal(batch.buf[1]->segments, 1);
        buf_batch_free(&batch);
    }
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Half a frame when the batch ends, and when the port stops. */
static void run_rx_chain_in_parts(void **state)
{
    struct nic_config c = config_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};

    assert_true(receive(port, 5000, 1, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 2), 0);
    assert_int_equal(nic_rx(port->rxq, &batch, 2), 1);
    assert_int_equal(batch.buf[0]->pkt_len, 5000);
    buf_batch_free(&batch);
    assert_true(receive(port, 5000, 1, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 1), 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* ---- receive from a broken or hostile device ---- */

static void expect_dropped(struct port *port, uint32_t bytes, const struct fake_rx *how,
                           const uint64_t *counter)
{
    struct buf_batch batch = {.count = 0};
    uint64_t before = *counter;

    assert_true(receive(port, bytes, 1, how));
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
    assert_int_equal(*counter, before + 1);
    assert_true(receive(port, 60, 5, NULL)); /* the next one is unharmed */
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_true(frame_is(buf_data(batch.buf[0]), 60, 5));
    buf_batch_free(&batch);
}

static void run_rx_hostile(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    const struct nic_queue_stats *stats = &port->rxq->stats;
    static const uint16_t lengths[] = {0, 2049, 4096, 0x8000, 0xffff};
    static const uint32_t errors[] = {RXD_ERR_CE, RXD_ERR_SE, RXD_ERR_SEQ, RXD_ERR_CXE,
                                      RXD_ERR_RXE};

    for (size_t i = 0; i < RT_ARRAY_SIZE(lengths); i++) {
        struct fake_rx how = {.set_length = true, .length = lengths[i]};

        expect_dropped(port, 60, &how, &stats->hostile);
    }
    for (size_t i = 0; i < RT_ARRAY_SIZE(errors); i++) {
        struct fake_rx how = {.status = errors[i]};

        expect_dropped(port, 60, &how, &stats->errors);
    }
    assert_int_equal(stats->hostile, RT_ARRAY_SIZE(lengths));
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A full room is the largest length there may be. */
static void run_rx_full_room(void **state)
{
    struct nic_config c = config_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};

    assert_true(receive(port, BUF_ROOM_BYTES, 4, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_int_equal(batch.buf[0]->data_len, BUF_ROOM_BYTES);
    assert_true(frame_is(buf_data(batch.buf[0]), BUF_ROOM_BYTES, 4));
    buf_batch_free(&batch);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* The end of a frame never comes: bounded, counted, and the next frame is seen again. */
static void run_rx_endless(void **state)
{
    struct nic_config c = config_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct fake_rx endless = {.no_eop = true};
    struct buf_batch batch = {.count = 0};
    uint32_t taken = bench->pool->free;

    for (unsigned i = 0; i < 500; i++) {
        assert_true(receive(port, 2048, i, &endless));
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
        assert_in_range(bench->pool->free, taken - E1000E_RX_CHAIN_MAX, taken);
    }
    assert_in_range(port->rxq->stats.hostile + port->rxq->stats.too_long, 1, 500);
    assert_true(receive(port, 100, 1, NULL)); /* ends the endless frame */
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
    assert_true(receive(port, 100, 2, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_true(frame_is(buf_data(batch.buf[0]), 100, 2));
    buf_batch_free(&batch);
    assert_int_equal(bench->pool->free, taken);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_rx_too_long(void **state)
{
    struct nic_config c = config_with(1, 3000, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];

    expect_dropped(port, 3005, NULL, &port->rxq->stats.too_long);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Somebody took a buffer out of the ring behind the driver's back. */
static void run_rx_stolen(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct e1000e_rxq *q = RT_CONTAINER_OF(port->rxq, struct e1000e_rxq, head);
    struct buf_batch batch = {.count = 0};
    uint64_t before = buf_refusals();
    uint8_t *stolen = q->shadow[0].owner;

    *stolen = BUF_APP;
    assert_true(receive(port, 60, 1, NULL));
    assert_true(receive(port, 60, 2, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
    assert_true(frame_is(buf_data(batch.buf[0]), 60, 2));
    assert_int_equal(buf_refusals(), before + 1);
    buf_batch_free(&batch);
    nic_stop(port->nic);
    assert_int_equal(bench->pool->free, bench->pool->total - 1);
    assert_int_equal(pool_report(), 1);
    assert_true(bench_logged(bench, "missing_at=app"));
    bench_free(bench);
}

/* ---- receive results ---- */

static void run_rx_results(void **state)
{
    static const struct {
        struct fake_rx how;
        uint32_t flags;
    } cases[] = {
        {{.status = RXD_IPCS}, BUF_RX_IP_GOOD},
        {{.status = RXD_IPCS | RXD_TCPCS}, BUF_RX_IP_GOOD | BUF_RX_L4_GOOD},
        {{.status = RXD_IPCS | RXD_TCPCS | RXD_UDPCS}, BUF_RX_IP_GOOD | BUF_RX_L4_GOOD},
        {{.status = RXD_IPCS | RXD_TCPCS | RXD_ERR_TCPE}, BUF_RX_IP_GOOD | BUF_RX_L4_BAD},
        {{.status = RXD_IPCS | RXD_ERR_IPE}, BUF_RX_IP_BAD},
        {{.status = RXD_IPCS | RXD_TCPCS | RXD_IXSM}, 0},
    };
    const uint32_t good = BUF_RX_L4_GOOD;
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct buf_batch batch = {.count = 0};
        uint32_t flags;

        assert_true(receive(port, 60, 1, &cases[i].how));
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
        flags = batch.buf[0]->flags;
        flags |= (flags & good) != 0 ? good : 0; /* either bit */
        assert_int_equal(flags, cases[i].flags);
        buf_batch_free(&batch);
    }
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_rx_rss(void **state)
{
    struct nic_config c = config_with(2, 1514, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];

    assert_int_equal(port->fake->reg[E1000E_RETA(0) / 4], 0x80008000);
    assert_int_equal(port->fake->reg[E1000E_RSSRK(0) / 4], 0xda565a6d);
    for (uint32_t q = 0; q < 2; q++) {
        struct fake_rx how = {.queue = q, .hash_type = 2, .hash = 0x12345678 + q};
        struct buf_batch batch = {.count = 0};
        uint32_t before = port->fake->messages[q];

        assert_false(nic_rx_arm(port->nic->rxq[q]));
        assert_true(receive(port, 60, q, &how));
        assert_int_equal(port->fake->messages[q], before + 1); /* its own vector */
        nic_rx_disarm(port->nic->rxq[q]);
        assert_int_equal(nic_rx(port->nic->rxq[1 - q], &batch, 32), 0);
        assert_int_equal(nic_rx(port->nic->rxq[q], &batch, 32), 1);
        assert_int_equal(batch.buf[0]->rss_type, 2);
        assert_int_equal(batch.buf[0]->rss_hash, 0x12345678 + q);
        buf_batch_free(&batch);
    }
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_rx_vlan(void **state)
{
    for (unsigned strip = 0; strip < 2; strip++) {
        struct nic_config c = config_with(1, 1514, strip);
        struct bench *bench = bench_start(1, &c);
        struct port *port = &bench->port[0];
        struct buf_batch batch = {.count = 0};
        uint8_t frame[64];

        frame_fill(frame, sizeof(frame), 0);
        memcpy(frame + 12, "\x81\x00\xa1\x23", 4);
        assert_true(fake_receive(port->fake, frame, sizeof(frame), NULL));
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 1);
        assert_int_equal(batch.buf[0]->data_len, strip ? 60 : 64);
        assert_int_equal(batch.buf[0]->flags, strip ? BUF_RX_VLAN : 0);
        assert_int_equal(batch.buf[0]->vlan_tci, strip ? 0xa123 : 0);
        assert_memory_equal(buf_data(batch.buf[0]) + 12, strip ? frame + 16 : frame + 12, 44);
        buf_batch_free(&batch);
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* ---- transmit ---- */

static void run_tx_bursts(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint32_t seed = 0;

    sent_seed = 0;
    port->fake->sent = check_sent;
    for (unsigned round = 0; round < 300; round++) {
        struct buf_batch batch = {.count = 0};
        uint32_t writes;

        for (uint32_t i = 0; i <= round % 60; i++)
            batch.buf[batch.count++] = frame_buf(bench->pool, 60 + seed % 1400, seed + i);
        for (uint32_t i = 0; i < batch.count; i++)
            frame_fill(buf_data(batch.buf[i]), batch.buf[i]->data_len, seed + i);
        seed += batch.count;
        for (unsigned i = 0; i < 20 && batch.count > 0; i++) {
            writes = port->fake->write_count = 0;
            nic_tx(port->txq, &batch);
            assert_int_equal(port->fake->write_count, writes + 1); /* one doorbell a call */
        }
        assert_int_equal(batch.count, 0);
    }
    assert_int_equal(sent_seed, seed);
    assert_int_equal(port->txq->stats.packets, seed);
    /* all descriptors come back without another frame */
    nic_tx_reclaim(port->txq);
    assert_int_equal(RT_CONTAINER_OF(port->txq, struct e1000e_txq, head)->used, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* The chip sends nothing: what does not fit stays with the caller, in order; it all goes out
 * when the chip goes on. */
static void run_tx_full(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};
    uint32_t seed = 0, fits = port->nic->config.tx_descs - 1u, all = fits + 17;

    port->fake->stuck_tx = true;
    port->fake->sent = check_sent;
    sent_seed = 0;
    while (seed < all) {
        while (batch.count < BUF_BATCH_MAX && seed < all)
            batch.buf[batch.count++] = frame_buf(bench->pool, 60, seed++);
        nic_tx(port->txq, &batch);
    }
    assert_int_equal(batch.count, all - fits);
    assert_in_range(port->txq->stats.ring_full, all - fits, 200);
    assert_true(frame_is(buf_data(batch.buf[0]), 60, fits));
    assert_int_equal(nic_tx_reclaim(port->txq), 0);
    port->fake->stuck_tx = false;
    hal_write32(&RT_CONTAINER_OF(port->txq, struct e1000e_txq, head)->mmio, E1000E_TDT(0),
                port->fake->reg[E1000E_TDT(0) / 4]);
    for (unsigned i = 0; i < 80 && batch.count > 0; i++)
        nic_tx(port->txq, &batch);
    assert_int_equal(sent_seed, all);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Stopped with frames that were never sent: they come home, too. */
static void run_tx_stop_full(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};

    port->fake->stuck_tx = true;
    for (uint32_t i = 0; i < 40; i++)
        batch.buf[batch.count++] = frame_buf(bench->pool, 60, i);
    nic_tx(port->txq, &batch);
    buf_batch_free(&batch);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void send_one(struct port *port, struct buf *b)
{
    struct buf_batch batch = {.count = 1, .buf = {b}};

    nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 0);
}

static void run_tx_bad_requests(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint64_t *bad = &port->txq->stats.bad_request;
    struct buf *b;

    send_one(port, frame_buf(bench->pool, 16, 1));
    assert_int_equal(*bad, 1);
    send_one(port, frame_buf(bench->pool, 1519, 1)); /* 1514 + VLAN tag is the most */
    assert_int_equal(*bad, 2);
    b = frame_buf(bench->pool, 60, 1);
    b->data_off = BUF_HEADROOM_BYTES + BUF_ROOM_BYTES - 59; /* beyond its room */
    send_one(port, b);
    assert_int_equal(*bad, 3);
    b = frame_buf(bench->pool, 60, 1);
    b->flags = BUF_TX_TSO;
    send_one(port, b);
    assert_int_equal(*bad, 4);
    b = frame_buf(bench->pool, 60, 1);
    b->segments = 2; /* and there is no second one */
    send_one(port, b);
    assert_int_equal(*bad, 5);
    b = frame_buf(bench->pool, 60, 1);
    b->flags = BUF_TX_TCP_CSUM;
    b->l2_bytes = 14;
    b->l3_bytes = 40; /* headers end beyond the data */
    send_one(port, b);
    assert_int_equal(*bad, 6);
    b = frame_buf(bench->pool, 60, 1);
    b->segments = 0;
    send_one(port, b);
    assert_int_equal(*bad, 7);
    send_one(port, frame_buf(bench->pool, 1518, 1));
    send_one(port, frame_buf(bench->pool, 17, 1));
    assert_int_equal(*bad, 7);
    assert_int_equal(port->fake->tx_frames, 2);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* gcc sees use after buf_free() at compile time, unless it loses sight of the pointer. */
static struct buf *hidden(struct buf *b)
{
    __asm__("" : "+r"(b));
    return b;
}

/* The same buffer twice in a batch, and once more after it was sent: refused and counted. */
static void run_tx_double_send(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct buf *b = frame_buf(bench->pool, 60, 1), *again;
    struct buf_batch batch = {.count = 2, .buf = {b, b}};
    uint64_t before = buf_refusals();

    host_clock_advance_us(5000000); /* the line is limited to one a second */
    port->fake->stuck_tx = true;
    nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 0);
    assert_int_equal(buf_refusals(), before + 1);
    send_one(port, b);
    assert_int_equal(buf_refusals(), before + 2);
    buf_free(b); /* free after send */
    assert_int_equal(buf_refusals(), before + 3);
    b = frame_buf(bench->pool, 60, 1);
    again = hidden(b);
    buf_free(b);
    send_one(port, again); /* send after free */
    assert_int_equal(buf_refusals(), before + 4);
    assert_int_equal(port->txq->stats.packets, 1);
    assert_true(bench_logged(bench, "refused=hand-over"));
    bench_stop_and_check(bench);
    bench_free(bench);
}

static struct buf *chain(struct pool *pool, uint32_t segments, uint32_t each, uint32_t seed)
{
    struct buf *first = NULL, *last = NULL;

    for (uint32_t i = 0; i < segments; i++) {
        struct buf *b = frame_buf(pool, each, seed + i * each);

        if (first == NULL)
            first = b;
        else
            last->next = b;
        last = b;
    }
    first->segments = (uint8_t)segments;
    first->pkt_len = segments * each;
    return first;
}

static void run_tx_chains(void **state)
{
    struct nic_config c = config_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    uint32_t most = RT_MIN(E1000E_TX_CHAIN_MAX, port->nic->config.tx_descs - 1u);
    struct buf *b;

    sent_last = calloc(1, sizeof(*sent_last));
    port->fake->sent = keep_sent;
    for (uint32_t segments = 2; segments <= most; segments++) {
        for (uint32_t each = 20; each <= 9018 / segments && each <= 2048; each += 113) {
            send_one(port, chain(bench->pool, segments, each, each));
            assert_int_equal(sent_last->bytes, segments * each);
            assert_int_equal(sent_last->descs, segments);
            assert_true(frame_is(sent_last->data, segments * each, each));
        }
    }
    assert_int_equal(port->txq->stats.bad_request, 0);
    send_one(port, chain(bench->pool, most + 1, 60, 0));
    assert_int_equal(port->txq->stats.bad_request, 1);
    b = chain(bench->pool, 3, 60, 0);
    b->next->next->next = frame_buf(bench->pool, 60, 0); /* longer than it says */
    send_one(port, b);
    assert_int_equal(port->txq->stats.bad_request, 2);
    free(sent_last);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A chain that does not fit now is left whole: no tail write inside a frame. */
static void run_tx_chain_waits(void **state)
{
    struct nic_config c = config_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct e1000e_txq *q = RT_CONTAINER_OF(port->txq, struct e1000e_txq, head);
    struct buf_batch batch = {.count = 0};

    port->fake->stuck_tx = true;
    while (e1000e_tx_room(q) > 2)
        send_one(port, frame_buf(bench->pool, 60, 1));
    batch.buf[batch.count++] = chain(bench->pool, 3, 100, 1);
    nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 1);
    assert_int_equal(e1000e_tx_room(q), 2);
    port->fake->stuck_tx = false;
    hal_write32(&q->mmio, E1000E_TDT(0), port->fake->reg[E1000E_TDT(0) / 4]);
    for (unsigned i = 0; i < 80 && batch.count > 0; i++)
        nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static struct buf *checksum_frame(struct pool *pool, uint32_t flags, uint16_t l3)
{
    struct buf *b = frame_buf(pool, 100, 1);

    b->flags = flags;
    b->l2_bytes = 14;
    b->l3_bytes = l3;
    return b;
}

static void run_tx_checksums(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct e1000e_txq *q = RT_CONTAINER_OF(port->txq, struct e1000e_txq, head);
    uint16_t next;

    sent_last = calloc(1, sizeof(*sent_last));
    port->fake->sent = keep_sent;
    send_one(port, checksum_frame(bench->pool, BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM, 20));
    assert_true(sent_last->ip_sum && sent_last->l4_sum);
    /* ip at 14, its sum at 24, ends at 33; tcp at 34, its sum at 50 */
    assert_int_equal(sent_last->context, UINT64_C(0x0000322200211800) | 14);
    next = q->next;
    send_one(port, checksum_frame(bench->pool, BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM, 20));
    assert_int_equal((q->next + q->descs - next) % q->descs, 1); /* the context is kept */
    send_one(port, checksum_frame(bench->pool, BUF_TX_UDP_CSUM | BUF_TX_IPV6, 40));
    assert_true(!sent_last->ip_sum && sent_last->l4_sum);
    assert_int_equal(sent_last->context, UINT64_C(0x00003c3600000000));
    send_one(port, checksum_frame(bench->pool, BUF_TX_IP_CSUM, 20));
    assert_true(sent_last->ip_sum && !sent_last->l4_sum);
    send_one(port, frame_buf(bench->pool, 60, 1));
    assert_true(!sent_last->ip_sum && !sent_last->l4_sum);
    assert_int_equal(port->txq->stats.bad_request, 0);
    assert_int_equal(port->fake->tx_frames, 5);
    free(sent_last);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Tags go in by the chip when it strips them too, else by us: the wire sees the same. */
static void run_tx_vlan(void **state)
{
    for (unsigned strip = 0; strip < 2; strip++) {
        struct nic_config c = config_with(1, 1514, strip);
        struct bench *bench = bench_start(1, &c);
        struct port *port = &bench->port[0];
        struct buf *b = frame_buf(bench->pool, 60, 9);
        uint8_t plain[60];

        frame_fill(plain, sizeof(plain), 9);
        sent_last = calloc(1, sizeof(*sent_last));
        port->fake->sent = keep_sent;
        b->flags = BUF_TX_VLAN;
        b->vlan_tci = 0xa123;
        send_one(port, b);
        assert_int_equal(sent_last->vlan, strip);
        assert_int_equal(sent_last->bytes, strip ? 60 : 64);
        if (strip)
            assert_int_equal(sent_last->vlan_tci, 0xa123);
        else
            assert_memory_equal(sent_last->data + 12, "\x81\x00\xa1\x23", 4);
        assert_memory_equal(sent_last->data, plain, 12);
        assert_memory_equal(sent_last->data + (strip ? 12 : 16), plain + 12, 48);
        free(sent_last);
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* A buffer of another core's pool goes home by ring when the chip is done with it. */
static void run_tx_foreign_pool(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct pool *other;

    assert_int_equal(pool_create("other", 1, 2, 64, &other), RT_OK);
    host_set_core(1);
    struct buf *b = frame_buf(other, 60, 1);
    host_set_core(0);
    send_one(port, b);
    nic_tx_reclaim(port->txq);
    assert_int_equal(other->free, 63);
    assert_int_equal(pool_count_owner(other, BUF_RING), 1);
    host_set_core(1);
    assert_int_equal(pool_collect(other), 1);
    host_set_core(0);
    assert_int_equal(other->free, 64);
    assert_int_equal(other->stats.collected, 1);
    bench_stop_and_check(bench);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_rx_sizes),
        cmocka_unit_test(run_rx_bursts),
        cmocka_unit_test(run_rx_batch_full),
        cmocka_unit_test(run_rx_no_replacement),
        cmocka_unit_test(run_rx_chains),
        cmocka_unit_test(run_rx_chain_in_parts),
        cmocka_unit_test(run_rx_hostile),
        cmocka_unit_test(run_rx_full_room),
        cmocka_unit_test(run_rx_endless),
        cmocka_unit_test(run_rx_too_long),
        cmocka_unit_test(run_rx_stolen),
        cmocka_unit_test(run_rx_results),
        cmocka_unit_test(run_rx_rss),
        cmocka_unit_test(run_rx_vlan),
        cmocka_unit_test(run_tx_bursts),
        cmocka_unit_test(run_tx_full),
        cmocka_unit_test(run_tx_stop_full),
        cmocka_unit_test(run_tx_bad_requests),
        cmocka_unit_test(run_tx_double_send),
        cmocka_unit_test(run_tx_chains),
        cmocka_unit_test(run_tx_chain_waits),
        cmocka_unit_test(run_tx_checksums),
        cmocka_unit_test(run_tx_vlan),
        cmocka_unit_test(run_tx_foreign_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

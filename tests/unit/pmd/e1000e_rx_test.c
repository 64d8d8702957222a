/* SPDX-License-Identifier: BSD-2-Clause */
/* Receive, frame by frame: contents, results, and every way to go wrong. */
#include "e1000e_port.h"

#include <string.h>

#define JUMBO 9018

static void run_rx_sizes(void **state)
{
    static const uint32_t sizes[] = {60, 61, 64, 1514, 1517, 1518};
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    for (uint32_t i = 0; i < 20 * RT_ARRAY_SIZE(sizes); i++) {
        uint32_t bytes = sizes[i % RT_ARRAY_SIZE(sizes)];
        struct buf_batch batch = {.count = 0};
        struct buf *b;

        assert_true(port_receive(port, bytes, i, NULL));
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
            assert_true(port_receive(port, 60, in++, NULL));
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
        assert_true(port_receive(port, 60, i, NULL));
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
        assert_true(port_receive(port, 60, i, NULL));
        assert_int_equal(nic_rx(port->rxq, &batch, 32), 0);
    }
    assert_int_equal(port->rxq->stats.no_replacement, rounds);
    assert_int_equal(port->rxq->stats.packets, 0);
    buf_free(held[--holds]);
    assert_true(port_receive(port, 60, 77, NULL));
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
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];

    for (uint32_t bytes = 2040; bytes <= JUMBO; bytes += 97) {
        struct buf_batch batch = {.count = 0};
        uint32_t segments = (bytes + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES, done = 0;
        struct buf *b;

        if (segments > (uint32_t)port->nic->config.rx_descs * 3 / 4)
            break; /* hostile rings hold no more */
        assert_true(port_receive(port, bytes, bytes, NULL));
        assert_true(port_receive(port, 60, 3, NULL));
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

/* A frame in two buffers is one of the loop: it is whole after a call that may take one. */
static void run_rx_pairs(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    uint64_t sum = 0;

    for (uint32_t i = 0; i < 300; i++) {
        struct fake_rx how = {.hash_type = 2, .hash = i, .status = E1000E_RXD_IPCS};
        struct buf_batch batch = {.count = 0};
        uint32_t bytes = BUF_ROOM_BYTES + 1 + i * 337 % BUF_ROOM_BYTES;
        const struct buf *b, *last;

        assert_true(port_receive(port, bytes, i, &how));
        assert_int_equal(nic_rx(port->rxq, &batch, 1), 1);
        b = batch.buf[0];
        last = b->next;
        assert_int_equal(b->segments, 2);
        assert_int_equal(b->pkt_len, bytes);
        assert_int_equal(b->data_len, BUF_ROOM_BYTES);
        assert_int_equal(b->rss_type, 2);
        assert_int_equal(b->rss_hash, i);
        assert_int_equal(b->flags, BUF_RX_IP_GOOD);
        assert_int_equal(last->data_len, bytes - BUF_ROOM_BYTES);
        assert_int_equal(last->flags, 0);
        assert_null(last->next);
        assert_int_equal(*b->owner, BUF_STACK);
        assert_int_equal(*last->owner, BUF_STACK);
        assert_true(frame_is(buf_data(b), BUF_ROOM_BYTES, i));
        assert_true(frame_is(buf_data(last), last->data_len, i + BUF_ROOM_BYTES));
        buf_batch_free(&batch);
        sum += bytes;
    }
    assert_int_equal(port->rxq->stats.packets, 300);
    assert_int_equal(port->rxq->stats.bytes, sum);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Frames of one, two and three buffers in turn, calls of all sizes: in order and whole. */
static void run_rx_mixed(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    uint32_t in = 0, out = 0;

    for (uint32_t round = 0; round < 400; round++) {
        struct buf_batch batch = {.count = 0};

        for (uint32_t i = 0; i < round % 4; i++)
            in += port_receive(port, 100 + in * 997 % 5000, in, NULL); /* while there is room */
        nic_rx(port->rxq, &batch, 1 + round % 5);
        for (uint32_t i = 0; i < batch.count; i++, out++) {
            uint32_t done = 0;

            assert_int_equal(batch.buf[i]->pkt_len, 100 + out * 997 % 5000);
            for (const struct buf *s = batch.buf[i]; s != NULL; s = s->next) {
                assert_true(frame_is(buf_data(s), s->data_len, out + done));
                done += s->data_len;
            }
            assert_int_equal(done, batch.buf[i]->pkt_len);
        }
        buf_batch_free(&batch);
    }
    assert_in_range(out, 300, in);
    assert_int_equal(port->rxq->stats.packets, out);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Half a frame when the batch ends, and when the port stops. */
static void run_rx_chain_in_parts(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};

    assert_true(port_receive(port, 5000, 1, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 2), 0);
    assert_int_equal(nic_rx(port->rxq, &batch, 2), 1);
    assert_int_equal(batch.buf[0]->pkt_len, 5000);
    buf_batch_free(&batch);
    assert_true(port_receive(port, 5000, 1, NULL));
    assert_int_equal(nic_rx(port->rxq, &batch, 1), 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* The first half of a frame in the last descriptor: its second is in the first, whatever lies in
 * memory behind the ring (here more of it, from a larger one). */
static void run_rx_pair_around_the_end(void **state)
{
    struct nic_config c = port_with(1, JUMBO, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];
    struct buf_batch batch = {.count = 0};
    struct nic_rx_ring *q;

    nic_stop(port->nic);
    c.rx_descs = POOL_HOSTILE ? c.rx_descs : c.rx_descs / 2;
    bench_configure(bench, &c);
    assert_int_equal(nic_start(port->nic), RT_OK);
    q = nic_rx_ring_of(port->rxq);
    for (uint32_t i = 0; i + 1 < q->descs; i++) {
        assert_true(port_receive(port, 60, i, NULL));
        assert_int_equal(nic_rx(port->rxq, &batch, 1), 1);
        buf_batch_free(&batch);
    }
    if (q->descs < q->descs_max)
        q->desc[q->descs].status = NIC_RXD_DD | NIC_RXD_EOP | UINT64_C(7) << NIC_RXD_LENGTH_SHIFT;
    assert_int_equal(q->next, q->descs - 1);
    assert_true(port_receive(port, 3000, 9, NULL));
    for (uint32_t i = 0; i < 4; i++)
        (void)nic_rx(port->rxq, &batch, 4);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.buf[0]->pkt_len, 3000);
    assert_true(frame_is(buf_data(batch.buf[0]), BUF_ROOM_BYTES, 9));
    buf_batch_free(&batch);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* ---- receive results ---- */

static void run_rx_results(void **state)
{
    static const struct {
        struct fake_rx how;
        uint32_t flags;
    } cases[] = {
        {{.status = E1000E_RXD_IPCS}, BUF_RX_IP_GOOD},
        {{.status = E1000E_RXD_IPCS | E1000E_RXD_TCPCS}, BUF_RX_IP_GOOD | BUF_RX_L4_GOOD},
        {{.status = E1000E_RXD_IPCS | E1000E_RXD_TCPCS | E1000E_RXD_UDPCS},
         BUF_RX_IP_GOOD | BUF_RX_L4_GOOD},
        {{.status = E1000E_RXD_IPCS | E1000E_RXD_TCPCS | E1000E_RXD_ERR_TCPE},
         BUF_RX_IP_GOOD | BUF_RX_L4_BAD},
        {{.status = E1000E_RXD_IPCS | E1000E_RXD_ERR_IPE}, BUF_RX_IP_BAD},
        {{.status = E1000E_RXD_IPCS | E1000E_RXD_TCPCS | E1000E_RXD_IXSM}, 0},
    };
    const uint32_t good = BUF_RX_L4_GOOD;
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct buf_batch batch = {.count = 0};
        uint32_t flags;

        assert_true(port_receive(port, 60, 1, &cases[i].how));
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
    struct nic_config c = port_with(2, 1514, false);
    struct bench *bench = bench_start(1, &c);
    struct port *port = &bench->port[0];

    assert_int_equal(port->fake->reg[E1000E_RETA(0) / 4], 0x80008000);
    assert_int_equal(port->fake->reg[E1000E_RSSRK(0) / 4], 0xda565a6d);
    for (uint32_t q = 0; q < 2; q++) {
        struct fake_rx how = {.queue = q, .hash_type = 2, .hash = 0x12345678 + q};
        struct buf_batch batch = {.count = 0};
        uint32_t before = port->fake->messages[q];

        assert_false(nic_rx_arm(port->nic->rxq[q]));
        assert_true(port_receive(port, 60, q, &how));
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
        struct nic_config c = port_with(1, 1514, strip);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_rx_sizes),
        cmocka_unit_test(run_rx_bursts),
        cmocka_unit_test(run_rx_batch_full),
        cmocka_unit_test(run_rx_no_replacement),
        cmocka_unit_test(run_rx_chains),
        cmocka_unit_test(run_rx_pairs),
        cmocka_unit_test(run_rx_mixed),
        cmocka_unit_test(run_rx_pair_around_the_end),
        cmocka_unit_test(run_rx_chain_in_parts),
        cmocka_unit_test(run_rx_results),
        cmocka_unit_test(run_rx_rss),
        cmocka_unit_test(run_rx_vlan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The pipe: frames, owners, interrupts, stop and recovery. The two ends have pools and cores of
 * their own, which one thread plays. */
#include "host_port.h"

#include <pmd/pipe.h>
#include <string.h>

static struct host_port a, b;

static void open_pipe(uint16_t frame_max_bytes)
{
    struct nic *ends[2];

    a = b = (struct host_port){.nic = NULL};
    assert_int_equal(pipe_open(ends), RT_OK);
    host_port_start(&a, ends[0], 0, frame_max_bytes);
    host_port_start(&b, ends[1], 1, frame_max_bytes);
    nic_poll_link(a.nic);
    nic_poll_link(b.nic);
}

static void close_pipe(void)
{
    host_port_stop(&a);
    host_port_stop(&b);
    assert_int_equal(buf_refusals(), 0);
}

static void reclaim(struct host_port *port)
{
    host_set_core(port->core);
    (void)nic_tx_reclaim(port->nic->txq[0]);
    host_set_core(0);
}

/* Every received frame is the next number of this length, and goes home. */
static uint32_t drain(struct host_port *port, uint32_t number, uint32_t bytes)
{
    struct buf_batch batch = {.count = 0};
    uint32_t n = host_port_receive(port, &batch);

    for (uint32_t i = 0; i < n; i++) {
        assert_ptr_equal(batch.buf[i]->pool, port->pool);
        assert_int_equal(batch.buf[i]->port, port->nic->port);
        frame_check(batch.buf[i], number + i, bytes);
    }
    host_set_core(port->core);
    buf_batch_free(&batch);
    host_set_core(0);
    return n;
}

static void run_both_ways(void **state)
{
    static const uint32_t lengths[] = {22, 59, 60, 61, 1514};

    open_pipe(1514);
    for (uint32_t i = 0; i < 500; i++) {
        uint32_t bytes = lengths[i % RT_ARRAY_SIZE(lengths)];

        assert_true(host_port_send(&a, frame_make(a.pool, i, bytes)));
        host_set_core(b.core);
        struct buf *answer = frame_make(b.pool, ~i, bytes);
        host_set_core(0);
        assert_true(host_port_send(&b, answer));
        assert_int_equal(drain(&b, i, bytes), 1);
        assert_int_equal(drain(&a, ~i, bytes), 1);
    }
    nic_poll_stats(b.nic, NIC_STATS_ALL);
    assert_int_equal(b.nic->stats.rx_packets, 500);
    assert_int_equal(b.nic->stats.tx_packets, 500);
    close_pipe();
}

/* A sent buffer is the NIC's until the other end has polled, and the sender looked. */
static void run_in_flight(void **state)
{
    struct buf *frame;
    uint8_t *owner;

    open_pipe(1514);
    frame = frame_make(a.pool, 7, 100);
    owner = frame->owner;
    assert_true(host_port_send(&a, frame));
    assert_int_equal(*owner, BUF_NIC);
    reclaim(&a);
    assert_int_equal(*owner, BUF_NIC); /* nobody has received it */
    assert_int_equal(drain(&b, 7, 100), 1);
    assert_int_equal(*owner, BUF_NIC); /* nobody has looked */
    reclaim(&a);
    assert_int_equal(*owner, BUF_POOL);
    close_pipe();
}

/* What finds no descriptor at the far end waits in the sender's ring, then with its owner. */
static void run_loses_nothing(void **state)
{
    uint32_t sent = 0, received = 0;

    open_pipe(1514);
    for (uint32_t i = 0; i < 1000; i++) {
        struct buf *frame = frame_make(a.pool, sent, 80);

        if (frame == NULL || !host_port_send(&a, frame))
            break;
        sent++;
    }
    assert_in_range(sent, 1, HOST_PORT_DESCS - 1);
    assert_true(POOL_HOSTILE || a.nic->txq[0]->stats.ring_full == 1);
    while (received < sent) {
        uint32_t n = drain(&b, received, 80);

        assert_true(n > 0);
        received += n;
    }
    assert_int_equal(drain(&b, 0, 80), 0);
    close_pipe();
}

/* Frames of several buffers, on both sides. */
static void run_long_frames(void **state)
{
    open_pipe(9216);
    for (uint32_t bytes = 2000; bytes <= 9216; bytes += 401) {
        struct buf *frame = frame_make(a.pool, bytes, bytes);
        uint32_t n = 0;

        assert_non_null(frame);
        assert_true(host_port_send(&a, frame));
        for (uint32_t i = 0; i < 3 && n == 0; i++)
            n = drain(&b, bytes, bytes);
        assert_int_equal(n, 1);
    }
    close_pipe();
}

static uint32_t released;

static void release(struct buf_pin *pin)
{
    released++;
}

/* Headers, and a payload that lies elsewhere: the pin is put when the other end has polled, the
 * sender looked, and its keeper let go, whatever comes last. */
static void run_external(void **state)
{
    static const struct pool_config shape = {.name = "headers", .cores = CORES, .count = 8};
    static uint8_t value[900];
    struct pool *headers = NULL;

    assert_int_equal(pool_create_config(&shape, &headers), RT_OK);
    open_pipe(1514);
    for (uint32_t early = 0; early < 2; early++) {
        struct buf *frame = frame_make(a.pool, 3, 54), *ext = NULL;
        struct buf_batch batch = {.count = 0};
        struct buf_pin pin;
        struct buf_ref ref;

        released = 0;
        buf_pin_init(&pin, release);
        for (unsigned i = 0; i < 100 && ext == NULL; i++)
            ext = buf_ext_take(headers, &pin, value, sizeof(value));
        ref = (struct buf_ref){ext, ext->owner};
        frame->next = ext;
        frame->segments = 2;
        frame->pkt_len = 54 + sizeof(value);
        memset(value, (int)(0x50 + early), sizeof(value));
        buf_pin_put(&pin);
        assert_true(host_port_send(&a, frame));
        if (early == 1)
            buf_let_go(ref); /* acknowledged before the card has sent it */
        reclaim(&a);
        assert_int_equal(released, 0);
        assert_int_equal(host_port_receive(&b, &batch), 1);
        assert_int_equal(batch.buf[0]->pkt_len, 54 + sizeof(value));
        assert_memory_equal(buf_data(batch.buf[0]) + 54, value, sizeof(value));
        host_set_core(b.core);
        buf_batch_free(&batch);
        host_set_core(0);
        assert_int_equal(released, 0);
        reclaim(&a);
        assert_int_equal(released, early);
        if (early == 0)
            buf_let_go(ref);
        assert_int_equal(released, 1);
    }
    close_pipe();
    assert_int_equal(headers->free, headers->total);
}

static void run_refused(void **state)
{
    struct buf *frame;

    open_pipe(1514);
    frame = frame_make(a.pool, 1, 100);
    frame->flags |= BUF_TX_TSO; /* a pipe cuts nothing up */
    assert_true(host_port_send(&a, frame));
    assert_true(host_port_send(&a, frame_make(a.pool, 1, 1519))); /* longer than it may be */
    assert_int_equal(a.nic->txq[0]->stats.bad_request, 2);
    assert_int_equal(drain(&b, 0, 0), 0);
    close_pipe();
}

/* The next frame interrupts the core of the queue that was armed: once. */
static void run_arm(void **state)
{
    struct nic_rxq *rxq;

    open_pipe(1514);
    rxq = b.nic->rxq[0];
    assert_true(rxq->irq_reaches);
    assert_int_equal(rxq->irq.core, 1);
    assert_true(host_port_send(&a, frame_make(a.pool, 0, 60)));
    assert_true(nic_rx_arm(rxq)); /* a frame waits: nothing armed */
    assert_int_equal(*rxq->irq.count, 0);
    assert_int_equal(drain(&b, 0, 60), 1);
    assert_false(nic_rx_arm(rxq));
    assert_int_equal(*rxq->irq.count, 0);
    assert_true(host_port_send(&a, frame_make(a.pool, 1, 60)));
    assert_int_equal(*rxq->irq.count, 1);
    assert_true(host_port_send(&a, frame_make(a.pool, 2, 60)));
    assert_int_equal(*rxq->irq.count, 1);
    nic_rx_disarm(rxq);
    while (drain(&b, 1, 60) == 0)
        ;
    assert_false(nic_rx_arm(rxq));
    nic_rx_disarm(rxq);
    assert_true(host_port_send(&a, frame_make(a.pool, 3, 60)));
    assert_int_equal(*rxq->irq.count, 1); /* it is polled again */
    close_pipe();
}

static void run_link(void **state)
{
    open_pipe(1514);
    assert_true(a.nic->link.up && b.nic->link.up);
    host_port_stop(&b);
    nic_poll_link(a.nic);
    assert_false(a.nic->link.up);
    assert_true(host_port_send(&a, frame_make(a.pool, 5, 60))); /* waits, as on a card */
    host_port_start(&b, b.nic, 1, 1514);
    nic_poll_link(a.nic);
    assert_true(a.nic->link.up);
    assert_int_equal(a.nic->link.changes, 3);
    assert_int_equal(drain(&b, 5, 60), 1);
    close_pipe();
}

/* What an end had sent when it was stopped is home again: nobody gets it any more. */
static void run_stopped(void **state)
{
    open_pipe(1514);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(host_port_send(&a, frame_make(a.pool, i, 60)));
    host_port_stop(&a);
    assert_int_equal(drain(&b, 0, 60), 0);
    host_port_start(&a, a.nic, 0, 1514);
    assert_int_equal(drain(&b, 0, 60), 0);
    assert_true(host_port_send(&a, frame_make(a.pool, 4, 60)));
    assert_int_equal(drain(&b, 4, 60), 1);
    close_pipe();
}

static uint32_t pass(uint32_t number, const uint8_t to[6], uint16_t tag)
{
    struct buf *frame = frame_make(a.pool, number, 64);
    struct buf_batch batch = {.count = 0};
    uint32_t n;

    memcpy(buf_data(frame), to, 6);
    if (tag != 0) {
        const uint8_t vlan[4] = {0x81, 0, (uint8_t)(tag >> 8), (uint8_t)tag};

        memcpy(buf_data(frame) + 12, vlan, sizeof(vlan));
    }
    assert_true(host_port_send(&a, frame));
    n = host_port_receive(&b, &batch);
    host_set_core(b.core);
    buf_batch_free(&batch);
    host_set_core(0);
    return n;
}

static void run_filters(void **state)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1}, other[6] = {2, 1, 1, 1, 1, 1};

    open_pipe(1514);
    assert_int_equal(pass(0, other, 0), 1);
    assert_int_equal(nic_set_promiscuous(b.nic, false), RT_OK);
    assert_int_equal(pass(0, other, 0), 0);
    assert_int_equal(pass(0, b.nic->mac, 0), 1);
    assert_int_equal(pass(0, all, 0), 1);
    assert_int_equal(pass(0, group, 0), 0);
    assert_int_equal(nic_add_multicast(b.nic, group), RT_OK);
    assert_int_equal(pass(0, group, 0), 1);
    assert_int_equal(pass(0, all, 5), 1);
    assert_int_equal(nic_set_vlan_filter(b.nic, 6, true), RT_OK);
    assert_int_equal(pass(0, all, 5), 0);
    assert_int_equal(pass(0, all, 6), 1);
    assert_int_equal(pass(0, all, 0), 1);
    assert_int_equal(nic_set_vlan_filter(b.nic, 6, false), RT_OK);
    assert_int_equal(pass(0, all, 5), 1);
    close_pipe();
}

/* Core 0 looks, each core takes part, until the port runs again. */
static void recover(struct host_port *port)
{
    for (uint32_t i = 0; i < 100; i++) {
        nic_poll_link(port->nic);
        host_set_core(port->core);
        nic_core_poll(port->core);
        host_set_core(0);
        hal_delay_us(1000);
    }
    assert_int_equal(port->nic->rxq[0]->state, NIC_QUEUE_RUNS);
}

/* At each moment of a frame's way, from either end. */
static void run_recovery(void **state)
{
    for (uint32_t moment = 0; moment < 4; moment++) {
        struct host_port *ends[2] = {&a, &b};
        struct host_port *broken = ends[moment % 2];

        open_pipe(1514);
        for (uint32_t i = 0; i < 5; i++)
            assert_true(host_port_send(&a, frame_make(a.pool, i, 60)));
        if (moment >= 2)
            (void)drain(&b, 0, 60);
        pipe_break(broken->nic, "test");
        recover(broken);
        assert_int_equal(broken->nic->counters[0].value, 1);
        for (uint32_t i = 0; i < 3; i++) {
            struct buf_batch batch = {.count = 0};

            (void)host_port_receive(&b, &batch);
            host_set_core(b.core);
            buf_batch_free(&batch);
            host_set_core(0);
        }
        assert_true(host_port_send(&a, frame_make(a.pool, 9, 60)));
        assert_int_equal(drain(&b, 9, 60), 1);
        close_pipe();
    }
}

/* Random lengths, bursts and pauses: all arrive, in order. */
static void run_many(void **state)
{
    uint32_t sent = 0, received = 0;

    open_pipe(4000);
    while (received < 100000) {
        for (uint32_t burst = rnd(40); burst > 0 && sent < 100000; burst--) {
            struct buf *frame = frame_make(a.pool, sent, FRAME_BYTES_MIN + sent * 7 % 300);

            if (frame == NULL || !host_port_send(&a, frame))
                break;
            sent++;
        }
        struct buf_batch batch = {.count = 0};
        uint32_t n = rnd(3) != 0 ? host_port_receive(&b, &batch) : 0;

        for (uint32_t i = 0; i < n; i++, received++)
            frame_check(batch.buf[i], received, FRAME_BYTES_MIN + received * 7 % 300);
        host_set_core(b.core);
        buf_batch_free(&batch);
        host_set_core(0);
    }
    close_pipe();
}

static void run_no_more_ports(void **state)
{
    struct nic *ends[2];

    for (uint32_t i = 0; i < NIC_PORTS_MAX / 2; i++)
        assert_int_equal(pipe_open(ends), RT_OK);
    assert_int_equal(pipe_open(ends), RT_FULL);
    assert_int_equal(nic_count(), NIC_PORTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(run_both_ways), HOST_TEST(run_in_flight),  HOST_TEST(run_loses_nothing),
        HOST_TEST(run_long_frames), HOST_TEST(run_external), HOST_TEST(run_refused),
        HOST_TEST(run_arm),       HOST_TEST(run_link),       HOST_TEST(run_stopped),
        HOST_TEST(run_filters),
        HOST_TEST(run_recovery),  HOST_TEST(run_many),       HOST_TEST(run_no_more_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

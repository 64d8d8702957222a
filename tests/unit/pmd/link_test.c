/* SPDX-License-Identifier: BSD-2-Clause */
/* The link over a pipe: what comes out, when, whose the buffers are, and that a seed says all of
 * it. wire_test.c has the harm itself. */
#include "host_port.h"

#include <pmd/link.h>
#include <pmd/pipe.h>
#include <string.h>

static struct host_port a, b; /* a has the link */
static struct nic *pipes[2];

static void open_link(const struct link_config *config, uint16_t frame_max_bytes)
{
    struct nic *link = NULL;

    a = b = (struct host_port){.nic = NULL};
    assert_int_equal(pipe_open(pipes), RT_OK);
    assert_int_equal(link_over(pipes[0], config, &link), RT_OK);
    assert_memory_equal(link->mac, pipes[0]->mac, 6);
    host_port_start(&a, link, 0, frame_max_bytes);
    host_port_start(&b, pipes[1], 1, frame_max_bytes);
    nic_poll_link(a.nic);
    assert_true(a.nic->link.up);
}

static void close_link(void)
{
    host_port_stop(&a);
    host_port_stop(&b);
    for (const struct pool *p = pool_first(); p != NULL; p = p->next)
        assert_int_equal(p->free, p->total); /* those of the link, too */
    assert_int_equal(buf_refusals(), 0);
}

static void give_back(struct host_port *port, struct buf_batch *batch)
{
    host_set_core(port->core);
    buf_batch_free(batch);
    host_set_core(0);
}

/* Numbers of what arrives now, behind those at `numbers`; returns how many there are. */
static uint32_t drain(struct host_port *port, uint32_t *numbers, uint32_t count)
{
    struct buf_batch batch = {.count = 0};

    for (uint32_t i = 0; i < 4; i++) {
        (void)host_port_receive(port, &batch);
        for (uint32_t k = 0; k < batch.count; k++)
            numbers[count++] = frame_number(batch.buf[k]);
        give_back(port, &batch);
    }
    return count;
}

static struct buf *make_for(struct host_port *port, uint32_t number, uint32_t bytes)
{
    struct buf *frame;

    host_set_core(port->core);
    frame = frame_make(port->pool, number, bytes);
    host_set_core(0);
    return frame;
}

static const struct link_config bad = {
    .in = {.seed = 11, .loss_ppm = 50000, .duplicate_ppm = 30000, .reorder_ppm = 50000,
           .reorder_us = 3000, .delay_us = 2000, .jitter_us = 300},
    .out = {.seed = 12, .loss_ppm = 50000, .duplicate_ppm = 30000, .reorder_ppm = 50000,
            .reorder_us = 3000, .delay_us = 2000, .jitter_us = 300},
};

/* Sends 1,000 frames one way, `burst` at a time, a millisecond apart. */
static uint32_t one_way(struct host_port *from, struct host_port *to, uint32_t burst,
                        uint32_t *numbers)
{
    uint32_t count = 0, ignored[256];

    for (uint32_t sent = 0; sent < 1000; host_clock_advance_us(1000)) {
        for (uint32_t i = 0; i < burst && sent < 1000; i++, sent++)
            assert_true(host_port_send(from, make_for(from, sent, 100)));
        (void)drain(from, ignored, 0);
        count = drain(to, numbers, count);
    }
    for (uint32_t i = 0; i < 20; i++) {
        host_clock_advance_us(1000);
        (void)drain(from, ignored, 0);
        count = drain(to, numbers, count);
    }
    return count;
}

/* The same 1,000 frames through a link that begins anew. */
static uint32_t again(const struct link_config *config, bool out, uint32_t burst,
                      uint32_t *numbers)
{
    host_port_stop(&a);
    assert_int_equal(link_set(a.nic, config), RT_OK);
    host_port_start(&a, a.nic, 0, 1514);
    return one_way(out ? &a : &b, out ? &b : &a, burst, numbers);
}

/* Whatever the bursts: the same are lost and doubled. In the same bursts: the same order. */
static void run_same_seed(void **state)
{
    static uint32_t one[2048], two[2048];

    if (POOL_HOSTILE) /* which loses frames by itself */
        return;
    open_link(&bad, 1514);
    for (unsigned out = 0; out < 2; out++) {
        struct link_config other = bad;
        uint32_t count = again(&bad, out != 0, 8, one);

        assert_in_range(count, 900, 1060);
        assert_int_equal(again(&bad, out != 0, 8, two), count);
        assert_memory_equal(one, two, count * sizeof(one[0]));
        assert_int_equal(again(&bad, out != 0, 5, two), count);
        other.in.seed++;
        other.out.seed++;
        assert_false(again(&other, out != 0, 8, two) == count &&
                     memcmp(one, two, count * sizeof(one[0])) == 0);
    }
    close_link();
}

/* Every frame arrives, and its time is that of the way. */
static void run_delay(void **state)
{
    const struct link_config config = {.in.delay_us = 5000, .out.delay_us = 3000};
    uint32_t numbers[512];

    open_link(&config, 1514);
    assert_int_equal(link_next_us(a.nic), UINT64_MAX);
    assert_true(host_port_send(&a, make_for(&a, 1, 100)));
    assert_int_equal(link_next_us(a.nic), hal_now_us() + 3000);
    assert_true(nic_rx_arm(a.nic->rxq[0])); /* one is under way: no sleep */
    host_clock_advance_us(2999);
    (void)drain(&a, numbers, 0);
    assert_int_equal(drain(&b, numbers, 0), 0);
    host_clock_advance_us(1);
    (void)drain(&a, numbers, 0);
    assert_int_equal(drain(&b, numbers, 0), 1);
    assert_int_equal(numbers[0], 1);
    assert_true(host_port_send(&b, make_for(&b, 2, 100)));
    assert_int_equal(drain(&a, numbers, 0), 0);
    host_clock_advance_us(5000);
    assert_int_equal(drain(&a, numbers, 0), 1);
    assert_int_equal(numbers[0], 2);
    assert_false(nic_rx_arm(a.nic->rxq[0]));
    assert_true(host_port_send(&b, make_for(&b, 3, 100)));
    assert_int_equal(*a.nic->rxq[0]->irq.count, 1);
    close_link();
}

/* A sent buffer is the NIC's until the line has it: not until the far end does. */
static void run_owners(void **state)
{
    const struct link_config config = {.out.delay_us = 1000};
    struct buf *frame;
    struct buf_ref ref;
    bool kept;

    open_link(&config, 1514);
    frame = make_for(&a, 1, 100);
    ref = (struct buf_ref){frame, frame->owner};
    kept = buf_move(frame, ref.owner, BUF_STACK, BUF_KEPT);
    assert_true(kept);
    assert_true(host_port_send(&a, frame));
    assert_int_equal(*ref.owner, BUF_KEPT_NIC);
    (void)nic_tx_reclaim(a.nic->txq[0]);
    assert_int_equal(*ref.owner, BUF_KEPT);
    buf_let_go(ref);
    close_link();
}

/* Whole, in as many buffers as they need, at their ends. */
static void run_long_frames(void **state)
{
    const struct link_config config = {.in.delay_us = 10};

    open_link(&config, 9216);
    for (uint32_t bytes = 1500; bytes <= 9216; bytes += 643) {
        struct host_port *ends[2] = {&a, &b};

        for (unsigned i = 0; i < 2; i++) {
            struct buf_batch batch = {.count = 0};

            assert_true(host_port_send(ends[i], make_for(ends[i], bytes, bytes)));
            for (uint32_t k = 0; k < 20 && batch.count == 0; k++) {
                host_clock_advance_us(10);
                (void)host_port_receive(ends[i], &batch);
                give_back(ends[i], &batch);
                (void)host_port_receive(ends[1 - i], &batch);
            }
            assert_int_equal(batch.count, 1);
            assert_ptr_equal(batch.buf[0]->pool, ends[1 - i]->pool);
            frame_check(batch.buf[0], bytes, bytes);
            give_back(ends[1 - i], &batch);
        }
    }
    close_link();
}

/* At any moment: what is under way is lost, and every buffer comes home. */
static void run_stop(void **state)
{
    open_link(&bad, 1514);
    for (uint32_t round = 0; round < 30; round++) {
        uint32_t numbers[512];

        for (uint32_t i = 0; i < rnd(20); i++) {
            (void)host_port_send(&a, make_for(&a, i, 100));
            (void)host_port_send(&b, make_for(&b, i, 100));
        }
        host_clock_advance_us(rnd(4000));
        if (rnd(2) == 0)
            (void)drain(&a, numbers, 0);
        host_port_stop(&a);
        assert_int_equal(link_next_us(a.nic), UINT64_MAX);
        host_port_start(&a, a.nic, 0, 1514);
        assert_int_equal(link_counts_out(a.nic).frames, 0);
    }
    close_link();
}

static void run_counts(void **state)
{
    static uint32_t numbers[2048];
    struct link_counts out;

    open_link(&bad, 1514);
    (void)one_way(&a, &b, 4, numbers);
    out = link_counts_out(a.nic);
    assert_int_equal(out.frames, 1000);
    nic_poll_stats(a.nic, NIC_STATS_ALL);
    assert_string_equal(a.nic->counters[6].name, "link_out_lost");
    assert_int_equal(a.nic->counters[6].value, out.lost);
    assert_true(out.lost > 20);
    assert_int_equal(a.nic->stats.tx_packets, out.frames - out.lost + out.duplicated);
    close_link();
}

static void run_settings(void **state)
{
    struct link_config config = {.out.frames_max = 4};
    struct link_config wrong = {.in.loss_ppm = LINK_PPM + 1};
    struct nic *link = NULL;

    open_link(&config, 1514);
    assert_int_equal(link_set(a.nic, &config), RT_BUSY);
    host_port_stop(&a);
    assert_int_equal(link_set(a.nic, &wrong), RT_INVALID);
    config.out.frames_max = 2000;
    config.out.delay_us = 50;
    assert_int_equal(link_set(a.nic, &config), RT_OK);
    host_port_start(&a, a.nic, 0, 1514);
    assert_true(host_port_send(&a, make_for(&a, 1, 100)));
    assert_int_equal(link_next_us(a.nic), hal_now_us() + 50);
    host_port_stop(&b);
    assert_int_equal(link_over(pipes[1], &wrong, &link), RT_INVALID);
    assert_non_null(strstr(console, "link way=in error=configure"));
    host_port_start(&b, b.nic, 1, 1514);
    close_link();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(run_same_seed), HOST_TEST(run_delay), HOST_TEST(run_owners),
        HOST_TEST(run_long_frames), HOST_TEST(run_stop), HOST_TEST(run_counts),
        HOST_TEST(run_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Under each fault of the device, at random: the port recovers, no buffer is lost, the device
 * is never pointed outside a buffer's room, and a counter tells the reason. */
#include "ixgbe_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_US 200
#define CALL_US_MAX 200 /* no call of nic_poll_link holds core 0 up for longer */
#define CALL_MODULE_US_MAX 5000 /* ... but to ask a card that was away for its module */
#define POLL_EVERY 500 /* bursts: link is looked at every 100 ms */

struct fault_row {
    enum x82599_fault kind;
    uint32_t chance_65536;
    const char *log; /* what the driver says about it; NULL: nothing */
};

static const struct fault_row rows[] = {
    {X82599_FAULT_LATE_WRITEBACK, 3000, NULL},
    {X82599_FAULT_WRONG_LENGTH, 3000, NULL},
    {X82599_FAULT_DD_WITHOUT_DATA, 3000, NULL},
    {X82599_FAULT_LOST_IRQ, 20000, NULL},
    {X82599_FAULT_SPURIOUS_IRQ, 3000, NULL},
    {X82599_FAULT_STUCK_TX, 3, "fault=tx-hang"},
    {X82599_FAULT_LINK_FLAP, 100, "link=down"},
    {X82599_FAULT_RESET_NEEDED, 100, "fault=memory-error"},
};

/* No more than a ring takes, so that as many frames pass in the hostile build's rings of 8. */
static uint32_t burst_of(const struct card *card)
{
    return RT_MIN(32, card->nic->config.rx_descs);
}

/* Some bursts in, whatever comes out is sent again. */
static void turn(struct card *card, uint32_t round)
{
    struct buf_batch batch = {.count = 0};

    for (uint32_t i = 0; i < burst_of(card); i++)
        (void)card_receive(card, 60 + (round + i) * 37 % 1455, round);
    (void)nic_rx(card->nic->rxq[0], &batch, 64);
    for (uint32_t i = 0; i < batch.count; i++)
        assert_in_range(batch.buf[i]->data_len, 1, BUF_ROOM_BYTES);
    nic_tx(card->nic->txq[0], &batch);
    buf_batch_free(&batch);
    if (round % 8 == 0 && !nic_rx_arm(card->nic->rxq[0])) {
        (void)card_receive(card, 60, round); /* raises an interrupt */
        nic_rx_disarm(card->nic->rxq[0]);
    }
    assert_in_range(card_live_us(card, STEP_US), 0, CALL_US_MAX);
    if (round % POLL_EVERY == 0 || *card->nic->link_irq.count != card->link_irqs_seen)
        nic_poll_link(card->nic);
    card->link_irqs_seen = *card->nic->link_irq.count;
}

/* Without faults again: every frame comes through. */
static void must_work(struct card *card, uint64_t call_us_max)
{
    uint64_t before;

    for (unsigned kind = 0; kind < X82599_FAULT_KINDS; kind++)
        x82599_fault_chance(card->dev, (enum x82599_fault)kind, 0);
    for (uint32_t i = 0; i < 30; i++) { /* link back, hang seen, queues parked, reset */
        struct buf_batch batch = {.count = 0};

        assert_in_range(card_live_us(card, 100000), 0, call_us_max);
        nic_poll_link(card->nic);
        (void)nic_rx(card->nic->rxq[0], &batch, 64);
        nic_tx(card->nic->txq[0], &batch);
        buf_batch_free(&batch);
    }
    for (uint32_t i = 0; i < 20; i++) {
        struct buf_batch batch = {.count = 0};

        before = card->sent_frames;
        assert_int_equal(card_receive(card, 100, i), X82599_RX_ACCEPTED);
        assert_int_equal(nic_rx(card->nic->rxq[0], &batch, 32), 1);
        assert_true(card_is(buf_data(batch.buf[0]), 100, i));
        nic_tx(card->nic->txq[0], &batch);
        assert_int_equal(batch.count, 0);
        assert_int_equal(card->sent_frames - before, 1);
    }
}

static uint64_t environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static void test_faults(void **state)
{
    uint64_t frames = environment("FAULT_FRAMES", 100000), seed = environment("FAULT_SEED", 1);

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct card *card = card_start(&card_config, seed + i);
        const struct fault_row *row = &rows[i];

        x82599_fault_chance(card->dev, row->kind, row->chance_65536);
        for (uint32_t round = 0; round < frames / burst_of(card); round++)
            turn(card, round);
        must_work(card, CALL_US_MAX);
        nic_poll_stats(card->nic, NIC_STATS_ALL);
        printf("%-18s seed=%llu faults=%llu sent=%llu hostile=%llu recoveries=%llu\n",
               x82599_fault_name(row->kind), (unsigned long long)(seed + i),
               (unsigned long long)x82599_counters(card->dev)->faults[row->kind],
               (unsigned long long)card->sent_frames,
               (unsigned long long)card->nic->rxq[0]->stats.hostile,
               (unsigned long long)card->nic->counters[card->nic->counter_count - 3].value);
        assert_true(x82599_counters(card->dev)->faults[row->kind] > 0);
        if (row->kind == X82599_FAULT_WRONG_LENGTH)
            assert_true(card->nic->rxq[0]->stats.hostile > 0);
        if (row->log != NULL)
            assert_true(card_logged(card, row->log));
        card_stop(card);
        card_free(card);
    }
}

static void send_one(struct card *card)
{
    struct buf_batch batch = {.count = 1};

    batch.buf[0] = card_buf(card, 100, 0);
    nic_tx(card->nic->txq[0], &batch);
    assert_int_equal(batch.count, 0);
}

/* The chip has not fetched the last frame. */
static void head_behind(struct card *card)
{
    uint32_t tail = x82599_read32(card->dev, IXGBE_TDT(0));
    volatile uint8_t *bar = x82599_bar(card->dev);

    *(volatile uint32_t *)(volatile void *)(bar + IXGBE_TDH(0)) = tail - 1;
}

/* With many ports a look comes once a second: a frame that was sent just before one is new,
 * however long ago the last one was. At the next look it is a hang. */
static void a_new_frame_is_no_hang(void **state)
{
    struct card *card = card_start(&card_config, 1);

    send_one(card);
    nic_poll_link(card->nic);
    card_pass_us(card, 1000000);
    nic_poll_link(card->nic);
    card_pass_us(card, 1000000);
    send_one(card);
    head_behind(card);
    nic_poll_link(card->nic);
    assert_false(card_logged(card, "fault="));
    card_pass_us(card, 999999);
    nic_poll_link(card->nic);
    assert_false(card_logged(card, "fault="));
    card_pass_us(card, 1);
    nic_poll_link(card->nic);
    assert_true(card_logged(card, "fault=tx-hang action=reset"));
    must_work(card, CALL_US_MAX);
    card_stop(card);
    card_free(card);
}

/* A partner may hold us up for as long as it likes. */
static void a_pause_is_no_hang(void **state)
{
    struct card *card = card_start(&card_config, 1);
    volatile uint8_t *bar = x82599_bar(card->dev);

    send_one(card);
    head_behind(card);
    for (uint32_t i = 0; i < 20; i++) {
        *(volatile uint32_t *)(volatile void *)(bar + IXGBE_LXOFFRXC) = 1;
        nic_poll_link(card->nic);
        card_pass_us(card, 500000);
    }
    assert_false(card_logged(card, "fault="));
    for (uint32_t i = 0; i < 4; i++) {
        nic_poll_link(card->nic);
        card_pass_us(card, 500000);
    }
    assert_true(card_logged(card, "fault=tx-hang action=reset"));
    must_work(card, CALL_US_MAX);
    card_stop(card);
    card_free(card);
}

/* What held a queue up for a while does not hide that it hangs, though no frame comes any more.
 */
static void a_hang_outlives_a_pause(void **state)
{
    struct card *card = card_start(&card_config, 1);
    volatile uint8_t *bar = x82599_bar(card->dev);

    send_one(card);
    head_behind(card);
    nic_poll_link(card->nic);
    card_pass_us(card, 500000);
    *(volatile uint32_t *)(volatile void *)(bar + IXGBE_LXOFFRXC) = 1;
    nic_poll_link(card->nic);
    for (uint32_t i = 0; i < 4; i++) {
        card_pass_us(card, 500000);
        nic_poll_link(card->nic);
    }
    assert_true(card_logged(card, "fault=tx-hang action=reset"));
    must_work(card, CALL_US_MAX);
    card_stop(card);
    card_free(card);
}

static void test_removal(void **state)
{
    struct card *card = card_start(&card_config, 1);

    for (uint32_t round = 0; round < 100; round++)
        turn(card, round);
    x82599_fault_now(card->dev, X82599_FAULT_REMOVAL, 0);
    for (uint32_t round = 0; round < 2000; round++)
        turn(card, round);
    assert_true(card_logged(card, "fault=removed"));
    assert_false(card->nic->link.up);
    card_stop(card);
    card_free(card);
}

static void test_removal_and_back(void **state)
{
    struct card *card = card_start(&card_config, 1);

    x82599_fault_now(card->dev, X82599_FAULT_REMOVAL, 0);
    for (uint32_t round = 0; round < 2000; round++)
        turn(card, round);
    x82599_port_replug(card->port);
    must_work(card, CALL_MODULE_US_MAX);
    assert_true(card_logged(card, "fault=came-back action=reset status=recovered"));
    card_stop(card);
    card_free(card);
}

/* A bounce of the PCIe link, too short to be seen: every register is as after power on. */
static void a_reset_by_others_is_seen(void **state)
{
    struct card *card = card_start(&card_config, 1);

    send_one(card);
    x82599_power_on(card->dev);
    card_pass_us(card, 200000);
    nic_poll_link(card->nic);
    assert_true(card_logged(card, "fault=was-reset action=reset"));
    must_work(card, CALL_US_MAX);
    card_stop(card);
    card_free(card);
}

/* Whatever step a recovery is at; card_stop() wants no register touched while a reset is alone.
 */
static void stop_at_each_step(void **state)
{
    for (uint32_t steps = 0; steps < 80; steps++) {
        struct card *card = card_start(&card_config, 1);

        x82599_fault_now(card->dev, X82599_FAULT_RESET_NEEDED, 0);
        nic_poll_link(card->nic);
        for (uint32_t i = 0; i < steps; i++) {
            uint64_t now_us = hal_now_us(), next_us = nic_next_us(card->nic);

            if (next_us != UINT64_MAX && next_us > now_us)
                card_pass_us(card, next_us - now_us);
            nic_poll_link(card->nic);
        }
        card_stop(card);
        card_free(card);
    }
}

static struct hal_mmio whole;

static uint32_t read_queue_off(void *ctx, uint32_t offset)
{
    return hal_read32(&whole, offset) & ~(offset == IXGBE_TXDCTL(0) ? IXGBE_DCTL_ENABLE : 0);
}

static void write_through(void *ctx, uint32_t offset, uint32_t value)
{
    hal_write32(&whole, offset, value);
}

/* A transmit queue that does not come on fails the recovery behind the point where interrupts
 * are on. Until the next try nobody would acknowledge any: on a line they would never end. */
static void a_try_that_failed_is_silent(void **state)
{
    static const struct hal_mmio_ops queue_off = {read_queue_off, write_through};
    struct nic_config config = card_config;
    struct card *card;

    config.irq_mode = NIC_IRQ_INTX;
    card = card_start(&config, 1);
    whole = card->nic->mmio;
    card->nic->mmio.ops = &queue_off;
    x82599_fault_now(card->dev, X82599_FAULT_RESET_NEEDED, 0);
    nic_poll_link(card->nic);
    for (uint32_t i = 0; i < 10000 && !card_logged(card, "status=failed"); i++) {
        card_pass_us(card, 100);
        nic_poll_link(card->nic);
    }
    assert_true(card_logged(card, "fault=memory-error action=reset status=failed"));
    x82599_link(card->dev, false);
    x82599_link(card->dev, true);
    card_pass_us(card, 1000);
    assert_false(x82599_irq_line(card->dev));
    card->nic->mmio = whole;
    must_work(card, CALL_US_MAX);
    card_stop(card);
    card_free(card);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(a_new_frame_is_no_hang),
        cmocka_unit_test(a_pause_is_no_hang),
        cmocka_unit_test(a_hang_outlives_a_pause),
        cmocka_unit_test(test_removal),
        cmocka_unit_test(test_removal_and_back),
        cmocka_unit_test(a_reset_by_others_is_seen),
        cmocka_unit_test(stop_at_each_step),
        cmocka_unit_test(a_try_that_failed_is_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

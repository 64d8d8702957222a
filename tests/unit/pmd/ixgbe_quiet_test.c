/* SPDX-License-Identifier: BSD-2-Clause */
/* A queue on which nothing follows: what was sent comes back all the same. Otherwise a value would
 * never be released, a lost segment never sent again, and a small pool would end all sending. */
#include "ixgbe_port.h"

#include <mempool/ext.h>
#include <string.h>

static uint32_t released;

static void release(struct buf_pin *pin)
{
    released++;
}

/* Time in which the card sends, and the core looks at what it did. */
static void pass_a_millisecond(struct card *card)
{
    card_live_us(card, 1000);
    nic_tx_reclaim(card->nic->txq[0]);
}

/* One answer: headers, and bytes of the value behind them. False: no header for it. */
static bool answer(struct card *card, struct pool *headers, struct buf_pin *pin)
{
    static const uint8_t value[500];
    struct buf *ext = buf_ext_take(headers, pin, value, sizeof(value));
    struct buf_batch batch = {.count = 1};
    struct buf *first;

    if (ext == NULL)
        return false;
    first = card_buf(card, 60, 1);
    first->next = ext;
    first->segments = 2;
    first->pkt_len = 60 + sizeof(value);
    batch.buf[0] = first;
    nic_tx(card->nic->txq[0], &batch);
    assert_int_equal(batch.count, 0);
    buf_let_go((struct buf_ref){ext, ext->owner});
    return true;
}

/* A pool of a few headers serves for ever, and the value is released when its owner lets go. */
static void run_few_headers(void **state)
{
    const struct pool_config config = {.name = "headers", .cores = 1, .count = 16};
    struct card *card = card_start(&card_config, 1);
    struct pool *headers;
    struct buf_pin pin;
    uint32_t sent = 0;

    released = 0;
    assert_int_equal(pool_create_config(&config, &headers), RT_OK);
    buf_pin_init(&pin, release);
    for (uint32_t i = 0; i < 1000; i++) {
        sent += answer(card, headers, &pin);
        pass_a_millisecond(card);
    }
    if (!POOL_HOSTILE) /* single takes fail there */
        assert_int_equal(sent, 1000);
    assert_in_range(sent, 800, 1000);
    assert_int_equal(released, 0);
    buf_pin_put(&pin);
    assert_int_equal(released, 1);
    assert_int_equal(headers->free, headers->total);
    card_stop(card);
    card_free(card);
}

/* A kept segment is its keeper's again as soon as the card has sent it: it may be sent again. */
static void run_lone_segment(void **state)
{
    struct card *card = card_start(&card_config, 1);
    struct buf *b = card_buf(card, 100, 1);

    assert_true(buf_move(b, b->owner, BUF_STACK, BUF_KEPT));
    for (uint32_t i = 0; i < 5; i++) {
        struct buf_batch batch = {.count = 1, .buf = {b}};

        nic_tx(card->nic->txq[0], &batch);
        assert_int_equal(batch.count, 0);
        assert_int_equal(*b->owner, BUF_KEPT_NIC);
        pass_a_millisecond(card);
        assert_int_equal(*b->owner, BUF_KEPT);
        assert_int_equal(card->sent_frames, i + 1);
    }
    buf_let_go((struct buf_ref){b, b->owner});
    card_stop(card);
    card_free(card);
}

/* Received frames go on, from a receive pool with a few to spare; answers have a pool apart. */
static void run_pools_apart(void **state)
{
    struct card *card = card_new(X82599_ID_SFP, 1);
    struct pool *rx, *tx;
    uint32_t accepted = 0;

    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    card->nic = nic_get(0);
    assert_int_equal(pool_create("rx", 0, 1, card_config.rx_descs + 8, &rx), RT_OK);
    assert_int_equal(pool_create("tx", 0, 1, 1000, &tx), RT_OK);
    card->pool = rx;
    assert_int_equal(nic_configure(card->nic, &card_config), RT_OK);
    assert_int_equal(nic_rxq_setup(card->nic, 0, 0, rx), RT_OK);
    assert_int_equal(nic_txq_setup(card->nic, 0, 0, tx), RT_OK);
    assert_int_equal(nic_start(card->nic), RT_OK);
    for (uint32_t round = 0; round < 1000; round++) {
        struct buf_batch batch = {.count = 0};

        nic_poll_link(card->nic);
        for (uint32_t i = 0; i < 4; i++)
            accepted += card_receive(card, 60, i) == X82599_RX_ACCEPTED;
        nic_rx(card->nic->rxq[0], &batch, 32);
        nic_tx(card->nic->txq[0], &batch);
        assert_int_equal(batch.count, 0);
        pass_a_millisecond(card);
    }
    assert_in_range(accepted, 3900, 4000);
    if (!POOL_HOSTILE)
        assert_int_equal(card->sent_frames, accepted);
    nic_stop(card->nic);
    assert_int_equal(rx->free, rx->total);
    card_free(card);
}

/* Single frames, one call each: what waits for a later call to come home is bounded. */
static void run_few_wait(void **state)
{
    struct card *card = card_start(&card_config, 1);
    const struct nic_tx_ring *q = nic_tx_ring_of(card->nic->txq[0]);

    for (uint32_t i = 0; i < 1000; i++) {
        struct buf_batch batch = {.count = 1, .buf = {card_buf(card, 60, i)}};

        nic_tx(card->nic->txq[0], &batch);
        assert_int_equal(batch.count, 0);
        assert_in_range(q->used, 1, q->reclaim_from + 1);
        card_live_us(card, 1000);
    }
    nic_tx_reclaim(card->nic->txq[0]);
    assert_int_equal(q->used, 0);
    assert_int_equal(card->sent_frames, 1000);
    card_stop(card);
    card_free(card);
}

/* Of eight calls (a ring may be smaller) the card is done with the first few: those come home,
 * no other. */
static void run_some_done(void **state)
{
    struct card *card = card_start(&card_config, 1);
    struct nic_tx_ring *q = nic_tx_ring_of(card->nic->txq[0]);
    const uint32_t calls = RT_MIN(8u, q->descs - 1u);

    x82599_fault_now(card->dev, X82599_FAULT_STUCK_TX, 0);
    for (uint32_t done = 1; done <= calls; done++) {
        while (q->report_count < calls) {
            struct buf_batch batch = {.count = 1, .buf = {card_buf(card, 60, 0)}};

            nic_tx(card->nic->txq[0], &batch);
            assert_int_equal(batch.count, 0);
        }
        for (uint32_t i = 0; i < done; i++)
            q->desc[q->reports[(q->report_first + i) % q->descs]].command |= NIC_TXD_DD;
        assert_int_equal(nic_tx_reclaim(card->nic->txq[0]), done);
        assert_int_equal(q->used, calls - done);
        assert_int_equal(nic_tx_reclaim(card->nic->txq[0]), 0);
    }
    card_stop(card);
    card_free(card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_few_headers),
        cmocka_unit_test(run_lone_segment),
        cmocka_unit_test(run_pools_apart),
        cmocka_unit_test(run_few_wait),
        cmocka_unit_test(run_some_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

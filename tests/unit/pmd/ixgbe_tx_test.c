/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe on the software 82599: what it sends, requests, and every way to go wrong. */
#include "ixgbe_port.h"

#include <string.h>

/* One buffer more than the receive ring has, and a port forwards for ever: what was sent comes
 * back though no other frame follows. */
static void test_a_pool_just_large_enough(void **state)
{
    struct card *card = card_new(X82599_ID_SFP, 1);
    struct nic_config config = card_config;

    config.rx_descs = config.tx_descs = 512;
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    card->nic = nic_get(0);
    assert_int_equal(pool_create("test", 0, 2, 512 + 1, &card->pool), RT_OK);
    card_configure(card, &config);
    assert_int_equal(nic_start(card->nic), RT_OK);
    for (uint32_t i = 0; i < 2000; i++) {
        struct buf_batch batch = {.count = 0};

        assert_int_equal(card_receive(card, 60, i), X82599_RX_ACCEPTED);
        for (uint32_t turn = 0; turn < 1000 && batch.count == 0; turn++)
            (void)nic_rx(card->nic->rxq[0], &batch, 32);
        if (!POOL_HOSTILE) /* single takes fail there, and the frame is dropped */
            assert_int_equal(batch.count, 1);
        nic_tx(card->nic->txq[0], &batch);
        assert_int_equal(batch.count, 0);
        nic_tx_reclaim(card->nic->txq[0]);
        card_pass_us(card, 10000);
    }
    card_stop(card);
    card_free(card);
}

static void test_tx_bursts(void **state)
{
    struct card *card = card_start(&card_config, 1);
    uint32_t seed = 0;

    card->check_seeds = true;
    for (uint32_t round = 0; round < 500; round++) {
        struct buf_batch batch = {.count = 0};

        for (uint32_t i = 0; i < 1 + round % 32; i++, seed++)
            batch.buf[batch.count++] = card_buf(card, 60 + seed % 1455, seed);
        card_send_all(card, &batch);
    }
    assert_int_equal(card->sent_frames, seed);
    assert_int_equal(card->sent_bad, 0);
    card_stop(card);
    assert_int_equal(card->nic->stats.tx_packets, seed);
    assert_int_equal(x82599_counters(card->dev)->bad_descs, 0);
    card_free(card);
}

/* A full ring leaves the rest with the caller, in order. */
static void test_tx_full(void **state)
{
    struct card *card = card_start(&card_config, 1);
    struct buf_batch batch = {.count = 0};
    uint32_t room = card->nic->config.tx_descs - 1u;

    x82599_fault_now(card->dev, X82599_FAULT_STUCK_TX, 0);
    for (uint32_t i = 0; i < 64 && i < room + 1; i++)
        batch.buf[batch.count++] = card_buf(card, 100, i);
    nic_tx(card->nic->txq[0], &batch);
    assert_int_equal(batch.count, 1);
    assert_true(card_is(buf_data(batch.buf[0]), 100, room));
    assert_int_equal(card->nic->txq[0]->stats.ring_full, 1);
    buf_batch_free(&batch);
    card_stop(card);
    card_free(card);
}

/* A chain that the port takes, up to all the ring can hold, goes out whatever was sent before.
 * Longer ones are refused. */
static void test_tx_chain_limit(void **state)
{
    struct nic_config config = card_with(1, 1514, false);
    struct card *card;
    static uint8_t frame[1514];
    uint32_t most, seed = 0;

    config.tx_descs = 32; /* chains as long as the ring */
    card = card_start(&config, 1);
    most = card->nic->config.tx_descs - 1u;
    card_fill(frame, sizeof(frame), 0);
    for (uint32_t segments = 2; segments <= most; segments++)
        for (uint32_t before = 0; before < card->nic->config.tx_descs; before++) {
            for (uint32_t i = 0; i < before; i++)
                assert_int_equal(card_send_one(card, card_buf(card, 60, seed++)), 1);
            assert_int_equal(card_send_one(card, card_chain(card, frame, segments * 40, 40)), 1);
            assert_int_equal(card->last.bytes, segments * 40);
            assert_memory_equal(card->last.data, frame, segments * 40);
        }
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 0);
    assert_int_equal(card_send_one(card, card_chain(card, frame, (most + 1) * 40, 40)), 0);
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 1);
    assert_int_equal(card->nic->txq[0]->stats.ring_full, 0);
    card_stop(card);
    card_free(card);
}

/* The same request again costs no context descriptor, and what comes out is right. */
static void test_checksums(void **state)
{
    struct card *card = card_start(&card_config, 1);
    uint8_t frame[300];

    for (uint32_t i = 0; i < 300; i++) {
        bool tcp = i / 50 % 2 == 0;
        uint32_t bytes = 60 + i % 200;
        struct buf *b;

        card_ip4(frame, bytes, tcp, i, SUMS_REQUEST);
        b = card_chain(card, frame, bytes, sizeof(frame));
        b->flags = BUF_TX_IP_CSUM | (tcp ? BUF_TX_TCP_CSUM : BUF_TX_UDP_CSUM);
        b->l2_bytes = 14;
        b->l3_bytes = 20;
        b->vlan_tci = (uint16_t)i; /* not asked for: does not matter */
        assert_int_equal(card_send_one(card, b), 1);
        assert_int_equal(card->last.bytes, bytes);
        assert_true(card_sums_right(card->last.data, bytes));
        if (i % 3 == 0)
            assert_int_equal(card_send_one(card, card_buf(card, 60, i)), 1); /* plain between */
    }
    assert_int_equal(x82599_counters(card->dev)->tx_contexts, 6);
    card_stop(card);
    card_free(card);
}

static void test_vlan_insert(void **state)
{
    struct card *card = card_start(&card_config, 1);

    for (uint32_t i = 0; i < 40; i++) {
        struct buf *b = card_buf(card, 100, i);
        uint8_t first[12];

        b->flags = BUF_TX_VLAN;
        b->vlan_tci = (uint16_t)(5 + i / 20);
        memcpy(first, buf_data(b), 12);
        assert_int_equal(card_send_one(card, b), 1);
        assert_int_equal(card->last.bytes, 104);
        assert_memory_equal(card->last.data, first, 12);
        assert_int_equal(card->last.data[12], 0x81);
        assert_int_equal(card->last.data[15], 5 + i / 20);
    }
    assert_int_equal(x82599_counters(card->dev)->tx_contexts, 2);
    card_stop(card);
    card_free(card);
}

static void test_tso(void **state)
{
    struct card *card = card_start(&card_config, 1);
    static uint8_t frame[20000];
    uint32_t longest = (card_sure_of(card->nic->config.tx_descs) - 1) * 2048; /* and a context */

    longest = RT_MIN(longest, sizeof(frame));

    for (uint32_t round = 0; round < 20; round++) {
        uint32_t bytes = round % 2 == 0 ? longest - round * 500 : 1500;
        struct buf *b;

        card_ip4(frame, bytes, true, round, SUMS_TSO);
        b = card_chain(card, frame, bytes, 2048);
        b->flags = BUF_TX_TSO | BUF_TX_TCP_CSUM | BUF_TX_IP_CSUM;
        b->l2_bytes = 14;
        b->l3_bytes = 20;
        b->l4_bytes = 20;
        b->mss_bytes = 1000;
        assert_int_equal(card_send_one(card, b), (bytes - 54 + 999) / 1000);
        assert_true(card_sums_right(card->last.data, card->last.bytes));
    }
    assert_int_equal(x82599_counters(card->dev)->tx_contexts, 1);
    assert_int_equal(x82599_counters(card->dev)->bad_descs, 0);
    card_stop(card);
    card_free(card);
}

/* What a stack sends without a copy: headers in one buffer, the payload in another. One context
 * is enough for all of them. */
static void test_headers_apart(void **state)
{
    struct card *card = card_start(&card_config, 1);
    static uint8_t frame[2000];

    for (uint32_t i = 0; i < 300; i++) {
        bool tso = i >= 200;
        uint32_t bytes = tso ? 1500 + i : 60 + i * 5;
        struct buf *b, *payload;

        card_ip4(frame, bytes, true, i, tso ? SUMS_TSO : SUMS_REQUEST);
        b = card_chain(card, frame, 54, 54);
        payload = card_chain(card, frame + 54, bytes - 54, sizeof(frame));
        b->next = payload;
        b->segments = 2;
        b->pkt_len = bytes;
        b->flags = BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM | (tso ? BUF_TX_TSO : 0);
        b->l2_bytes = 14;
        b->l3_bytes = 20;
        b->l4_bytes = 20;
        b->mss_bytes = 1000;
        assert_int_equal(card_send_one(card, b), tso ? 2 : 1);
        assert_true(card_sums_right(card->last.data, card->last.bytes));
    }
    assert_int_equal(x82599_counters(card->dev)->tx_contexts, 2);
    assert_int_equal(x82599_counters(card->dev)->bad_descs, 0);
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 0);
    card_stop(card);
    card_free(card);
}

static void test_bad_requests(void **state)
{
    struct card *card = card_start(&card_config, 1);
    struct buf *b;

    b = card_buf(card, 16, 0);
    assert_int_equal(card_send_one(card, b), 0);
    b = card_buf(card, 1519, 0);
    assert_int_equal(card_send_one(card, b), 0);
    b = card_buf(card, 100, 0);
    b->flags = BUF_TX_TCP_CSUM; /* without lengths */
    assert_int_equal(card_send_one(card, b), 0);
    b = card_buf(card, 100, 0);
    b->flags = BUF_TX_TSO | BUF_TX_TCP_CSUM;
    b->l2_bytes = 14;
    b->l3_bytes = 20;
    b->l4_bytes = 20;
    b->mss_bytes = 4000; /* longer than frames may be */
    assert_int_equal(card_send_one(card, b), 0);
    b = card_buf(card, 100, 0);
    b->data_off = 3000;
    assert_int_equal(card_send_one(card, b), 0);
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 5);
    assert_int_equal(card->sent_frames, 0);
    card_stop(card);
    card_free(card);
}

/* What is not the stack's is refused, and stays where it is. */
static void test_ownership(void **state)
{
    struct card *card = card_start(&card_config, 1);
    struct buf *b = card_buf(card, 100, 0);
    uint64_t refused = buf_refusals();

    *b->owner = BUF_RING;
    assert_int_equal(card_send_one(card, b), 0);
    assert_int_equal(buf_refusals() - refused, 1);
    assert_int_equal(*b->owner, BUF_RING);
    *b->owner = BUF_STACK;
    buf_free(b);
    card_stop(card);
    card_free(card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_just_large_enough),
        cmocka_unit_test(test_tx_bursts),
        cmocka_unit_test(test_tx_full),
        cmocka_unit_test(test_tx_chain_limit),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_vlan_insert),
        cmocka_unit_test(test_tso),
        cmocka_unit_test(test_headers_apart),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_ownership),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

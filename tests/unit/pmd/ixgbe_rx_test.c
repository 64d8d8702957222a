/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe on the software 82599: what it receives, and what the card says of it. */
#include "ixgbe_port.h"
#include "toeplitz.h"

#include <pmd/rss.h>
#include <string.h>

#define IP_SOURCE 26 /* behind it: destination, ports */

static void test_rx_bursts(void **state)
{
    struct card *card = card_start(&card_config, 1);
    uint32_t most = RT_MIN(32, card_sure_of(card->nic->config.rx_descs)), in = 0, out = 0;

    for (uint32_t round = 0; round < 500; round++) {
        struct buf_batch batch = {.count = 0};
        uint32_t want = round % (most + 1);

        for (uint32_t i = 0; i < want; i++, in++)
            assert_int_equal(card_receive(card, 60 + in % 1455, in), X82599_RX_ACCEPTED);
        assert_int_equal(nic_rx(card->nic->rxq[0], &batch, 32), want);
        for (uint32_t i = 0; i < want; i++, out++) {
            const struct buf *b = batch.buf[i];

            assert_int_equal(b->data_len, 60 + out % 1455);
            assert_int_equal(b->pkt_len, b->data_len);
            assert_int_equal(b->segments, 1);
            assert_int_equal(*b->owner, BUF_STACK);
            assert_true(card_is(buf_data(b), b->data_len, out));
        }
        buf_batch_free(&batch);
    }
    assert_int_equal(card->nic->rxq[0]->stats.packets, in);
    card_stop(card);
    assert_int_equal(card->nic->stats.rx_packets, in);
    card_free(card);
}

static void test_rx_results(void **state)
{
    struct nic_config config = card_with(1, 1514, true);
    struct card *card = card_start(&config, 1);
    uint8_t frame[200], tagged[204];
    struct buf_batch batch = {.count = 0};

    card_ip4(frame, sizeof(frame), true, 7, SUMS_RIGHT);
    assert_int_equal(x82599_receive(card->dev, frame, sizeof(frame)), X82599_RX_ACCEPTED);
    frame[60] ^= 1; /* wrong TCP sum */
    assert_int_equal(x82599_receive(card->dev, frame, sizeof(frame)), X82599_RX_ACCEPTED);
    frame[60] ^= 1;
    frame[24] ^= 1; /* wrong IP sum */
    assert_int_equal(x82599_receive(card->dev, frame, sizeof(frame)), X82599_RX_ACCEPTED);
    frame[24] ^= 1;
    memcpy(tagged, frame, 12);
    memcpy(tagged + 12, "\x81\x00\x01\x23", 4);
    memcpy(tagged + 16, frame + 12, sizeof(frame) - 12);
    assert_int_equal(x82599_receive(card->dev, tagged, sizeof(tagged)), X82599_RX_ACCEPTED);
    assert_int_equal(nic_rx(card->nic->rxq[0], &batch, 32), 4);
    assert_true((batch.buf[0]->flags & BUF_RX_L4_GOOD) != 0);
    assert_int_equal(batch.buf[0]->flags & (BUF_RX_IP_GOOD | BUF_RX_IP_BAD | BUF_RX_L4_BAD),
                     BUF_RX_IP_GOOD);
    assert_int_equal(batch.buf[0]->rss_type, 1);
    assert_true((batch.buf[1]->flags & BUF_RX_L4_BAD) != 0);
    assert_int_equal(batch.buf[1]->flags & BUF_RX_L4_GOOD, 0);
    assert_true((batch.buf[2]->flags & BUF_RX_IP_BAD) != 0);
    assert_true((batch.buf[3]->flags & BUF_RX_VLAN) != 0);
    assert_int_equal(batch.buf[3]->vlan_tci, 0x123);
    assert_int_equal(batch.buf[3]->data_len, sizeof(frame));
    assert_memory_equal(buf_data(batch.buf[3]), frame, sizeof(frame));
    buf_batch_free(&batch);
    card_stop(card);
    card_free(card);
}

/* A UDP sum of zero is no sum: the frame is not called bad, though the 82599 calls it so. */
static void test_udp_without_sum(void **state)
{
    static const uint16_t ids[] = {X82599_ID_SFP, X82599_ID_X540};

    for (size_t i = 0; i < RT_ARRAY_SIZE(ids); i++) {
        struct card *card = card_new(ids[i], 1);
        struct buf_batch batch = {.count = 0};
        uint8_t frame[100];

        card_bring_up(card, &card_config);
        card_ip4(frame, sizeof(frame), false, 7, SUMS_RIGHT);
        assert_int_equal(x82599_receive(card->dev, frame, sizeof(frame)), X82599_RX_ACCEPTED);
        memset(frame + 40, 0, 2);
        assert_int_equal(x82599_receive(card->dev, frame, sizeof(frame)), X82599_RX_ACCEPTED);
        for (unsigned n = 0; n < 10; n++)
            (void)nic_rx(card->nic->rxq[0], &batch, 32);
        assert_int_equal(batch.count, 2);
        assert_true((batch.buf[0]->flags & BUF_RX_L4_GOOD) != 0);
        assert_int_equal(batch.buf[1]->flags & (BUF_RX_L4_GOOD | BUF_RX_L4_BAD), 0);
        assert_true((batch.buf[1]->flags & BUF_RX_IP_GOOD) != 0);
        buf_batch_free(&batch);
        card_stop(card);
        card_free(card);
    }
}

static void test_jumbo(void **state)
{
    struct nic_config config = card_with(1, 9018, false);
    struct card *card = card_start(&config, 1);
    uint32_t most = RT_MIN(16, card_sure_of(card->nic->config.tx_descs));
    static uint8_t frame[9018];

    card->check_seeds = true;
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t bytes = 60 + i * 44;
        struct buf_batch batch = {.count = 0};

        assert_int_equal(card_receive(card, bytes, i), X82599_RX_ACCEPTED);
        if (bytes <= 2048 || bytes > 4096) /* two buffers are one call, unless the ring wraps */
            assert_int_equal(nic_rx(card->nic->rxq[0], &batch, 1), bytes <= 2048 ? 1 : 0);
        while (batch.count == 0)
            (void)nic_rx(card->nic->rxq[0], &batch, 1);
        assert_int_equal(batch.buf[0]->pkt_len, bytes);
        assert_int_equal(batch.buf[0]->segments, (bytes + 2047) / 2048);
        nic_tx(card->nic->txq[0], &batch);
        assert_int_equal(batch.count, 0);
        assert_int_equal(card->last.bytes, bytes);
    }
    assert_int_equal(card->sent_bad, 0);
    card_fill(frame, sizeof(frame), 200);
    assert_int_equal(card_send_one(card, card_chain(card, frame, 1514, 1514 / most + 6)), 1);
    assert_int_equal(card->sent_bad, 0);
    assert_int_equal(x82599_counters(card->dev)->bad_descs, 0);
    card_stop(card);
    card_free(card);
}

/* The vectors that Microsoft publishes with the key that every driver uses. */
static void test_toeplitz(void **state)
{
    static const struct {
        uint8_t tuple[12]; /* source, destination, their ports */
        uint32_t addresses, with_ports;
    } rows[] = {
        {{66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6}, 0x323e8fc2, 0x51ccc178},
        {{199, 92, 111, 2, 65, 69, 140, 83, 0x37, 0x96, 0x12, 0x83}, 0xd718262a, 0xc626b0ea},
        {{24, 19, 198, 95, 12, 22, 207, 184, 0x32, 0x62, 0x94, 0x88}, 0xd2d0a5de, 0x5c2b394a},
        {{38, 27, 205, 30, 209, 142, 163, 6, 0xbc, 0x64, 0x08, 0xa9}, 0x82989176, 0xafc7327f},
        {{153, 39, 163, 191, 202, 188, 127, 2, 0xac, 0xdb, 0x05, 0x17}, 0x5d1809c5, 0x10e828a2},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        assert_int_equal(toeplitz(nic_rss_key, rows[i].tuple, 8), rows[i].addresses);
        assert_int_equal(toeplitz(nic_rss_key, rows[i].tuple, 12), rows[i].with_ports);
        assert_int_equal(nic_rss_hash(rows[i].tuple, 8), rows[i].addresses);
        assert_int_equal(nic_rss_hash(rows[i].tuple, 12), rows[i].with_ports);
    }
}

/* The first of those for IPv6; then every length, and bits at every place. */
static void test_toeplitz_long(void **state)
{
    uint8_t tuple[NIC_RSS_TUPLE_BYTES_MAX] = {
        0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7,
        0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0, 1,
        0x0a, 0xea, 0x06, 0xe6,
    };

    assert_int_equal(nic_rss_hash(tuple, 32), 0x2cc18cd5);
    assert_int_equal(nic_rss_hash(tuple, 36), 0x40207d3d);
    for (uint32_t bytes = 0; bytes <= sizeof(tuple); bytes++) {
        for (uint32_t i = 0; i < sizeof(tuple); i++)
            tuple[i] = (uint8_t)(31 * i + 7 * bytes);
        assert_int_equal(nic_rss_hash(tuple, bytes), toeplitz(nic_rss_key, tuple, bytes));
    }
}

static void test_rss(void **state)
{
    static const uint16_t counts[] = {1, 2, 3, 4, 8, 16};
    uint8_t frame[64];

    for (size_t c = 0; c < RT_ARRAY_SIZE(counts); c++) {
        struct nic_config config = card_with(counts[c], 1514, false);
        struct card *card = card_start(&config, 1);
        bool starved = card->pool->free == 0; /* hostile: all 128 are in rings of 8 */
        uint64_t seen[16] = {0};

        for (uint32_t flow = 0; flow < 10000; flow++) {
            struct buf_batch batch = {.count = 0};
            uint32_t hash = 0;
            unsigned queue;

            card_ip4(frame, sizeof(frame), true, flow * 7, SUMS_RIGHT);
            queue = x82599_rss(card->dev, frame, sizeof(frame), &hash);
            assert_int_equal(hash, toeplitz(nic_rss_key, frame + IP_SOURCE, 12));
            assert_int_equal(queue, (hash & 127) % counts[c]);
            assert_int_equal(x82599_receive(card->dev, frame, sizeof(frame)),
                             X82599_RX_ACCEPTED);
            assert_int_equal(nic_rx(card->nic->rxq[queue], &batch, 32), !starved);
            seen[queue]++;
            if (starved) {
                assert_int_equal(card->nic->rxq[queue]->stats.no_replacement, seen[queue]);
                continue;
            }
            assert_int_equal(batch.buf[0]->rss_hash, hash);
            buf_batch_free(&batch);
        }
        assert_true(!starved || POOL_HOSTILE);
        for (unsigned q = 0; q < counts[c]; q++)
            assert_true(seen[q] > 10000u / counts[c] * 7 / 10);
        card_stop(card);
        card_free(card);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rx_bursts),
        cmocka_unit_test(test_rx_results),
        cmocka_unit_test(test_udp_without_sum),
        cmocka_unit_test(test_jumbo),
        cmocka_unit_test(test_toeplitz),
        cmocka_unit_test(test_toeplitz_long),
        cmocka_unit_test(test_rss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe on the software 82599: bring-up, data path, requests, and every way to go wrong. */
#include "ixgbe_port.h"
#include "toeplitz.h"

#include <rt/quiesce.h>
#include <string.h>

#define IP_SOURCE 26 /* behind it: destination, ports */

static struct nic_config with(uint16_t queues, uint16_t frame_max, bool vlan)
{
    struct nic_config c = card_config;

    c.rxqs = queues;
    c.txqs = queues;
    c.frame_max_bytes = frame_max;
    c.vlan_strip = vlan;
    return c;
}

/* Sends one buffer, counts what the port then sent. */
static uint64_t send_one(struct card *card, struct buf *b)
{
    struct buf_batch batch = {1, {b}};
    uint64_t before = card->sent_frames;

    nic_tx(card->nic->txq[0], &batch);
    assert_int_equal(batch.count, 0);
    return card->sent_frames - before;
}

/* Descriptors of a ring that the other side has at any time: a quarter at most waits for its
 * doorbell or report. Rings of 64 in the normal build, of 8 in the hostile one. */
static uint32_t sure_of(uint16_t descs)
{
    return descs * 3u / 4;
}

/* The device sends at once, so a call moves a ring's worth. What fits is one call. */
static void send_all(struct card *card, struct buf_batch *batch)
{
    uint32_t sure = sure_of(card->nic->config.tx_descs);
    uint32_t calls = (batch->count + sure - 1) / sure;

    for (uint32_t i = 0; i < calls; i++)
        nic_tx(card->nic->txq[0], batch);
    assert_int_equal(batch->count, 0);
}

/* Three cards, the first with an address that is none: the others keep their numbers. */
static void test_a_failed_card_keeps_its_number(void **state)
{
    struct card *card = card_new(X82599_ID_SFP, 1); /* slot 2 */
    struct x82599_config config = {.mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

    assert_non_null(x82599_port_add(1, &config, X82599_CALLS));
    config.mac[0] = 2;
    assert_non_null(x82599_port_add(3, &config, X82599_CALLS));
    pci_scan();
    assert_int_equal(nic_probe_all(), 2);
    assert_int_equal(nic_count(), 3);
    assert_non_null(nic_get(0)->failed);
    assert_true(card_logged(card, "nic0 pci=00:01.0 id=8086:10fb state=failed"));
    for (uint32_t p = 1; p < 3; p++) {
        assert_null(nic_get(p)->failed);
        assert_int_equal(nic_get(p)->port, p);
        assert_int_equal(nic_get(p)->pci->bdf, (p + 1) << 3);
    }
    assert_true(card_logged(card, "nic1 pci=00:02.0"));
    card_free(card);
}

static void test_bring_up(void **state)
{
    static const uint16_t ids[] = {X82599_ID_SFP, X82599_ID_X540};

    for (size_t i = 0; i < RT_ARRAY_SIZE(ids); i++) {
        struct card *card = card_new(ids[i], 1);
        uint8_t mac[6];

        pci_scan();
        assert_int_equal(nic_probe_all(), 1);
        card->nic = nic_get(0);
        x82599_mac(card->dev, mac);
        assert_memory_equal(card->nic->mac, mac, 6);
        assert_int_equal(pool_create("test", 0, 2, POOL_BUFS, &card->pool), RT_OK);
        for (unsigned round = 0; round < 3; round++) {
            card_configure(card, &card_config);
            assert_int_equal(nic_start(card->nic), RT_OK);
            assert_true(card->nic->link.up);
            assert_int_equal(card->nic->link.speed_mbps, 10000);
            assert_int_equal(card->nic->irq_mode, NIC_IRQ_MSIX);
            assert_int_equal(card_receive(card, 60, round), X82599_RX_ACCEPTED);
            card_stop(card);
            assert_int_equal(card_receive(card, 60, 0), X82599_RX_DROPPED);
        }
        assert_true(card_logged(card, ids[i] == X82599_ID_SFP ? "module=\"10GBASE-SR\""
                                                              : "phy=0"));
        assert_false(card_logged(card, "error="));
        assert_int_equal(x82599_counters(card->dev)->dma_errors, 0);
        card_free(card);
    }
}

/* Whatever the limits of port and card: a frame too long is dropped, and counted once. */
static void test_too_long(void **state)
{
    static const uint16_t frame_max[] = {60, 1000, 1514, 1515, 1600, 2043, 2044, 2045, 9018};
    static const uint32_t around[] = {0, 4, 5, 6,
                                      900}; /* the first without, the rest with a tag */
    static uint8_t frame[X82599_FRAME_MAX];

    for (size_t i = 0; i < RT_ARRAY_SIZE(frame_max); i++) {
        struct nic_config c = with(1, frame_max[i], false);
        struct card *card = card_start(&c, i);
        struct nic_queue_stats *stats = &card->nic->rxq[0]->stats;
        uint64_t good = 0;

        for (size_t k = 0; k < RT_ARRAY_SIZE(around); k++) {
            struct buf_batch batch = {.count = 0};
            uint32_t bytes = frame_max[i] + around[k];

            card_fill(frame, bytes, 1);
            frame[12] = around[k] == 0 ? 0x88 : 0x81;
            frame[13] = around[k] == 0 ? 0xb5 : 0x00;
            (void)x82599_receive(card->dev, frame, bytes);
            for (unsigned n = 0; n < 10; n++)
                (void)nic_rx(card->nic->rxq[0], &batch, 32);
            assert_int_equal(batch.count, around[k] <= 4);
            good += batch.count;
            buf_batch_free(&batch);
        }
        nic_poll_stats(card->nic, NIC_STATS_ALL);
        assert_int_equal(stats->too_long + card->nic->stats.rx_length_errors,
                         RT_ARRAY_SIZE(around) - good);
        assert_int_equal(stats->packets, good);
        assert_int_equal(stats->bytes, 2 * frame_max[i] + 4);
        card_stop(card);
        card_free(card);
    }
}

/* A ring of 8 under 3000 frames: what did not come through is in the loss counters, each once.
 */
static void test_losses_are_counted(void **state)
{
    struct nic_config c = card_config;
    struct card *card;
    uint8_t frame[60];
    uint64_t lost = 0;
    struct buf_batch batch = {.count = 0};

    c.rx_descs = IXGBE_RING_MIN;
    card = card_start(&c, 5);
    for (uint32_t i = 0; i < 3000; i++) {
        card_fill(frame, sizeof(frame), i);
        if (x82599_receive(card->dev, frame, sizeof(frame)) != X82599_RX_NO_DESCRIPTOR)
            continue;
        x82599_missed(card->dev, frame, sizeof(frame));
        lost++;
    }
    assert_int_equal(nic_rx(card->nic->rxq[0], &batch, 32), 3000 - lost);
    buf_batch_free(&batch);
    nic_poll_stats(card->nic, NIC_STATS_ALL);
    assert_int_equal(lost, 3000 - (IXGBE_RING_MIN - 1));
    assert_int_equal(card->nic->stats.rx_missed + card->nic->stats.rx_no_buffer, lost);
    card_stop(card);
    card_free(card);
}

/* Nobody may send from a group's address: the port is left out, with a line. */
static void test_mac_invalid(void **state)
{
    static const uint8_t macs[][6] = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01},
                                      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

    for (size_t i = 0; i < RT_ARRAY_SIZE(macs); i++) {
        struct x82599_config config = {.device_id = X82599_ID_SFP};
        struct card *card;

        memcpy(config.mac, macs[i], sizeof(config.mac));
        card = card_new_config(&config);
        pci_scan();
        assert_int_equal(nic_probe_all(), 0);
        assert_true(card_logged(card, "error=mac-invalid mac="));
        assert_true(card_logged(card, "remedy="));
        card_free(card);
    }
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

/* The end of the machine: the chip is silent after writes alone, whatever a core is doing. */
static void test_quiesce(void **state)
{
    struct card *card = card_start(&card_config, 4);
    uint64_t reads = x82599_counters(card->dev)->reads;

    assert_int_equal(card_receive(card, 60, 1), X82599_RX_ACCEPTED);
    rt_quiesce_all();
    assert_int_equal(x82599_counters(card->dev)->reads, reads);
    assert_int_equal(x82599_read32(card->dev, IXGBE_FCCFG), 0);
    assert_int_equal(x82599_read32(card->dev, IXGBE_EIMS), 0);
    assert_int_equal(x82599_read32(card->dev, IXGBE_DMATXCTL) & IXGBE_DMATXCTL_TE, 0);
    assert_int_not_equal(card_receive(card, 60, 2), X82599_RX_ACCEPTED);
    card_free(card);
}

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

static void test_rx_bursts(void **state)
{
    struct card *card = card_start(&card_config, 1);
    uint32_t most = RT_MIN(32, sure_of(card->nic->config.rx_descs)), in = 0, out = 0;

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

static void test_tx_bursts(void **state)
{
    struct card *card = card_start(&card_config, 1);
    uint32_t seed = 0;

    card->check_seeds = true;
    for (uint32_t round = 0; round < 500; round++) {
        struct buf_batch batch = {.count = 0};

        for (uint32_t i = 0; i < 1 + round % 32; i++, seed++)
            batch.buf[batch.count++] = card_buf(card, 60 + seed % 1455, seed);
        send_all(card, &batch);
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
    struct nic_config config = with(1, 1514, false);
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
                assert_int_equal(send_one(card, card_buf(card, 60, seed++)), 1);
            assert_int_equal(send_one(card, card_chain(card, frame, segments * 40, 40)), 1);
            assert_int_equal(card->last.bytes, segments * 40);
            assert_memory_equal(card->last.data, frame, segments * 40);
        }
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 0);
    assert_int_equal(send_one(card, card_chain(card, frame, (most + 1) * 40, 40)), 0);
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 1);
    assert_int_equal(card->nic->txq[0]->stats.ring_full, 0);
    card_stop(card);
    card_free(card);
}

static void test_rx_results(void **state)
{
    struct nic_config config = with(1, 1514, true);
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

static void test_jumbo(void **state)
{
    struct nic_config config = with(1, 9018, false);
    struct card *card = card_start(&config, 1);
    uint32_t most = RT_MIN(16, sure_of(card->nic->config.tx_descs));
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
    assert_int_equal(send_one(card, card_chain(card, frame, 1514, 1514 / most + 6)), 1);
    assert_int_equal(card->sent_bad, 0);
    assert_int_equal(x82599_counters(card->dev)->bad_descs, 0);
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
        assert_int_equal(send_one(card, b), 1);
        assert_int_equal(card->last.bytes, bytes);
        assert_true(card_sums_right(card->last.data, bytes));
        if (i % 3 == 0)
            assert_int_equal(send_one(card, card_buf(card, 60, i)), 1); /* plain between */
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
        assert_int_equal(send_one(card, b), 1);
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
    uint32_t longest = (sure_of(card->nic->config.tx_descs) - 1) * 2048; /* and a context */

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
        assert_int_equal(send_one(card, b), (bytes - 54 + 999) / 1000);
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
        assert_int_equal(send_one(card, b), tso ? 2 : 1);
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
    assert_int_equal(send_one(card, b), 0);
    b = card_buf(card, 1519, 0);
    assert_int_equal(send_one(card, b), 0);
    b = card_buf(card, 100, 0);
    b->flags = BUF_TX_TCP_CSUM; /* without lengths */
    assert_int_equal(send_one(card, b), 0);
    b = card_buf(card, 100, 0);
    b->flags = BUF_TX_TSO | BUF_TX_TCP_CSUM;
    b->l2_bytes = 14;
    b->l3_bytes = 20;
    b->l4_bytes = 20;
    b->mss_bytes = 4000; /* longer than frames may be */
    assert_int_equal(send_one(card, b), 0);
    b = card_buf(card, 100, 0);
    b->data_off = 3000;
    assert_int_equal(send_one(card, b), 0);
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
    assert_int_equal(send_one(card, b), 0);
    assert_int_equal(buf_refusals() - refused, 1);
    assert_int_equal(*b->owner, BUF_RING);
    *b->owner = BUF_STACK;
    buf_free(b);
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
        assert_int_equal(toeplitz(intel_rss_key, rows[i].tuple, 8), rows[i].addresses);
        assert_int_equal(toeplitz(intel_rss_key, rows[i].tuple, 12), rows[i].with_ports);
    }
}

static void test_rss(void **state)
{
    static const uint16_t counts[] = {1, 2, 3, 4, 8, 16};
    uint8_t frame[64];

    for (size_t c = 0; c < RT_ARRAY_SIZE(counts); c++) {
        struct nic_config config = with(counts[c], 1514, false);
        struct card *card = card_start(&config, 1);
        bool starved = card->pool->free == 0; /* hostile: all 128 are in rings of 8 */
        uint64_t seen[16] = {0};

        for (uint32_t flow = 0; flow < 10000; flow++) {
            struct buf_batch batch = {.count = 0};
            uint32_t hash = 0;
            unsigned queue;

            card_ip4(frame, sizeof(frame), true, flow * 7, SUMS_RIGHT);
            queue = x82599_rss(card->dev, frame, sizeof(frame), &hash);
            assert_int_equal(hash, toeplitz(intel_rss_key, frame + IP_SOURCE, 12));
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

/* Frame before, while and after arming: one interrupt exactly when nobody would look. */
static void test_arm(void **state)
{
    struct nic_config config = with(3, 1514, false);
    struct card *card = card_start(&config, 1);
    uint64_t tried = *card->nic->link_irq.count; /* once, at start */
    struct nic_rxq *rxq = card->nic->rxq[0];
    struct buf_batch batch = {.count = 0};

    assert_int_equal(card_receive(card, 60, 0), X82599_RX_ACCEPTED);
    assert_true(nic_rx_arm(rxq)); /* waiting already */
    assert_int_equal(nic_rx(rxq, &batch, 32), 1);
    assert_int_equal(*rxq->irq.count, tried);
    assert_false(nic_rx_arm(rxq)); /* what polling left behind fires nothing */
    assert_int_equal(*rxq->irq.count, tried);
    assert_int_equal(card_receive(card, 60, 0), X82599_RX_ACCEPTED);
    assert_int_equal(card_receive(card, 60, 0), X82599_RX_ACCEPTED);
    assert_int_equal(*rxq->irq.count, tried + 1); /* the vector masked itself */
    nic_rx_disarm(rxq);
    assert_int_equal(nic_rx(rxq, &batch, 32), 2);
    assert_int_equal(card_receive(card, 60, 0), X82599_RX_ACCEPTED);
    assert_int_equal(*rxq->irq.count, tried + 1);
    assert_int_equal(nic_rx(rxq, &batch, 32), 1);
    x82599_link(card->dev, false);
    assert_int_equal(*card->nic->link_irq.count, tried + 1);
    nic_poll_link(card->nic);
    assert_false(card->nic->link.up);
    buf_batch_free(&batch);
    card_stop(card);
    card_free(card);
}

/* One frame at a time with hardly more buffers than the receive ring holds: the sent ones come
 * back in time, whatever the size of the rings. */
static void small_pools_live(void **state)
{
    static const uint16_t descs[] = {512, 128, 8};

    for (size_t i = 0; i < RT_ARRAY_SIZE(descs); i++) {
        struct nic_config config = card_config;
        struct card *card = card_new(X82599_ID_SFP, 1);

        config.rx_descs = config.tx_descs = descs[i];
        pci_scan();
        assert_int_equal(nic_probe_all(), 1);
        card->nic = nic_get(0);
        assert_int_equal(pool_create("test", 0, 2, descs[i] + 10u, &card->pool), RT_OK);
        card_configure(card, &config);
        assert_int_equal(nic_start(card->nic), RT_OK);
        for (uint32_t n = 0; n < 2000; n++) {
            struct buf_batch batch = {.count = 0};

            assert_int_equal(card_receive(card, 60, n), X82599_RX_ACCEPTED);
            assert_int_equal(nic_rx(card->nic->rxq[0], &batch, 32), 1);
            nic_tx(card->nic->txq[0], &batch);
            assert_int_equal(batch.count, 0);
            (void)nic_tx_reclaim(card->nic->txq[0]);
            card_pass_us(card, 10000);
        }
        assert_int_equal(card->sent_frames, 2000);
        assert_int_equal(card->nic->rxq[0]->stats.no_replacement, 0);
        card_stop(card);
        card_free(card);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_card_keeps_its_number),
        cmocka_unit_test(test_a_pool_just_large_enough),
        cmocka_unit_test(test_bring_up),       cmocka_unit_test(test_rx_bursts),
        cmocka_unit_test(test_tx_bursts),      cmocka_unit_test(test_tx_full),
        cmocka_unit_test(test_tx_chain_limit), cmocka_unit_test(test_rx_results),
        cmocka_unit_test(test_jumbo),          cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_vlan_insert),    cmocka_unit_test(test_tso),
        cmocka_unit_test(test_headers_apart),
        cmocka_unit_test(test_bad_requests),   cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_toeplitz),       cmocka_unit_test(test_rss),
        cmocka_unit_test(test_arm),            cmocka_unit_test(test_quiesce),
        cmocka_unit_test(test_too_long),       cmocka_unit_test(test_losses_are_counted),
        cmocka_unit_test(test_mac_invalid),    cmocka_unit_test(test_udp_without_sum),
        cmocka_unit_test(small_pools_live),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

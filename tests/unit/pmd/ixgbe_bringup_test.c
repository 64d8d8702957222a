/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe on the software 82599: finding, starting, counting, arming, and its end. */
#include "ixgbe_port.h"

#include <rt/quiesce.h>
#include <string.h>

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
        struct nic_config c = card_with(1, frame_max[i], false);
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

    c.rx_descs = INTEL_RING_MIN;
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
    assert_int_equal(lost, 3000 - (INTEL_RING_MIN - 1));
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

/* A polled queue has nothing to mask: neither call touches the card. */
static void test_arm_without_an_interrupt(void **state)
{
    struct nic_config config = card_config;
    struct card *card;
    const struct x82599_counters *counters;
    uint64_t accesses;

    config.irq_mode = NIC_IRQ_NONE;
    card = card_start(&config, 1);
    counters = x82599_counters(card->dev);
    accesses = counters->reads + counters->writes;
    assert_true(nic_rx_arm(card->nic->rxq[0]));
    nic_rx_disarm(card->nic->rxq[0]);
    assert_int_equal(counters->reads + counters->writes, accesses);
    card_stop(card);
    card_free(card);
}

/* Frame before, while and after arming: one interrupt exactly when nobody would look. */
static void test_arm(void **state)
{
    struct nic_config config = card_with(3, 1514, false);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_card_keeps_its_number),
        cmocka_unit_test(test_bring_up),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_losses_are_counted),
        cmocka_unit_test(test_mac_invalid),
        cmocka_unit_test(test_quiesce),
        cmocka_unit_test(test_arm_without_an_interrupt),
        cmocka_unit_test(test_arm),
        cmocka_unit_test(small_pools_live),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

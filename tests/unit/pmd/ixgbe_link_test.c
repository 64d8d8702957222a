/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe: EEPROM, module, laser and pipeline on the software 82599 and X540. */
#include "ixgbe_port.h"

/* ---- EEPROM ---- */

/* Sections differ with the seed; the X540 has a PHY section and an option ROM. */
static void test_sections(void **state)
{
    static const uint16_t ids[] = {X82599_ID_SFP, X82599_ID_X540};

    for (uint64_t seed = 0; seed < 20; seed++) {
        for (size_t i = 0; i < RT_ARRAY_SIZE(ids); i++) {
            struct card *card = card_new(ids[i], seed);

            pci_scan();
            assert_int_equal(nic_probe_all(), 1);
            assert_false(card_logged(card, "error="));
            card_free(card);
        }
    }
}

/* A word of a section counts, but not one of the X540's PHY or option ROM. */
static void test_changed_word(void **state)
{
    static const struct {
        uint16_t id, pointer;
        uint32_t found;
    } cases[] = {{X82599_ID_SFP, 3, 0},  {X82599_ID_SFP, 4, 0},  {X82599_ID_X540, 3, 0},
                 {X82599_ID_X540, 4, 1}, {X82599_ID_X540, 14, 0}};

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct card *card = card_new(cases[i].id, 1);
        uint16_t *nvm = x82599_nvm(card->dev);

        if (nvm[cases[i].pointer] ==
            UINT16_MAX) { /* one of three words at the end of the part */
            nvm[cases[i].pointer] = X82599_NVM_WORDS - 5;
            nvm[X82599_NVM_WORDS - 5] = 3;
        }
        x82599_nvm_seal(card->dev);
        nvm[nvm[cases[i].pointer] + 1]++;
        pci_scan();
        assert_int_equal(nic_probe_all(), cases[i].found);
        assert_int_equal(card_logged(card, "error=nvm-checksum"), 1 - cases[i].found);
        card_free(card);
    }
}

/* Pointers and lengths that lead out of the part add nothing, and are not read for long. */
static void test_hostile_pointers(void **state)
{
    static const uint16_t pointers[] = {0, 1, 0x180, X82599_NVM_WORDS - 1, X82599_NVM_WORDS,
                                        0xfffe};
    static const uint16_t lengths[] = {0, 1, X82599_NVM_WORDS, 0x7fff, 0xfffe, 0xffff};

    for (size_t i = 0; i < RT_ARRAY_SIZE(pointers); i++) {
        for (size_t k = 0; k < RT_ARRAY_SIZE(lengths); k++) {
            struct card *card = card_new(X82599_ID_SFP, 1);
            uint16_t *nvm = x82599_nvm(card->dev);
            uint64_t reads;

            for (unsigned p = 3; p <= 0xe; p++)
                nvm[p] = pointers[i];
            if (pointers[i] >= 0x40 && pointers[i] < X82599_NVM_WORDS)
                nvm[pointers[i]] = lengths[k];
            x82599_nvm_seal(card->dev);
            reads = x82599_counters(card->dev)->reads;
            pci_scan();
            assert_int_equal(nic_probe_all(), 1);
            assert_in_range(x82599_counters(card->dev)->reads - reads, 0, 20000);
            card_free(card);
        }
    }
}

/* ---- module ---- */

static void test_modules(void **state)
{
    static const struct {
        enum x82599_module module;
        uint32_t corectl, speed_mbps; /* 0: no settings; no link */
        const char *log;
    } cases[] = {
        {X82599_MODULE_SR, X82599_CORECTL_OF(5), 10000, "module=\"10GBASE-SR\""},
        {X82599_MODULE_LR, X82599_CORECTL_OF(5), 10000, "module=\"10GBASE-LR\""},
        {X82599_MODULE_CABLE, X82599_CORECTL_OF(3), 10000, "module=\"passive cable\""},
        {X82599_MODULE_CABLE_ACTIVE, X82599_CORECTL_OF(5), 10000, "module=\"active cable\""},
        {X82599_MODULE_1G_SX, X82599_CORECTL_OF(5), 1000, "module=\"1000BASE-SX\""},
        {X82599_MODULE_1G_LX, X82599_CORECTL_OF(5), 1000, "module=\"1000BASE-LX\""},
        {X82599_MODULE_1G_T, X82599_CORECTL_OF(5), 1000, "module=\"1000BASE-T\""},
        {X82599_MODULE_DUAL_SR, X82599_CORECTL_OF(5), 10000, "module=\"10GBASE-SR\""},
        {X82599_MODULE_NONE, 0, 0, "module=none"},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct card *card = card_new(X82599_ID_SFP, i);
        struct nic_link *link;

        x82599_module(card->dev, cases[i].module);
        card_bring_up(card, &card_config);
        link = &card->nic->link;
        assert_int_equal(link->up, cases[i].speed_mbps != 0);
        assert_int_equal(link->speed_mbps, cases[i].speed_mbps);
        assert_int_equal(x82599_read32(card->dev, IXGBE_CORECTL), cases[i].corectl);
        assert_true(card_logged(card, cases[i].log));
        assert_false(card_logged(card, "error="));
        assert_false(card_logged(card, "no settings"));
        card_stop(card);
        card_free(card);
    }
}

/* One that the chip cannot drive: the port starts, without link, and says what would do. */
static void test_module_refused(void **state)
{
    struct card *card = card_new(X82599_ID_SFP, 1);

    x82599_module(card->dev, X82599_MODULE_CABLE_LINEAR);
    card_bring_up(card, &card_config);
    assert_true(card_logged(card, "nic0 error=module identifier=0x03"));
    assert_true(card_logged(card, "cable_spec=0x01 remedy=\"10GBASE-SR or LR"));
    assert_int_equal(x82599_read32(card->dev, IXGBE_CORECTL), 0);
    /* Another module while the port was stopped is seen by the next start. */
    card_stop(card);
    x82599_module(card->dev, X82599_MODULE_1G_LX);
    assert_int_equal(nic_start(card->nic), RT_OK);
    assert_int_equal(card->nic->link.speed_mbps, 1000);
    card_stop(card);
    card_free(card);
}

/* ---- laser and pipeline ---- */

static void test_laser(void **state)
{
    struct card *card = card_new(X82599_ID_SFP, 1);
    uint32_t esdp = x82599_read32(card->dev, IXGBE_ESDP);
    uint64_t start_us[3];

    card_bring_up(card, &card_config);
    for (unsigned i = 0; i < 3; i++) {
        card_stop(card);
        assert_true(x82599_light(card->dev)); /* left on */
        if (i == 1) /* as a system between left it */
            x82599_write32(card->dev, IXGBE_ESDP, esdp | IXGBE_ESDP_SDP3);
        assert_int_equal(x82599_light(card->dev), i != 1);
        start_us[i] = hal_now_us();
        assert_int_equal(nic_start(card->nic), RT_OK);
        start_us[i] = hal_now_us() - start_us[i];
        assert_true(x82599_light(card->dev));
        assert_true(card->nic->link.up);
        assert_int_equal(card_logged(card, "nic0 laser=on"), i >= 1);
    }
    /* it settles, but nobody waits for a laser that is on */
    assert_in_range(start_us[1] - start_us[0], 100000, 102000);
    assert_int_equal(start_us[2], start_us[0]);
    card_stop(card);
    card_free(card);
}

/* The pipeline restarts in one look, not by running into its deadline, also where the EEPROM
 * has the link off. */
static void test_pipeline(void **state)
{
    struct x82599_config config = {.device_id = X82599_ID_SFP, .link_disabled = true};

    for (unsigned disabled = 0; disabled < 2; disabled++) {
        struct card *card = card_new_config(&config);

        card_bring_up(card, &card_config);
        assert_true(card->nic->link.up);
        assert_false(card_logged(card, "pipeline-reset"));
        assert_int_equal(FIELD_GET(IXGBE_AUTOC_LMS, x82599_read32(card->dev, IXGBE_AUTOC)),
                         IXGBE_AUTOC_LMS_10G_SERIAL);
        card_stop(card);
        card_free(card);
        config.link_disabled = false;
    }
}

/* A DMA request that does not end is cleared, and the card reset twice: then it works. */
static void test_stuck_master(void **state)
{
    struct card *card = card_new(X82599_ID_SFP, 1);
    struct buf_batch batch = {.count = 0};
    uint64_t resets;

    x82599_stuck_master(card->dev);
    card_bring_up(card, &card_config);
    assert_true(card_logged(card, "error=dma-still-on status="));
    assert_int_equal(card_receive(card, 60, 1), X82599_RX_ACCEPTED);
    assert_int_equal(nic_rx(card->nic->rxq[0], &batch, 32), 1);
    buf_batch_free(&batch);
    resets = x82599_counters(card->dev)->resets;
    card_stop(card); /* no trouble: one reset */
    assert_int_equal(x82599_counters(card->dev)->resets, resets + 1);
    card_free(card);
}

/* ---- the semaphore ---- */

/* SMBI sticks as soon as the module's words are written: what is held then cannot be given. */
static struct hal_mmio below;
static bool sticks;

static uint32_t read_sticking(void *ctx, uint32_t offset)
{
    uint32_t value = hal_read32(&below, offset);

    return sticks && offset == IXGBE_SWSM ? value | IXGBE_SWSM_SMBI : value;
}

static void write_sticking(void *ctx, uint32_t offset, uint32_t value)
{
    sticks |= offset == IXGBE_CORECTL;
    hal_write32(&below, offset, value);
}

/* What could not be given back is still ours: the next step that needs it goes on with it. */
static void test_sticking_semaphore(void **state)
{
    static const struct hal_mmio_ops ops = {read_sticking, write_sticking};
    struct card *card = card_start(&card_config, 1);
    const struct ixgbe *dev = card->nic->priv;

    card_stop(card);
    below = card->nic->mmio;
    card->nic->mmio.ops = &ops;
    assert_int_equal(nic_start(card->nic), RT_OK);
    assert_true(sticks);
    assert_true((dev->synced & IXGBE_SYNC_MAC_CSR) != 0);
    sticks = false;
    card_stop(card);
    assert_int_equal(dev->synced, 0);
    card->nic->mmio = below;
    assert_int_equal(nic_start(card->nic), RT_OK);
    card_stop(card);
    card_free(card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),         cmocka_unit_test(test_changed_word),
        cmocka_unit_test(test_hostile_pointers), cmocka_unit_test(test_modules),
        cmocka_unit_test(test_module_refused),   cmocka_unit_test(test_laser),
        cmocka_unit_test(test_pipeline),         cmocka_unit_test(test_stuck_master),
        cmocka_unit_test(test_sticking_semaphore),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

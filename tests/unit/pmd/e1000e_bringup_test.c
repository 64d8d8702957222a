/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding, resetting, configuring, starting and stopping ports; every deadline. */
#include "e1000e_port.h"

#include <rt/quiesce.h>
#include <string.h>

static void run_two_ports(void **state)
{
    struct bench *bench = bench_new(2, 0x10d3);
    uint64_t begin_us = hal_now_us();

    pci_scan();
    assert_int_equal(nic_probe_all(), 2);
    /* one settle time for both, none for a device that was idle */
    assert_in_range(hal_now_us() - begin_us, 25000, 27000);
    assert_true(bench_logged(bench, "nic0 pci=00:02.0 id=8086:10d3"));
    assert_true(bench_logged(bench, "82574L Gigabit Network Connection"));
    assert_memory_equal(nic_get(1)->mac, "\x02\x00\x4d\x52\x00\x03", 6);
    assert_int_equal(nic_get(0)->caps.rxq_max, 2);
    assert_null(nic_get(2));
    bench_free(bench);
}

/* A device that firmware left running gets time for its transfers, and loses its interrupts
 * first of all. */
static void run_left_running(void **state)
{
    struct bench *bench = bench_new(1, 0x10d3);
    struct fake_e1000e *f = bench->port[0].fake;
    uint64_t begin_us = hal_now_us();

    f->reg[E1000E_RCTL / 4] = E1000E_RCTL_EN;
    f->reg[E1000E_IMS / 4] = 0xff;
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    assert_in_range(hal_now_us() - begin_us, 35000, 37000);
    assert_int_equal(f->writes[0].offset, E1000E_IMC);
    assert_int_equal(f->resets, 1);
    assert_int_equal(f->reg[E1000E_RCTL / 4], 0);
    bench_free(bench);
}

static void run_order(void **state)
{
    static const uint32_t order[] = {
        E1000E_IMC,      E1000E_CTRL /* master off */, E1000E_RCTL,    E1000E_TCTL,
        E1000E_EXTCNF_CTRL, E1000E_PBA,                E1000E_CTRL,    E1000E_IMC,
        E1000E_EERD,     E1000E_MTA(0),                E1000E_RAL(0),  E1000E_GCR,
        E1000E_TARC(0),  E1000E_CTRL_EXT,              E1000E_VET,     E1000E_MDIC,
        E1000E_FCTTV,    E1000E_MRQC,                  E1000E_TDBAL(0), E1000E_RDBAL(0),
        E1000E_TXDCTL(0), E1000E_IVAR,                 E1000E_EIAC,    E1000E_IMS,
        E1000E_TCTL,     E1000E_RFCTL,                 E1000E_RXCSUM,  E1000E_RCTL,
        E1000E_RDT(0),
    };
    struct bench *bench = bench_start(1, &port_config);
    struct fake_e1000e *f = bench->port[0].fake;
    uint32_t from = 0;

    for (size_t i = 0; i < RT_ARRAY_SIZE(order); i++) {
        from = fake_wrote(f, order[i], from);
        if (from == UINT32_MAX)
            fail_msg("step %zu: no write of 0x%x in its place", i, (unsigned)order[i]);
        from++;
    }
    assert_int_equal(f->resets, 1);
    assert_int_equal(f->reg[E1000E_RDT(0) / 4], bench->port[0].nic->config.rx_descs - 1);
    assert_int_equal(f->reg[E1000E_PBA / 4], 32);
    assert_true(bench->port[0].nic->link.up);
    assert_int_equal(bench->port[0].nic->link.speed_mbps, 1000);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Bits of TCTL that the chip sets by itself stay, in a second start, too. */
static void run_tctl_keeps(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    const uint32_t *tctl = &bench->port[0].fake->reg[E1000E_TCTL / 4];

    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(*tctl & E1000E_TCTL_MULR, E1000E_TCTL_MULR);
        assert_int_equal(FIELD_GET(E1000E_TCTL_RRTHRESH, *tctl), 1);
        assert_int_equal(FIELD_GET(E1000E_TCTL_COLD, *tctl), 0x40);
        assert_int_equal(*tctl & E1000E_TCTL_EN, E1000E_TCTL_EN);
        bench_stop_and_check(bench);
        assert_int_equal(nic_start(bench->port[0].nic), RT_OK);
    }
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* The link is up after the reset: nothing may restart its negotiation. */
static void run_no_negotiation(void **state)
{
    struct bench *bench = bench_start(1, &port_config);

    assert_int_equal(bench->port[0].fake->phy[0], E1000E_BMCR_AN_ENABLE);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_phy_asleep(void **state)
{
    struct bench *bench = bench_new(1, 0x10d3);
    struct fake_e1000e *f = bench->port[0].fake;

    f->phy[0] = E1000E_BMCR_POWER_DOWN;
    f->phy[4] = 0x01e1;
    f->link = false;
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    assert_int_equal(pool_create("test", 0, 2, PORT_POOL, &bench->pool), RT_OK);
    bench_configure(bench, &port_config);
    assert_int_equal(nic_start(bench->port[0].nic), RT_OK);
    assert_int_equal(f->phy[0], E1000E_BMCR_AN_ENABLE | E1000E_BMCR_RESTART_AN);
    assert_int_equal(f->phy[4], 0x0de1);
    assert_false(bench->port[0].nic->link.up);
    bench_free(bench);
}

struct fault {
    const char *name;
    size_t flag; /* in struct fake_e1000e */
    const char *log;
    uint64_t within_us;
};

static void set_flag(struct fake_e1000e *f, size_t flag)
{
    *(bool *)(void *)((char *)f + flag) = true;
}

/* No wait is without end, and each says which register would not change. */
static void run_probe_faults(void **state)
{
    static const struct fault faults[] = {
        {"reset", offsetof(struct fake_e1000e, stuck_reset), "error=reset-timeout eecd=",
         20000},
        {"nvm", offsetof(struct fake_e1000e, stuck_nvm), "error=nvm-timeout eerd=", 50000},
        {"semaphore", offsetof(struct fake_e1000e, stuck_semaphore),
         "error=semaphore-timeout extcnf_ctrl=", 30000},
        {"gone", offsetof(struct fake_e1000e, gone), "error=not-answering", 1000},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(faults); i++) {
        struct bench *bench = bench_new(2, 0x10d3); /* the other one must come up */

        set_flag(bench->port[0].fake, faults[i].flag);
        pci_scan();
        assert_int_equal(nic_probe_all(), 1);
        assert_true(bench_logged(bench, faults[i].log));
        assert_true(bench_logged(bench, "nic0 pci=00:02.0 id=8086:10d3 state=failed"));
        assert_true(bench_logged(bench, "nic1 pci=00:03.0"));
        assert_int_equal(nic_count(), 2);
        assert_non_null(nic_get(0)->failed);
        assert_null(nic_get(1)->failed);
        assert_int_equal(nic_configure(nic_get(0), &port_config), RT_IO);
        assert_in_range(hal_now_us(), 0, faults[i].within_us + 30000);
        bench_free(bench);
    }
}

static void run_start_faults(void **state)
{
    static const struct fault faults[] = {
        {"phy", offsetof(struct fake_e1000e, stuck_phy), "error=phy-timeout mdic=", 190000},
        {"phy error", offsetof(struct fake_e1000e, phy_error), "error=phy-error mdic=", 41000},
        {"semaphore", offsetof(struct fake_e1000e, stuck_semaphore),
         "error=semaphore-timeout extcnf_ctrl=", 70000},
    }; /* with the reset that leaves the device quiet */

    for (size_t i = 0; i < RT_ARRAY_SIZE(faults); i++) {
        struct bench *bench = bench_new(1, 0x10d3);
        uint64_t begin_us;

        pci_scan();
        assert_int_equal(nic_probe_all(), 1);
        assert_int_equal(pool_create("test", 0, 2, PORT_POOL, &bench->pool), RT_OK);
        bench_configure(bench, &port_config);
        set_flag(bench->port[0].fake, faults[i].flag);
        begin_us = hal_now_us();
        assert_int_not_equal(nic_start(bench->port[0].nic), RT_OK);
        assert_true(bench_logged(bench, faults[i].log));
        assert_in_range(hal_now_us() - begin_us, 0, faults[i].within_us);
        assert_int_equal(bench->pool->free, bench->pool->total);
        bench_free(bench);
    }
}

/* DMA that will not end is reported; the reset ends it. */
static void run_master_stuck(void **state)
{
    struct bench *bench = bench_new(1, 0x10d3);

    bench->port[0].fake->stuck_master = true;
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    assert_true(bench_logged(bench, "error=dma-still-on status="));
    bench_free(bench);
}

static void run_nvm_checksum(void **state)
{
    struct bench *bench = bench_new(1, 0x10d3);

    bench->port[0].fake->nvm[20]++;
    pci_scan();
    assert_int_equal(nic_probe_all(), 0);
    assert_true(bench_logged(bench, "error=nvm-checksum sum=0x0000babb"));
    bench_free(bench);
}

/* Nobody may send from a group's address or none: the port is left out, the other comes up. */
static void run_mac_invalid(void **state)
{
    static const struct {
        uint8_t mac[6];
        const char *log;
    } cases[] = {
        {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01},
         "error=mac-invalid mac=01:00:5e:00:00:01 remedy="},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         "error=mac-invalid mac=ff:ff:ff:ff:ff:ff remedy="},
        {{0}, "error=mac-invalid mac=00:00:00:00:00:00 remedy="},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct bench *bench = bench_new(2, 0x10d3);

        fake_mac(bench->port[0].fake, cases[i].mac);
        pci_scan();
        assert_int_equal(nic_probe_all(), 1);
        assert_true(bench_logged(bench, cases[i].log));
        assert_true(bench_logged(bench, "nic1 pci=00:03.0"));
        bench_free(bench);
    }
}

static void run_models(void **state)
{
    struct bench *bench = bench_new(1, 0x150c);

    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    assert_int_equal(nic_get(0)->caps.rxq_max, 1);
    bench_free(bench);
    bench = bench_new(1, 0x1502); /* 82579: another PHY and reset layer */
    pci_scan();
    assert_int_equal(nic_probe_all(), 0);
    assert_true(bench_logged(bench, "state=skipped reason=\"no driver for this device\""));
    bench_free(bench);
}

static void refused(const struct nic_config *config, const char *log)
{
    struct bench *bench = bench_new(1, 0x10d3);

    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    assert_int_equal(nic_configure(nic_get(0), config), RT_INVALID);
    assert_true(bench_logged(bench, log));
    bench_free(bench);
}

static void run_bad_config(void **state)
{
    struct nic_config c = port_config;

    c.rxqs = 3;
    refused(&c, "rxqs=3 allowed=1..2");
    c = port_config;
    c.txqs = 0;
    refused(&c, "txqs=0 allowed=1..2");
    c = port_config;
    c.frame_max_bytes = 9300;
    refused(&c, "frame_max_bytes=9300 allowed=60..9230");
    c = port_config;
    c.irq_mode = 9;
    refused(&c, "irq_mode=9");
    if (POOL_HOSTILE)
        return; /* ring sizes are the hostile build's own */
    c = port_config;
    c.rx_descs = 100;
    refused(&c, "rx_descs=100 remedy=\"use a multiple of 8, such as 104\"");
    c = port_config;
    c.tx_descs = 8192;
    refused(&c, "tx_descs=8192 allowed=8..4096");
}

static void run_pool_too_small(void **state)
{
    struct bench *bench = bench_new(1, 0x10d3);

    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    assert_int_equal(pool_create("small", 0, 1, 7, &bench->pool), RT_OK);
    bench_configure(bench, &port_config);
    assert_int_equal(nic_start(bench->port[0].nic), RT_NO_MEMORY);
    assert_true(bench_logged(bench, "pool=small free=7 need="));
    assert_int_equal(bench->pool->free, 7);
    bench_free(bench);
}

static void run_fallback(void **state)
{
    static const struct {
        bool no_msix, no_msi, fail;
        uint32_t mode;
    } cases[] = {{false, false, false, NIC_IRQ_MSIX},
                 {true, false, false, NIC_IRQ_MSI},
                 {true, true, false, NIC_IRQ_INTX},
                 {false, false, true, NIC_IRQ_NONE}};

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct bench *bench = bench_new(1, 0x10d3);
        struct fake_e1000e *f = bench->port[0].fake;

        f->no_msix = cases[i].no_msix;
        f->no_msi = cases[i].no_msi;
        f->config[13] = f->no_msix ? (f->no_msi ? 0 : 0xd0) : 0xa0;
        pci_scan();
        assert_int_equal(nic_probe_all(), 1);
        assert_int_equal(pool_create("test", 0, 2, PORT_POOL, &bench->pool), RT_OK);
        bench_configure(bench, &port_config);
        host_irq_limit(cases[i].fail ? 0 : UINT32_MAX);
        assert_int_equal(nic_start(bench->port[0].nic), RT_OK);
        host_irq_limit(UINT32_MAX);
        assert_int_equal(bench->port[0].nic->irq_mode, cases[i].mode);
        /* without an interrupt a queue says that it has work, always */
        assert_int_equal(nic_rx_arm(bench->port[0].rxq), cases[i].mode == NIC_IRQ_NONE);
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* Larger frames need another split of the packet buffer, which takes a reset. */
static void run_jumbo_reset(void **state)
{
    struct nic_config c = port_config;
    struct bench *bench;

    c.frame_max_bytes = 9018;
    bench = bench_start(1, &c);
    assert_int_equal(bench->port[0].fake->resets, 2);
    assert_int_equal(bench->port[0].fake->reg[E1000E_PBA / 4], 22);
    assert_true(bench->port[0].fake->reg[E1000E_RCTL / 4] & E1000E_RCTL_LPE);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_restart(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct fake_e1000e *f = bench->port[0].fake;
    uint8_t frame[60] = {1};

    for (unsigned round = 0; round < 3; round++) {
        struct buf_batch batch = {.count = 0};

        assert_true(fake_receive(f, frame, sizeof(frame), NULL));
        assert_int_equal(nic_rx(bench->port[0].rxq, &batch, 32), 1);
        buf_batch_free(&batch);
        bench_stop_and_check(bench);
        assert_int_equal(f->reg[E1000E_CTRL_EXT / 4] & E1000E_CTRL_EXT_DRV_LOAD, 0);
        assert_int_equal(f->config[1] & 4, 0); /* bus mastering */
        assert_int_equal(nic_start(bench->port[0].nic), RT_OK);
    }
    assert_int_equal(f->dma_refused, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_two_ports),    cmocka_unit_test(run_left_running),
        cmocka_unit_test(run_order),        cmocka_unit_test(run_no_negotiation),
        cmocka_unit_test(run_phy_asleep),   cmocka_unit_test(run_probe_faults),
        cmocka_unit_test(run_start_faults), cmocka_unit_test(run_master_stuck),
        cmocka_unit_test(run_nvm_checksum), cmocka_unit_test(run_models),
        cmocka_unit_test(run_bad_config),   cmocka_unit_test(run_pool_too_small),
        cmocka_unit_test(run_fallback),     cmocka_unit_test(run_jumbo_reset),
        cmocka_unit_test(run_restart),      cmocka_unit_test(run_mac_invalid),
        cmocka_unit_test(run_tctl_keeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A started port: link, faults, counters, filters, and its end. */
#include "e1000e_port.h"

#include <rt/quiesce.h>
#include <string.h>

static void run_link_events(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint32_t tried = port->fake->messages[1]; /* once, at start */

    assert_int_equal(tried, 1);
    assert_int_equal(port->nic->link.changes, 1);
    fake_link(port->fake, false);
    assert_int_equal(port->fake->messages[1], tried + 1); /* the vector behind the queue's */
    assert_int_equal(*port->nic->link_irq.count, tried + 1);
    nic_poll_link(port->nic);
    assert_false(port->nic->link.up);
    fake_link(port->fake, true);
    assert_int_equal(port->fake->messages[1], tried + 2);
    nic_poll_link(port->nic);
    assert_true(port->nic->link.up);
    assert_int_equal(port->nic->link.changes, 3);
    assert_true(bench_logged(bench, "nic0 link=down"));
    /* both sides offer symmetric pause */
    assert_int_equal(port->fake->reg[E1000E_CTRL / 4] & (E1000E_CTRL_RFCE | E1000E_CTRL_TFCE),
                     E1000E_CTRL_RFCE | E1000E_CTRL_TFCE);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_phy_hang(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    port->fake->phy[21] = 0xffff;
    port->fake->phy[10] = 0x00ff;
    for (unsigned i = 0; i < 3; i++) {
        host_clock_advance_us(2000001);
        nic_poll_link(port->nic);
    }
    assert_true(bench_logged(bench, "nic0 phy=hung action=reset"));
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void look_until(struct port *port, uint64_t end_us)
{
    while (nic_next_us(port->nic) <= end_us) {
        uint64_t now_us;

        host_clock_advance_us(nic_next_us(port->nic) - hal_now_us());
        now_us = hal_now_us();
        nic_poll_link(port->nic);
        assert_int_equal(hal_now_us(), now_us); /* it waits for nothing itself */
    }
    host_clock_advance_us(end_us - hal_now_us());
}

/* A PHY that does not answer holds core 0 up at no time, and is said once a look. */
static void run_phy_silent(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    const uint32_t *owner = &port->fake->reg[E1000E_EXTCNF_CTRL / 4];
    uint64_t began_us;

    host_clock_advance_us(2000001);
    port->fake->stuck_phy = true;
    began_us = hal_now_us();
    nic_poll_link(port->nic);
    assert_int_equal(hal_now_us(), began_us);
    assert_true(nic_next_us(port->nic) <= began_us + 1000);
    look_until(port, began_us + 99000);
    assert_false(bench_logged(bench, "phy-timeout"));
    assert_int_equal(*owner & E1000E_EXTCNF_CTRL_MDIO_SW, E1000E_EXTCNF_CTRL_MDIO_SW);
    look_until(port, began_us + 110000);
    assert_true(bench_logged(bench, "error=phy-timeout mdic="));
    assert_int_equal(*owner & E1000E_EXTCNF_CTRL_MDIO_SW, 0);
    assert_int_equal(nic_next_us(port->nic), UINT64_MAX);
    port->fake->stuck_phy = false;
    port->fake->phy[21] = 0xffff;
    port->fake->phy[10] = 0x00ff;
    for (unsigned i = 0; i < 2; i++) {
        host_clock_advance_us(2000001);
        nic_poll_link(port->nic);
    }
    assert_true(bench_logged(bench, "nic0 phy=hung action=reset"));
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A stop, and a recovery, in the middle of a look. */
static void run_phy_silent_at_stop(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    host_clock_advance_us(2000001);
    port->fake->stuck_phy = true;
    nic_poll_link(port->nic);
    memset(port->fake->reg, 0, sizeof(port->fake->reg));
    for (unsigned i = 0; i < 50 && !bench_logged(bench, "status=recovered"); i++)
        look_until(port, hal_now_us() + 10000);
    nic_poll_link(port->nic);
    look_until(port, hal_now_us() + 1000000);
    assert_true(bench_logged(bench, "fault=was-reset action=reset status=recovered"));
    host_clock_advance_us(2000001);
    nic_poll_link(port->nic);
    assert_true(nic_next_us(port->nic) != UINT64_MAX);
    port->fake->stuck_phy = false;
    nic_stop(port->nic);
    assert_int_equal(nic_next_us(port->nic), UINT64_MAX);
    assert_int_equal(nic_start(port->nic), RT_OK);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_removed(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    port->fake->gone = true;
    nic_poll_link(port->nic);
    assert_false(port->nic->link.up);
    nic_poll_stats(port->nic, NIC_STATS_ALL);
    assert_int_equal(port->nic->stats.rx_packets, 0);
    nic_stop(port->nic);
    assert_int_equal(bench->pool->free, bench->pool->total);
    bench_free(bench);
}

/* Whatever the limits of port and card: a frame too long is dropped, and counted once. */
static void run_too_long(void **state)
{
    static const uint16_t frame_max[] = {60, 1000, 1514, 1515, 1600, 2043, 2044, 2045, 9018};
    static const uint32_t around[] = {0, 4, 5, 6, 900};
    static uint8_t frame[FAKE_FRAME_MAX];

    for (size_t i = 0; i < RT_ARRAY_SIZE(frame_max); i++) {
        struct nic_config c = port_config;
        struct bench *bench;
        struct port *port;
        uint64_t long_frames = 0, good = 0;

        c.frame_max_bytes = frame_max[i];
        bench = bench_start(1, &c);
        port = &bench->port[0];
        for (size_t k = 0; k < RT_ARRAY_SIZE(around); k++) {
            uint32_t bytes = frame_max[i] + around[k];
            struct buf_batch batch = {.count = 0};

            (void)fake_receive(port->fake, frame, bytes, NULL);
            for (unsigned n = 0; n < 10; n++)
                (void)nic_rx(port->rxq, &batch, 32);
            assert_int_equal(batch.count, around[k] <= 4);
            good += batch.count;
            long_frames += 1 - batch.count;
            buf_batch_free(&batch);
        }
        nic_poll_stats(port->nic, NIC_STATS_ALL);
        assert_int_equal(port->rxq->stats.too_long + port->nic->stats.rx_length_errors,
                         long_frames);
        assert_int_equal(port->rxq->stats.packets, good);
        assert_int_equal(port->rxq->stats.bytes, 2 * frame_max[i] + 4);
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* A frame is in one loss counter: the 82574 counts runts in RLEC, too. */
static void run_losses_once(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    port->fake->reg[INTEL_RLEC / 4] = 10;
    port->fake->reg[INTEL_RUC / 4] = 1;
    port->fake->reg[INTEL_ROC / 4] = 2;
    port->fake->reg[INTEL_RFC / 4] = 3;
    port->fake->reg[INTEL_RJC / 4] = 4;
    port->fake->reg[E1000E_MPC / 4] = 5;
    port->fake->reg[E1000E_RNBC / 4] = 6;
    nic_poll_stats(port->nic, NIC_STATS_ALL);
    assert_int_equal(port->nic->stats.rx_length_errors, 10);
    assert_int_equal(port->nic->stats.rx_missed, 5);
    assert_int_equal(port->nic->stats.rx_no_buffer, 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A few registers a look: the sums change with the last of them, and nothing is lost. */
static void run_stats_in_parts(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    const uint32_t rows = 8, looks = (port->nic->counter_count + rows - 1) / rows;
    uint8_t frame[100] = {1};
    struct buf_batch batch = {.count = 0};

    for (unsigned i = 0; i < 5; i++)
        assert_true(fake_receive(port->fake, frame, sizeof(frame), NULL));
    nic_rx(port->rxq, &batch, 32);
    buf_batch_free(&batch);
    for (uint32_t look = 1; look <= looks; look++) {
        assert_int_equal(port->nic->stats.rx_packets, 0);
        nic_poll_stats(port->nic, rows);
    }
    assert_int_equal(port->nic->stats.rx_packets, 5);
    nic_poll_stats(port->nic, rows); /* from the first again */
    nic_poll_stats(port->nic, NIC_STATS_ALL);
    assert_int_equal(port->nic->stats.rx_packets, 5);
    nic_stop(port->nic);
    bench_free(bench);
}

static void run_stats(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    uint8_t frame[100] = {1};
    struct buf_batch batch = {.count = 0};

    for (unsigned round = 1; round <= 3; round++) {
        for (unsigned i = 0; i < 5; i++)
            assert_true(fake_receive(port->fake, frame, sizeof(frame), NULL));
        port->fake->reg[INTEL_GORCH / 4] = 1; /* beyond 32 bits */
        port->fake->reg[INTEL_CRCERRS / 4] = 2;
        nic_rx(port->rxq, &batch, 32);
        buf_batch_free(&batch);
        nic_poll_stats(port->nic, NIC_STATS_ALL);
        assert_int_equal(port->nic->stats.rx_packets, 5 * round);
        assert_int_equal(port->nic->stats.rx_bytes, round * (500 + (UINT64_C(1) << 32)));
        assert_int_equal(port->nic->stats.rx_crc_errors, 2 * round);
    }
    assert_int_equal(port->rxq->stats.packets, 15);
    assert_int_equal(port->rxq->stats.bytes, 1500);
    assert_int_equal(port->nic->counter_count, 61 + NIC_WATCH_ROWS);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_filters(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x12, 0x34};
    const uint8_t station[6] = {0x02, 0, 0, 0, 0, 1};
    uint32_t *rctl = &port->fake->reg[E1000E_RCTL / 4];

    assert_true(*rctl & E1000E_RCTL_UPE);
    assert_int_equal(nic_set_promiscuous(port->nic, false), RT_OK);
    assert_false(*rctl & (E1000E_RCTL_UPE | E1000E_RCTL_MPE));
    assert_int_equal(nic_add_multicast(port->nic, group), RT_OK);
    /* (0x12 >> 4 | 0x34 << 4) = 0x341: word 26, bit 1 */
    assert_int_equal(port->fake->reg[E1000E_MTA(26) / 4], 1u << 1);
    assert_int_equal(nic_add_multicast(port->nic, station), RT_INVALID);
    assert_int_equal(nic_set_vlan_filter(port->nic, 100, true), RT_OK);
    assert_int_equal(port->fake->reg[E1000E_VFTA(3) / 4], 1u << 4);
    assert_true(*rctl & E1000E_RCTL_VFE);
    assert_int_equal(nic_set_vlan_filter(port->nic, 100, false), RT_OK);
    assert_false(*rctl & E1000E_RCTL_VFE);
    assert_int_equal(nic_set_vlan_filter(port->nic, 4096, true), RT_INVALID);
    assert_true(*rctl & E1000E_RCTL_EN);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* MSI-X goes on and off only when no moderation timer can run. */
static void run_msix_quiet(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    uint64_t begin_us = hal_now_us();

    nic_stop(bench->port[0].nic);
    assert_in_range(hal_now_us() - begin_us, 17000, 60000);
    assert_int_equal(bench->port[0].fake->config[0xa0 / 4] >> 31, 0);
    bench_free(bench);
}

/* The end of the machine: the chip is silent after writes alone, whatever a core is doing. */
static void run_quiesce(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct fake_e1000e *f = bench->port[0].fake;
    uint32_t reads = f->reads;
    uint8_t frame[60] = {1};

    assert_true(fake_receive(f, frame, sizeof(frame), NULL));
    assert_int_not_equal(f->reg[E1000E_FCRTH / 4], 0);
    rt_quiesce_all();
    assert_int_equal(f->reads, reads);
    assert_int_equal(f->reg[E1000E_FCRTH / 4], 0);
    assert_int_equal(f->reg[E1000E_IMS / 4], 0);
    assert_int_equal(f->reg[E1000E_TCTL / 4] & E1000E_TCTL_EN, 0);
    assert_false(fake_receive(f, frame, sizeof(frame), NULL));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_link_events),
        cmocka_unit_test(run_phy_hang),
        cmocka_unit_test(run_phy_silent),
        cmocka_unit_test(run_phy_silent_at_stop),
        cmocka_unit_test(run_removed),
        cmocka_unit_test(run_too_long),
        cmocka_unit_test(run_losses_once),
        cmocka_unit_test(run_stats_in_parts),
        cmocka_unit_test(run_stats),
        cmocka_unit_test(run_filters),
        cmocka_unit_test(run_msix_quiet),
        cmocka_unit_test(run_quiesce),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

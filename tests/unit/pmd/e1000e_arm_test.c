/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No frame is left in a ring by going to sleep, wherever in arm() it arrives. The fake delivers
 * the frame right before the driver touches a given register.
 */
#include "e1000e_port.h"

static const uint8_t frame[60] = {0x02};

static void frame_arrives(struct fake_e1000e *f)
{
    assert_true(fake_receive(f, frame, sizeof(frame), NULL));
}

static uint32_t drain(struct port *port)
{
    struct buf_batch batch = {.count = 0};
    uint32_t n = nic_rx(port->rxq, &batch, 32);

    buf_batch_free(&batch);
    return n;
}

static struct bench *start(uint32_t irq_mode)
{
    struct nic_config c = port_config;

    c.irq_mode = irq_mode;
    return bench_start(1, &c);
}

/* Idle: armed, nothing pending, a frame then makes exactly one interrupt. */
static void run_wake(void **state)
{
    for (uint32_t mode = NIC_IRQ_MSIX; mode <= NIC_IRQ_INTX; mode++) {
        struct bench *bench = start(mode);
        struct port *port = &bench->port[0];

        for (unsigned round = 0; round < 20; round++) {
            uint32_t before = port->fake->messages[0];

            assert_false(nic_rx_arm(port->rxq));
            assert_int_equal(port->fake->messages[0], before);
            frame_arrives(port->fake);
            assert_int_equal(port->fake->messages[0], before + 1);
            nic_rx_disarm(port->rxq);
            assert_int_equal(drain(port), 1);
            frame_arrives(port->fake); /* while polling: no interrupt */
            assert_int_equal(port->fake->messages[0], before + 1);
            assert_int_equal(drain(port), 1);
        }
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* Frames that came while polling left their cause set: arming must not trip over it. */
static void run_no_stale_wake(void **state)
{
    struct bench *bench = start(NIC_IRQ_MSIX);
    struct port *port = &bench->port[0];
    uint32_t tried = port->fake->messages[0];

    frame_arrives(port->fake);
    assert_int_equal(drain(port), 1);
    assert_false(nic_rx_arm(port->rxq));
    assert_int_equal(port->fake->messages[0], tried);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_pending_before(void **state)
{
    struct bench *bench = start(NIC_IRQ_MSIX);
    struct port *port = &bench->port[0];

    frame_arrives(port->fake);
    assert_true(nic_rx_arm(port->rxq));
    nic_rx_disarm(port->rxq);
    assert_int_equal(drain(port), 1);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A frame at each step of arm(): it must be reported, or have made an interrupt. */
static void run_race(void **state)
{
    static const struct {
        uint32_t mode, offset;
        bool must_report; /* arm() has a look after this point */
    } points[] = {
        {NIC_IRQ_MSIX, E1000E_ICR, true},  {NIC_IRQ_MSIX, E1000E_STATUS, true},
        {NIC_IRQ_MSIX, E1000E_IMS, true},  {NIC_IRQ_MSI, E1000E_ICR, true},
        {NIC_IRQ_MSI, E1000E_STATUS, true}, {NIC_IRQ_MSI, E1000E_IMS, true},
        {NIC_IRQ_INTX, E1000E_ICR, true},  {NIC_IRQ_INTX, E1000E_STATUS, true},
        {NIC_IRQ_INTX, E1000E_IMS, true},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(points); i++) {
        struct bench *bench = start(points[i].mode);
        struct port *port = &bench->port[0];

        port->fake->hook = frame_arrives;
        port->fake->hook_offset = points[i].offset;
        assert_int_equal(nic_rx_arm(port->rxq), points[i].must_report);
        assert_null(port->fake->hook); /* the register was touched */
        assert_int_equal(
            port->fake->reg[E1000E_IMS / 4] & (E1000E_INT_RXQ(0) | E1000E_INT_RXT0), 0);
        nic_rx_disarm(port->rxq);
        assert_int_equal(drain(port), 1);
        assert_false(nic_rx_arm(port->rxq));
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* A device without the latch (or an IMS write still on its way): the last look is what saves
 * the frame. */
static void frame_without_cause(struct fake_e1000e *f)
{
    frame_arrives(f);
    f->reg[E1000E_ICR / 4] = 0;
}

static void run_last_look(void **state)
{
    struct bench *bench = start(NIC_IRQ_MSIX);
    struct port *port = &bench->port[0];

    port->fake->hook = frame_without_cause;
    port->fake->hook_offset = E1000E_IMS;
    assert_true(nic_rx_arm(port->rxq));
    assert_int_equal(drain(port), 1);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Descriptors that were not worth an RDT write go to the chip before a sleep. */
static void run_arm_posts(void **state)
{
    struct bench *bench = start(NIC_IRQ_MSIX);
    struct port *port = &bench->port[0];
    uint32_t descs = port->nic->config.rx_descs;

    frame_arrives(port->fake);
    assert_int_equal(drain(port), 1);
    assert_false(nic_rx_arm(port->rxq));
    assert_int_equal(port->fake->reg[E1000E_RDT(0) / 4], 0);
    for (uint32_t i = 0; i < descs - 1; i++)
        frame_arrives(port->fake);
    assert_false(fake_receive(port->fake, frame, sizeof(frame), NULL));
    bench_stop_and_check(bench);
    bench_free(bench);
}

static uint32_t causes_that_interrupt(const struct port *port)
{
    return port->fake->reg[E1000E_ICR / 4] & port->fake->reg[E1000E_IMS / 4];
}

/* A cause that stands holds the INTx line up, and every halt ends at once. */
static void run_link_acknowledged(void **state)
{
    for (uint32_t mode = NIC_IRQ_MSIX; mode <= NIC_IRQ_INTX; mode++) {
        struct bench *bench = start(mode);
        struct port *port = &bench->port[0];

        for (unsigned i = 0; i < 4; i++) {
            fake_link(port->fake, i % 2 == 1);
            assert_int_not_equal(causes_that_interrupt(port), 0);
            nic_poll_link(port->nic);
            assert_int_equal(port->nic->link.up, i % 2 == 1);
            assert_int_equal(causes_that_interrupt(port), 0);
        }
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* Each side clears its own causes: a queue that goes to sleep leaves the link's for core 0, and
 * core 0 leaves the queue's. */
static void run_causes_of_others_stay(void **state)
{
    for (uint32_t mode = NIC_IRQ_MSIX; mode <= NIC_IRQ_INTX; mode++) {
        struct bench *bench = start(mode);
        struct port *port = &bench->port[0];
        uint32_t mine = mode == NIC_IRQ_MSIX ? E1000E_INT_RXQ(0) : E1000E_INT_RXT0;

        fake_link(port->fake, false);
        assert_false(nic_rx_arm(port->rxq));
        assert_int_equal(port->fake->reg[E1000E_ICR / 4] & E1000E_INT_LSC, E1000E_INT_LSC);
        nic_rx_disarm(port->rxq);
        fake_link(port->fake, true);
        frame_arrives(port->fake);
        nic_poll_link(port->nic);
        assert_int_equal(port->fake->reg[E1000E_ICR / 4] & (E1000E_INT_LSC | mine), mine);
        assert_int_equal(drain(port), 1);
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

/* One MSI for two queues on two cores: the queue that it does not reach never sleeps. */
static void run_other_core(void **state)
{
    struct nic_config c = port_config;
    struct bench *bench = bench_new(1, 0x10d3);
    struct pool *other;
    struct nic *nic;

    c.rxqs = 2;
    c.irq_mode = NIC_IRQ_MSI;
    pci_scan();
    assert_int_equal(nic_probe_all(), 1);
    nic = nic_get(0);
    assert_int_equal(pool_create("core0", 0, 2, PORT_POOL, &bench->pool), RT_OK);
    assert_int_equal(pool_create("core1", 1, 2, PORT_POOL, &other), RT_OK);
    assert_int_equal(nic_configure(nic, &c), RT_OK);
    assert_int_equal(nic_rxq_setup(nic, 0, 0, bench->pool), RT_OK);
    assert_int_equal(nic_rxq_setup(nic, 1, 0, other), RT_INVALID);
    assert_int_equal(nic_rxq_setup(nic, 1, 1, other), RT_OK);
    assert_int_equal(nic_txq_setup(nic, 0, 0, bench->pool), RT_OK);
    assert_int_equal(nic_start(nic), RT_OK);
    c = nic->config;
    assert_false(nic_rx_arm(nic->rxq[0]));
    assert_true(nic_rx_arm(nic->rxq[1]));
    assert_true(bench_logged(bench, "nic0 rxq=1 core=1 irq=none"));
    nic_stop(nic);
    assert_int_equal(pool_collect(other), c.rx_descs); /* its ring came home from core 0 */
    assert_int_equal(other->free, other->total);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_wake),      cmocka_unit_test(run_no_stale_wake),
        cmocka_unit_test(run_pending_before), cmocka_unit_test(run_race),
        cmocka_unit_test(run_last_look), cmocka_unit_test(run_arm_posts),
        cmocka_unit_test(run_link_acknowledged), cmocka_unit_test(run_causes_of_others_stay),
        cmocka_unit_test(run_other_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

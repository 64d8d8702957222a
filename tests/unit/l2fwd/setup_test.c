/* SPDX-License-Identifier: BSD-2-Clause */
/* The application's start on fake cards: what a card that fails costs, and what it must not. */
#include "e1000e_port.h"

#include "l2fwd.h"
#include "state.h"

#include <string.h>

static struct kit kit;

static void no_line(void *ctx, const char *line)
{
    fail_msg("%s", line);
}

static struct bench *machine(uint32_t ports, const char *args)
{
    struct bench *bench = bench_new(ports, 0x10d3);

    kit = (struct kit){.app = &l2fwd_app, .core_count = 1};
    assert_int_equal(args_parse(rt_app.tables, args, no_line, NULL).mistakes, 0);
    return bench;
}

static void check_running(uint32_t mask)
{
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        bool running = nic_get(p) != NULL && nic_get(p)->started;

        assert_int_equal(running, mask >> p & 1);
        assert_int_equal(kit.ports[p] != NULL, mask >> p & 1);
    }
}

static void check_frame_passes(struct bench *bench, uint32_t from, uint32_t to)
{
    static const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    uint32_t before = bench->port[to].fake->tx_frames;

    assert_true(fake_receive(bench->port[from].fake, frame, sizeof(frame), NULL));
    for (uint32_t turn = 0; turn < 100; turn++) { /* hostile builds fail takes now and then */
        for (uint32_t i = 0; i < kit.cores[0]->loop.source_count; i++) {
            const struct loop_source *source = &kit.cores[0]->loop.sources[i];

            source->poll(source->ctx, hal_now_us());
        }
    }
    if (!POOL_HOSTILE)
        assert_int_equal(bench->port[to].fake->tx_frames, before + 1);
}

static enum kit_exit prepare(uint32_t cards_that_work)
{
    enum kit_exit e;

    pci_scan();
    assert_int_equal(nic_probe_all(), cards_that_work);
    e = kit_setup_plan(&kit);
    return e == KIT_EXIT_OK ? kit_setup_memory(&kit) : e;
}

static void run_all_start(void **state)
{
    struct bench *bench = machine(4, "rx_descs=64 tx_descs=64");

    assert_int_equal(prepare(4), KIT_EXIT_OK);
    assert_int_equal(kit_setup_ports(&kit), KIT_EXIT_OK);
    assert_false(kit.cores[0]->loop.sources[0].never_sleeps);
    for (uint32_t i = 0; i < kit.plan.count; i++) {
        assert_ptr_equal(kit_path_at(&kit, i), kit.paths[i]);
        assert_ptr_equal(kit.paths[i]->loop, &kit.cores[0]->loop);
    }
    assert_null(kit_path_at(&kit, kit.plan.count));
    check_running(0xf);
    check_frame_passes(bench, 0, 1);
    check_frame_passes(bench, 3, 2);
    assert_true(kit_shut_down(&kit));
    bench_free(bench);
}

static void run_without_an_interrupt(void **state)
{
    struct bench *bench = machine(2, "rx_descs=64 tx_descs=64 irq=none");

    assert_int_equal(prepare(2), KIT_EXIT_OK);
    assert_int_equal(kit_setup_ports(&kit), KIT_EXIT_OK);
    assert_true(kit.cores[0]->loop.sources[0].never_sleeps);
    assert_true(kit_shut_down(&kit));
    bench_free(bench);
}

/* Its pair is idle, the other pair forwards, every buffer comes home. */
static void run_one_does_not_start(void **state)
{
    struct bench *bench = machine(4, "rx_descs=64 tx_descs=64");

    assert_int_equal(prepare(4), KIT_EXIT_OK);
    bench->port[1].fake->stuck_phy = true;
    assert_int_equal(kit_setup_ports(&kit), KIT_EXIT_OK);
    check_running(0xc);
    assert_true(bench_logged(bench, "l2fwd port=0 to=1 state=idle reason=\"nic1 did not"));
    assert_int_equal(kit.cores[0]->loop.source_count, 2);
    check_frame_passes(bench, 2, 3);
    check_frame_passes(bench, 3, 2);
    assert_true(kit_shut_down(&kit));
    bench_free(bench);
}

static void run_none_starts(void **state)
{
    struct bench *bench = machine(2, "rx_descs=64 tx_descs=64");

    assert_int_equal(prepare(2), KIT_EXIT_OK);
    bench->port[0].fake->stuck_phy = true;
    assert_int_equal(kit_setup_ports(&kit), KIT_EXIT_DEVICE);
    check_running(0);
    bench_free(bench);
}

/* The first card fails for good: cables 2 and 3 are bridged, not 1 and 2. */
static void run_first_card_fails(void **state)
{
    struct bench *bench = machine(4, "rx_descs=64 tx_descs=64");

    bench->port[0].fake->stuck_reset = true;
    assert_int_equal(prepare(3), KIT_EXIT_OK);
    assert_int_equal(kit_setup_ports(&kit), KIT_EXIT_OK);
    check_running(0xc);
    assert_true(bench_logged(bench, "nic1 role=idle reason=\"its partner nic0 failed\""));
    check_frame_passes(bench, 2, 3);
    assert_true(kit_shut_down(&kit));
    bench_free(bench);
}

/* Rings filled, and a batch a path: with less, one port takes what the other needs. */
static void run_pool_too_small(void **state)
{
    struct bench *bench = machine(2, "rx_descs=64 tx_descs=64 batch=16 pool_size=159");

    assert_int_equal(prepare(2), KIT_EXIT_PLAN);
    assert_true(bench_logged(bench, "error=pool_size core=0 buffers=159 least=160"));
    bench_free(bench);
    bench = machine(2, "rx_descs=64 tx_descs=64 batch=16 pool_size=160");
    assert_int_equal(prepare(2), KIT_EXIT_OK);
    assert_int_equal(kit_setup_ports(&kit), KIT_EXIT_OK);
    check_frame_passes(bench, 0, 1);
    assert_true(kit_shut_down(&kit));
    bench_free(bench);
}

/* All rings and batches of many small queues fit into the usual pool. */
static void run_usual_pool_is_enough(void **state)
{
    struct bench *bench = machine(4, "rx_descs=64 tx_descs=8 batch=1 queues=2");

    pci_scan();
    assert_int_equal(nic_probe_all(), 4);
    assert_int_equal(kit_setup_plan(&kit), KIT_EXIT_OK);
    assert_int_equal(kit_setup_memory(&kit), KIT_EXIT_OK);
    if (!POOL_HOSTILE) /* whose pools are tiny */
        assert_true(kit.cores[0]->pool->total >= 8 * (64 + 1));
    bench_free(bench);
}

/* No DMA, not promiscuous, deaf: as if it were not there. */
static void run_booted_from(void **state)
{
    static const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    struct bench *bench = machine(3, "rx_descs=64 tx_descs=64 boot.mac=02:00:4d:52:00:02");
    const struct fake_e1000e *f = bench->port[0].fake;

    assert_int_equal(prepare(3), KIT_EXIT_OK);
    assert_int_equal(kit_setup_ports(&kit), KIT_EXIT_OK);
    check_running(0x6);
    assert_true(bench_logged(bench, "nic0 role=management reason=\"booted from it"));
    assert_int_equal(f->reg[E1000E_RCTL / 4], 0);
    assert_int_equal(f->reg[E1000E_TCTL / 4] & E1000E_TCTL_EN, 0);
    assert_int_equal(f->config[1] & 4, 0); /* bus master, PCI 3.0 6.2.2 */
    assert_false(fake_receive(bench->port[0].fake, frame, sizeof(frame), NULL));
    check_frame_passes(bench, 1, 2);
    assert_int_equal(f->tx_frames, 0);
    assert_true(kit_shut_down(&kit));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_all_start),
        cmocka_unit_test(run_without_an_interrupt),
        cmocka_unit_test(run_one_does_not_start),
        cmocka_unit_test(run_none_starts),
        cmocka_unit_test(run_first_card_fails),
        cmocka_unit_test(run_pool_too_small),
        cmocka_unit_test(run_usual_pool_is_enough),
        cmocka_unit_test(run_booted_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

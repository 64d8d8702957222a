/* SPDX-License-Identifier: BSD-2-Clause */
/* A running e1000e that stands still, is reset by others or goes away, and what comes of it. */
#include "e1000e_reg.h"
#include "e1000e_port.h"

#include <mempool/ext.h>
#include <string.h>

enum {
    LOOK_US = 200000, /* as l2fwd looks */
    LOOKS_MAX = 100,
    FRAME_BYTES = 60,
};

static struct bench *forwarding(void)
{
    struct bench *bench = bench_start(1, &port_config);

    fake_link(bench->port[0].fake, true);
    nic_poll_link(bench->port[0].nic);
    assert_true(bench->port[0].nic->link.up);
    return bench;
}

static void send(struct bench *bench, uint32_t frames)
{
    struct buf_batch batch = {.count = 0};

    for (uint32_t i = 0; i < frames; i++)
        batch.buf[batch.count++] = frame_buf(bench->pool, FRAME_BYTES, i);
    nic_tx(bench->port[0].txq, &batch);
    assert_int_equal(batch.count, 0);
}

static void look_for(struct bench *bench, uint64_t us)
{
    for (uint64_t passed_us = 0; passed_us < us; passed_us += LOOK_US) {
        host_clock_advance_us(LOOK_US);
        nic_poll_link(bench->port[0].nic);
    }
}

static uint64_t counted(const struct bench *bench, const char *name)
{
    const struct nic *nic = bench->port[0].nic;

    for (uint32_t i = 0; i < nic->counter_count; i++)
        if (strcmp(nic->counters[i].name, name) == 0)
            return nic->counters[i].value;
    fail_msg("no counter %s", name);
    return 0;
}

/* The port recovers by its timers, receives and sends again, and no buffer is lost. */
static void must_recover(struct bench *bench)
{
    struct port *port = &bench->port[0];
    struct buf_batch got = {.count = 0};
    uint8_t frame[FRAME_BYTES];
    uint32_t sent;

    port->fake->stuck_tx = false;
    port->fake->link = true;
    for (uint32_t i = 0; i < LOOKS_MAX && !bench_logged(bench, "status=recovered"); i++)
        look_for(bench, LOOK_US);
    assert_true(bench_logged(bench, "status=recovered recoveries=1"));
    assert_int_equal(counted(bench, "driver_recoveries"), 1);
    look_for(bench, LOOK_US);
    frame_fill(frame, sizeof(frame), 7);
    assert_true(fake_receive(port->fake, frame, sizeof(frame), NULL));
    assert_int_equal(nic_rx(port->rxq, &got, 1), 1);
    assert_true(frame_is(buf_data(got.buf[0]), sizeof(frame), 7));
    buf_batch_free(&got);
    sent = port->fake->tx_frames;
    send(bench, 1);
    assert_int_equal(port->fake->tx_frames, sent + 1);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void a_hang_is_mended(void **state)
{
    struct bench *bench = forwarding();

    bench->port[0].fake->stuck_tx = true;
    send(bench, 5);
    nic_poll_link(bench->port[0].nic);
    look_for(bench, 1000000 - LOOK_US);
    assert_false(bench_logged(bench, "fault="));
    look_for(bench, LOOK_US);
    assert_true(bench_logged(bench, "fault=tx-hang action=reset"));
    assert_int_equal(counted(bench, "driver_tx_hangs"), 1);
    must_recover(bench);
}

/* The time begins with the look that first saw the frame, not with the last frame before it. */
static void a_new_frame_is_no_hang(void **state)
{
    struct bench *bench = forwarding();

    send(bench, 1);
    look_for(bench, 3000000);
    bench->port[0].fake->stuck_tx = true;
    send(bench, 1);
    look_for(bench, LOOK_US);
    assert_false(bench_logged(bench, "fault="));
    look_for(bench, 1000000);
    assert_true(bench_logged(bench, "fault=tx-hang action=reset"));
    must_recover(bench);
}

static uint32_t said(const struct bench *bench, const char *text)
{
    uint32_t times = 0;

    for (const char *at = strstr(bench->console, text); at != NULL; at = strstr(at + 1, text))
        times++;
    return times;
}

/* A core that does not come by delays the recovery, and is said once. */
static void a_core_is_late(void **state)
{
    struct bench *bench = bench_ready(1, &port_config);
    struct port *port = &bench->port[0];
    struct pool *other;

    assert_int_equal(pool_create("other", 1, 2, PORT_POOL, &other), RT_OK);
    assert_int_equal(nic_rxq_setup(port->nic, 0, 1, other), RT_OK);
    assert_int_equal(nic_start(port->nic), RT_OK);
    nic_poll_link(port->nic);
    memset(port->fake->reg, 0, sizeof(port->fake->reg));
    look_for(bench, 900000);
    assert_int_equal(said(bench, "status=waiting"), 0);
    look_for(bench, 5000000);
    assert_int_equal(said(bench, "status=waiting core=1"), 1);
    for (uint32_t i = 0; i < LOOKS_MAX && !bench_logged(bench, "status=recovered"); i++) {
        host_set_core(1);
        nic_core_poll(1);
        host_set_core(0);
        look_for(bench, LOOK_US);
    }
    assert_true(bench_logged(bench, "status=recovered recoveries=1"));
    assert_int_equal(said(bench, "status=waiting"), 1);
    nic_stop(port->nic);
    host_set_core(1);
    (void)pool_collect(other);
    host_set_core(0);
    assert_int_equal(other->free, other->total);
    bench_free(bench);
}

/* Neither a partner's pause frames nor a link that is down is the card's fault. */
static void held_up_is_no_hang(void **state)
{
    struct bench *bench = forwarding();
    struct fake_e1000e *fake = bench->port[0].fake;

    fake->stuck_tx = true;
    send(bench, 1);
    for (uint32_t i = 0; i < 20; i++) {
        fake->reg[E1000E_XOFFRXC / 4] = 1;
        look_for(bench, LOOK_US);
    }
    fake_link(fake, false);
    look_for(bench, 3000000);
    assert_false(bench_logged(bench, "fault="));
    fake_link(fake, true);
    look_for(bench, 2000000);
    assert_true(bench_logged(bench, "fault=tx-hang action=reset"));
    must_recover(bench);
}

/* Firmware or a bounce of the bus: the rings' registers are as after power on. */
static void a_reset_by_others_is_seen(void **state)
{
    struct bench *bench = forwarding();

    send(bench, 1);
    memset(bench->port[0].fake->reg, 0, sizeof(bench->port[0].fake->reg));
    look_for(bench, LOOK_US);
    assert_true(bench_logged(bench, "fault=was-reset action=reset"));
    assert_int_equal(counted(bench, "driver_device_faults"), 1);
    must_recover(bench);
}

static void removed_and_back(void **state)
{
    struct bench *bench = forwarding();
    uint32_t reads;

    bench->port[0].fake->gone = true;
    look_for(bench, LOOK_US);
    assert_true(bench_logged(bench, "fault=removed"));
    reads = bench->port[0].fake->reads;
    look_for(bench, 10 * LOOK_US);
    assert_in_range(bench->port[0].fake->reads - reads, 1, 20); /* whether it is back */
    bench->port[0].fake->gone = false;
    look_for(bench, LOOK_US);
    assert_true(bench_logged(bench, "fault=came-back action=reset"));
    must_recover(bench);
}

static uint32_t releases;

static void count_release(struct buf_pin *pin)
{
    releases++;
}

/* A frame whose value lies elsewhere is in its ring; it may never come back. */
static void a_removed_card_lets_go_of_what_it_held(void **state)
{
    static const uint8_t value[100];
    const struct pool_config config = {.name = "headers", .cores = 2, .count = 16};
    struct bench *bench = forwarding();
    struct buf *b = frame_buf(bench->pool, FRAME_BYTES, 1), *header = NULL;
    struct pool *headers;
    struct buf_pin pin;

    assert_int_equal(pool_create_config(&config, &headers), RT_OK);
    releases = 0;
    buf_pin_init(&pin, count_release);
    for (uint32_t i = 0; i < LOOKS_MAX && header == NULL; i++) /* hostile builds fail some */
        header = buf_ext_take(headers, &pin, value, sizeof(value));
    b->next = header;
    b->segments = 2;
    b->pkt_len = FRAME_BYTES + sizeof(value);
    bench->port[0].fake->stuck_tx = true;
    port_send_one(&bench->port[0], b);
    buf_let_go((struct buf_ref){header, header->owner});
    buf_pin_put(&pin);
    assert_int_equal(releases, 0);
    bench->port[0].fake->gone = true;
    for (uint32_t i = 0; i < 3; i++)
        look_for(bench, LOOK_US);
    assert_int_equal(releases, 1);
    assert_int_equal(headers->free, headers->total);
    assert_int_equal(pool_count_owner(bench->pool, BUF_NIC),
                     bench->port[0].nic->config.rx_descs);
    assert_int_equal(nic_next_us(bench->port[0].nic), UINT64_MAX); /* nothing to do for it */
    bench->port[0].fake->gone = false;
    look_for(bench, LOOK_US);
    must_recover(bench);
}

/* No register is touched while the card is reset; what is asked for then is written when it is
 * back, and what was let in before is let in again. */
static void what_comes_in_waits_for_a_recovery(void **state)
{
    static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
    static const uint8_t later[6] = {0x33, 0x33, 0x00, 0x00, 0x00, 0x02};
    struct bench *bench = forwarding();
    struct nic *nic = bench->port[0].nic;
    uint32_t *reg = bench->port[0].fake->reg;
    uint32_t reads;

    assert_int_equal(nic_add_multicast(nic, group), RT_OK);
    memset(reg, 0, sizeof(bench->port[0].fake->reg));
    look_for(bench, LOOK_US);
    assert_true(bench_logged(bench, "fault=was-reset action=reset"));
    for (unsigned i = 0; i < LOOKS_MAX && !bench_logged(bench, "status=recovered"); i++) {
        reads = bench->port[0].fake->reads;
        assert_int_equal(nic_add_multicast(nic, later), RT_OK);
        assert_int_equal(nic_set_vlan_filter(nic, 7, true), RT_OK);
        assert_int_equal(nic_set_promiscuous(nic, i % 2 != 0), RT_OK);
        assert_int_equal(bench->port[0].fake->reads, reads);
        look_for(bench, LOOK_US);
    }
    assert_true(bench_logged(bench, "status=recovered"));
    assert_int_equal((reg[E1000E_RCTL / 4] & E1000E_RCTL_UPE) != 0, nic->config.promiscuous);
    assert_int_equal(reg[E1000E_MTA(0) / 4], UINT32_C(1) << 16); /* bits 47:36: 0x010 */
    assert_int_equal(reg[E1000E_MTA(1) / 4], 1);                 /* 0x020 */
    assert_int_equal(reg[E1000E_VFTA(0) / 4], UINT32_C(1) << 7);
    assert_true((reg[E1000E_RCTL / 4] & E1000E_RCTL_VFE) != 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* A start forgets them; a group that is in already takes no second place. */
static void groups_have_a_limit(void **state)
{
    struct bench *bench = forwarding();
    struct nic *nic = bench->port[0].nic;
    uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x00};

    for (unsigned twice = 0; twice < 2; twice++)
        for (group[5] = 0; group[5] < NIC_GROUPS_MAX; group[5]++)
            assert_int_equal(nic_add_multicast(nic, group), RT_OK);
    assert_int_equal(nic_add_multicast(nic, group), RT_FULL);
    assert_true(bench_logged(bench, "error=multicast groups=32 remedy="));
    nic_stop(nic);
    assert_int_equal(nic_add_multicast(nic, group), RT_BUSY);
    assert_int_equal(nic_start(nic), RT_OK);
    assert_int_equal(nic_add_multicast(nic, group), RT_OK);
    assert_int_equal(nic->let_in.groups, 1);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Before the start and behind the stop a queue has nothing, takes nothing and holds nobody up. */
static void a_stopped_port_moves_nothing(void **state)
{
    struct bench *bench = bench_ready(1, &port_config);
    struct buf_batch batch = {.count = 0};
    struct port *port = &bench->port[0];

    for (unsigned starts = 0; starts < 3; starts++) {
        if (starts > 0) {
            assert_int_equal(nic_start(port->nic), RT_OK);
            send(bench, 3);
            nic_stop(port->nic);
        }
        batch.buf[batch.count++] = frame_buf(bench->pool, FRAME_BYTES, 1);
        nic_tx(port->txq, &batch);
        assert_int_equal(batch.count, 1);
        assert_int_equal(*batch.buf[0]->owner, BUF_STACK);
        assert_int_equal(nic_tx_reclaim(port->txq), 0);
        buf_batch_free(&batch);
        assert_int_equal(nic_rx(port->rxq, &batch, 1), 0);
        assert_false(nic_rx_arm(port->rxq));
        nic_rx_disarm(port->rxq);
        assert_int_equal(bench->pool->free, bench->pool->total);
    }
    bench_free(bench);
}

static void configure(struct bench *bench, uint16_t descs)
{
    struct nic_config config = port_config;

    config.rxqs = config.txqs = 2;
    config.rx_descs = config.tx_descs = descs;
    bench_configure(bench, &config);
    assert_int_equal(nic_start(bench->port[0].nic), RT_OK);
    send(bench, 3);
    nic_stop(bench->port[0].nic);
    assert_int_equal(bench->pool->free, bench->pool->total);
}

/* What a ring had before it grew serves a ring of the port that needs no more: the first queue
 * grows to 128 and leaves its 64, which the second takes, and so on. */
static void rings_that_grow_lose_no_memory(void **state)
{
    struct bench *bench = bench_ready(1, &port_config); /* one queue each way, 64 descriptors */
    struct nic *nic = bench->port[0].nic;
    const void *first_rx = nic_rx_ring_of(nic->rxq[0])->desc;
    const void *first_tx = nic_tx_ring_of(nic->txq[0])->desc;
    struct nic_config config = port_config;

    config.rx_descs = config.tx_descs = POOL_HOSTILE ? 64 : 128;
    bench_configure(bench, &config);
    assert_true(POOL_HOSTILE || nic_rx_ring_of(nic->rxq[0])->desc != first_rx);
    configure(bench, 64);
    if (!POOL_HOSTILE) { /* there all rings are of the least size */
        assert_ptr_equal(nic_rx_ring_of(nic->rxq[1])->desc, first_rx);
        assert_ptr_equal(nic_tx_ring_of(nic->txq[1])->desc, first_tx);
    }
    configure(bench, 128);
    configure(bench, 256);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hang_is_mended),
        cmocka_unit_test(a_new_frame_is_no_hang),
        cmocka_unit_test(a_core_is_late),
        cmocka_unit_test(held_up_is_no_hang),
        cmocka_unit_test(a_reset_by_others_is_seen),
        cmocka_unit_test(removed_and_back),
        cmocka_unit_test(a_removed_card_lets_go_of_what_it_held),
        cmocka_unit_test(groups_have_a_limit),
        cmocka_unit_test(what_comes_in_waits_for_a_recovery),
        cmocka_unit_test(a_stopped_port_moves_nothing),
        cmocka_unit_test(rings_that_grow_lose_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

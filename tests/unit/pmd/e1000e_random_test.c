/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random traffic with a seed on two ports: frames of all sizes and faults in, forwarded,
 * dropped, freed on another core, sent twice. After each round every buffer has one owner, and
 * after the stop all are home. A failing seed is printed: pmd_e1000e_random_test SEED
 * runs it alone.
 */
#include "e1000e_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 40
#define ROUNDS 400

static uint32_t seed_first = 1, seed_count = SEEDS;
static uint64_t state_of;

static uint32_t rnd(uint32_t below)
{
    state_of ^= state_of << 13;
    state_of ^= state_of >> 7;
    state_of ^= state_of << 17;
    return (uint32_t)(state_of >> 32) % below;
}

static void some_frames(struct port *port, uint32_t jumbo)
{
    static const uint32_t statuses[] = {
        0, 0, 0, E1000E_RXD_IPCS, E1000E_RXD_ERR_RXE, E1000E_RXD_IXSM, E1000E_RXD_ERR_IPE};
    uint8_t frame[FAKE_FRAME_MAX];
    uint32_t count = rnd(20);

    for (uint32_t i = 0; i < count; i++) {
        struct fake_rx how = {
            .status = statuses[rnd(RT_ARRAY_SIZE(statuses))],
            .no_eop = rnd(40) == 0,
            .set_length = rnd(40) == 0,
            .length = (uint16_t)rnd(65536),
        };
        uint32_t bytes = rnd(4) == 0 ? 60 + rnd(jumbo ? 9000 : 1460) : 60;

        frame_fill(frame, bytes, i);
        (void)fake_receive(port->fake, frame, bytes, &how);
    }
}

/* What an application may do with a buffer. */
static void dispose(struct buf_batch *in, struct buf_batch *out)
{
    for (uint32_t i = 0; i < in->count; i++) {
        struct buf *b = in->buf[i];

        switch (rnd(11)) {
        case 0:
            buf_free(b);
            break;
        case 1:
            host_set_core(1);
            buf_free(b);
            host_set_core(0);
            break;
        case 2:
            b->flags = BUF_TX_VLAN | (rnd(2) ? BUF_TX_IP_CSUM : 0);
            b->l2_bytes = 14;
            b->l3_bytes = (uint16_t)rnd(60);
            out->buf[out->count++] = b;
            break;
        default:
            out->buf[out->count++] = b;
            break;
        }
    }
    in->count = 0;
}

/* What it may not: send or free what it has sent. Both are refused. (Not tested here: a buffer
 * that came back to the stack as another frame meanwhile looks like its own.) */
static void misuse(struct nic_txq *txq, struct buf *sent)
{
    struct buf_batch again = {.count = 1, .buf = {sent}};
    uint64_t before = buf_refusals();

    if (*sent->owner == BUF_STACK)
        return;
    nic_tx(txq, &again);
    if (again.count == 0 && *sent->owner != BUF_STACK)
        buf_free(sent);
    assert_in_range(buf_refusals() - before, again.count == 0, 2);
}

static void one_round(struct bench *bench, struct buf_batch *waiting, uint32_t jumbo)
{
    for (uint32_t p = 0; p < 2; p++) {
        struct port *from = &bench->port[p], *to = &bench->port[1 - p];
        struct buf_batch in = {.count = 0};
        struct buf *sent;

        to->fake->stuck_tx = rnd(3) == 0;
        some_frames(from, jumbo);
        nic_rx(from->rxq, &in, RT_MIN(1 + rnd(32), (BUF_BATCH_MAX - waiting[p].count) / 2));
        dispose(&in, &waiting[p]);
        sent = waiting[p].count > 0 ? waiting[p].buf[0] : NULL;
        nic_tx(to->txq, &waiting[p]);
        if (sent != NULL && rnd(8) == 0)
            misuse(to->txq, sent);
        if (rnd(2) == 0)
            buf_batch_free(&waiting[p]);
        if (rnd(4) == 0)
            nic_tx_reclaim(to->txq);
    }
    if (rnd(4) == 0)
        pool_collect(bench->pool);
}

/* Owners say what queues and batches hold; nothing is counted twice. */
static void check_owners(const struct bench *bench)
{
    const struct pool *pool = bench->pool;
    uint32_t nic = 0;

    for (uint32_t p = 0; p < 2; p++) {
        const struct nic_tx_ring *t = nic_tx_ring_of(bench->port[p].txq);

        nic += bench->port[p].nic->config.rx_descs;
        for (uint32_t i = 0, at = t->clean; i < t->used; i++, at = (at + 1) % t->descs)
            nic += t->shadow[at].buf != NULL;
    }
    assert_int_equal(pool_count_owner(pool, BUF_NIC), nic);
    assert_int_equal(pool_count_owner(pool, BUF_POOL), pool->free);
    for (uint32_t i = 0; i < pool->free; i++)
        assert_int_equal(*pool->stack[i].owner, BUF_POOL);
}

static void run_seed(uint32_t seed)
{
    struct nic_config c = port_config;
    uint32_t jumbo = seed & 1;
    struct buf_batch waiting[2] = {{.count = 0}, {.count = 0}};
    struct bench *bench;

    state_of = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    c.frame_max_bytes = jumbo ? 9018 : 1514;
    c.vlan_strip = (seed & 2) != 0;
    bench = bench_start(2, &c);
    for (unsigned round = 0; round < ROUNDS; round++) {
        one_round(bench, waiting, jumbo);
        check_owners(bench);
    }
    for (uint32_t p = 0; p < 2; p++)
        buf_batch_free(&waiting[p]);
    assert_true(bench->port[0].rxq->stats.packets > 0);
    assert_true(bench->port[0].txq->stats.packets > 0);
    assert_true(buf_refusals() > 0);
    bench_stop_and_check(bench);
    bench_free(bench);
}

static void run_seeds(void **state)
{
    for (uint32_t i = 0; i < seed_count; i++) {
        print_message("seed %u\n", seed_first + i);
        run_seed(seed_first + i);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_seeds)};

    if (argc > 1) {
        seed_first = (uint32_t)strtoul(argv[1], NULL, 0);
        seed_count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The stacks of a port on two cores: which of them a flow is for, and the mail between them. */
#include "queues.h"

#include "net_share.h"

#include <rt/host.h>
#include <string.h>

static struct fake_rxq rxqs[2];
static struct fake_txq txqs[2];

/* Where each stack has a queue the card decides; else all stacks get their part, also when some
 * have two and others none. */
static void entries_are_dealt_out(void **state)
{
    static const uint8_t of_queue[] = {2, 0, 1}, two_each[] = {0, 0, 1, 1};
    struct kit_net_homes homes;

    kit_net_deal(&homes, of_queue, 3, 3);
    for (uint32_t i = 0; i < NIC_RSS_ENTRIES; i++)
        assert_int_equal(homes.stack[i], of_queue[i % 3]);
    kit_net_deal(&homes, of_queue, 1, 3);
    for (uint32_t i = 0; i < NIC_RSS_ENTRIES; i++)
        assert_int_equal(homes.stack[i], i % 3);
    kit_net_deal(&homes, two_each, 4, 4);
    for (uint32_t i = 0; i < NIC_RSS_ENTRIES; i++)
        assert_int_equal(homes.stack[i], i % 4);
    kit_net_deal(&homes, two_each, 4, 2);
    for (uint32_t i = 0; i < NIC_RSS_ENTRIES; i++)
        assert_int_equal(homes.stack[i], two_each[i % 4]);
}

/* The first of the published vectors of each family; the low seven bits of the hash. */
static void flows_are_hashed_as_by_the_card(void **state)
{
    struct net_flow v4 = {ip_addr_v4_of(66, 9, 149, 187), ip_addr_v4_of(161, 142, 100, 80),
                          2794, 1766};
    struct net_flow v6 = {.src_port = 2794, .dst_port = 1766};
    struct kit_net_homes homes;

    for (uint32_t i = 0; i < NIC_RSS_ENTRIES; i++)
        homes.stack[i] = (uint8_t)i;
    assert_true(ip_addr_parse("3ffe:2501:200:1fff::7", &v6.src));
    assert_true(ip_addr_parse("3ffe:2501:200:3::1", &v6.dst));
    assert_int_equal(kit_net_home(&homes, &v4), 0x51ccc178 & 127);
    assert_int_equal(kit_net_home(&homes, &v6), 0x40207d3d & 127);
}

/* A machine with a port: paths with a queue of their own each, or none, on these cores. */
struct machine {
    struct nic nic;
    struct kit_net_path path[2];
    struct loop_source source[2];
    struct rt_loop loop[2]; /* of each core */
    struct pool *pool[2];
    uint64_t now_us;
};

static void start(struct machine *m, const unsigned *cores, const bool *queues)
{
    static const struct arg_table *const tables[] = {&kit_net_arg_table, NULL};
    static const struct tcp_config tcp = {.conns = 4};

    host_memory_reset();
    host_clock_virtual(1000000);
    host_set_core_count(2);
    *m = (struct machine){
        .nic = {.config = {.frame_max_bytes = 1514}, .mac = {2, 0, 0, 0, 0, 1},
                .link.up = true},
        .now_us = 1000000,
    };
    assert_int_equal(args_parse(tables, "ip=192.0.2.1:::255.255.255.0 ip6=off", NULL,
                                NULL).mistakes, 0);
    for (unsigned core = 0; core < 2; core++) {
        rt_loop_init(&m->loop[core], 32, m->now_us);
        assert_int_equal(pool_create("test", core, 2, 64, &m->pool[core]), RT_OK);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct kit_path *path = &m->path[i].path;

        fake_rxq_init(&rxqs[i], m->pool[cores[i]]);
        fake_txq_init(&txqs[i]);
        rxqs[i].head.nic = txqs[i].head.nic = &m->nic;
        rxqs[i].head.index = (uint16_t)i;
        *path = (struct kit_path){
            .rxq = queues[i] ? &rxqs[i].head : NULL, .txq = &txqs[i].head,
            .pool = m->pool[cores[i]], .loop = &m->loop[cores[i]], .batch_max = 8,
            .core = (uint16_t)cores[i]};
        m->source[i] = (struct loop_source){
            .name = "path", .arm = kit_path_arm, .disarm = kit_path_disarm, .ctx = path};
        assert_non_null(kit_net_begin(&m->path[i], &m->source[i], &tcp));
        assert_int_equal(rt_loop_add(path->loop, &m->source[i]), RT_OK);
    }
}

/* Of `count` cores from the first on. */
static void turns(struct machine *m, uint64_t us, unsigned count)
{
    const struct poll_config config = {.mode = POLL_ALWAYS};

    for (uint64_t end_us = m->now_us + us; m->now_us < end_us; m->now_us += 10000) {
        for (unsigned core = 0; core < count; core++) {
            host_set_core(core);
            pool_collect(m->pool[core]);
            (void)rt_loop_turn(&m->loop[core], &config, m->now_us);
        }
    }
    host_set_core(0);
}

static uint32_t addresses(const struct kit_net_path *path)
{
    struct net_setup setup;

    net_setup_get(path->net, path->iface, &setup);
    return setup.count;
}

/* All is home, and another machine may start. */
static void stop(struct machine *m)
{
    for (unsigned i = 0; i < 2; i++) {
        host_set_core(m->path[i].path.core);
        (void)kit_net_end(&m->path[i].path, m->now_us, true);
    }
    for (unsigned i = 0; i < 2; i++) {
        host_set_core(m->path[i].path.core);
        kit_net_leave(&m->path[i].path);
    }
    for (unsigned core = 0; core < 2; core++) {
        host_set_core(core);
        pool_collect(m->pool[core]);
        assert_int_equal(m->pool[core]->free, m->pool[core]->total);
    }
    host_set_core(0);
    host_set_core_count(1);
    pool_forget_all();
    host_memory_reset();
}

/* A core without a receive queue knows the address as soon as it is ours, and sleeps when
 * there is nothing; it is woken by the news. */
static void the_address_reaches_a_core_without_queue(void **state)
{
    static struct machine m;
    const uint64_t kicks = host_kicks(1);

    start(&m, (const unsigned[]){0, 1}, (const bool[]){true, false});
    assert_ptr_not_equal(m.path[0].net, m.path[1].net);
    turns(&m, 100000, 2);
    assert_int_equal(addresses(&m.path[0]) + addresses(&m.path[1]), 0);
    host_set_core(1);
    assert_true(rt_loop_arm(&m.loop[1], m.now_us));
    turns(&m, 5000000, 1);
    assert_int_equal(addresses(&m.path[0]), 1);
    assert_true(host_kicks(1) > kicks);
    host_set_core(1);
    rt_loop_disarm(&m.loop[1]);
    turns(&m, 20000, 2);
    assert_int_equal(addresses(&m.path[1]), 1);
    assert_int_equal(txqs[1].sent, 0); /* one speaks of the address */
    stop(&m);
}

/* Two queues of a port on one core are one interface of its stack. */
static void queues_of_one_core_share_the_interface(void **state)
{
    static struct machine m;

    start(&m, (const unsigned[]){0, 0}, (const bool[]){true, true});
    assert_ptr_equal(m.path[0].net, m.path[1].net);
    assert_int_equal(m.path[0].iface, m.path[1].iface);
    turns(&m, 5000000, 2);
    assert_int_equal(addresses(&m.path[0]), 1);
    stop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_dealt_out),
        cmocka_unit_test(flows_are_hashed_as_by_the_card),
        cmocka_unit_test(the_address_reaches_a_core_without_queue),
        cmocka_unit_test(queues_of_one_core_share_the_interface),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

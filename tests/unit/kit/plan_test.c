/* SPDX-License-Identifier: BSD-2-Clause */
/* Queue plan: every core count, what cards lack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "plan.h"

#include <string.h>

static struct kit_portmap map;
static char error[KIT_ERROR_BYTES];

/* Neighbours are partners; an odd last one is its own. */
static void map_ports(uint32_t ports)
{
    map.used = ports;
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++)
        map.peer[p] = p < ports ? (uint8_t)RT_MIN(p ^ 1, ports - 1) : KIT_NO_PORT;
}

static struct kit_plan plan;
static uint32_t ports_a_core; /* of the plans that follow */

static enum rt_status make_plan(uint32_t ports, uint32_t cores, uint32_t queues,
                                uint32_t per_core, uint16_t queue_max)
{
    struct kit_plan_input in = {
        .map = &map, .cores = cores, .queues = queues, .queues_per_core = per_core,
        .ports_a_core = ports_a_core,
    };

    map_ports(ports);
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++)
        in.rxq_max[p] = in.txq_max[p] = queue_max;
    return kit_plan_make(&in, &plan, error);
}

/* What must hold for every plan: each receive queue once; a transmit queue belongs to one
 * core; queues of a port are numbered without gaps; counts agree. */
static void check_plan(uint32_t ports, uint32_t cores)
{
    uint8_t tx_core[NIC_PORTS_MAX][NIC_QUEUES_MAX];
    bool rx_seen[NIC_PORTS_MAX][NIC_QUEUES_MAX] = {{false}};
    uint32_t on_core[HAL_CORES_MAX] = {0}, rxqs = 0;

    memset(tx_core, 0xff, sizeof(tx_core));
    for (uint32_t i = 0; i < plan.count; i++) {
        const struct kit_path_plan *p = &plan.path[i];

        assert_true(p->core < cores);
        assert_true(p->rx_queue < plan.rxqs[p->rx_port]);
        assert_true(p->tx_queue < plan.txqs[p->tx_port]);
        assert_int_equal(p->tx_port, map.peer[p->rx_port]);
        assert_false(rx_seen[p->rx_port][p->rx_queue]);
        rx_seen[p->rx_port][p->rx_queue] = true;
        assert_true(tx_core[p->tx_port][p->tx_queue] == 0xff ||
                    tx_core[p->tx_port][p->tx_queue] == p->core);
        tx_core[p->tx_port][p->tx_queue] = p->core;
        on_core[p->core]++;
    }
    for (uint32_t p = 0; p < ports; p++) {
        rxqs += plan.rxqs[p];
        assert_true(plan.txqs[p] >= 1);
        for (uint32_t q = 0; q < plan.txqs[p]; q++)
            assert_int_not_equal(tx_core[p][q], 0xff);
    }
    assert_int_equal(rxqs, plan.count);
    for (uint32_t c = 0; c < cores; c++)
        assert_int_equal(on_core[c], plan.core_paths[c]);
}

static void every_core_count(void **state)
{
    for (uint32_t ports = 1; ports <= 5; ports++) {
        for (uint32_t cores = 1; cores <= HAL_CORES_MAX; cores++) {
            for (uint32_t queues = 0; queues <= 4; queues++) {
                assert_int_equal(make_plan(ports, cores, queues, 0, 4), RT_OK);
                check_plan(ports, cores);
                for (uint32_t c = 1; c < cores; c++) /* evenly */
                    assert_in_range(plan.core_paths[c - 1], plan.core_paths[c],
                                    plan.core_paths[c] + 1);
            }
        }
    }
}

static void two_ports(void **state)
{
    assert_int_equal(make_plan(2, 2, 1, 0, 2), RT_OK);
    assert_int_equal(plan.path[0].core, 0);
    assert_int_equal(plan.path[1].core, 1);
    assert_int_equal(make_plan(2, 2, 2, 0, 2), RT_OK); /* one port alone keeps both busy */
    assert_int_equal(plan.path[0].core, 0);
    assert_int_equal(plan.path[1].core, 1);
    assert_int_equal(plan.txqs[0], 2);
    assert_int_equal(make_plan(2, 3, 1, 0, 2), RT_OK);
    assert_int_equal(plan.core_paths[2], 0); /* nothing to do: it halts */
    assert_int_equal(make_plan(2, 1, 2, 0, 2), RT_OK);
    assert_int_equal(plan.txqs[0], 1); /* a core needs one transmit queue a port */
}

static void automatic_queues(void **state)
{
    assert_int_equal(make_plan(2, 8, 0, 0, 2), RT_OK);
    assert_int_equal(plan.rxqs[0], 2);
    assert_int_equal(make_plan(2, 1, 0, 0, 2), RT_OK);
    assert_int_equal(plan.rxqs[0], 1);
    assert_int_equal(make_plan(1, 64, 0, 0, 16), RT_OK);
    assert_int_equal(plan.rxqs[0], 16);
}

/* The partner may have fewer transmit queues than this card has receive queues. */
static void automatic_queues_of_mixed_cards(void **state)
{
    struct kit_plan_input in = {
        .map = &map, .cores = 6, .rxq_max = {2, 16}, .txq_max = {2, 16},
    };

    map_ports(2);
    assert_int_equal(kit_plan_make(&in, &plan, error), RT_OK);
    check_plan(2, 6);
    assert_int_equal(plan.rxqs[0], 2);
    assert_int_equal(plan.rxqs[1], 2);
    in.txq_max[0] = 1; /* as an 82583 beside a card of 16 */
    assert_int_equal(kit_plan_make(&in, &plan, error), RT_OK);
    assert_int_equal(plan.rxqs[0], 2);
    assert_int_equal(plan.rxqs[1], 1);
}

static void queues_per_core(void **state)
{
    assert_int_equal(make_plan(4, 4, 1, 2, 2), RT_OK);
    check_plan(4, 4);
    assert_int_equal(plan.core_paths[0], 2);
    assert_int_equal(plan.core_paths[1], 2);
    assert_int_equal(plan.core_paths[2], 0);
    assert_int_equal(make_plan(4, 3, 1, 1, 2), RT_INVALID);
    assert_non_null(strstr(error, "port 3 queue 0 finds no core: 3 cores, queues_per_core=1"));
}

static void what_the_card_lacks(void **state)
{
    struct kit_plan_input in = {.map = &map, .cores = 4, .queues = 2};

    assert_int_equal(make_plan(2, 2, 3, 0, 2), RT_INVALID);
    assert_string_equal(error, "queues=3 but port 0 has 2 receive queues");
    in.rxq_max[0] = in.rxq_max[1] = 2;
    in.txq_max[0] = 2;
    in.txq_max[1] = 1;
    assert_int_equal(kit_plan_make(&in, &plan, error), RT_INVALID);
    assert_non_null(strstr(error, "2 cores send to port 1, which has 1 transmit queues"));
}

/* 16 ports of 16 queues on one core are more than a loop has sources. */
static void more_queues_than_a_core_takes(void **state)
{
    assert_int_equal(make_plan(16, 1, 16, 0, 16), RT_INVALID);
    assert_non_null(strstr(error, "finds no core"));
    assert_int_equal(make_plan(16, 8, 16, 0, 16), RT_OK);
    check_plan(16, 8);
}

/* Each core sends to each port, as far as the application and the card allow; queues are dealt out
 * as without that. */
static void paths_without_queues(void **state)
{
    ports_a_core = 4;
    map_ports(1);
    assert_int_equal(make_plan(1, 4, 1, 0, 16), RT_OK);
    assert_int_equal(plan.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(plan.path[i].core, i);
        assert_int_equal(plan.path[i].rx_queue, i == 0 ? 0 : KIT_NO_QUEUE);
        assert_int_equal(plan.path[i].tx_queue, i);
        assert_int_equal(plan.core_rxqs[i], i == 0);
        assert_int_equal(plan.core_paths[i], 1);
    }
    assert_int_equal(plan.rxqs[0], 1);
    assert_int_equal(plan.txqs[0], 4);
    assert_int_equal(make_plan(1, 4, 2, 0, 2), RT_OK); /* two transmit queues: two cores */
    assert_int_equal(plan.count, 2);
    assert_int_equal(make_plan(2, 2, 1, 0, 2), RT_OK);
    assert_int_equal(plan.count, 4);
    ports_a_core = 1; /* the core has a path already */
    assert_int_equal(make_plan(2, 2, 1, 0, 2), RT_OK);
    assert_int_equal(plan.count, 2);
    ports_a_core = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_without_queues),
        cmocka_unit_test(every_core_count),
        cmocka_unit_test(two_ports),
        cmocka_unit_test(automatic_queues),
        cmocka_unit_test(automatic_queues_of_mixed_cards),
        cmocka_unit_test(queues_per_core),
        cmocka_unit_test(what_the_card_lacks),
        cmocka_unit_test(more_queues_than_a_core_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

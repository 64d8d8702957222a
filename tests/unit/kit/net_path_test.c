/* SPDX-License-Identifier: BSD-2-Clause */
/* What a path does for its stack in every turn. */
#include "queues.h"

#include "net_config.h"

#include <rt/host.h>
#include <string.h>

static struct fake_rxq rxq;
static struct fake_txq txq;

/* A lost segment can be sent again only when the card has given it back, and fewer than eight that
 * wait are looked at by nobody else: a core that never sleeps never arms its queue. */
static void a_turn_takes_home_what_was_sent(void **state)
{
    struct kit_net_path path = {
        .path = {.rxq = &rxq.head, .txq = &txq.head, .batch_max = 8}};
    struct pool *pool;

    host_memory_reset();
    assert_int_equal(pool_create("test", 0, 1, 64, &pool), RT_OK);
    fake_rxq_init(&rxq, pool);
    fake_txq_init(&txq);
    for (uint32_t turn = 1; turn <= 3; turn++) {
        assert_int_equal(kit_net_poll(&path, 0), 0);
        assert_int_equal(txq.reclaims, turn);
    }
    host_memory_reset();
}

/* An application may add an IPv6 address on the path's core, any time. */
static void another_core_joins_a_group(void **state)
{
    static const uint8_t group[6] = {0x33, 0x33, 0xff, 0, 0, 1};
    struct nic nic = {.config = {.promiscuous = true}};
    struct nic_rxq queue = {.nic = &nic};
    struct kit_net_path path = {.path = {.rxq = &queue, .core = 1}};
    char console[512];

    host_console_capture(console, sizeof(console));
    host_set_core_count(2);
    host_set_core(1);
    kit_net_join(&path, group);
    assert_null(strstr(console, "warning"));
    nic.config.promiscuous = false;
    kit_net_join(&path, group);
    assert_non_null(strstr(console, "core=1 warning=\"a group joined later is not let in\""));
    host_set_core(0);
    host_console_capture(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_takes_home_what_was_sent),
        cmocka_unit_test(another_core_joins_a_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

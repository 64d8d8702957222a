/* SPDX-License-Identifier: BSD-2-Clause */
/* What a path does for its stack in every turn, and what it says at the start. */
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
    struct nic_txq queue = {.nic = &nic};
    struct kit_net_path path = {.path = {.txq = &queue, .core = 1}};
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
    host_set_core_count(1);
    host_console_capture(NULL, 0);
}

/* A path of a port begun and left; what it said. */
static bool begins(const char *args, char console[1024])
{
    static const struct arg_table *const tables[] = {&kit_net_arg_table, NULL};
    static const struct tcp_config tcp = {.conns = 4};
    struct nic nic = {.config = {.frame_max_bytes = 1514}, .mac = {2, 0, 0, 0, 0, 1}};
    struct kit_net_path path = {.path = {.rxq = &rxq.head, .txq = &txq.head, .batch_max = 8}};
    struct loop_source source = {.name = "path"};
    bool begun;

    host_memory_reset();
    assert_int_equal(pool_create("test", 0, 1, 64, &path.path.pool), RT_OK);
    fake_rxq_init(&rxq, path.path.pool);
    fake_txq_init(&txq);
    rxq.head.nic = txq.head.nic = &nic;
    assert_int_equal(args_parse(tables, args, NULL, NULL).mistakes, 0);
    host_console_capture(console, 1024);
    begun = kit_net_begin(&path, &source, &tcp) != NULL;
    host_console_capture(NULL, 0);
    assert_int_equal(path.path.refused, begun ? KIT_EXIT_OK : KIT_EXIT_ARGS);
    kit_net_leave(&path.path);
    host_memory_reset();
    return begun;
}

/* IPv6 that a small MTU leaves no room for: nobody asked for it, or an address was given. */
static void an_mtu_below_ipv6(void **state)
{
    char console[1024];

    assert_true(begins("mtu=70 ip=off", console));
    assert_non_null(strstr(console, "warning=\"no IPv6"));
    assert_null(strstr(console, "error="));
    assert_false(begins("mtu=70 ip=off ip6=2001:db8::1/64", console));
    assert_non_null(strstr(console, "error=\"no IPv6"));
    assert_true(begins("mtu=70 ip=off ip6=off", console));
    assert_null(strstr(console, "IPv6"));
}

/* Which word of ip6= is wrong. */
static void a_wrong_word_is_named(void **state)
{
    char console[1024];

    assert_false(begins("ip=off ip6=auto,ff02::1/64", console));
    assert_non_null(strstr(console, "word=\"ff02::1/64\" error="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_takes_home_what_was_sent),
        cmocka_unit_test(another_core_joins_a_group),
        cmocka_unit_test(an_mtu_below_ipv6),
        cmocka_unit_test(a_wrong_word_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

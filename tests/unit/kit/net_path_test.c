/* SPDX-License-Identifier: BSD-2-Clause */
/* What a path does for its stack in every turn. */
#include "queues.h"

#include <kit/net.h>

#include <rt/host.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_takes_home_what_was_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

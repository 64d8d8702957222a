/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of connections beside a plain list: put, found, taken out, at random; few hashes, so
 * that runs are long and wrap. And its hash: spread, the same for a frame and for its ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <rt/host.h>
#include <string.h>

#include "tcp/table.h"

enum { CONNS = 100, STEPS = 20000 };

static const uint8_t key[16] = "key of the table";

static uint32_t random_of(uint64_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 16) % below;
}

static bool is_there(const struct tcp_table *table, uint32_t hash, uint32_t number)
{
    for (uint32_t i = hash & table->mask; table->slots[i].number != 0; i = (i + 1) & table->mask)
        if (table->slots[i].hash == hash && table->slots[i].number == number)
            return true;
    return false;
}

static uint32_t used(const struct tcp_table *table)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i <= table->mask; i++)
        count += table->slots[i].number != 0;
    return count;
}

/* After each step, each number that is in is found and no other. */
static void run_steps(uint32_t hashes, uint64_t seed)
{
    uint32_t hash_of[CONNS + 1] = {0}, count = 0;
    bool in[CONNS + 1] = {false};
    struct tcp_table table;

    host_memory_reset();
    assert_true(table_make(&table, CONNS, key));
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t number = 1 + random_of(&seed, CONNS);

        if (in[number]) {
            table_remove(&table, hash_of[number], number);
        } else {
            hash_of[number] = UINT32_MAX - random_of(&seed, hashes); /* at the end: they wrap */
            table_put(&table, hash_of[number], number);
        }
        in[number] = !in[number];
        count += in[number] ? 1 : UINT32_MAX;
        assert_int_equal(used(&table), count);
        for (uint32_t n = step % 50 + 1; n <= CONNS; n += 50)
            assert_int_equal(is_there(&table, hash_of[n], n), in[n]);
    }
    host_memory_reset();
}

static void finds_what_is_in(void **state)
{
    run_steps(3, 11);
    run_steps(60, 12);
    run_steps(100000, 13);
}

static struct tcp_ends ends_at(uint32_t i)
{
    struct tcp_ends ends;

    memset(&ends, 0, sizeof(ends));
    ends.local = ip_addr_v4_of(10, 0, 0, 1);
    ends.remote = ip_addr_v4_of(10, (uint8_t)(i >> 22), (uint8_t)(i >> 14), 2);
    ends.local_port = 80;
    ends.remote_port = (uint16_t)(49152 + i % 16384);
    return ends;
}

/* 65536 connections of neighbouring ports and addresses: the longest run of a table half full is
 * short. */
static void hash_spreads(void **state)
{
    enum { MANY = 65536 };
    struct tcp_table table;
    uint32_t run = 0, longest = 0;

    host_memory_reset();
    assert_true(table_make(&table, MANY, key));
    for (uint32_t i = 0; i < MANY; i++) {
        const struct tcp_ends ends = ends_at(i);

        table_put(&table, table_hash(&table, &ends), i + 1);
    }
    for (uint32_t i = 0; i <= table.mask; i++) {
        run = table.slots[i].number != 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_in_range(longest, 4, 80); /* of random hashes: some 40 */
    host_memory_reset();
}

static void hash_needs_the_key_and_all_ends(void **state)
{
    static const uint8_t other_key[16] = "another key ....";
    const struct tcp_ends ends = ends_at(5);
    struct tcp_table one, other;
    struct tcp_ends changed = ends;
    uint32_t hash;

    host_memory_reset();
    assert_true(table_make(&one, CONNS, key) && table_make(&other, CONNS, other_key));
    hash = table_hash(&one, &ends);
    assert_int_not_equal(hash, table_hash(&other, &ends));
    assert_int_equal(hash, table_hash_v4(&one, table_addrs(&ends), table_ports(&ends)));
    changed.local_port++;
    assert_int_not_equal(hash, table_hash(&one, &changed));
    changed = ends;
    changed.remote = ip_addr_v4_of(10, 9, 8, 7);
    assert_int_not_equal(hash, table_hash(&one, &changed));
    assert_true(ip_addr_parse("2001:db8::1", &changed.local));
    assert_true(ip_addr_parse("2001:db8::2", &changed.remote));
    hash = table_hash(&one, &changed);
    changed.remote.bytes[3] ^= 1;
    assert_int_not_equal(hash, table_hash(&one, &changed));
    host_memory_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_in),
        cmocka_unit_test(hash_spreads),
        cmocka_unit_test(hash_needs_the_key_and_all_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a ring takes back, in any order: its own pool's, another one's of the core, another
 * core's, kept ones, descriptors without a buffer, and what is not the device's any more. */
#include "fixture.h"

#include <mempool/ext.h>
#include <mempool/poison.h>
#include <mempool/ring_side.h>

#define SLOTS 64
#define POOL_BUFS 40

static struct pool *own, *other, *far;
static struct buf_ref slots[SLOTS];
static uint8_t no_owner;

static void to_slot(uint32_t i, struct pool *pool, enum buf_owner as)
{
    struct buf *b = take(pool);

    assert_non_null(b);
    if (as == BUF_KEPT_NIC)
        assert_true(buf_move(b, b->owner, BUF_STACK, BUF_KEPT));
    if (as != BUF_STACK)
        buf_to_nic(b->owner);
    assert_int_equal(*b->owner, as);
    if (as == BUF_NIC)
        buf_poison(b);
    slots[i] = (struct buf_ref){b, b->owner};
}

static void make_pools(void)
{
    own = make("own", 0, POOL_BUFS);
    other = make("other", 0, POOL_BUFS);
    far = make("far", 1, POOL_BUFS);
}

/* Frames of both pools of the core, in runs of all lengths. */
static void two_pools_of_the_core(void **state)
{
    make_pools();
    for (uint32_t run = 1; run <= POOL_BUFS / 2; run++) {
        for (uint32_t i = 0; i < SLOTS; i++)
            to_slot(i, i / run % 2 ? other : own, BUF_NIC);
        pool_take_back(own, slots, SLOTS);
        assert_int_equal(own->free, own->total);
        assert_int_equal(other->free, other->total);
    }
    assert_int_equal(pool_count_owner(own, BUF_POOL), own->total);
    assert_int_equal(pool_count_owner(other, BUF_POOL), other->total);
}

/* One in seven of what is rare; each slot is dealt with once. */
static void all_kinds_mixed(void **state)
{
    uint64_t before = buf_refusals();
    uint32_t taken = 0, refused = 0, kept = 0;

    make_pools();
    for (uint32_t i = 0; i < SLOTS; i++) {
        switch (rnd(7)) {
        case 0:
            host_set_core(1);
            to_slot(i, far, BUF_NIC);
            host_set_core(0);
            taken++;
            break;
        case 1:
            to_slot(i, own, BUF_KEPT_NIC);
            kept++;
            break;
        case 2:
            slots[i] = (struct buf_ref){NULL, &no_owner};
            break;
        case 3:
            to_slot(i, other, BUF_STACK); /* as if somebody had it */
            refused++;
            break;
        default:
            to_slot(i, rnd(2) ? own : other, BUF_NIC);
            break;
        }
    }
    pool_take_back(own, slots, SLOTS);
    assert_int_equal(buf_refusals() - before, refused);
    assert_int_equal(own->free, own->total - kept);
    assert_int_equal(pool_count_owner(own, BUF_KEPT), kept);
    assert_int_equal(other->free, other->total - refused);
    assert_int_equal(pool_count_owner(other, BUF_STACK), refused);
    assert_true(taken > 0 && kept > 0 && refused > 0);
    host_set_core(1);
    assert_int_equal(pool_collect(far), taken);
    assert_int_equal(far->free, far->total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_pools_of_the_core),
        TEST(all_kinds_mixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

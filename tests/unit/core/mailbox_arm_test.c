/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mailbox's arm against a send. The receiver says that it sleeps, fences, looks into the rings;
 * the sender puts, fences, looks whether the receiver sleeps. Here one side runs whole in front
 * of each step of the other: no message may be left with a receiver that nobody wakes. That a
 * processor keeps the steps on the two sides of a fence apart cannot be shown so; that each side
 * has one can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/mailbox.h>

/* In front of what one core shares with the other. */
static void step(void);
static unsigned fences;
#define hal_fence() (step(), (void)fences++, hal_fence())
#define ring_put(ring, items, count) (step(), ring_put(ring, items, count))
#define ring_used(ring) (step(), ring_used(ring))
#define __atomic_store_n(at, value, order) (step(), __atomic_store_n(at, value, order))
#define __atomic_load_n(at, order) (step(), __atomic_load_n(at, order))
#include "../../../rt/core/mailbox.c"

enum { CORES = 2, SLOTS = 4, RECEIVER = 0, SENDER = 1, STEPS_MAX = 10 };

static struct mailbox *box;
static struct loop_source source;
static void (*other_side)(void); /* runs when `steps_left` are done */
static unsigned steps_left;
static bool pending; /* what arming said */

static void step(void)
{
    void (*run)(void) = other_side;

    if (run == NULL || steps_left-- != 0)
        return;
    other_side = NULL;
    run();
}

static void take(void *ctx, unsigned from, void *const *messages_owned, uint32_t count)
{
}

static void send_one(void)
{
    const unsigned core = hal_core_id();
    void *message = &box;

    host_set_core(SENDER);
    assert_int_equal(mailbox_send(box, &message, 1), 1);
    host_set_core(core);
}

static void arm(void)
{
    const unsigned core = hal_core_id();

    host_set_core(RECEIVER);
    pending = source.arm(source.ctx, 0);
    host_set_core(core);
}

static int start(void **state)
{
    host_memory_reset();
    host_clock_virtual(1000);
    host_set_core(RECEIVER);
    assert_int_equal(mailbox_create(RECEIVER, CORES, SLOTS, take, NULL, &box), RT_OK);
    source = mailbox_source(box, SLOTS);
    other_side = NULL;
    return 0;
}

/* A look finds it, or the sender wakes: either is well. */
static void run_into(void (*one)(void), void (*other)(void))
{
    for (unsigned n = 0; n < STEPS_MAX; n++) {
        const uint64_t kicks = host_kicks(RECEIVER);

        fences = 0;
        steps_left = n;
        other_side = other;
        one();
        if (other_side != NULL) { /* `one` has fewer steps */
            other_side = NULL;
            other();
        }
        assert_true(pending || host_kicks(RECEIVER) == kicks + 1);
        assert_int_equal(fences, 2); /* one on each side */
        source.disarm(source.ctx);
        assert_int_equal(source.poll(source.ctx, 0), 1);
    }
}

static void sent_while_it_arms(void **state)
{
    run_into(arm, send_one);
}

static void arms_while_one_is_sent(void **state)
{
    run_into(send_one, arm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sent_while_it_arms, start),
        cmocka_unit_test_setup(arms_while_one_is_sent, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

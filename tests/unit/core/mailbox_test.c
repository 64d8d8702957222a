/* SPDX-License-Identifier: BSD-2-Clause */
/* Mailboxes: order, room, budget, fairness; and a receiver that sleeps, with real threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/mailbox.h>
#include <sched.h>
#include <string.h>

enum { CORES = 4, SLOTS = 16, BUDGET = 8 };

static struct mailbox *box;
static uintptr_t seen[CORES];   /* number of the last message of each core */
static uint32_t taken, calls;
static volatile bool out_of_order;

static void *message(uintptr_t number)
{
    return (void *)(number + 1);
}

static void take(void *ctx, unsigned from, void *const *messages_owned, uint32_t count)
{
    out_of_order |= count == 0 || count > MAILBOX_BATCH || ctx != &box || from >= CORES;
    for (uint32_t i = 0; i < count; i++, seen[from]++)
        out_of_order |= messages_owned[i] != message(seen[from]);
    calls++;
    __atomic_store_n(&taken, taken + count, __ATOMIC_RELEASE);
}

static int start(void **state)
{
    host_memory_reset();
    host_clock_virtual(1000);
    host_wait_hook(NULL, NULL);
    host_set_core(0);
    taken = calls = 0;
    out_of_order = false;
    memset(seen, 0, sizeof(seen));
    assert_int_equal(mailbox_create(0, CORES, SLOTS, take, &box, &box), RT_OK);
    return 0;
}

static int finish(void **state)
{
    host_set_core(0);
    host_memory_reset();
    return 0;
}

/* `count` messages of core `from`, numbered from `first`. */
static uint32_t send(unsigned from, uintptr_t first, uint32_t count)
{
    void *messages[2 * SLOTS];
    uint32_t sent;

    for (uint32_t i = 0; i < count; i++)
        messages[i] = message(first + i);
    host_set_core(from);
    sent = mailbox_send(box, messages, count);
    host_set_core(0);
    return sent;
}

static void what_does_not_fit_stays(void **state)
{
    struct loop_source s = mailbox_source(box, BUDGET);

    assert_int_equal(send(2, 0, 2 * SLOTS), SLOTS);
    assert_int_equal(send(2, SLOTS, 1), 0);
    assert_int_equal(send(1, 0, 3), 3); /* another ring */
    assert_int_equal(s.poll(s.ctx, 0), BUDGET);
    assert_int_equal(s.poll(s.ctx, 0), BUDGET);
    assert_int_equal(s.poll(s.ctx, 0), 3);
    assert_int_equal(s.poll(s.ctx, 0), 0);
    assert_int_equal(seen[1], 3);
    assert_int_equal(seen[2], SLOTS);
    assert_false(out_of_order);
}

/* A core that fills its ring again and again keeps nobody else waiting for long. */
static void senders_take_turns(void **state)
{
    struct loop_source s = mailbox_source(box, BUDGET);
    uintptr_t first = 0;

    first += send(1, 0, SLOTS);
    assert_int_equal(send(2, 0, 1), 1);
    assert_int_equal(send(3, 0, 1), 1);
    for (unsigned turn = 0; turn < CORES; turn++) {
        assert_int_equal(s.poll(s.ctx, 0), BUDGET);
        first += send(1, first, SLOTS);
    }
    assert_int_equal(seen[2], 1);
    assert_int_equal(seen[3], 1);
    assert_false(out_of_order);
}

static void arming_sees_each_sender(void **state)
{
    struct loop_source s = mailbox_source(box, BUDGET);

    for (unsigned from = 1; from < CORES; from++) {
        uint64_t kicks = host_kicks(0);

        assert_false(s.arm(s.ctx, 0));
        assert_int_equal(send(from, 0, 1), 1);
        assert_int_equal(host_kicks(0), kicks + 1); /* it said that it would sleep */
        s.disarm(s.ctx);
        assert_true(s.arm(s.ctx, 0));
        s.disarm(s.ctx);
        assert_int_equal(s.poll(s.ctx, 0), 1);
        assert_int_equal(send(from, 1, 1), 1);
        assert_int_equal(host_kicks(0), kicks + 1); /* awake: nobody kicks */
        assert_int_equal(s.poll(s.ctx, 0), 1);
    }
}

static void a_stop_brings_all_home(void **state)
{
    for (unsigned from = 1; from < CORES; from++)
        assert_int_equal(send(from, 0, SLOTS), SLOTS);
    assert_int_equal(mailbox_drain(box), (CORES - 1) * SLOTS);
    assert_int_equal(mailbox_drain(box), 0);
    assert_false(out_of_order);
}

static void no_memory_is_no_mailbox(void **state)
{
    struct mailbox *none = NULL;

    host_memory_limit(sizeof(struct mailbox) + sizeof(struct ring));
    assert_int_equal(mailbox_create(0, CORES, SLOTS, take, NULL, &none), RT_NO_MEMORY);
    assert_null(none);
}

/* ---- whose core ---- */

static void send_as(void *arg)
{
    assert_int_equal(mailbox_send(box, &arg, 1), 1);
}

static void poll_as(void *arg)
{
    struct loop_source s = mailbox_source(box, BUDGET);

    (void)s.poll(s.ctx, 0);
}

static void the_wrong_core_is_a_bug(void **state)
{
    char text[200];

    host_set_core(0); /* to itself */
    assert_true(host_catch(send_as, NULL, text, sizeof(text)));
    assert_non_null(strstr(text, "box->core"));
    host_set_core(CORES); /* has no ring */
    assert_true(host_catch(send_as, NULL, text, sizeof(text)));
    assert_non_null(strstr(text, "box->senders"));
    host_set_core(1); /* not its mailbox */
    assert_true(host_catch(poll_as, NULL, text, sizeof(text)));
    assert_non_null(strstr(text, "box->core"));
}

/* ---- a receiver that sleeps whenever it has nothing ---- */

/* GUARD_US guards against hanging only: nothing here depends on how long it takes. */
enum { MESSAGES = 5000, GUARD_US = 60000000 };

static struct rt_loop loop;
static const struct poll_config config = {.mode = POLL_IRQ, .busy_packets = 1,
                                          .sleep_max_us = 2 * GUARD_US};

static void run_receiver(void *arg)
{
    rt_loop_run(&loop, &config);
}

/* A lost wake-up would leave the receiver asleep for longer than anybody waits here: each burst
 * waits for the answer to the one before, so that most find it asleep or about to be. */
static void no_message_sleeps(void **state)
{
    struct loop_source s;
    uint64_t begin_us;
    uint32_t sent = 0;

    host_clock_real();
    assert_int_equal(host_cores_start(2), RT_OK);
    assert_int_equal(mailbox_create(1, CORES, SLOTS, take, &box, &box), RT_OK);
    s = mailbox_source(box, BUDGET);
    rt_loop_init(&loop, BUDGET, hal_now_us());
    assert_int_equal(rt_loop_add(&loop, &s), RT_OK);
    assert_int_equal(hal_core_run(1, run_receiver, NULL), RT_OK);
    begin_us = hal_now_us();
    while (sent < MESSAGES) {
        sent += send(0, sent, 1 + sent % 3);
        while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) != sent &&
               hal_now_us() - begin_us < GUARD_US)
            sched_yield();
    }
    assert_int_equal(taken, sent);
    assert_true(loop.stats.wakes != 0);
    assert_int_equal(loop.sources[0].handled, taken);
    rt_loop_stop(&loop, 1);
    while (!hal_core_idle(1) && hal_now_us() - begin_us < 2 * (uint64_t)GUARD_US)
        sched_yield();
    host_cores_stop();
    assert_false(out_of_order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_fit_stays, start, finish),
        cmocka_unit_test_setup_teardown(senders_take_turns, start, finish),
        cmocka_unit_test_setup_teardown(arming_sees_each_sender, start, finish),
        cmocka_unit_test_setup_teardown(a_stop_brings_all_home, start, finish),
        cmocka_unit_test_setup_teardown(no_memory_is_no_mailbox, start, finish),
        cmocka_unit_test_setup_teardown(the_wrong_core_is_a_bug, start, finish),
        cmocka_unit_test_setup_teardown(no_message_sleeps, start, finish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

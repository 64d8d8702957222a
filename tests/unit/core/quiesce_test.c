/* SPDX-License-Identifier: BSD-2-Clause */
/* What is called when the machine ends: all of it, in order, behind one that faults, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/assert.h>
#include <rt/host.h>
#include <rt/quiesce.h>

static uint32_t called[RT_QUIESCE_MAX], calls;
static bool broken;

static void silence(void *ctx)
{
    called[calls++] = (uint32_t)(uintptr_t)ctx;
    if (broken && calls == 2)
        rt_panic("the second device is broken");
}

static void all(void *arg)
{
    rt_quiesce_all();
}

static void add(uint32_t number, enum rt_status expected)
{
    assert_int_equal(rt_quiesce_add(silence, (void *)(uintptr_t)number), expected);
}

static void all_in_order(void **state)
{
    char message[64];

    rt_quiesce_all(); /* nobody there */
    assert_int_equal(calls, 0);
    for (uint32_t i = 0; i < 3; i++)
        add(i, RT_OK);
    add(1, RT_OK); /* the same again */
    for (uint32_t round = 0; round < 2; round++) {
        calls = 0;
        rt_quiesce_all();
        assert_int_equal(calls, 3);
        for (uint32_t i = 0; i < 3; i++)
            assert_int_equal(called[i], i);
    }
    /* A panic in the second: the end of that panic silences the rest, each once. */
    calls = 0;
    broken = true;
    assert_true(host_catch(all, NULL, message, sizeof(message)));
    assert_int_equal(calls, 2);
    rt_quiesce_all();
    assert_int_equal(calls, 3);
    assert_int_equal(called[2], 2);
    broken = false;
}

static void no_room(void **state)
{
    for (uint32_t i = 3; i < RT_QUIESCE_MAX; i++)
        add(i, RT_OK);
    add(RT_QUIESCE_MAX, RT_FULL);
    add(5, RT_OK);
    calls = 0;
    rt_quiesce_all();
    assert_int_equal(calls, RT_QUIESCE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_in_order),
                                       cmocka_unit_test(no_room)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

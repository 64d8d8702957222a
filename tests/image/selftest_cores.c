/* SPDX-License-Identifier: BSD-2-Clause */
/* What needs a second core. */
#include <rt/hal.h>
#include <rt/ring.h>

#include "apic.h"
#include "cpu.h"
#include "selftest.h"

/* Long, because two cores of an emulator may share one of its host. */
#define CORE_TIMEOUT_US 10000000u

static bool wait_idle(unsigned core)
{
    const uint64_t end_us = hal_now_us() + CORE_TIMEOUT_US;

    while (!hal_core_idle(core)) {
        if (hal_now_us() > end_us)
            return false;
        hal_pause();
    }
    return true;
}

static volatile uint32_t ran_as[HAL_CORES_MAX];

static void note_core(void *arg)
{
    ran_as[*(const uint32_t *)arg] = hal_core_id() + 1;
}

static const char *run_on_all(void)
{
    static uint32_t numbers[HAL_CORES_MAX];

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 1; i < hal_core_count(); i++) {
            numbers[i] = i;
            ran_as[i] = 0;
            SELFTEST_CHECK(hal_core_run(i, note_core, &numbers[i]) == RT_OK);
        }
        for (unsigned i = 1; i < hal_core_count(); i++) {
            SELFTEST_CHECK(wait_idle(i));
            SELFTEST_CHECK(ran_as[i] == i + 1);
        }
    }
    SELFTEST_CHECK(hal_core_run(0, note_core, numbers) == RT_INVALID);
    SELFTEST_CHECK(hal_core_run(hal_core_count(), note_core, numbers) == RT_INVALID);
    return hal_core_count() < 2 ? SELFTEST_SKIP_ONE_CORE : NULL;
}

static volatile uint32_t apic_ids[HAL_CORES_MAX];

static void note_apic_id(void *arg)
{
    apic_ids[hal_core_id()] = apic_id();
}

/* A core found its slot by the id of its own local APIC, the one that messages go by. */
static const char *apic_ids_agree(void)
{
    note_apic_id(NULL);
    for (unsigned i = 1; i < hal_core_count(); i++) {
        SELFTEST_CHECK(hal_core_run(i, note_apic_id, NULL) == RT_OK);
        SELFTEST_CHECK(wait_idle(i));
    }
    for (unsigned i = 0; i < hal_core_count(); i++)
        SELFTEST_CHECK(apic_ids[i] == core_table[i]->apic_id);
    return hal_core_count() < 2 ? SELFTEST_SKIP_ONE_CORE : NULL;
}

static volatile bool waiting;
static volatile uint64_t waited_us;

static void wait_long(void *arg)
{
    const uint64_t start_us = hal_now_us();

    waiting = true;
    hal_wait(start_us + 2 * CORE_TIMEOUT_US);
    waited_us = hal_now_us() - start_us;
}

static const char *kick_wakes(void)
{
    if (hal_core_count() < 2)
        return SELFTEST_SKIP_ONE_CORE;
    for (unsigned i = 1; i < hal_core_count(); i++) {
        waiting = false;
        SELFTEST_CHECK(hal_core_run(i, wait_long, NULL) == RT_OK);
        SELFTEST_CHECK(hal_core_run(i, wait_long, NULL) == RT_BUSY);
        for (unsigned n = 0; n < 1000 && !waiting; n++)
            hal_delay_us(1000);
        SELFTEST_CHECK(waiting);
        hal_delay_us(2000);
        hal_core_kick(i);
        SELFTEST_CHECK(wait_idle(i));
        SELFTEST_CHECK(waited_us < CORE_TIMEOUT_US);
    }
    return NULL;
}

/* Core 0 writes a round number, the other answers with its clock: the answer must lie
 * between core 0's clock before and after. */
static volatile uint64_t asked, answered, answer_cycles;
enum { CLOCK_ROUNDS = 200 };

static void answer_clock(void *arg)
{
    const uint64_t end_us = hal_now_us() + CORE_TIMEOUT_US;

    for (uint64_t round = 1; round <= CLOCK_ROUNDS && hal_now_us() < end_us; round++) {
        while (asked < round && hal_now_us() < end_us)
            hal_pause();
        answer_cycles = hal_cycles();
        __atomic_store_n(&answered, round, __ATOMIC_RELEASE);
    }
}

static const char *clock_with(unsigned core)
{
    asked = answered = 0;
    SELFTEST_CHECK(hal_core_run(core, answer_clock, NULL) == RT_OK);
    for (uint64_t round = 1; round <= CLOCK_ROUNDS; round++) {
        const uint64_t before = hal_cycles();
        const uint64_t end = before + hal_cycles_from_us(CORE_TIMEOUT_US);

        asked = round;
        while (__atomic_load_n(&answered, __ATOMIC_ACQUIRE) < round && hal_cycles() < end)
            hal_pause();
        SELFTEST_CHECK(answered == round);
        SELFTEST_CHECK(answer_cycles >= before);
        SELFTEST_CHECK(answer_cycles <= hal_cycles());
    }
    SELFTEST_CHECK(wait_idle(core));
    return NULL;
}

static const char *clock_equal(void)
{
    if (hal_core_count() < 2)
        return SELFTEST_SKIP_ONE_CORE;
    for (unsigned i = 1; i < RT_MIN(hal_core_count(), 3u); i++) {
        const char *wrong = clock_with(i);

        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

enum { RING_SLOTS = 64, RING_ITEMS = 20000 };
static void *ring_slots[RING_SLOTS];
static struct ring ring;
static volatile uint64_t got_items, got_wrong;

static void drain_ring(void *arg)
{
    const uint64_t end_us = hal_now_us() + CORE_TIMEOUT_US;
    void *items[16];

    while (got_items < RING_ITEMS && hal_now_us() < end_us) {
        const uint32_t n = ring_get(&ring, items, RT_ARRAY_SIZE(items));

        for (uint32_t i = 0; i < n; i++) {
            got_items++;
            if ((uintptr_t)items[i] != got_items)
                got_wrong++;
        }
        if (n == 0)
            hal_pause();
    }
}

static const char *ring_between_cores(void)
{
    const uint64_t end_us = hal_now_us() + CORE_TIMEOUT_US;
    uintptr_t next = 1;

    if (hal_core_count() < 2)
        return SELFTEST_SKIP_ONE_CORE;
    ring_init(&ring, ring_slots, RING_SLOTS);
    SELFTEST_CHECK(hal_core_run(1, drain_ring, NULL) == RT_OK);
    while (next <= RING_ITEMS && hal_now_us() < end_us) {
        void *items[8];
        uint32_t n = 0;

        while (n < RT_ARRAY_SIZE(items) && next + n <= RING_ITEMS) {
            items[n] = (void *)(next + n);
            n++;
        }
        next += ring_put(&ring, items, n);
    }
    SELFTEST_CHECK(wait_idle(1));
    SELFTEST_CHECK(got_items == RING_ITEMS);
    SELFTEST_CHECK(got_wrong == 0);
    return NULL;
}

static volatile uint64_t irq_seen;
static struct hal_irq other_irq;

static void wait_for_irq(void *arg)
{
    waiting = true;
    hal_wait(hal_now_us() + CORE_TIMEOUT_US);
    irq_seen = *other_irq.count;
}

/* A vector given for another core counts there, not here. */
static const char *irq_on_other_core(void)
{
    enum rt_status st;

    if (hal_core_count() < 2)
        return SELFTEST_SKIP_ONE_CORE;
    st = hal_irq_alloc(1, "selftest_other", &other_irq);
    if (st == RT_UNSUPPORTED && core_table[1]->apic_id > 254)
        return "SKIP ids above 254 need interrupt remapping";
    SELFTEST_CHECK(st == RT_OK);
    SELFTEST_CHECK(other_irq.core == 1);
    waiting = false;
    SELFTEST_CHECK(hal_core_run(1, wait_for_irq, NULL) == RT_OK);
    for (unsigned n = 0; n < 1000 && !waiting; n++)
        hal_delay_us(1000);
    /* The message a device would write, sent by the interrupt controller instead. */
    apic_send((uint32_t)(other_irq.msi_address >> 12 & 0xff), (uint8_t)other_irq.msi_data);
    SELFTEST_CHECK(wait_idle(1));
    SELFTEST_CHECK(irq_seen == 1);
    SELFTEST_CHECK(hal_irq_total(1) == 1);
    return NULL;
}

const struct selftest selftest_cores[] = {
    {"cores: each runs what it is given", run_on_all},
    {"cores: found by the id of their local APIC", apic_ids_agree},
    {"cores: a kick ends a wait", kick_wakes},
    {"cores: clocks agree", clock_equal},
    {"cores: ring keeps order", ring_between_cores},
    {"cores: interrupts reach the core they were given to", irq_on_other_core},
};
const uint32_t selftest_cores_count = RT_ARRAY_SIZE(selftest_cores);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting cores that answer, that come late, and that never do. */
#define core_this core_this_by_gs
#include "../../../rt/x86/cpu.h"
#undef core_this
static struct core *this_core;
#define core_this() this_core
#include "../../../rt/x86/smp.c"

#include <stdlib.h>
#include <sys/mman.h>

#include "cmocka_all.h"
#include "smp_fake.h"

static int setup(void **state)
{
    static bool mapped;

    if (!mapped)
        mapped = mmap((void *)START_PAGE, RT_PAGE_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                      0) == (void *)START_PAGE;
    if (!mapped)
        return -1;
    fake_reset();
    memset(&core0, 0, sizeof(core0));
    memset(&acpi, 0, sizeof(acpi));
    memset(dead, 0, sizeof(dead));
    memset(deaf_once, 0, sizeof(deaf_once));
    memset(inits, 0, sizeof(inits));
    memset(startups, 0, sizeof(startups));
    memset(kicks, 0, sizeof(kicks));
    core_count = 1;
    ap_slot_count = nmis = 0;
    access_now = skew_cycles = 0;
    ender = NULL;
    halted = false;
    this_core = &core0;
    no_page = no_stacks = x2 = nx_unlocked = false;
    nx = true;
    for (uint32_t i = 0; i < 5; i++) /* core 0 is number 4 in the table */
        acpi.core[i].apic_id = i;
    acpi.core_count = 5;
    return 0;
}

static int teardown(void **state)
{
    while (allocated_count > 0)
        free(allocated[--allocated_count]);
    return 0;
}

static void all_start(void **state)
{
    const uint8_t *page = (const uint8_t *)START_PAGE;
    uint32_t word;

    assert_int_equal(smp_start(NULL, &acpi, 0), 5);
    for (unsigned i = 1; i < 5; i++) {
        assert_int_equal(core_table[i]->id, i);
        assert_int_equal(core_table[i]->apic_id, i - 1);
        assert_int_equal(inits[i - 1], 1);
        assert_int_equal(startups[i - 1], 1); /* the second one was not needed */
    }
    assert_int_equal(inits[4], 0);
    assert_int_equal(access_now, PAGE_NONE); /* nobody needs it any more */
    memcpy(&word, page + AP_CR3, 4);
    assert_int_equal(word, 0x12345000);
    memcpy(&word, page + AP_JUMP32, 4);
    assert_int_equal(word, START_PAGE + 2);
    memcpy(&word, page + AP_GDTR + 2, 4); /* not aligned: behind the 16-bit limit */
    assert_int_equal(word, START_PAGE + AP_GDT);
    assert_null(strstr(fake.log, "failed"));
}

static uint64_t page_word(unsigned offset)
{
    uint64_t word;

    memcpy(&word, (const uint8_t *)START_PAGE + offset, sizeof(word));
    return word;
}

/* Other cores do with no-execute what core 0 did, before their paging is on. */
static void no_execute_as_core0(void **state)
{
    assert_int_equal(smp_start(NULL, &acpi, 2), 2);
    assert_int_equal(page_word(AP_EFER), EFER_LME | EFER_NXE);
    assert_int_equal((uint32_t)page_word(AP_XD_OFF), 0);
    core_count = 1;
    nx_unlocked = true;
    fill_start_page((uint8_t *)START_PAGE);
    assert_int_equal(page_word(AP_EFER), EFER_LME | EFER_NXE);
    assert_int_equal((uint32_t)page_word(AP_XD_OFF), 1);
    nx = nx_unlocked = false;
    fill_start_page((uint8_t *)START_PAGE);
    assert_int_equal(page_word(AP_EFER), EFER_LME);
}

static void second_message_helps(void **state)
{
    deaf_once[2] = true;
    assert_int_equal(smp_start(NULL, &acpi, 0), 5);
    assert_int_equal(startups[2], 2);
    assert_int_equal(startups[1], 1);
}

/* The one that does not start is named, held by INIT, and the others close ranks. The page that it
 * starts in stays: a virtual core may take its start-up message after all. */
static void one_never_starts(void **state)
{
    uint64_t begin_us = hal_now_us();

    dead[1] = true;
    assert_int_equal(smp_start(NULL, &acpi, 0), 4);
    assert_in_range(hal_now_us() - begin_us, START_TIMEOUT_US, START_TIMEOUT_US + 5000);
    assert_non_null(strstr(fake.log, "core apic=1 state=failed"));
    assert_non_null(strstr(fake.log, "reason=\"did not start within 1000 ms\""));
    assert_non_null(strstr(fake.log, "cores running=4 listed=5"));
    assert_int_equal(startups[1], 2);
    assert_int_equal(inits[1], 2);
    assert_int_equal(core_table[1]->apic_id, 0);
    assert_int_equal(core_table[2]->apic_id, 2);
    assert_int_equal(core_table[2]->id, 2);
    assert_int_equal(access_now, PAGE_RX);
}

/* And if it does come then, it finds that nobody wants it. */
static void too_late(void **state)
{
    dead[1] = true;
    assert_int_equal(smp_start(NULL, &acpi, 0), 4);
    EXPECT_PANIC(ap_main(ap_slots[1].core));
    assert_string_equal(fake.panic_text, "halted for ever");
    assert_int_equal(ap_slots[1].core->state, CORE_FAILED);
}

static void limits(void **state)
{
    assert_int_equal(smp_start(NULL, &acpi, 1), 1);
    assert_int_equal(inits[0], 0);
    assert_int_equal(smp_start(NULL, &acpi, 3), 3);
    assert_null(strstr(fake.log, "warning"));
    assert_int_equal(inits[0] + inits[1] + inits[2] + inits[3], 2);
}

static void fewer_than_asked_for(void **state)
{
    assert_int_equal(smp_start(NULL, &acpi, 64), 5);
    assert_non_null(strstr(fake.log, "cores warning=\"cores=64 was asked for, 5 run\""));
}

static void more_than_we_hold(void **state)
{
    for (uint32_t i = 0; i < 200; i++)
        acpi.core[i].apic_id = i;
    acpi.core_count = 200;
    assert_int_equal(smp_start(NULL, &acpi, 0), HAL_CORES_MAX);
}

/* What firmware wrote into no memory, or never wrote: the machine goes on with its cores. */
static void ids_out_of_reach(void **state)
{
    static const uint32_t wild[] = {0x100, 0xff, 0x101, 0x17161514};

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(wild); i++)
        acpi.core[acpi.core_count++].apic_id = wild[i];
    assert_int_equal(smp_start(NULL, &acpi, 0), 5);
    assert_int_equal(inits[0xff] + inits[0x100] + inits[0x101], 0);
    assert_int_equal(inits[4], 0);
    assert_non_null(strstr(fake.log, "core apic=0x100 state=skipped reason=\"the tables list"));
    assert_null(strstr(fake.log, "apic=0xff")); /* one line for all */
    assert_int_equal(ap_apic_page, 0xfee00000);
}

static void ids_of_x2apic(void **state)
{
    x2 = true;
    acpi.core[acpi.core_count++].apic_id = 0x101;
    acpi.core[acpi.core_count++].apic_id = 0xff;
    assert_int_equal(smp_start(NULL, &acpi, 0), 7);
    assert_int_equal(startups[0x101], 1);
    assert_null(strstr(fake.log, "skipped"));
    assert_int_equal(ap_apic_page, 0);
}

static void no_low_page(void **state)
{
    no_page = true;
    assert_int_equal(smp_start(NULL, &acpi, 0), 1);
    assert_non_null(strstr(fake.log, "no free page below 640 KiB"));
}

static void no_memory(void **state)
{
    no_stacks = true;
    assert_int_equal(smp_start(NULL, &acpi, 0), 1);
    assert_non_null(strstr(fake.log, "core apic=0 state=skipped"));
}

static void clock_that_differs(void **state)
{
    skew_cycles = 1000000;
    assert_int_equal(smp_start(NULL, &acpi, 2), 2);
    assert_non_null(strstr(fake.log, "core id=1 clock=differs"));
}

static void work(void *arg)
{
    ++*(int *)arg;
}

static void mail_box(void **state)
{
    int done = 0;

    assert_int_equal(smp_start(NULL, &acpi, 2), 2);
    assert_true(hal_core_idle(1));
    assert_false(hal_core_idle(2));
    assert_int_equal(hal_core_run(1, work, &done), RT_OK);
    assert_int_equal(kicks[0], 1);
    assert_false(hal_core_idle(1));
    assert_int_equal(hal_core_run(1, work, &done), RT_BUSY);
    assert_int_equal(hal_core_run(0, work, &done), RT_INVALID);
    assert_int_equal(hal_core_run(2, work, &done), RT_INVALID);
    assert_int_equal(hal_core_run(1, NULL, &done), RT_INVALID);
    EXPECT_PANIC(hal_core_kick(2));
}

/* One core ends the run, and goes on whatever else happens: a core that panics meanwhile halts
 * instead of stopping it, and an NMI of a device does not halt it. */
static void one_ends_the_run(void **state)
{
    assert_int_equal(smp_start(NULL, &acpi, 3), 3);
    assert_false(core_must_halt());
    this_core = core_table[1];
    core_stop_others();
    assert_int_equal(nmis, 2);
    assert_false(core_must_halt());
    this_core = core_table[2];
    assert_true(core_must_halt());
    EXPECT_PANIC(core_stop_others());
    assert_string_equal(fake.panic_text, "halted for ever");
    this_core = core_table[1];
    core_stop_others(); /* its own second fault */
    assert_int_equal(nmis, 2);
    assert_false(core_must_halt());
    EXPECT_PANIC(core_halt_for_good());
    assert_true(core_must_halt()); /* at an NMI that comes then */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_start, setup, teardown),
        cmocka_unit_test_setup_teardown(no_execute_as_core0, setup, teardown),
        cmocka_unit_test_setup_teardown(second_message_helps, setup, teardown),
        cmocka_unit_test_setup_teardown(one_never_starts, setup, teardown),
        cmocka_unit_test_setup_teardown(too_late, setup, teardown),
        cmocka_unit_test_setup_teardown(limits, setup, teardown),
        cmocka_unit_test_setup_teardown(fewer_than_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_we_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_out_of_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_of_x2apic, setup, teardown),
        cmocka_unit_test_setup_teardown(no_low_page, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(clock_that_differs, setup, teardown),
        cmocka_unit_test_setup_teardown(mail_box, setup, teardown),
        cmocka_unit_test_setup_teardown(one_ends_the_run, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

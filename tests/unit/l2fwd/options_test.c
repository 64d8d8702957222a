/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of l2fwd, the kit and the runtime together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "options.h"

#include <kit/options.h>
#include <pmd/nic.h>
#include <rt/app.h>
#include <string.h>

static const struct arg_table *const tables[] = {&rt_arg_table, &kit_arg_table, &l2fwd_arg_table,
                                                 NULL};

static void no_line(void *ctx, const char *line)
{
    fail_msg("%s", line);
}

static void defaults(void **state)
{
    assert_int_equal(args_parse(tables, "", no_line, NULL).mistakes, 0);
    assert_int_equal(l2fwd_options.mode, L2FWD_MAC);
    assert_true(l2fwd_options.mac_update);
    assert_int_equal(kit_options.batch, 32);
    assert_int_equal(kit_options.queues, 1);
    assert_string_equal(l2fwd_options.portmap, "");
}

static void choices_are_in_the_order_of_their_enums(void **state)
{
    static const struct {
        const char *line;
        uint32_t mode, irq;
    } rows[] = {
        {"mode=io irq=msix", L2FWD_IO, NIC_IRQ_MSIX},
        {"mode=mac irq=msi", L2FWD_MAC, NIC_IRQ_MSI},
        {"mode=macswap irq=intx", L2FWD_MACSWAP, NIC_IRQ_INTX},
        {"mode=rxonly irq=none", L2FWD_RXONLY, NIC_IRQ_NONE},
        {"mode=txonly", L2FWD_TXONLY, NIC_IRQ_MSIX},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        assert_int_equal(args_parse(tables, rows[i].line, no_line, NULL).mistakes, 0);
        assert_int_equal(l2fwd_options.mode, rows[i].mode);
        assert_int_equal(kit_options.irq, rows[i].irq);
    }
}

static void a_whole_line(void **state)
{
    args_parse(tables,
               "ports=0x6 portmap=(1,2) queues=2 batch=64 rx_descs=1024 mac_update=off"
               " stats_s=10 promiscuous=off pool_size=20k poll=irq cores=4",
               no_line, NULL);
    assert_string_equal(kit_options.ports, "0x6");
    assert_string_equal(l2fwd_options.portmap, "(1,2)");
    assert_int_equal(kit_options.pool_size, 20000);
    assert_false(kit_options.promiscuous);
}

static void names_are_unique_and_explained(void **state)
{
    const struct arg *all[128];
    uint32_t count = 0;

    for (unsigned t = 0; tables[t] != NULL; t++) {
        for (uint32_t i = 0; i < tables[t]->count; i++) {
            const struct arg *a = &tables[t]->args[i];

            for (uint32_t k = 0; k < count; k++)
                assert_string_not_equal(a->name, all[k]->name);
            assert_true(strlen(a->help) > 10);
            assert_true(strlen(a->name) < 32);
            all[count++] = a;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(choices_are_in_the_order_of_their_enums),
        cmocka_unit_test(a_whole_line),
        cmocka_unit_test(names_are_unique_and_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
